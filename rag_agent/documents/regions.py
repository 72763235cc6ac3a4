"""The tables of a sheet: what is parted by empty rows or columns."""

from collections.abc import Iterator, Sequence

from rag_agent.documents.tables import Cell, heads

_TITLES = 3  # lines of one cell each above a table; more of them are a list
Row = Sequence[Cell | None]
"""The cells of a row, a column each; None where a cell that spans others covers it."""


def tables(grid: Sequence[Row]) -> list[list[list[Cell]]]:
    """The tables of a grid from the top down, each with the single lines right above it, as rows for `add_table`."""
    found: list[list[list[Cell]]] = []
    extent: tuple[int, int] | None = None  # the columns of the last table, where more rows of it may follow
    above: list[list[Cell]] = []
    for top, bottom, left, right in _parts(grid, 0, len(grid), 0, max(map(len, grid), default=0)):
        rows = [_cells(row[left:right]) for row in grid[top:bottom]]
        if len(rows) <= _TITLES and all(sum(bool(cell.text) for cell in row) == 1 for row in rows):
            above += rows
            extent = None
            continue
        if extent == (left, right) and not above and not heads(_untitled(rows)):
            found[-1] += rows  # an empty row inside a table
            continue
        found.append(above + rows)
        above, extent = [], (left, right)
    return found + ([above] if above else [])


def _parts(grid: Sequence[Row], top: int, bottom: int, left: int, right: int) -> Iterator[tuple[int, int, int, int]]:
    """Rectangles without an empty row inside, cut at empty columns where tables stand side by side."""
    bands = list(_runs([_filled(grid[row][left:right]) for row in range(top, bottom)], top))
    for first, last in bands:
        columns = [any(_filled(row[column : column + 1]) for row in grid[first:last]) for column in range(left, right)]
        runs = list(_runs(columns, left))
        if len(runs) > 1 and all(_stands_alone(grid, first, last, *run) for run in runs):
            for begin, end in runs:
                yield from _parts(grid, first, last, begin, end)
        elif runs:
            yield first, last, runs[0][0], runs[-1][1]


def _stands_alone(grid: Sequence[Row], top: int, bottom: int, left: int, right: int) -> bool:
    """Whether columns are a table of their own: several, with names above them."""
    rows = _untitled([_cells(row[left:right]) for row in grid[top:bottom] if _filled(row[left:right])])
    return right - left > 1 and len(rows) > 1 and all(cell.text for cell in rows[0]) and heads(rows, doubt=True)


def _untitled(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Rows without those of one cell above them."""
    return rows[next((place for place, row in enumerate(rows) if sum(bool(cell.text) for cell in row) > 1), len(rows)) :]


def _runs(flags: Sequence[bool], start: int) -> Iterator[tuple[int, int]]:
    begin = None
    for place, flag in enumerate([*flags, False]):
        if flag and begin is None:
            begin = place
        elif not flag and begin is not None:
            yield start + begin, start + place
            begin = None


def _filled(row: Row) -> bool:
    return any(cell is None or cell.text.strip() for cell in row)


def _cells(row: Row) -> list[Cell]:
    return [cell for cell in row if cell is not None]
