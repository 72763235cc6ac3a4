"""What the commands print: answers with their sources, tables, progress.

Results go to standard output, the rest to standard error. Everything passes `visible`, and names stay on one line.
"""

import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from rag_agent.answers import Answer, Citation, Event, Hit, IndexReport
from rag_agent.visible import visible, visible_json, visible_line

line = visible_line
"""A name, a title or a message, on one line."""


def out(text: str = "") -> None:
    """A line of the result."""
    typer.echo(visible(text))


def note(text: str) -> None:
    """A line that is not the result."""
    typer.echo(visible(text), err=True)


def piece(text: str) -> None:
    """A piece of the result, more of which follows on the same line."""
    typer.echo(visible(text), nl=False)


def print_json(values: Any) -> None:
    """The result as one JSON value."""
    out(visible_json(values))


def print_answer(answer: Answer, *, text: bool = True) -> None:
    """An answer, then what each of its sentences stands on."""
    if text:
        out(answer.text)
    if answer.citations:
        out()
        print_sources(answer.citations)
    print_memories(answer)
    if answer.kind == "quote":
        note("\nThese are the best sentences of the documents themselves.")
    if answer.kind == "transformed" and answer.citations:
        note("\nThis rests on an earlier answer, whose sources are shown.")
    for told in answer.left_out:
        note(f"Note: {line(told)}")


def print_memories(answer: Answer) -> None:
    """What the user stated that was kept of the turn, or that the answer rests on: it is no source."""
    for number, one in enumerate(answer.memories, start=1):
        where = f"turn {one.turn} of {line(one.thread_id or '')}" if one.turn is not None else "added"
        note(f"Remembered [m{number}] ({one.id}, {where}, {one.time[:10]}), what you said and no source: “{line(one.text)}”")


def print_found(event: Event) -> None:
    """A quote that was found while the model still reads; nothing of other events."""
    if event.type == "quote":
        note(f"Found: “{' '.join(event.text.split())}”")


def print_sources(citations: Sequence[Citation]) -> None:
    """The citations, numbered as in the text."""
    for number, citation in enumerate(citations, start=1):
        page = f", page {citation.page}" if citation.page else ""
        quote = line(" ".join(citation.quote.split()))
        out(f"[{number}] {line(citation.file)}, article {citation.article}{page}, characters {citation.start}-{citation.end}:")
        out(f"    “{quote}”")


def print_hits(hits: Sequence[Hit]) -> None:
    """The hits of a search."""
    if not hits:
        note("Nothing found.")
    for hit in hits:
        out(f"{hit.score:.3f}  {line(hit.file)}, article {hit.article}, characters {hit.start}-{hit.end}")
        out(f"    {line(' '.join(hit.text.split()))}")


def print_report(report: IndexReport) -> None:
    """What indexing did."""
    out(
        f"{report.files} files, {report.chunks} chunks: {len(report.added)} added, {len(report.updated)} updated, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, {len(report.skipped)} skipped; "
        f"{report.embedded} chunks embedded in {report.seconds:.1f} s"
    )
    print_not_read(report)


def print_not_read(report: IndexReport, files: Container[str] | None = None) -> None:
    """Each file that was passed over, and what was not read of the others; of these files alone, where any are named."""
    for file, reason in report.skipped:
        note(f"skipped {line(file)}: {line(reason)}")
    for file, thing in report.told:
        if files is None or file in files:
            note(f"not read in {line(file)}: {line(thing)}")


def print_update(report: IndexReport, as_json: bool) -> None:
    """What one step of `index --watch` did: a line of JSON each, or each file in words."""
    if as_json:
        out(visible_json(report.to_dict(), indent=None))
        return
    for what, files in (("added", report.added), ("updated", report.updated), ("removed", report.removed)):
        for file in files:
            out(f"{what} {line(file)}")
    out(f"{report.files} files, {report.chunks} chunks")
    print_not_read(report, {*report.added, *report.updated})


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns: a Rich table where there is a terminal, else tab-separated lines for other programs."""
    rows = [[line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in rows:
            out("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*headers, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row, end_section=False)
    Console(markup=False, highlight=False).print(table)


@contextmanager
def progress_bar(what: str, unit: str = "chunks to embed") -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that appears with the first call of what it hands out, with rate and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        """How many are done a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    console = Console(stderr=True)
    what = line(what)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(""),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None, visible=False)

        def show(done: int, total: int) -> None:
            if not console.is_terminal and done == 0:
                note(f"{what}: {total} {unit}")
            progress.update(task, completed=done, total=total, visible=True)

        yield show


@contextmanager
def spinner(what: str) -> Iterator[Callable[[str], None]]:
    """Says which step of a long work is under way: as a spinner where there is a terminal, else as lines."""
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False)
    what = line(what)
    if not console.is_terminal:
        yield lambda step: note(f"{what}: {line(step)} ...")
        return
    with console.status(what) as status:
        yield lambda step: status.update(f"{what}: {line(step)} ...")
