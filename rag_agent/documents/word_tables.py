"""The rows and cells of a Word document's tables, merged and left out as it shows them."""

from collections.abc import Iterator, Sequence
from typing import Any

from rag_agent.documents.archives import attribute, child, local
from rag_agent.documents.word_styles import number
from rag_agent.documents.word_text import alternative

_INSIDE = {"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "AlternateContent"}


def flat(elements: Sequence[Any]) -> Iterator[Any]:
    """Elements of a body, table or row in order, with those inside content controls and accepted insertions."""
    waiting = list(reversed(elements))
    while waiting:
        element = waiting.pop()
        if local(element) == "AlternateContent":
            waiting += reversed(alternative(element))
        elif local(element) in _INSIDE:
            waiting += reversed(element)
        else:
            yield element


def cells_of(row: Any) -> Iterator[tuple[int | None, Any]]:
    """The cells of a row with their columns; None for those that its left edge leaves out."""
    column = 0
    before = child(row, "trPr", "gridBefore")
    for _ in range(min(63, number(attribute(before, "val")) if before is not None else 0)):
        yield None, row
        column += 1
    for cell in flat(list(row)):
        if local(cell) == "tc" and child(cell, "tcPr", "cellDel") is None:
            yield column, cell
            column += across(cell)


def across(cell: Any) -> int:
    """How many columns a cell spans."""
    span = child(cell, "tcPr", "gridSpan")
    return 1 if span is None else max(1, min(63, number(attribute(span, "val"), 1)))


def goes_on(cell: Any) -> bool:
    """Whether a cell only continues the one above it, or to its left."""
    for name in ("vMerge", "hMerge"):
        merge = child(cell, "tcPr", name)
        if merge is not None and attribute(merge, "val", "continue") == "continue":
            return True
    return False


def down(rows: Sequence[Sequence[tuple[int | None, Any]]], place: int, column: int) -> int:
    """How many rows the cell at a row and column spans."""
    count = 1
    for row in rows[place + 1 :]:
        if not any(one == column and child(cell, "tcPr", "vMerge") is not None and goes_on(cell) for one, cell in row):
            break
        count += 1
    return count


def number_hex(text: str) -> int:
    """A number as it is written in bits of Word's older files."""
    return int(text, 16) if text and len(text) <= 8 and set(text.lower()) <= set("0123456789abcdef") else 0
