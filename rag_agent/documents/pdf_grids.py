"""Tables whose cells are drawn with rules on all sides."""

from collections.abc import Sequence

from rag_agent.documents.pdf_lines import Line, Spot, Table, joined, line_rows
from rag_agent.documents.pdf_words import Rule, Word

_NEAR = 3.0  # points: rules that close are one


def ruled_tables(words: Sequence[Word], rules: Sequence[Rule]) -> tuple[list[tuple[float, Table]], list[Word]]:
    """The tables, each with where it begins, and the words outside them."""
    found: list[tuple[float, Table]] = []
    rest = list(words)
    for group in _groups(rules):
        grid = _Grid(group)
        if not (2 <= len(grid.rows) <= 500 and 3 <= len(grid.columns) <= 100):
            continue
        inside = [word for word in rest if grid.holds(word)]
        if table := _table(inside, grid):
            rest = _without(rest, inside)
            found.append((grid.rows[0], table))
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


class _Grid:
    """Where rows and columns begin and end, and which of the places between them are parted by rules."""

    def __init__(self, group: Sequence[Rule]) -> None:
        self._level = [rule for rule in group if rule.top == rule.bottom]
        self._upright = [rule for rule in group if rule.left == rule.right]
        self.rows = _places([rule.top for rule in self._level])
        self.columns = _places([rule.left for rule in self._upright])

    def holds(self, word: Word) -> bool:
        y, x = word.base - 0.3 * word.size, (word.left + word.right) / 2
        return self.rows[0] < y < self.rows[-1] and self.columns[0] < x < self.columns[-1]

    def place(self, word: Word) -> tuple[int, int]:
        row = sum(word.base - 0.3 * word.size > y for y in self.rows[1:-1])
        return row, sum((word.left + word.right) / 2 > x for x in self.columns[1:-1])

    def walled(self, row: int, column: int) -> bool:
        """Whether a rule stands to the left of a place."""
        x, y = self.columns[column], (self.rows[row] + self.rows[row + 1]) / 2
        return any(abs(rule.left - x) <= _NEAR and rule.top <= y <= rule.bottom for rule in self._upright)

    def floored(self, row: int, column: int) -> bool:
        """Whether a rule lies above a place."""
        y, x = self.rows[row], (self.columns[column] + self.columns[column + 1]) / 2
        return any(abs(rule.top - y) <= _NEAR and rule.left <= x <= rule.right for rule in self._level)


def _table(words: Sequence[Word], grid: _Grid) -> Table | None:
    height, width = len(grid.rows) - 1, len(grid.columns) - 1
    held: list[list[list[Word]]] = [[[] for _ in range(width)] for _ in range(height)]
    for word in words:
        row, column = grid.place(word)
        held[row][column].append(word)
    if sum(bool(cell) for row in held for cell in row) < 3 or sum(sum(map(bool, row)) > 1 for row in held) < min(2, height):
        return None
    taken = [[False] * width for _ in range(height)]
    out: list[list[Spot]] = []
    lines: list[Line] = []
    for row in range(height):
        spots = []
        for column in range(width):
            if not taken[row][column]:
                across, down = _span(grid, taken, row, column)
                inside = [word for y in range(row, row + down) for x in range(column, column + across) for word in held[y][x]]
                cell = [line for one in line_rows(inside) for line in one]
                lines += cell
                spots.append(Spot(joined(cell), across, down, bool(cell) and all(line.bold for line in cell)))
        out.append(spots)
    return Table(out, lines)


def _span(grid: _Grid, taken: list[list[bool]], row: int, column: int) -> tuple[int, int]:
    """How many columns and rows the cell at a place covers; they are marked as taken."""
    across = down = 1
    while column + across < len(taken[0]) and not taken[row][column + across] and not grid.walled(row, column + across):
        across += 1
    while row + down < len(taken) and not any(grid.floored(row + down, column + one) for one in range(across)):
        down += 1
    for y in range(row, row + down):
        taken[y][column : column + across] = [True] * across
    return across, down
