"""The commands `rag-agent threads ...`."""

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_agent.cli_trust import Commands
from rag_agent.errors import SettingsError, ThreadError
from rag_agent.visible import visible_line

if TYPE_CHECKING:
    from rag_agent.agent import RagAgent
    from rag_agent.memory.stale import StaleAnswer
    from rag_agent.memory.transcript import Turn

threads_app = Commands(help="Conversations that are kept.", rich_markup_mode=None, no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else on standard output.")]
TurnOption = Annotated[int | None, typer.Option("--turn", help="The last turn to keep, counted from 1.")]


@threads_app.command("list")
def threads_list(
    search: Annotated[str | None, typer.Option("--search", help="Only those in which all these words stand.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the conversations, the last used first."""
    from rag_agent import console

    with _home() as agent:
        found = agent.threads.list(search)
    if as_json:
        console.print_json([vars(thread) for thread in found])
        return
    rows = [
        (
            t.thread_id,
            str(t.turns),
            t.last_used[:19].replace("T", " "),
            _size(t.size),
            _line(t.title) + (" (unfinished)" * bool(t.unfinished)),
        )
        for t in found
    ]
    console.print_table(("thread", "turns", "last used (UTC)", "size", "title"), rows)


@threads_app.command("show")
def threads_show(thread_id: str, as_json: AsJson = False) -> None:
    """Print a conversation with the sources of its answers, which of them rest on changed files, and a turn cut off midway."""
    from rag_agent import console

    with _home() as agent:
        turns = agent.threads.show(thread_id)
        stale = {found.turn: found.files for found in agent.threads.stale(thread_id)}
        unfinished = agent.threads.unfinished(thread_id)
    if as_json:
        told = [{**_plain(turn), "stale": stale.get(n, {}), "unfinished": False} for n, turn in enumerate(turns, start=1)]
        cut_off: dict[str, Any] = {"question": unfinished, "answer": None, "docs": None, "stale": {}, "unfinished": True}
        console.print_json([*told, cut_off] if unfinished else told)
        return
    for number, turn in enumerate(turns, start=1):
        console.out(f"{number}. {console.line(turn.question)}\n")
        console.print_answer(turn.answer)
        if number in stale:
            again = f"`rag-agent threads stale {console.line(thread_id)} --ask` asks again"
            console.note(f"Stale: {_changes(stale[number])} since; {again}.")
        console.out()
    if unfinished:
        again = f"ask it again with `rag-agent ask ... --thread {console.line(thread_id)}`"
        console.note(f"Unfinished: “{console.line(unfinished)}” was cut off; {again}.")


@threads_app.command("rename")
def threads_rename(thread_id: str, title: str) -> None:
    """Give a conversation a title."""
    from rag_agent import console

    with _home() as agent:
        agent.threads.rename(thread_id, title)
    console.note(f"Thread {console.line(thread_id)} is now called “{console.line(title)}”.")


@threads_app.command("fork")
def threads_fork(thread_id: str, new_id: str, turn: TurnOption = None) -> None:
    """Go on from a turn in a conversation of its own; the old one stays as it is."""
    from rag_agent import console

    with _home() as agent:
        agent.threads.fork(thread_id, new_id, turn)
    where = f"turn {turn}" if turn is not None else "the end"
    console.note(f"Thread {console.line(new_id)} goes on from {where} of {console.line(thread_id)}.")


@threads_app.command("rewind")
def threads_rewind(
    thread_id: str, turn: Annotated[int, typer.Option("--turn", help="The last turn to keep, counted from 1; 0 keeps none.")]
) -> None:
    """Go back to a turn; the next question follows on it. Rewinding to a later turn's number brings that back."""
    from rag_agent import console

    with _home() as agent:
        agent.threads.rewind(thread_id, turn)
    console.note(f"Thread {console.line(thread_id)} is back at turn {turn}.")


@threads_app.command("edit")
def threads_edit(
    thread_id: str,
    turn: Annotated[int, typer.Argument(help="Which turn, counted from 1.")],
    question: str,
    docs: Annotated[Path | None, typer.Option("--docs", help="Left out: those the turn asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask another question in place of a turn's; what came after it is no longer part of the conversation."""
    from rag_agent import console
    from rag_agent.agent import RagAgent

    with _home() as agent:
        turns = agent.threads.show(thread_id)
    root = docs or (turns[turn - 1].docs if 0 < turn <= len(turns) else None)
    with RagAgent(root) as agent:
        answer = agent.edit(thread_id, turn, question)
    console.print_json(answer.to_dict()) if as_json else console.print_answer(answer)


@threads_app.command("export")
def threads_export(
    thread_id: str,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE.json or FILE.md; left out, JSON is printed.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown for readers; it cannot be imported.")] = False,
) -> None:
    """Write a conversation to a file that another home can import."""
    from rag_agent import console

    markdown = markdown or (output is not None and output.suffix.lower() == ".md")
    with _home() as agent:
        text = agent.threads.export(thread_id, "markdown" if markdown else "json")
    if output is None:
        console.out(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{output} cannot be written ({error.strerror}); name another file with -o") from error
    console.note(f"Thread {console.line(thread_id)} is in {console.line(output)}")


@threads_app.command("import")
def threads_import(
    file: Path, new_id: Annotated[str | None, typer.Option("--as", help="Another ID for the conversation.")] = None
) -> None:
    """Take over a conversation that was exported as JSON."""
    from rag_agent import console

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ThreadError(f"{file} cannot be read ({error}); name a file that `rag-agent threads export` wrote") from error
    with _home() as agent:
        thread_id = agent.threads.import_(text, new_id)
    console.note(f"Thread {console.line(thread_id)} is here.")


@threads_app.command("delete")
def threads_delete(thread_id: str) -> None:
    """Delete a conversation for good: its bytes in the home are overwritten, in a database its rows are deleted."""
    from rag_agent import console

    with _home() as agent:
        agent.threads.delete(thread_id)
        left = len(agent.memories.list(thread_id=thread_id)) if agent.settings.memories else 0
    console.note(f"Thread {console.line(thread_id)} is deleted.")
    if left:
        again = f"`rag-agent memories forget --thread {console.line(thread_id)}` forgets them"
        console.note(f"{left} memories that came from it stay; {again}.")


@threads_app.command("prune")
def threads_prune(
    older_than: Annotated[str | None, typer.Option("--older-than", help="Delete those not used for so long: 30d, 12h.")] = None,
    keep: Annotated[int | None, typer.Option("--keep", min=0, help="Delete all but so many.")] = None,
    max_bytes: Annotated[int | None, typer.Option("--max-bytes", min=0, help="Delete until the rest is no larger.")] = None,
    as_json: AsJson = False,
) -> None:
    """Delete the conversations that were not used for the longest time, for good."""
    from rag_agent import console

    with _home() as agent:
        gone = agent.threads.prune(older_than=_age(older_than), keep=keep, max_bytes=max_bytes)
        before, after = agent.threads.vacuum()
    if as_json:
        console.print_json({"deleted": [thread.thread_id for thread in gone], "bytes_before": before, "bytes_after": after})
        return
    for thread in gone:
        console.out(f"deleted {console.line(thread.thread_id)}: {_line(thread.title)}")
    console.note(f"{len(gone)} threads deleted; the file went from {_size(before)} to {_size(after)}.")


@threads_app.command("vacuum")
def threads_vacuum(as_json: AsJson = False) -> None:
    """Give unused space back to the disk."""
    from rag_agent import console

    with _home() as agent:
        before, after = agent.threads.vacuum()
    if as_json:
        console.print_json({"bytes_before": before, "bytes_after": after})
    else:
        console.out(f"{_size(before)} before, {_size(after)} after: {_size(max(0, before - after))} won")


@threads_app.command("stale")
def threads_stale(
    thread_id: Annotated[str | None, typer.Argument(help="Left out: all conversations.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask each again and show what differs; the conversation stays.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the answers that rest on files which have changed since."""
    from rag_agent import console

    with _home() as agent:
        found = agent.threads.stale(thread_id)
    now = [_again(stale) if ask else None for stale in found]
    if as_json:
        rows = [
            {**vars(s), "answer": s.answer.to_dict(), "now": n.to_dict() if n else None} for s, n in zip(found, now, strict=True)
        ]
        console.print_json(rows)
        return
    for stale, answer in zip(found, now, strict=True):
        console.out(f"{console.line(stale.thread_id)}, turn {stale.turn}: {_line(stale.question)}")
        console.out(f"    {_changes(stale.files)}")
        if answer:
            for line in _difference(stale.answer.text, answer.text):
                console.out(f"    {console.line(line)}")
    if found and not ask:
        console.note("Ask them again with --ask.")
    elif not found:
        console.note("No answer rests on a file that has changed.")


@threads_app.command("check")
def threads_check(
    recover: Annotated[
        bool, typer.Option("--recover", help="Save what is readable of a damaged file; keep the old one.")
    ] = False,
) -> None:
    """Read every page and message of the file of conversations, and say what is damaged."""
    from rag_agent import console
    from rag_agent.memory.recovery import recover as save
    from rag_agent.settings import Settings

    try:
        with _home() as agent:
            found = [*agent.threads.check()]
    except ThreadError as error:
        found = [str(error)]
    if not found:
        console.out("All conversations can be read.")
        return
    for line in found:
        console.out(console.line(line))
    settings = Settings.load()
    if settings.database:
        raise ThreadError("the conversations are damaged; restore a copy of the database")
    folder = settings.folder
    if not recover or folder is None:
        raise ThreadError("the conversations are damaged; `rag-agent threads check --recover` saves what is readable")
    aside, saved, lost = save(folder / "threads.sqlite")
    told = f"{saved} checkpoints are saved, {lost} could not be read"
    console.note(f"{told}; the damaged file is kept as {console.line(aside)}")


# --- parts --------------------------------------------------------------------------------------------------------------


def _home() -> "RagAgent":
    from rag_agent.agent import RagAgent
    from rag_agent.settings import Settings

    return RagAgent(settings=Settings.load())


def _again(stale: "StaleAnswer") -> Any:
    from rag_agent.agent import RagAgent

    with RagAgent(stale.docs) as agent:
        return agent.ask(stale.answer.query or stale.question)


def _difference(before: str, after: str) -> list[str]:
    """Sentences that went (-) and came (+)."""
    if before == after:
        return ["the answer is the same"]
    from difflib import ndiff

    from rag_agent.language import sentence_texts

    return [line for line in ndiff(list(sentence_texts(before)), list(sentence_texts(after))) if line[0] in "-+"]


def _plain(turn: "Turn") -> dict[str, Any]:
    return {"question": turn.question, "answer": turn.answer.to_dict(), "docs": turn.docs}


def _changes(files: dict[str, Any]) -> str:
    return ", ".join(f"{visible_line(file)} {'is gone' if what == 'gone' else 'has changed'}" for file, what in files.items())


def _line(text: str) -> str:
    text = visible_line(" ".join(text.split()))
    return text if len(text) <= 100 else text[:99] + "…"


def _size(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count} B" if count < 1000 else f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)([dhm])", text.strip())
    if not found:
        raise SettingsError(f"'{text}' is no age; write days, hours or minutes, like 30d, 12h or 90m")
    return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[found[2]]: int(found[1])})
