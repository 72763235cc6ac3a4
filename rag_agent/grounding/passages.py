"""What a reader is given: the chunks that were found, widened to whole blocks, and to whole sections where these are short."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from rag_agent.answers import Hit
from rag_agent.documents.outline import Outline
from rag_agent.documents.shown import shown
from rag_agent.visible import visible_line

__all__ = ["Documents", "Passage", "passages"]

SECTION = 3000
"""Characters up to which a section is read whole; 500 without it are too little to read from."""
AROUND = 700
"""Characters on both sides of a chunk that are read of a longer section."""


class Documents(Protocol):
    """What is asked of a library."""

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The text that a hit lies in, with its structure; and where that text begins in the file."""


@dataclass(frozen=True)
class Passage:
    """A stretch of whole blocks of one article: `text` is what the file's text from `start` to `end` says, clean."""

    number: int
    """By which a reader names it, counted from 1."""
    file: str
    article: int
    start: int
    end: int
    text: str
    context: str
    """File, title and headings, in a line."""
    page: int | None = None


def passages(hits: Sequence[Hit], documents: Documents) -> list[Passage]:
    """The hits as passages, in the order of their first hit; those that touch each other are one."""
    found: list[tuple[Hit, int, Outline, int, int]] = []
    for hit in hits:
        base, outline = documents.outline(hit)
        start, end = _widened(outline, hit.start - base, hit.end - base)
        near = next(
            (n for n, (h, b, _, s, e) in enumerate(found) if (h.file, b) == (hit.file, base) and start <= e and s <= end), None
        )
        if near is None:
            found.append((hit, base, outline, start, end))
        else:
            first, _, _, left, right = found[near]
            found[near] = (first, base, outline, min(left, start), max(right, end))
    return [
        Passage(
            number, hit.file, hit.article, base + start, base + end, _said(outline, start, end, hit.file),
            _above(outline, start, hit.file), hit.page,
        )
        for number, (hit, base, outline, start, end) in enumerate(found, start=1)
    ]  # fmt: skip


def _widened(outline: Outline, start: int, end: int) -> tuple[int, int]:
    """The section around a span, or its whole blocks and some before and behind."""
    low, high = 0, len(outline.reading.text)
    for section in outline.reading.sections or ():
        if section.start <= start < section.end:
            low, high = section.start, section.end
    inside = [outline.blocks[n] for n in outline.touching(low, high) if low <= outline.blocks[n].start < high]
    numbers = outline.touching(start, end)
    headings = [outline.blocks[h] for h in (outline.places[numbers[0]].headings if numbers else ())]
    for heading in headings:  # the widest that is short enough
        after = (b.start for b in inside if b.kind == "heading" and b.level <= heading.level and b.start > heading.start)
        bound = next(after, high)
        if heading.start >= low and bound >= end and bound - heading.start <= SECTION:
            return heading.start, max(b.end for b in inside if b.start < bound)
    if high - low <= SECTION:
        return low, high
    touched = [b for b in inside if b.start < end + AROUND and start - AROUND < b.end and b.end - b.start <= SECTION]
    left = min([start, *(b.start for b in touched if b.start >= start - 2 * AROUND)])
    right = max([end, *(b.end for b in touched if b.end <= end + 2 * AROUND)])
    return left, right


def _said(outline: Outline, start: int, end: int, file: str) -> str:
    """The clean text of a stretch, a block a line; furniture is left out."""
    suffix, lines, reached = PurePosixPath(file).suffix.lower(), list[str](), -1
    for number in outline.touching(start, end):
        block = outline.blocks[number]
        if block.start < reached or block.end <= start or (block.kind == "furniture"):
            continue
        if block.kind in ("table", "list", "answer") and block.end - block.start > 0 and block.kind == "table":
            continue  # its rows say it
        left, right = max(block.start, start), min(block.end, end)
        lines.append(shown(outline.reading.text, block._replace(start=left, end=right), suffix))
        reached = block.end
    return "\n".join(line for line in lines if line)


def _above(outline: Outline, at: int, file: str) -> str:
    lines = [visible_line(file), outline.reading.title, *(" ".join(outline.text(n).split()) for n in outline.over(at))]
    return " — ".join(dict.fromkeys(line for line in lines if line))[:300]
