"""Rows of cells to lines in which each value is named: a row out of the middle makes sense."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rag_agent.documents.builder import Builder
from rag_agent.documents.headers import Grid, find_header

_SAMPLE = 60  # rows that are looked at to tell what the first ones are; the others stream by
_WIDEST = 16_384  # columns, as many as a sheet has
_WIDEST_CELL = 1_000  # columns: a span is what the file says, not what memory must hold
_NOTE = 80  # characters; what is longer, above a table, is no title


class Cell(NamedTuple):
    """A cell; where nothing but its text is known, the text alone will do."""

    text: str
    across: int = 1
    """How many columns it spans."""
    down: int = 1
    """How many rows it spans."""
    head: bool = False
    """Whether the file sets it off as naming others: `<th>`, a header row, bold type."""


class _Slot(NamedTuple):
    """A place of the grid: what stands there, and whether it only goes on from the left or from above."""

    text: str = ""
    head: bool = False
    left: bool = False
    above: bool = False


def add_table(builder: Builder, rows: Iterable[Sequence[str | Cell]], *, records: bool = False, title_level: int = 0) -> None:
    """Add a table: `names` for what names its columns, and a line a row, `name: value; name: value`.

    Rows of one cell above it become a paragraph (a title, a note). A table of two columns without a header is a list of
    `pair`s, `key: value`; any other without one has rows `value | value`. A value that spans rows stands in each of them, one
    that spans columns stands once. A repetition of the header, as on a new page, is left out.

    Args:
        builder: Where to.
        rows: The cells from left to right, a cell that spans others in place of all of them.
        records: Whether tables of this format begin with the names of their columns as a rule.
        title_level: The level of the heading that the title above the table becomes; 0 is a paragraph.
    """
    grid = _slots(rows)
    sample = [row for row in islice(grid, _SAMPLE) if any(slot.text for slot in row)]
    width = max((len(row) for row in sample), default=0)
    sample = sample[_add_titles(builder, sample, width, title_level) :]
    found = find_header(Grid.of(sample, width), records=records)
    head, body = sample[: found.rows], sample[found.rows :]
    named = max(map(len, head), default=0)
    # Rows that are longer than the names by exception are misaligned (a comma inside a value): names would be wrong on them.
    longer = sum(len(row) > named for row in body) * 2 >= len(body)
    names = _joined(head, width if longer else named)
    builder.open("table")
    if any(names):
        builder.add("names", " | ".join(name for name in names if name))
    repeated = {tuple(slot.text for slot in row) for row in head}
    usual = _usual(body)
    for row in chain(body, grid):
        filled = sum(bool(slot.text and not slot.left) for slot in row)
        if not filled or tuple(slot.text for slot in row) in repeated:
            continue
        if found.pairs and _add_pairs(builder, row):
            continue
        text = _named(row, names, filled, usual) if any(names) else ""
        builder.add("row", text or " | ".join(slot.text for slot in row if slot.text and not slot.left))
    builder.close()


def heads(rows: Sequence[Sequence[str | Cell]], *, doubt: bool = False) -> bool:
    """Whether the first rows of a table name its columns, told by what is in it; `doubt`: where that says nothing."""
    grid = [row for row in _slots(rows[:_SAMPLE]) if row]
    found = find_header(Grid.of(grid, max(map(len, grid), default=0)), records=True)
    return bool(found.rows) and (found.sure or doubt)


def _slots(rows: Iterable[Sequence[str | Cell]]) -> Iterator[list[_Slot]]:
    """The grid: every row with a slot a column, what spans rows or columns repeated and marked as going on."""
    hanging: dict[int, tuple[_Slot, int]] = {}  # by column: what goes on below, and for how many rows
    for cells in rows:
        row: list[_Slot] = []
        for value in cells:
            _hang(row, hanging)
            cell = Cell(value) if isinstance(value, str) else value
            text = " ".join(cell.text.split())
            for place in range(max(1, min(cell.across, _WIDEST_CELL, _WIDEST - len(row)))):
                if cell.down > 1:
                    hanging[len(row)] = (_Slot(text, cell.head, place > 0, True), cell.down - 1)
                row.append(_Slot(text, cell.head, place > 0))
            if len(row) >= _WIDEST:
                break
        _hang(row, hanging)
        while row and not row[-1].text:
            row.pop()
        yield row


def _hang(row: list[_Slot], hanging: dict[int, tuple[_Slot, int]]) -> None:
    while (below := hanging.pop(len(row), None)) is not None:
        slot, left = below
        if left > 1:
            hanging[len(row)] = (slot, left - 1)
        row.append(slot)


def _add_titles(builder: Builder, sample: Sequence[list[_Slot]], width: int, level: int) -> int:
    """Add what stands above the table (single cells, a `key | value` of a wide table); how many rows that was."""
    for number, row in enumerate(sample):
        filled = [place for place, slot in enumerate(row) if slot.text and not slot.left]
        spanned = len(row) if len(filled) == 1 else 0
        if width < 2 or number + 1 >= len(sample) or any(slot.above for slot in sample[number + 1]):
            return number
        if filled == [0] and (spanned in (1, width) or spanned > width / 2):
            text = row[0].text
            heading = level and not number and len(text) <= _NOTE and not text.endswith((".", "!", "?"))
            builder.add("heading" if heading else "paragraph", text, level=level if heading else 0)
        elif filled == [0, 1] and width >= 5 and len(row) == 2 and not any(slot.head for slot in row):
            builder.add("pair", f"{row[0].text.rstrip(' :')}: {row[1].text}")
        else:
            return number
    return len(sample)


def _joined(head: Sequence[list[_Slot]], width: int) -> list[str]:
    """The names of the columns: what stands above them, from the top down, without what only goes on from above."""
    names = []
    for place in range(width):
        parts = []
        for number, row in enumerate(head):
            slot = row[place] if place < len(row) else _Slot()
            if not slot.text and number + 1 < len(head):  # a group's name stands over its first column alone
                slot = next((one for one in reversed(row[:place]) if one.text), slot)
                below = head[-1][place].text if place < len(head[-1]) else ""
                slot = slot if below else _Slot()
            if slot.text and slot.text not in parts:
                parts.append(slot.text)
        names.append(" ".join(parts).rstrip(" :"))
    return names


def _usual(body: Sequence[list[_Slot]]) -> int:
    """How many words the longest first cell of a row with several values has."""
    return max((len(row[0].text.split()) for row in body if row and sum(bool(slot.text) for slot in row) > 1), default=0)


def _named(row: Sequence[_Slot], names: Sequence[str], filled: int, usual: int) -> str:
    """A row with its values named; empty where the names do not fit it."""
    if len(row) > len(names):
        return ""
    if filled == 1 and len(names) > 2 and row[0].text:
        # One cell: a part's title or a note, unless it looks like the first cells of other rows.
        if len(row) > 1 or len(row[0].text.split()) > usual or row[0].text.endswith((".", ":")):
            return row[0].text
    values: list[tuple[list[str], str]] = []
    for slot, name in zip(row, names, strict=False):
        if slot.left and values:
            values[-1][0].append(name)
        elif slot.text:
            values.append(([name], slot.text))
        else:
            values.append(([], ""))
    named = ((", ".join(dict.fromkeys(filter(None, called))), value) for called, value in values if value)
    return "; ".join(f"{name}: {value}" if name else value for name, value in named)


def _add_pairs(builder: Builder, row: Sequence[_Slot]) -> bool:
    """Add `key: value`, for as many keys as the row holds."""
    texts = [slot.text for slot in row if not slot.left]
    if len(texts) < 2 or not texts[0]:
        return False
    for key, value in zip(texts[::2], [*texts[1::2], ""], strict=False):
        if key or value:
            builder.add("pair", f"{key.rstrip(' :')}: {value}".strip(" "))
    return True
