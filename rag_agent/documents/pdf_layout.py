"""The words of a page in reading order: lines of text, column by column, and tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from rag_agent.documents.pdf_words import Rule, Word
from rag_agent.documents.prose import typed_mark

_APART = 1.0  # of the size of the type: what lies further apart on a line belongs to different columns or cells
_GUTTER = 8.0  # points, the least space between columns
_MOST_COLUMNS = 4  # of running text
_LARGER = 1.2  # times the size of type that is raised or lowered beside it
_PROSE_WORDS = 3.5  # words a line, on average, of running text in columns
_FULL = 0.7  # of a column's width: lines of running text are at least that long, but for the last of a paragraph
_POWER = re.compile(r"[-+−]?\d{1,3}")
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")  # 10⁶ must not become 106
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(slots=True)
class Line:
    """Words that stand on one line, in one column."""

    words: list[Word]
    column: tuple[float, float] = (0.0, 0.0)
    """From where to where lines of this column reach."""

    @property
    def left(self) -> float:
        """Where its first word begins."""
        return self.words[0].left

    @property
    def right(self) -> float:
        """Where its last word ends."""
        return max(word.right for word in self.words)

    @property
    def base(self) -> float:
        """What it stands on."""
        return median(word.base for word in self.words)

    @property
    def size(self) -> float:
        """The size of most of its type."""
        sizes: Counter[float] = Counter()
        for word in self.words:
            sizes[word.size] += len(word.text)
        return sizes.most_common(1)[0][0]

    @property
    def bold(self) -> bool:
        """Whether all words are bold; signs do not count."""
        lettered = [word for word in self.words if any(map(str.isalnum, word.text))]
        return bool(lettered) and all(word.bold for word in lettered)

    @property
    def fixed(self) -> bool:
        """Whether it is set like typewriting."""
        return all(word.fixed for word in self.words)

    @property
    def text(self) -> str:
        """What it says; a word that touches the one before it (a raised letter) goes without a space."""
        words = self.words
        if sum(bool(_RTL.search(word.text)) for word in words) * 2 > len(words):
            return " ".join(map(_said, reversed(words)))
        out = _said(words[0])
        for before, word in zip(words, words[1:], strict=False):
            touching = word.left - before.right < 0.1 * max(word.size, before.size) and before.base != word.base
            raised = touching and word.raised and _POWER.fullmatch(word.text)
            out += ("" if touching else " ") + (word.text.translate(_RAISED) if raised else _said(word))
        return out

    @property
    def filled(self) -> bool:
        """Whether it is the label of a form's field."""
        return any(word.value or word.ticked for word in self.words)


def _said(word: Word) -> str:
    """A word with what a form holds beside it."""
    return word.ticked + word.text + (f"{'' if word.text.endswith(':') else ':'} {word.value}" if word.value else "")


@dataclass(slots=True)
class Table:
    """Rows of cells."""

    rows: list[list["Spot"]]
    lines: list[Line] = field(default_factory=list)
    """The lines that it is made of."""


class Spot(NamedTuple):
    """A cell of a table on a page."""

    text: str
    across: int = 1
    down: int = 1
    bold: bool = False


def layout(words: Sequence[Word], rules: Sequence[Rule]) -> list[Line | Table]:
    """The lines and tables of a page in reading order."""
    from rag_agent.documents.pdf_grids import ruled_tables

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


def line_rows(words: Sequence[Word]) -> list[list[Line]]:
    """The words by the line they stand on, each line cut where it has wide gaps."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.base):
        last = rows[-1] if rows else None
        if last and abs(word.base - last[0].base) <= 0.3 * min(word.size, last[0].size):
            last.append(word)
        else:
            rows.append([word])
    rows = _attached(rows)
    return [_cut(sorted(row, key=lambda word: word.left)) for row in rows]


def _attached(rows: list[list[Word]]) -> list[list[Word]]:
    """With raised and lowered small type put into the line that it touches."""
    out: list[list[Word]] = []
    for place, row in enumerate(rows):
        near = [*out[-1:], *rows[place + 1 : place + 2]]
        large = max((word.size for other in near for word in other), default=0.0)
        kept = []
        for word in row:
            if large <= _LARGER * word.size:
                kept.append(word)
                continue
            host = next((other for other in near if any(_touches(word, one) for one in other)), None)
            if host is None:
                kept.append(word)
            else:
                word.raised = word.base < host[0].base
                host.append(word)
        if kept:
            out.append(kept)
    return out


def _touches(small: Word, word: Word) -> bool:
    if word.size <= _LARGER * small.size or not 0.1 * word.size < abs(word.base - small.base) < 0.6 * word.size:
        return False
    return -0.2 * word.size < small.left - word.right < 0.2 * word.size or 0 <= word.left - small.right < 0.7 * word.size


def _cut(row: Sequence[Word]) -> list[Line]:
    lines = [Line([row[0]])]
    for word in row[1:]:
        before = lines[-1].words
        gap = word.left - max(one.right for one in before)
        mark = typed_mark(f"{lines[-1].text} x") if len(before) == 1 else None
        if gap > _APART * max(word.size, before[-1].size) and not (mark and gap < 5 * word.size):
            lines.append(Line([word]))
        else:
            before.append(word)
    return lines


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
        table = None if _prose(cells, len(edges) + 1) else _table(cells, several, len(edges) + 1, rules)
        if table:
            head, found, tail = table
            yield from _plain(rows[: band.first + head])
            yield found
            rows = rows[band.first + tail :]
        elif len(edges) == 1 and _labels(cells):
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
        if sum(line.right - line.left >= _FULL * width for line in lines) < 0.55 * len(lines):
            return False
    return True


def _labels(cells: Sequence[Sequence[list[Line]]]) -> bool:
    """Whether what stands in the right one of two columns, now and then, only numbers or labels the line it stands on."""
    right = [row for row in cells if row[1]]
    short = all(len(line.words) <= 2 for row in right for line in row[1])
    return short and len(right) * 2 < len(cells) and all(row[0] for row in right)


def _table(cells: list[list[list[Line]]], end: int, count: int, rules: Sequence[Rule]) -> tuple[int, Table, int] | None:
    """The table in a band, and the rows of the band before and behind it; None where its rows do not line up."""
    several = [place for place, row in enumerate(cells[:end]) if sum(map(bool, row)) > 1]
    sparse = min(range(count), key=lambda place: sum(bool(row[place]) for row in cells[:end]))
    filled = [row for row in cells[:end] if row[sparse]]
    if count < 2 or len(several) < 2 or sum(sum(map(bool, row)) > 1 for row in filled) < 0.8 * len(filled):
        return None
    if count == 2 and _labels(cells[several[0] : end]):
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
        before[place][-1].right - before[place][0].left > _FULL * width for place, width in zip(filled, widths, strict=True)
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


def joined(lines: Sequence[Line]) -> str:
    """The text of a cell's lines."""
    out = ""
    for line in lines:
        text = line.text
        if out.endswith("-") and text[:1].islower() and out[-2:-1].isalpha():
            out = out[:-1] + text
        else:
            out = f"{out} {text}".strip()
    return out
