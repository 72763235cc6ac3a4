"""A text as lines, and spans without the white space around them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rag_agent.documents.blocks import Block

_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")
_INK = re.compile(r"[^\s\ufeff]")
_GAP = re.compile(r"\S(?:.*\S)?", re.DOTALL)


class Line(NamedTuple):
    """A line without its end: `text[start:end]` is what it says, without the white space around it."""

    begin: int
    start: int
    end: int

    @property
    def indent(self) -> int:
        """How many characters of white space it begins with."""
        return self.start - self.begin


def lines_of(text: str, begin: int = 0) -> list[Line]:
    """The lines of a text from an offset on; they end as in Markdown: with CR, LF, or both."""
    lines = []
    for found in _LINE.finditer(text, begin):
        start, end = found.span(1)
        said = found[1]
        ink = len(said.lstrip("\ufeff \t\f\v\xa0")) if said else 0
        lines.append(Line(start, end - ink, end - ink + len(said[len(said) - ink :].rstrip())) if ink else Line(start, end, end))
    return lines


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the white space around it, and without a byte order mark before it; empty where it holds nothing else."""
    piece = text[start:end]
    left = piece.lstrip("\ufeff \t\r\n\f\v")
    left = left.lstrip()
    start = end - len(left)
    return start, start + len(left.rstrip())


def whole(text: str, blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks in reading order, one before those inside it; text that lies in none becomes furniture."""
    found = sorted(blocks, key=lambda block: (block.start, -block.end))
    gaps, at = [], 0
    for block in found:
        if block.start > at:
            start, end = trimmed(text, at, block.start)
            if start < end:
                gaps.append(Block("furniture", start, end))
        at = max(at, block.end)
    start, end = trimmed(text, at, len(text))
    if start < end:
        gaps.append(Block("furniture", start, end))
    return tuple(sorted([*found, *gaps], key=lambda block: (block.start, -block.end))) if gaps else tuple(found)
