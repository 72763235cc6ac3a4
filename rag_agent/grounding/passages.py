"""Hits to passages: whole sentences to read and to quote, neighbours joined, each a span of its file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_agent.answers import Hit
from rag_agent.language import sentences

_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010][ \t]*\r?\n[ \t]*(?=[a-z\u00df-\u00f6\u00f8-\u00ff])")
_WINDOW = 1200  # characters around a chunk in which its first and last sentence are looked for


@dataclass(frozen=True)
class Passage:
    """A stretch of whole sentences of one article: `text` is the file's text from `start` to `end`."""

    file: str
    article: int
    start: int
    end: int
    text: str
    score: float
    page: int | None = None


class Articles(Protocol):
    """What gives the article around a hit."""

    def around(self, hit: Hit) -> tuple[int, str]:
        """Where the article begins in the file, and its text."""


def passages(hits: Sequence[Hit], articles: Articles) -> list[Passage]:
    """The hits as passages, in the order of their first hit; hits that touch each other join into one."""
    found: list[Passage] = []
    for hit in hits:
        passage = _whole(hit, *articles.around(hit))
        near = next((n for n, other in enumerate(found) if _touch(passage, other)), None)
        if near is None:
            found.append(passage)
        else:
            found[near] = _joined(found[near], passage, *articles.around(hit))
    return found


def readable(text: str) -> str:
    """Text for showing: words broken at a line's end made whole, white space folded."""
    return " ".join(_HYPHENATED.sub("", text).split())


def _whole(hit: Hit, base: int, article: str) -> Passage:
    """Widen a chunk, which may cut sentences, to the borders of its first and last sentence."""
    left, right = hit.start - base, hit.end - base
    low, high = max(0, left - _WINDOW), min(len(article), right + _WINDOW)
    spans = [(start + low, end + low) for start, end in sentences(article[low:high])]
    touched = [(start, end) for start, end in spans if start < right and end > left]
    if touched:
        left, right = touched[0][0], touched[-1][1]
    return Passage(hit.file, hit.article, base + left, base + right, article[left:right], hit.score, hit.page)


def _touch(one: Passage, other: Passage) -> bool:
    same = (one.file, one.article) == (other.file, other.article)
    return same and one.start <= other.end and other.start <= one.end


def _joined(one: Passage, other: Passage, base: int, article: str) -> Passage:
    start, end = min(one.start, other.start), max(one.end, other.end)
    return Passage(one.file, one.article, start, end, article[start - base : end - base], one.score, one.page)
