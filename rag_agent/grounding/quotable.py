"""The units of what a reader was given: what its draft may stand on."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from rag_agent.answers import Citation, Hit
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.passages import Documents, Passage
from rag_agent.grounding.units import Unit, units

__all__ = ["Quotable", "quotables"]


class Quotable(NamedTuple):
    """A unit that may be shown, what cites it, and the number of the passage that it stands in."""

    unit: Unit
    citation: Citation
    passage: int


def quotables(passages: Sequence[Passage], hits: Sequence[Hit], documents: Documents) -> list[Quotable]:
    """The units of some passages that may be shown, each once: passage by passage, in reading order.

    Args:
        passages: What the reader was given.
        hits: What they were made of.
        documents: Where these were found.
    """
    found: dict[tuple[str, int, int], Quotable] = {}
    for one in passages:
        hit = next((hit for hit in hits if hit.file == one.file and hit.start < one.end and one.start < hit.end), None)
        if hit is None:
            continue
        base, outline = documents.outline(hit)
        for unit in units(outline, [(one.start - base, one.end - base)], PurePosixPath(one.file).suffix.lower()):
            start, end = base + unit.start, base + unit.end
            if is_quotable(unit.quote, 0, len(unit.quote)):
                citation = Citation(one.file, one.article, start, end, unit.quote, one.page, unit.under)
                found.setdefault((one.file, start, end), Quotable(unit, citation, one.number))
    return list(found.values())
