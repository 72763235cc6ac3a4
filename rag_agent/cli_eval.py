"""The command `rag-agent eval`: measures of the answers to the user's own questions, offline, in a form that CI can act on."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_agent.errors import EvaluationError

if TYPE_CHECKING:
    from rag_agent.agent import RagAgent
    from rag_agent.evaluation import Evaluation
    from rag_agent.evaluation.questions import Conversation
    from rag_agent.settings import Settings

Models = Annotated[list[str] | None, typer.Option("--model", help="Chat model, as provider:model; repeat it to compare several.")]
Baseline = Annotated[Path | None, typer.Option("--baseline", help="What an earlier run printed with --json; shows what changed.")]
Questions = Annotated[
    Path, typer.Argument(metavar="QUESTIONS", help="JSON lines: question, answers, file, article, answerable; or turns.")
]
Docs = Annotated[Path | None, typer.Option("--docs", help="Folder or file to ask. Left out: the setting docs, else ./rag_data.")]
Embedder = Annotated[str | None, typer.Option("--embeddings", help="Embedding model, as provider:model.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many lines.")]
Fit = Annotated[bool, typer.Option("--calibrate", help="Fit the setting refusal_threshold to the questions, and nothing else.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else on standard output.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a report there, too: one file, to open in a browser.")]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under",
        help="Exit with status 1 where a measure is below this, as name=value; for words, seconds and tokens: above it. "
        "A name alone means the value of --baseline. May be repeated.",
    ),
]


def evaluate(
    questions: Questions,
    docs: Docs = None,
    model: Models = None,
    embeddings: Embedder = None,
    baseline: Baseline = None,
    fail_under: FailUnder = None,
    limit: Limit = None,
    calibrate: Fit = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Ask a file of questions and measure the answers: found, right, refused where they should be, cited correctly.

    Each figure comes with the interval that 95 % of draws of such questions fall into.
    """
    from rag_agent.evaluation import read_questions
    from rag_agent.settings import Settings

    conversations = read_questions(questions, limit)
    before = _earlier(baseline) if baseline else {}
    limits = _limits(fail_under or [], before)
    models = model or [Settings.load().model]
    every = [Settings.load(model=name, embeddings=embeddings) for name in models]
    path = every[0].docs_or(docs)
    if calibrate:
        _calibrate(path, every[0], conversations, as_json)
        return
    runs = [_run(path, settings, conversations) for settings in every]
    _print(runs, before, {"questions": str(questions), "docs": str(path)}, as_json)
    if html is not None:
        _write(html, runs, before, {"questions": questions, "docs": path})
    for run in runs:
        _hold(run, limits)


def _agent(docs: Path, settings: "Settings") -> "RagAgent":
    """An agent with its index up to date, whose conversations are kept in memory alone."""
    from langgraph.checkpoint.memory import InMemorySaver

    from rag_agent import console
    from rag_agent.agent import RagAgent

    agent = RagAgent(docs, settings=settings, checkpointer=InMemorySaver())
    with console.progress_bar("Indexing the documents") as bar:
        agent.index(rebuild=False, progress=bar)
    return agent


def _run(docs: Path, settings: "Settings", conversations: Sequence["Conversation"]) -> "Evaluation":
    from rag_agent import console
    from rag_agent.evaluation import evaluate as run

    with _agent(docs, settings) as agent, console.progress_bar(f"Asking {settings.model}", unit="questions to ask") as bar:
        return run(agent, conversations, bar)


def _calibrate(docs: Path, settings: "Settings", conversations: Sequence["Conversation"], as_json: bool) -> None:
    from rag_agent import console
    from rag_agent.evaluation import calibrate
    from rag_agent.evaluation.calibration import NEVER

    never = settings.model_copy(update={"refusal_threshold": NEVER})
    with _agent(docs, never) as agent, console.progress_bar("Weighing the evidence", unit="questions to ask") as bar:
        found = calibrate(agent, conversations, bar)
    if as_json:
        console.print_json({"refusal_threshold": found.threshold, **asdict(found)})
        return
    console.out(f"refusal_threshold = {found.threshold}")
    console.note("Put this line into rag_agent.toml. Balanced accuracy of answering or refusing these questions:")
    console.note(f"  with the default of 0.5          {found.default}")
    console.note(f"  with this threshold              {found.fitted}  (the same questions chose it: too good)")
    console.note(f"  cross-validated, what to expect  {found.cross_validated}")


# --- what is printed ---------------------------------------------------------------------------------------------------


def _print(runs: Sequence["Evaluation"], before: dict[str, dict[str, float]], about: dict[str, Any], as_json: bool) -> None:
    from rag_agent import console

    if as_json:
        console.print_json({**about, "runs": [run.to_dict() for run in runs]})
        return
    names = list(dict.fromkeys(name for run in runs for name in run.measures))
    headers = ["measure"]
    columns: list[list[str]] = [names]
    for run in runs:
        headers += [run.model, "n"]
        found = [run.measures.get(name) for name in names]
        columns += [[str(measure or "") for measure in found], [str(measure.n) if measure else "" for measure in found]]
        if before:
            headers.append("change")
            columns.append([_change(name, run, before) for name in names])
    console.print_table(headers, list(zip(*columns, strict=True)))
    for run in runs:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(run.kinds.items()))
        console.note(f"{run.model}: {len(run.results)} questions answered as {kinds}.")


def _write(path: Path, runs: Sequence["Evaluation"], before: dict[str, dict[str, float]], about: dict[str, Any]) -> None:
    from rag_agent import console
    from rag_agent.evaluation.report import report

    try:
        path.write_text(report(runs, lambda name, run: _change(name, run, before), about), encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written ({error.strerror}); name another file with --html") from error
    console.note(f"The report is in {console.line(path)}.")


def _change(name: str, run: "Evaluation", before: dict[str, dict[str, float]]) -> str:
    earlier = _of_model(run.model, before).get(name)
    return "" if earlier is None or name not in run.measures else f"{run.measures[name].value - earlier:+.3f}"


# --- earlier runs and limits -------------------------------------------------------------------------------------------


def _earlier(path: Path) -> dict[str, dict[str, float]]:
    """The measures of an earlier run, by model and name."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(run["model"]): {str(name): float(measure["value"]) for name, measure in run["measures"].items()}
            for run in values["runs"]
        }
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror}; name what an earlier `rag-agent eval --json` printed") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(f"{path} is not what `rag-agent eval --json` prints; make it anew with that command") from error


def _of_model(model: str, before: dict[str, dict[str, float]]) -> dict[str, float]:
    """The measures of the same model; where only one model was measured, of that one."""
    return before.get(model) or (next(iter(before.values())) if len(before) == 1 else {})


def _limits(words: Sequence[str], before: dict[str, dict[str, float]]) -> list[tuple[str, float | dict[str, dict[str, float]]]]:
    limits: list[tuple[str, float | dict[str, dict[str, float]]]] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            if not before:
                raise EvaluationError(f"--fail-under {word} names no value; write {word}=0.8, or name an earlier run: --baseline")
            limits.append((name, before))
            continue
        try:
            limits.append((name, float(value)))
        except ValueError:
            raise EvaluationError(f"--fail-under {word}: '{value}' is no number; write {name}=0.8") from None
    return limits


def _hold(run: "Evaluation", limits: Sequence[tuple[str, float | dict[str, dict[str, float]]]]) -> None:
    """Fail where a measure does not reach its limit."""
    from rag_agent.evaluation.evaluation import COSTS

    for name, limit in limits:
        least = limit if isinstance(limit, float) else _of_model(run.model, limit).get(name)
        if name not in run.measures or least is None:
            where = "this run" if name not in run.measures else "the earlier run"
            raise EvaluationError(f"{where} has no measure '{name}'; it has {', '.join(run.measures)}")
        value = run.measures[name].value
        if value > least if name in COSTS else value < least:
            raise EvaluationError(f"{name} of {run.model} is {value:.4g}, {'above' if name in COSTS else 'under'} {least:.4g}")
