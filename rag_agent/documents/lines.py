"""A text as lines, and spans without the white space around them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rag_agent.documents.blocks import Block

_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")


class Line(NamedTuple):
    """A line without its end: `text[start:end]` is what it says, without the white space around it."""

    begin: int
    start: int
    end: int

    @property
    def indent(self) -> int:
        """How many characters of white space it begins with."""
        return self.start - self.begin


def lines_of(text: str, begin: int = 0, end: int | None = None) -> list[Line]:
    """The lines of a text, or of a part of it; they end as in Markdown: with CR, LF, or both."""
    lines = []
    for found in _LINE.finditer(text, begin, len(text) if end is None else end):
        start, stop = found.span(1)
        said = found[1].rstrip()
        ink = stop - start - len(found[1].lstrip().lstrip("\ufeff").lstrip()) if said else 0
        lines.append(Line(start, start + ink, max(start + ink, start + len(said))))
    return lines


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the white space around it, and without a byte order mark before it; empty where it holds nothing else."""
    left = text[start:end].lstrip().lstrip("\ufeff").lstrip()
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
