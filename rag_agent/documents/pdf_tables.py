"""Tables without rules around their cells: rows of lines that stand in the same columns."""

from collections.abc import Sequence

from rag_agent.documents.pdf_lines import Line, Spot, Table, joined
from rag_agent.documents.pdf_words import Rule

FULL = 0.7
"""Of a column's width: lines of running text are at least that long, but for the last of a paragraph."""


def only_labels(cells: Sequence[Sequence[list[Line]]]) -> bool:
    """Whether what stands in the right one of two columns, now and then, only numbers or labels the line it stands on."""
    right = [row for row in cells if row[1]]
    short = all(len(line.words) <= 2 for row in right for line in row[1])
    return short and len(right) * 2 < len(cells) and all(row[0] for row in right)


def band_table(cells: list[list[list[Line]]], end: int, count: int, rules: Sequence[Rule]) -> tuple[int, Table, int] | None:
    """The table in a band, and the rows of the band before and behind it; None where its rows do not line up."""
    several = [place for place, row in enumerate(cells[:end]) if sum(map(bool, row)) > 1]
    sparse = min(range(count), key=lambda place: sum(bool(row[place]) for row in cells[:end]))
    filled = [row for row in cells[:end] if row[sparse]]
    if count < 2 or len(several) < 2 or sum(sum(map(bool, row)) > 1 for row in filled) < 0.8 * len(filled):
        return None
    if count == 2 and only_labels(cells[several[0] : end]):
        return None
    head, tail = several[0], several[-1] + 1
    while tail < len(cells) and _continues(cells[tail], cells[tail - 1], cells[head:tail]):
        tail += 1
    inside = cells[head:tail]
    edges = [_base(row) for row in inside]
    gaps = [after - before for before, after in zip(edges, edges[1:], strict=False)]
    between = [
        any(rule.top == rule.bottom and before < rule.top < after - 1 and rule.left < _middle(row) < rule.right for rule in rules)
        for before, after, row in zip(edges, edges[1:], inside, strict=False)
    ]
    parted = sum(between) >= 3 or (len(between) == 2 and all(between))
    loose = max(gaps) > 1.25 * min(gaps)
    limit = (min(gaps) * 1.2) if loose else 0.0
    rows: list[list[list[Line]]] = []
    for place, row in enumerate(inside):
        new = (
            not rows
            or (between[place - 1] if parted else False)
            or (not parted and (gaps[place - 1] > limit if loose else not _continues(row, inside[place - 1], inside)))
        )
        if loose and not parted and not new and row[0] and sum(map(bool, row)) > 1 and not _lower(row):
            new = True  # tight rows under loose ones: a first cell and others beside it begin a row
        if new:
            rows.append([list(cell) for cell in row])
        else:
            for cell, more in zip(rows[-1], row, strict=True):
                cell += more
    lines = [line for row in inside for cell in row for line in cell]
    return head, Table([_spots(row) for row in rows], lines), tail


def _continues(row: Sequence[list[Line]], before: Sequence[list[Line]], rows: Sequence[Sequence[list[Line]]]) -> bool:
    """Whether a row only goes on with cells of the one before it: its text was too long for one line."""
    filled = [place for place, cell in enumerate(row) if cell]
    if any(not before[place] for place in filled) or (row[0] and len(filled) > 1):
        return False
    if _base(row) - _base(before) > 1.6 * row[filled[0]][0].size:
        return False
    if any(len(before[place][-1].words) < 2 or before[place][-1].fixed != row[place][0].fixed for place in filled):
        return False
    if _lower(row) or all(before[place][-1].text.endswith(("-", ",")) for place in filled):
        return True
    widths = [max((one[place][-1].right - one[place][0].left for one in rows if one[place]), default=0.0) for place in filled]
    full = all(
        before[place][-1].right - before[place][0].left > FULL * width for place, width in zip(filled, widths, strict=True)
    )
    return not row[0] and len(filled) == 1 and full and len(before[filled[0]][-1].words) > 2


def _lower(row: Sequence[list[Line]]) -> bool:
    return all(cell[0].text[0].islower() or cell[0].text[0] == "(" for cell in row if cell)


def _base(row: Sequence[list[Line]]) -> float:
    return min(line.base for cell in row for line in cell)


def _middle(row: Sequence[list[Line]]) -> float:
    lines = [line for cell in row for line in cell]
    return (min(line.left for line in lines) + max(line.right for line in lines)) / 2


def _spots(row: Sequence[list[Line]]) -> list[Spot]:
    return [Spot(joined(cell), bold=bool(cell) and all(line.bold for line in cell)) for cell in row]
