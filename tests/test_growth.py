"""Time grows with the length of a text, not with its square: whatever a question, a document or a reply is made of.

Each public function that takes a text is called with some forty patterns repeated to n, 2n and 4n characters. Processor
time is measured, so that a busy machine does not matter much; what takes less than `NOISE` at 4n says nothing and passes.
"""

import importlib
import inspect
import math
import pkgutil
import signal
import time
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rag_agent

N = 2_000
EXPONENT = 1.3
NOISE = 0.06  # seconds
LIMIT = 10.0  # seconds of one call; what explodes would otherwise not end

# Rooms whose functions are found by themselves: those whose parameters are texts and numbers. A new module needs no entry.
ROOMS = (
    "answers", "documents", "grounding", "index.tokens", "index.lexical", "language", "memory.followups", "memory.transcript",
    "models.window", "turns", "visible",
)  # fmt: skip
NOT_OF_TEXTS = {"index_path", "run_config", "run_options"}

PATTERNS: dict[str, str | tuple[str, str, str]] = {
    "letters": "a", "blanks": " ", "tabs": "\t", "lines": "\n", "words": "moon ", "sentence": "The Moon is far. ", "dots": ".",
    "commas": "a, ", "quotes": "\"'", "brackets": "(", "closed brackets": "()", "square": "[", "angles": "<", "tags": "<b>x</b>",
    "open tags": "<div>", "dashes": "-", "rules": "\n---\n", "digits": "1", "numbers": "1,000.5 ", "dates": "20 July 1969 ",
    "negations": "not only, but ", "rewritings": "and what about him, ", "questions": "Who was it? ", "capitals": "Mr. A. B. ",
    "pipes": "a|b\n", "headings": "# A\n", "items": "- a\n", "stars": "*", "ticks": "`", "backslashes": "\\", "accents": "é́",
    "wide": "月", "marks": "<|im_start|>", "entities": "&amp;", "emoji": "👩‍👩‍👧", "blank lines": " \n",
}  # fmt: skip

# What some readings begin with, what is repeated, and an end at which they fail and try again.
BETWEEN: dict[str, str | tuple[str, str, str]] = {
    "thanks": ("thanks", " for the you", " %"), "greetings": ("hello", ", hello", " %"), "corrections": ("no", ", no", " %"),
    "meant": ("I meant ", "x not ", "%;"), "meant blanks": ("I meant", " ", "x%;"), "not but": ("not ", "a ", ";"),
    "not blanks": ("not x", " ", ";"), "shorten": ("shorten that to ", "3 ", "%"), "lists": ("Which of ", "a, b or ", "?"),
    "quoted": ("He said “", "“", "x"), "tags between": ("<p ", "a=b ", "x"), "fields": ('"', '""', ","),
}  # fmt: skip


def _filled(parameter: inspect.Parameter, kind: Any) -> Any:
    """A short value for a parameter beside the text."""
    if parameter.default is not inspect.Parameter.empty:
        return parameter.default
    if kind is str:
        return "The Moon is far."
    if kind is int:
        return 3
    if kind is bool:
        return False
    origin = typing.get_origin(kind)
    inner = typing.get_args(kind)
    if inner[:1] == (str,) and origin is not dict and origin is not None and not isinstance(None, origin):
        return ["The Moon is far."]
    raise LookupError


def _calls() -> Iterator[tuple[str, Callable[[str], Any]]]:
    for info in pkgutil.walk_packages(rag_agent.__path__, "rag_agent."):
        if not any(info.name == f"rag_agent.{room}" or info.name.startswith(f"rag_agent.{room}.") for room in ROOMS):
            continue
        module = importlib.import_module(info.name)
        for name, function in vars(module).items():
            if (
                name.startswith("_")
                or not inspect.isfunction(function)
                or function.__module__ != info.name
                or name in NOT_OF_TEXTS
            ):
                continue
            if call := _call(function):
                yield f"{info.name.removeprefix('rag_agent.')}.{name}", call


def _call(function: Callable[..., Any]) -> Callable[[str], Any] | None:
    """The function of its first text alone; None where it takes none, or something that is not to be had here."""
    try:
        kinds, parameters = typing.get_type_hints(function), inspect.signature(function).parameters.values()
        text = next((parameter.name for parameter in parameters if kinds.get(parameter.name) is str), None)
        rest = {p.name: _filled(p, kinds.get(p.name)) for p in parameters if p.name != text}
    except (LookupError, NameError, TypeError):
        return None
    if text is None:
        return None

    def call(given: str) -> Any:
        found = function(**{text: given, **rest})
        return list(found) if isinstance(found, Iterator) else found

    return call


def _more() -> dict[str, Callable[[str], Any]]:
    """What is no plain function of a text."""
    from rag_agent.documents import Splitter
    from rag_agent.index.tokens import Analyser
    from rag_agent.memory.followups import Turn, understand
    from rag_agent.models.thoughts import Thoughts

    past = [Turn("Who landed on the Moon?", "Neil Armstrong landed on the Moon.")]
    return {
        "Splitter.chunks": lambda text: list(Splitter().chunks(text)),
        "Splitter.chunks_of Markdown": lambda text: list(Splitter().chunks_of(_markdown(text))),
        "Analyser.terms": Analyser("english").terms,
        "understand": lambda text: understand(text, []),
        "understand, after a turn": lambda text: understand(text, past),
        "understand, after a long answer": lambda text: understand("And when was he born?", [Turn("Who?", text)]),
        "Thoughts": lambda text: Thoughts(begun=False).push(text),
        **{f"extract {suffix}": _extracting(suffix) for suffix in _suffixes()},
    }


def _markdown(text: str) -> Any:
    from rag_agent.documents import Reading
    from rag_agent.documents.structures import structure

    found = structure(".md", text)
    return Reading(text, "utf-8", found.sections, found.blocks, found.title)


def _extracting(suffix: str) -> Callable[[str], Any]:
    from rag_agent.documents.formats import extract

    return lambda text: extract(suffix, text.encode())


def _suffixes() -> list[str]:
    from rag_agent.documents.formats import FORMATS

    return [suffix for suffix in FORMATS if suffix in (".html", ".htm", ".csv", ".tsv", ".json", ".jsonl", ".md", ".txt")]


CALLS = {**dict(_calls()), **_more()}


class TooSlowError(Exception):
    """A call that did not end within `LIMIT`."""


def _seconds(call: Callable[[str], Any], text: str) -> float:
    def late(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    began = time.process_time()
    try:
        call(text)
    except TooSlowError:
        return math.inf
    except Exception:  # a text that is refused is refused: how soon is the question here
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - began


def _text(pattern: str | tuple[str, str, str], size: int) -> str:
    head, unit, tail = pattern if isinstance(pattern, tuple) else ("", pattern, "")
    return head + (unit * (size // len(unit) + 1))[: size - len(head) - len(tail)] + tail


def growth(call: Callable[[str], Any], pattern: str | tuple[str, str, str]) -> float:
    """The exponent with which time grows from n to 4n; 0 where it is too short to tell."""
    texts = [_text(pattern, size) for size in (N // 16, N, 2 * N, 4 * N)]
    # 150 characters: what is bounded in length may explode below its bound.
    if _seconds(call, _text(pattern, 150)) > 0.5 or _seconds(call, texts[0]) > 1:
        return math.inf
    first = _seconds(call, texts[1])
    if first * 16 < NOISE:
        return 0.0  # even its square would be too short
    long = _seconds(call, texts[3]) if first < 2 else math.inf
    if long < NOISE:
        return 0.0
    if long == math.inf:
        return math.inf
    short, middle, long = (min(_seconds(call, text) for _ in range(2)) for text in texts[1:])
    if long < NOISE:  # what the first call made is kept: too short for the clock now
        return 0.0
    return math.log(max(long, 1e-9) / max(short, 1e-4), 4)


def test_there_are_functions_to_measure() -> None:
    assert len(CALLS) > 40


def test_a_square_and_an_explosion_are_seen() -> None:
    import re

    assert growth(lambda text: [sum(map(ord, text[:n])) for n in range(0, len(text), 4)], "a") > EXPONENT
    assert growth(lambda text: re.match(r"(a+)+$", text + "b"), "a") == math.inf
    assert growth(lambda text: sum(map(ord, text * 200)), "a") < EXPONENT


@pytest.mark.parametrize("name", CALLS)
def test_time_grows_with_length(name: str) -> None:
    call = CALLS[name]
    _seconds(call, "The Moon is far.")  # what is made at the first call is made
    steep = {}
    for what, pattern in (PATTERNS | BETWEEN).items():
        exponent = growth(call, pattern)
        if math.isfinite(exponent) and exponent > EXPONENT:  # noise does not come three times
            exponent = min(exponent, growth(call, pattern), growth(call, pattern))
        if exponent > EXPONENT:
            steep[what] = round(exponent, 1)
    assert not steep, f"{name}: n to the power of {steep}"
