"""The words of a page in reading order: lines of text, column by column, and tables."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_agent.documents.pdf_grids import ruled_tables
from rag_agent.documents.pdf_lines import Line, Table, line_rows
from rag_agent.documents.pdf_tables import FULL, band_table, only_labels
from rag_agent.documents.pdf_words import Rule, Word

_GUTTER = 8.0  # points, the least space between columns
_MOST_COLUMNS = 4  # of running text
_PROSE_WORDS = 3.5  # words a line, on average, of running text in columns


def layout(words: Sequence[Word], rules: Sequence[Rule]) -> list[Line | Table]:
    """The lines and tables of a page in reading order."""
    words = [word for word in words if word.text.strip()]
    typed = sum(word.fixed for word in words) > 0.8 * len(words)  # a typewritten page, on which it does not mean code
    tables, left = ruled_tables(words, rules)
    placed: list[tuple[float, Table]] = sorted(tables, key=lambda one: one[0])
    found: list[Line | Table] = []
    waiting = list(left)
    for top, table in placed:  # a table ends the columns above it
        above = [word for word in waiting if word.base < top]
        waiting = [word for word in waiting if word.base >= top]
        found += [*_regions(line_rows(above), rules, typed=typed), table]
    return found + list(_regions(line_rows(waiting), rules, typed=typed))


def _regions(rows: list[list[Line]], rules: Sequence[Rule], *, typed: bool) -> Iterator[Line | Table]:
    """Rows in reading order: what lies beside a gutter that goes through several rows is columns or a table."""
    while rows:
        band = _band(rows)
        if band is None:
            yield from _plain(rows)
            return
        if not typed and all(line.fixed for row in rows[band.first : band.both] for line in row):
            yield from _plain(rows[: band.both])
            rows = rows[band.both :]
            continue
        edges = _edges(rows[band.first : band.both])
        cells = [_placed(row, edges) for row in rows[band.first : band.last]]
        several = band.both - band.first
        table = None if _prose(cells, len(edges) + 1) else band_table(cells, several, len(edges) + 1, rules)
        if table:
            head, found, tail = table
            yield from _plain(rows[: band.first + head])
            yield found
            rows = rows[band.first + tail :]
        elif len(edges) == 1 and only_labels(cells):
            yield from _plain(rows[: band.both])
            rows = rows[band.both :]
        else:
            yield from _plain(rows[: band.first])
            yield from _columns(cells, len(edges) + 1)
            rows = rows[band.last :]


def _plain(rows: Sequence[Sequence[Line]]) -> Iterator[Line]:
    """Lines that fill their rows; the gaps in them are part of the text."""
    lines = [Line([word for line in row for word in line.words]) for row in rows]
    if lines:
        column = (min(line.left for line in lines), max(line.right for line in lines))
        for line in lines:
            line.column = column
            yield line


def _columns(cells: Sequence[Sequence[list[Line]]], count: int) -> Iterator[Line]:
    for place in range(count):
        yield from _plain([row[place] for row in cells if row[place]])


class _Band(NamedTuple):
    """Rows that a gutter goes through."""

    first: int
    both: int
    """Behind the last row with text on both sides."""
    last: int
    """Behind the last row that leaves the gutter free."""


def _band(rows: Sequence[Sequence[Line]]) -> _Band | None:
    """The first run of rows that a gutter goes through with text on both sides of it, at least twice; None if there is none."""
    for start, row in enumerate(rows):
        found: list[_Band] = []
        for left, right in zip(row, row[1:], strict=False):
            low, high, times, both = left.right, right.left, 1, start + 1
            last = start + 1
            while last < len(rows) and not _distant(rows, last):
                narrowed = _narrowed(rows[last], low, high)
                if narrowed is None:
                    break
                low, high = narrowed
                last += 1
                if rows[last - 1][0].left < low and rows[last - 1][-1].right > high:
                    times, both = times + 1, last
            if times > 1:
                found.append(_Band(start, both, last))
        if found:
            return max(found, key=lambda band: (band.both, band.last))
    return None


def _narrowed(row: Sequence[Line], low: float, high: float) -> tuple[float, float] | None:
    """What is left of a gutter between `low` and `high` beside a row; None where too little is."""
    for line in row:
        if line.right <= low or line.left >= high:
            continue
        if line.left <= low:
            low = line.right
        elif line.right >= high:
            high = line.left
        else:
            return None
    return (low, high) if high - low >= _GUTTER else None


def _distant(rows: Sequence[Sequence[Line]], place: int) -> bool:
    """Whether a row lies far below the one before it."""
    size = max(line.size for line in rows[place])
    return min(line.base for line in rows[place]) - max(line.base for line in rows[place - 1]) > 4 * size


def _edges(rows: Sequence[Sequence[Line]]) -> list[float]:
    """The middles of the gutters between the columns of a band; a row or two may lie across one."""
    lines = [line for row in rows for line in row]
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    most = 0 if len(rows) < 4 else max(1, len(rows) // 10)
    events = sorted([(line.left, 1) for line in lines] + [(line.right, -1) for line in lines])
    edges, depth, opened = [], 0, left
    for x, step in events:
        if depth <= most < depth + step or (depth <= most and x >= right):
            if x - opened >= _GUTTER and opened > left and x < right:
                edges.append((opened + x) / 2)
        depth += step
        if depth <= most < depth - step:
            opened = x
    return [
        edge for edge in edges
        if sum(any(line.right <= edge for line in row) and any(line.left >= edge for line in row) for row in rows) > 1
    ]  # fmt: skip


def _placed(row: Sequence[Line], edges: Sequence[float]) -> list[list[Line]]:
    """The lines of a row by the column they begin in."""
    cells: list[list[Line]] = [[] for _ in range(len(edges) + 1)]
    for line in row:
        middle = (line.left + line.right) / 2
        across = sum(line.left < edge < line.right for edge in edges)
        place = sum(edge <= (line.left + 1 if across else middle) for edge in edges)
        cells[place].append(line)
    return cells


def _prose(cells: Sequence[Sequence[list[Line]]], count: int) -> bool:
    """Whether columns hold running text: lines of several words that fill them, in each."""
    if not 2 <= count <= _MOST_COLUMNS:
        return False
    for place in range(count):
        lines = [Line([word for line in row[place] for word in line.words]) for row in cells if row[place]]
        if len(lines) < 3:
            return False
        width = max(line.right for line in lines) - min(line.left for line in lines)
        if sum(len(line.words) for line in lines) < _PROSE_WORDS * len(lines):
            return False
        if sum(line.right - line.left >= FULL * width for line in lines) < 0.55 * len(lines):
            return False
    return True
