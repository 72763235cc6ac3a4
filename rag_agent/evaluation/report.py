"""`rag-agent eval --html`: one file with the measures, drawn, and every question with its answer, quotes and verdict."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rag_agent.as_html import answer_html, element, table, text
from rag_agent.evaluation.evaluation import COSTS, Evaluation, Result
from rag_agent.evaluation.measures import Measure

__all__ = ["report"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid #8884; }
details { border: 1px solid #8886; border-radius: 8px; padding: .4rem .8rem; margin: .5rem 0; }
summary { cursor: pointer; } .right { color: #1a7048; } .wrong { color: #b3261e; } .refused { color: #8a5a00; }
blockquote { margin: .2rem 0 .6rem 1rem; white-space: pre-wrap; } svg { vertical-align: middle; }
@media (prefers-color-scheme: dark) { .right { color: #6fcf9e; } .wrong { color: #f28b82; } .refused { color: #e5b65c; } }
"""
_WIDTH, _HEIGHT = 240, 14


def report(runs: Sequence[Evaluation], change: Callable[[str, Evaluation], str], about: Mapping[str, Any]) -> str:
    """The page; it holds all that it shows, and loads nothing.

    Args:
        runs: One a model.
        change: What became of a measure of a run since an earlier one; "" where there is none.
        about: What was asked, by name.
    """
    parts = [element("h1", "Evaluation"), element("p", text(", ".join(f"{name}: {value}" for name, value in about.items())))]
    for run in runs:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(run.kinds.items()))
        parts += [element("h2", text(run.model)), element("p", text(f"{len(run.results)} questions answered as {kinds}."))]
        rows = [
            (text(name), _drawn(name, one), text(one), str(one.n), text(change(name, run))) for name, one in run.measures.items()
        ]
        parts.append(table(("measure", "0 to 1, with its interval", "", "n", "change"), rows))
        parts += [_result(result) for result in sorted(run.results, key=lambda result: _verdict(result)[1] == "right")]
    head = element("meta", charset="utf-8") + element("title", "Evaluation") + element("style", _STYLE)
    return "<!doctype html>" + element("html", element("head", head), element("body", *parts), lang="en")


def _drawn(name: str, measure: Measure) -> str:
    """A bar, and the interval over it; of costs, which have no largest value, nothing."""
    if name in COSTS:
        return ""
    low, high = measure.low * _WIDTH, measure.high * _WIDTH
    middle = _HEIGHT / 2
    bar = f'<rect width="{measure.value * _WIDTH:.1f}" height="{_HEIGHT}" fill="#4f83c4"/>'
    line = f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="currentColor" stroke-width="3"/>'
    frame = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#8886"/>'
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{measure.value:.3f}">{bar}{frame}{line}</svg>'


def _verdict(result: Result) -> tuple[str, str]:
    """In words, and its class."""
    if result.answer.refused:
        return ("refused", "right") if result.question.answerable is False else ("refused", "refused")
    if result.question.answerable is False:
        return "answered, though the documents do not", "wrong"
    if result.contained is None:
        return "answered", "right"
    return ("right", "right") if result.contained else ("holds none of the answers", "wrong")


def _result(result: Result) -> str:
    words, kind = _verdict(result)
    summary = element("summary", element("b", text(words), class_=kind), " ", text(result.question.question))
    expected = " / ".join(result.question.answers) if result.question.answers else ""
    facts = [("expected", expected), ("searched for", result.answer.query), ("kind", result.answer.kind)]
    facts.append(("evidence", "" if result.answer.evidence is None else f"{result.answer.evidence:.2f}"))
    facts.append(("passage with the answer", "" if result.hit is None else f"number {result.hit}" if result.hit else "not found"))
    rows = [(text(name), text(value)) for name, value in facts if value]
    return element("details", summary, answer_html(result.answer.to_dict()), table(("", ""), rows))
