"""What a reader reads: the sections that the hits lie in, whole where they are short enough.

A chunk of 500 characters often lacks what its sentence is about, or the sentence after. So each hit is widened, block by block,
to the section it lies in, and past the borders of smaller ones, as far as there is room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from rag_agent.answers import Citation, Hit
from rag_agent.documents.outline import Outline
from rag_agent.grounding.units import Unit, units

__all__ = ["LONGEST", "ROOM", "Passage", "Quotable", "passages", "units_of"]

LONGEST = 1500
"""Characters up to which a hit is widened."""
ROOM = 4500
"""Characters of all passages together: about 1,100 tokens, which a model of 1.5 billion parameters reads in 20 s on two cores."""


class Documents(Protocol):
    """What is asked of a library."""

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The text that a hit lies in, with its structure; and where that text begins in the file."""


@dataclass(frozen=True)
class Passage:
    """A section of a file, or a part of one: the file's text from `start` to `end` is `text`."""

    number: int
    """By which the reader names it, counted from 1."""
    file: str
    article: int
    start: int
    end: int
    text: str
    context: str
    """File, title and headings, in words."""
    page: int | None = None
    score: float = 0.0


class Quotable(NamedTuple):
    """A unit, what cites it, and the number of the passage that it stands in."""

    unit: Unit
    citation: Citation
    passage: int


def passages(hits: Sequence[Hit], documents: Documents, *, room: int = ROOM, longest: int = LONGEST) -> list[Passage]:
    """Widen hits to sections, the best first, until the room is full; the best is always among them.

    Args:
        hits: What a search found, best first.
        documents: Where it was found.
        room: Characters of all passages together.
        longest: Characters that one hit is widened to; longer hits stay as they are.
    """
    found: list[Passage] = []
    used = 0
    for hit in hits:
        base, outline = documents.outline(hit)
        if any((one.file, one.start <= hit.start, hit.end <= one.end) == (hit.file, True, True) for one in found):
            continue
        start, end = _widened(outline, hit.start - base, hit.end - base, longest)
        for other in found:  # no text is read twice
            if other.file == hit.file and base + start < other.end and other.start < base + end:
                start, end = (other.end - base, end) if other.start <= base + start else (start, other.start - base)
        if start >= end or (found and used + end - start > room):
            continue
        text = outline.reading.text[start:end].strip()
        start += len(outline.reading.text[start:end]) - len(outline.reading.text[start:end].lstrip())
        context = " — ".join(dict.fromkeys(part for part in (hit.file, *_over(outline, start)) if part))
        span = (base + start, base + start + len(text))
        found.append(Passage(len(found) + 1, hit.file, hit.article, *span, text, context, hit.page, hit.score))
        used += len(text)
    return found


def units_of(passage: Passage, documents: Documents) -> list[Quotable]:
    """The units of a passage, in reading order."""
    hit = Hit(passage.file, passage.article, passage.start, passage.end, passage.text, passage.score, passage.page)
    base, outline = documents.outline(hit)
    suffix = PurePosixPath(passage.file).suffix.lower()
    found = []
    for unit in units(outline, [(passage.start - base, passage.end - base)], suffix):
        span = (base + unit.start, base + unit.end)
        found.append(
            Quotable(unit, Citation(passage.file, passage.article, *span, unit.quote, passage.page, unit.under), passage.number)
        )
    return found


def _widened(outline: Outline, start: int, end: int, longest: int) -> tuple[int, int]:
    """Grow a span by the whole blocks around it: to the next heading or the end of the article first, then past it."""
    low, high = _article(outline, start)
    blocks = [b for b, p in zip(outline.blocks, outline.places, strict=True) if p.parent < 0 and low <= b.start and b.end <= high]
    touched = [at for at, block in enumerate(blocks) if block.start < end and start < block.end]
    if not touched:
        return start, end
    first, last = touched[0], touched[-1]

    def fits(a: int, b: int) -> bool:
        return 0 <= a and b < len(blocks) and max(end, blocks[b].end) - min(start, blocks[a].start) <= longest

    if not fits(first, last):  # a block longer than there is room for: what was found of it
        return start, end
    for past in (False, True):
        grew = True
        while grew:
            grew = False
            if fits(first, last + 1) and (past or blocks[last + 1].kind != "heading"):
                last, grew = last + 1, True
            if fits(first - 1, last) and (past or blocks[first].kind != "heading"):
                first, grew = first - 1, True
    while last > touched[-1] and blocks[last].kind == "heading":  # a heading at the end stands over nothing
        last -= 1
    return min(start, blocks[first].start), max(end, blocks[last].end)


def _article(outline: Outline, at: int) -> tuple[int, int]:
    """The borders of the article around a place."""
    text = outline.reading.text
    for section in outline.reading.sections or ():
        if section.start <= at < section.end:
            return section.start, section.end
    return 0, len(text)


def _over(outline: Outline, at: int) -> tuple[str, ...]:
    headings = (" ".join(outline.text(number).lstrip("#= ").split()) for number in outline.over(at))
    return outline.reading.title, *headings
