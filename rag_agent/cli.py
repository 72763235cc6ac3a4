"""The command `rag-agent`. Everything heavy is imported inside the commands, so that `--help` costs a third of a second."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_agent.cli_eval import evaluate
from rag_agent.cli_memories import memories_app
from rag_agent.cli_models import compare, models_app, tokens
from rag_agent.cli_serve import mcp, serve
from rag_agent.cli_threads import threads_app
from rag_agent.cli_trust import Commands, trust
from rag_agent.errors import RagAgentError

if TYPE_CHECKING:
    from rag_agent.agent import RagAgent
    from rag_agent.answers import Answer
    from rag_agent.settings import Settings

app = Commands(
    help="Ask your own documents, on your own machine; every statement stands on a quote that can be checked.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(threads_app, name="threads")
app.add_typer(memories_app, name="memories")
app.add_typer(models_app, name="models")
app.command("eval")(evaluate)
app.command("trust")(trust)
app.command("tokens")(tokens)
app.command("compare")(compare)
app.command("serve")(serve)
app.command("mcp")(mcp)

Docs = Annotated[Path | None, typer.Option("--docs", help="Folder or file to ask. Left out: the setting docs, else ./rag_data.")]
NoDocs = Annotated[bool, typer.Option("--no-docs", help="Plain chat, no documents.")]
Model = Annotated[str | None, typer.Option("--model", help="Chat model, as provider:model.")]
Embedder = Annotated[str | None, typer.Option("--embeddings", help="Embedding model, as provider:model.")]
System = Annotated[str | None, typer.Option("--system", help="The assistant's role.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Generation setting, as name=value; may be repeated.")]
Judge = Annotated[
    str | None,
    typer.Option("--judge", help="What checks generated sentences beside the hard checks: auto, builtin, model, huggingface:ID."),
]
Reranker = Annotated[
    str | None, typer.Option("--reranker", help="What puts the passages found in their last order, as huggingface:ID.")
]
K = Annotated[int | None, typer.Option("-k", min=1, max=100, help="How many passages to retrieve.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else on standard output.")]
Watch = Annotated[bool, typer.Option("--watch", help="Go on, and take up each change of the files, until Ctrl-C.")]
On = Annotated[
    str | None,
    typer.Option("--on", help="Where texts are embedded: ray, or the cluster ray://HOST[:PORT]. Left out: in this process."),
]
Thread = Annotated[str | None, typer.Option("--thread", help="Conversation to go on with; left out, nothing is kept.")]


def _version(asked: bool) -> None:
    if asked:
        from rag_agent import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Ask your own documents, on your own machine; every statement stands on a quote that can be checked."""


@app.command()
def ask(
    question: str,
    docs: Docs = None,
    no_docs: NoDocs = False,
    model: Model = None,
    embeddings: Embedder = None,
    thread: Thread = None,
    system: System = None,
    set_: Set = None,
    k: K = None,
    judge: Judge = None,
    reranker: Reranker = None,
    as_json: AsJson = False,
) -> None:
    """Ask one question and print the answer with its sources."""
    from rag_agent import console

    settings = _settings(
        model=model, embeddings=embeddings, system=system, generation=_generation(set_), k=k, judge=judge, reranker=reranker
    )
    with _agent(settings, docs, no_docs) as agent:
        _bring_up_to_date(agent, no_docs)
        if as_json:
            answer = agent.ask(question, thread_id=thread)
            console.print_json(answer.to_dict())
        else:
            for event in agent.stream(question, thread_id=thread):
                console.print_found(event)
            assert event.answer is not None  # the last event
            answer = event.answer
            console.print_answer(answer)
    _tell_of_reader(settings, answer)


@app.command()
def chat(
    docs: Docs = None,
    no_docs: NoDocs = False,
    model: Model = None,
    embeddings: Embedder = None,
    thread: Thread = None,
    system: System = None,
    set_: Set = None,
    k: K = None,
    judge: Judge = None,
    reranker: Reranker = None,
    as_json: AsJson = False,
) -> None:
    """Ask and follow up until you type quit. Ctrl-C ends an answer; the conversation keeps its finished turns."""
    from rag_agent import console

    settings = _settings(
        model=model, embeddings=embeddings, system=system, generation=_generation(set_), k=k, judge=judge, reranker=reranker
    )
    with _agent(settings, docs, no_docs) as agent:
        _bring_up_to_date(agent, no_docs)
        if thread is None:
            thread = _new_thread_id()
        console.note(f"Thread {console.line(thread)}. Type quit to end.")
        while (question := _line()) is not None:
            try:
                _chat_turn(agent, question, thread, as_json)
            except KeyboardInterrupt:
                console.note("\nInterrupted; this turn is not kept, the conversation is as it was.")
            except RagAgentError as error:
                console.note(f"rag-agent: {console.line(error)}")


@app.command()
def search(
    query: str,
    docs: Docs = None,
    embeddings: Embedder = None,
    k: K = None,
    reranker: Reranker = None,
    as_json: AsJson = False,
) -> None:
    """Find passages, best first."""
    from rag_agent import console

    with _agent(_settings(embeddings=embeddings, k=k, reranker=reranker), docs, False) as agent:
        _bring_up_to_date(agent, False)
        hits = agent.search(query)
    console.print_json([hit.to_dict() for hit in hits]) if as_json else console.print_hits(hits)


@app.command()
def explain(
    question: str,
    docs: Docs = None,
    embeddings: Embedder = None,
    k: K = None,
    as_json: AsJson = False,
) -> None:
    """Show what a question finds, why units rank as they do, what is withheld, and what a reader would be given."""
    from rag_agent import console

    with _agent(_settings(embeddings=embeddings, k=k), docs, False) as agent:
        _bring_up_to_date(agent, False)
        explanation = agent.explain(question)
    console.print_json(explanation.to_dict()) if as_json else console.out(str(explanation))


@app.command()
def index(path: Path, embeddings: Embedder = None, watch: Watch = False, on: On = None, as_json: AsJson = False) -> None:
    """Bring the index of a folder or file up to date; make it anew where it is damaged or was made with other settings."""
    from rag_agent import console

    settings = _settings(embeddings=embeddings)
    with _agent(settings, path, False) as agent:
        with console.progress_bar(f"Indexing {path}") as bar:
            report = agent.index(progress=bar, on=on)
        if not watch:
            console.print_json(report.to_dict()) if as_json else console.print_report(report)
            return
        from rag_agent.watching import kept_up_to_date

        console.print_update(report, as_json)
        console.note(f"Watching {console.line(path)}. Ctrl-C ends it.")
        try:
            for found in kept_up_to_date(agent, path, settings.folder):
                if isinstance(found, RagAgentError):
                    console.note(f"rag-agent: {console.line(found)}")
                else:
                    console.print_update(found, as_json)
        except KeyboardInterrupt:
            console.note("\nThe watch has ended; what was indexed is kept.")


@app.command()
def graph(name: Annotated[str, typer.Argument(help="chat, rag or agent")]) -> None:
    """Print one of the three graphs as Mermaid, offline."""
    from rag_agent import console
    from rag_agent.errors import SettingsError
    from rag_agent.workflows.drawing import DRAWINGS, mermaid

    if name not in DRAWINGS:
        raise SettingsError(f"there is no graph '{name}'; name one of: {', '.join(DRAWINGS)}")
    console.out(mermaid(name))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is there, what can be reached, and what to type next."""
    from rag_agent import console
    from rag_agent.doctor import examine

    findings = examine(_settings())
    if as_json:
        console.print_json([vars(finding) for finding in findings])
        return
    for finding in findings:
        console.out(f"{'ok ' if finding.ok else '-- '} {finding.what}: {console.line(finding.state)}")
        if finding.next_step:
            console.out(f"     next: {console.line(finding.next_step)}")


def main() -> None:
    """Run the command; an expected failure is one line on standard error and exit status 1."""
    # Imports make a million objects that stay; at the default threshold, looking through them takes a tenth of the time.
    gc.set_threshold(100_000, 50, 50)
    try:
        app(prog_name="rag-agent", standalone_mode=True)
    except RagAgentError as error:
        from rag_agent.visible import visible_line

        typer.echo(f"rag-agent: {visible_line(error)}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # `rag-agent ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as end:
        if end.code != 130:  # what Typer makes of Ctrl-C
            raise
        typer.echo("rag-agent: interrupted; what was stored before is kept", err=True)
        sys.exit(1)


def _settings(**given: Any) -> "Settings":
    from rag_agent.settings import Settings

    return Settings.load(**given)


def _generation(words: list[str] | None) -> dict[str, Any] | None:
    from rag_agent.settings import assignments

    return assignments(words) if words else None


def _agent(settings: "Settings", docs: Path | None, no_docs: bool) -> "RagAgent":
    from rag_agent.agent import RagAgent
    from rag_agent.errors import SettingsError

    if no_docs:
        if docs is not None:
            raise SettingsError("--docs and --no-docs contradict each other; leave one out")
        return RagAgent(settings=settings)
    return RagAgent(settings.docs_or(docs), settings=settings)


def _bring_up_to_date(agent: "RagAgent", no_docs: bool) -> None:
    from rag_agent import console

    if not no_docs:
        with console.progress_bar("Indexing the documents") as bar:
            report = agent.index(rebuild=False, progress=bar)
        if report.added or report.updated or report.removed:
            console.print_not_read(report, {*report.added, *report.updated})


def _tell_of_reader(settings: "Settings", answer: "Answer") -> None:
    from rag_agent import console
    from rag_agent.models.reader import notice

    if answer.kind == "quote" and (text := notice(settings)):
        console.note(text)


def _new_thread_id() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")


def _line() -> str | None:
    """The next question; None at the end of the input, at quit or exit, or at Ctrl-C."""
    while True:
        try:
            typer.echo("> ", err=True, nl=False)
            text = input().strip()
        except (EOFError, KeyboardInterrupt):
            typer.echo(err=True)
            return None
        if text.lower() in ("quit", "exit"):
            return None
        if text:
            return text


def _chat_turn(agent: "RagAgent", question: str, thread: str, as_json: bool) -> None:
    from rag_agent import console
    from rag_agent.visible import visible_json

    shown = ""
    for event in agent.stream(question, thread_id=thread):
        if as_json and event.answer:
            console.out(visible_json(event.answer.to_dict(), indent=None))
        elif as_json:
            continue
        elif event.type == "quote":
            console.print_found(event)
        elif event.type in ("sentence", "token"):
            shown += event.text
            console.out(event.text) if event.type == "sentence" else console.piece(event.text)
        elif event.answer:
            if shown and event.answer.kind in ("chat", "transformed"):
                console.out()
            # What the stream showed is not always the answer: a reply may have been cut to the words asked for.
            console.print_answer(event.answer, text="".join(shown.split()) != "".join(event.answer.text.split()))
            _tell_of_reader(agent.settings, event.answer)
