"""Tables whose cells are drawn with rules on all sides."""

from collections.abc import Sequence

from rag_agent.documents.pdf_layout import Line, Spot, Table, _rows, joined
from rag_agent.documents.pdf_words import Rule, Word

_NEAR = 3.0  # points: rules that close are one


def ruled_tables(words: Sequence[Word], rules: Sequence[Rule]) -> tuple[list[tuple[float, Table]], list[Word]]:
    """The tables, each with where it begins, and the words outside them."""
    found: list[tuple[float, Table]] = []
    rest = list(words)
    for group in _groups(rules):
        level = [rule for rule in group if rule.top == rule.bottom]
        upright = [rule for rule in group if rule.left == rule.right]
        rows, columns = _places([rule.top for rule in level]), _places([rule.left for rule in upright])
        if len(rows) < 3 or len(columns) < 3 or len(rows) > 500 or len(columns) > 100:
            continue
        inside = [w for w in rest if rows[0] < w.base - 0.3 * w.size < rows[-1] and columns[0] < (w.left + w.right) / 2 < columns[-1]]
        table = _table(inside, rows, columns, level, upright)
        if table:
            rest = [word for word in rest if not any(word is one for one in inside)] if len(inside) < 50 else _without(rest, inside)
            found.append((rows[0], table))
    return found, rest


def _without(words: Sequence[Word], some: Sequence[Word]) -> list[Word]:
    gone = set(map(id, some))
    return [word for word in words if id(word) not in gone]


def _groups(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules that touch each other, directly or through others."""
    rules = sorted(rules, key=lambda rule: rule.top)[:4000]
    owner = list(range(len(rules)))

    def root(place: int) -> int:
        while owner[place] != place:
            owner[place] = owner[owner[place]]
            place = owner[place]
        return place

    for place, rule in enumerate(rules):
        for other in range(place + 1, len(rules)):
            after = rules[other]
            if after.top > rule.bottom + _NEAR:
                break
            if after.left <= rule.right + _NEAR and rule.left <= after.right + _NEAR:
                owner[root(other)] = root(place)
    groups: dict[int, list[Rule]] = {}
    for place, rule in enumerate(rules):
        groups.setdefault(root(place), []).append(rule)
    return list(groups.values())


def _places(values: Sequence[float]) -> list[float]:
    """Values with those that lie close together taken as one."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > _NEAR:
            out.append(value)
    return out


def _table(
    words: Sequence[Word], rows: Sequence[float], columns: Sequence[float], level: Sequence[Rule], upright: Sequence[Rule]
) -> Table | None:
    height, width = len(rows) - 1, len(columns) - 1
    held: list[list[list[Word]]] = [[[] for _ in range(width)] for _ in range(height)]
    for word in words:
        row = sum(word.base - 0.3 * word.size > place for place in rows[1:-1])
        column = sum((word.left + word.right) / 2 > place for place in columns[1:-1])
        held[row][column].append(word)
    if sum(bool(cell) for row in held for cell in row) < 3 or sum(sum(map(bool, row)) > 1 for row in held) < 2:
        return None

    def walled(x: float, row: int) -> bool:
        y = (rows[row] + rows[row + 1]) / 2
        return any(abs(rule.left - x) <= _NEAR and rule.top <= y <= rule.bottom for rule in upright)

    def floored(y: float, column: int) -> bool:
        x = (columns[column] + columns[column + 1]) / 2
        return any(abs(rule.top - y) <= _NEAR and rule.left <= x <= rule.right for rule in level)

    taken = [[False] * width for _ in range(height)]
    out: list[list[Spot]] = []
    lines: list[Line] = []
    for row in range(height):
        spots = []
        for column in range(width):
            if taken[row][column]:
                continue
            across = down = 1
            while column + across < width and not taken[row][column + across] and not walled(columns[column + across], row):
                across += 1
            while row + down < height and not any(floored(rows[row + down], column + one) for one in range(across)):
                down += 1
            inside = [word for y in range(row, row + down) for x in range(column, column + across) for word in held[y][x]]
            for y in range(row, row + down):
                taken[y][column : column + across] = [True] * across
            cell = [line for one in _rows(inside) for line in one]
            lines += cell
            spots.append(Spot(joined(cell), across, down, bool(cell) and all(line.bold for line in cell)))
        out.append(spots)
    return Table(out, lines)
