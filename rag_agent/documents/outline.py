"""What each block stands under: its headings, the question it answers, the sentence that introduces it."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from rag_agent.documents.blocks import Block
from rag_agent.documents.reading import Reading

ASKS = re.compile(r"[?？؟\u037e][\"'”’»)\]*_\s]*$")
"""The end of a question, in any script."""
_COMMENT = re.compile(r"(?:[;#]|//|--)+\s*\S")
_INTRODUCES = re.compile(r"[:：]\W*$")


class Place(NamedTuple):
    """Where a block stands. Numbers index `Outline.blocks`; -1 is none."""

    parent: int
    """The list, item, table or answer that holds it."""
    headings: tuple[int, ...]
    """The headings above it, the highest first."""
    question: int
    """The question that it answers: a block of its own that asks, with no other question or heading in between."""
    above: int
    """The paragraph right before it (of a list, a table or a code block; of a row or an item: of what holds it)."""


@dataclass(frozen=True)
class Outline:
    """The blocks of a text with their places."""

    reading: Reading
    places: tuple[Place, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks."""
        return self.reading.blocks

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    def text(self, number: int) -> str:
        """What a block says, verbatim."""
        block = self.blocks[number]
        return self.reading.text[block.start : block.end]

    def introduces(self, number: int) -> bool:
        """Whether a paragraph announces what stands behind it, as a comment does right above a setting."""
        if number < 0:
            return False
        own, after = self.blocks[number], self.blocks[number + 1] if number + 1 < len(self.blocks) else None
        if after is not None and after.kind == "pair" and _COMMENT.match(self.text(number)):
            return not self.reading.text[own.end : after.start].strip(" \t\r\n") and after.start - own.end <= 3
        return bool(_INTRODUCES.search(self.text(number)[-20:]))

    def touching(self, start: int, end: int) -> range:
        """The numbers of the blocks from the first that may touch a span to the last that begins in it."""
        last = bisect_left(self._starts, end)
        first = bisect_right(self._starts, start) - 1
        while first > 0 and self.places[first].parent >= 0:
            first = self.places[first].parent
        return range(max(0, first), last)

    def over(self, at: int) -> tuple[int, ...]:
        """The headings that govern what begins at a place, a heading that begins there not among them."""
        number = bisect_left(self._starts, at)
        if number < len(self.blocks):
            return self.places[number].headings
        if not self.blocks:
            return ()
        last = len(self.blocks) - 1
        return (*self.places[last].headings, last) if self.blocks[last].kind == "heading" else self.places[last].headings


def outline(reading: Reading) -> Outline:
    """Find the place of each block; headings of one article do not govern the next, unless articles are pages."""
    places: list[Place] = []
    holders: list[int] = []
    headings: list[int] = []
    question = above = -1
    edges = [s.start for s in reading.sections or () if s.page is None]
    for number, block in enumerate(reading.blocks):
        while holders and reading.blocks[holders[-1]].end <= block.start:
            holders.pop()
        if not holders and edges and bisect_right(edges, block.start) != bisect_right(edges, reading.blocks[number - 1].start):
            headings, question, above = [], -1, -1
        parent = holders[-1] if holders else -1
        if block.kind == "heading":
            headings = [higher for higher in headings if reading.blocks[higher].level < block.level]
            question = -1
        asks = block.kind == "question" or (block.kind == "paragraph" and parent < 0 and _is_question(reading.text, block))
        if asks:
            question = -1
        before = places[parent].above if parent >= 0 and block.kind in ("row", "item", "names") else above
        places.append(Place(parent, tuple(headings), question, before))
        if block.kind == "heading":
            headings.append(number)
        if asks:
            question = number
        if block.kind in ("list", "item", "table", "answer", "quotation"):
            holders.append(number)
        if parent < 0 and block.kind != "furniture":  # a fence stands between code and what announces it
            above = number if block.kind == "paragraph" and not asks else -1
    return Outline(reading, tuple(places))


def _is_question(text: str, block: Block) -> bool:
    own = text[block.start : block.end]
    return len(own) <= 200 and bool(ASKS.search(own)) and "\n\n" not in own and not re.search(r"[.!?]\s", own)
