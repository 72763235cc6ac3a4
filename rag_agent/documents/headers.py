"""Whether a table's first rows name its columns: told by what stands below them, in any language.

A name differs in kind from what it names: letters above numbers, a plain word above codes or addresses, a word above sentences.
Where the kinds say nothing, a file's own emphasis does, and then the custom that tables begin with names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, Self

_LONGEST_NAME = 80  # characters
_MOST = 0.7  # the share of a column's values that makes it a column of that kind


class _Slot(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def head(self) -> bool: ...
    @property
    def left(self) -> bool: ...
    @property
    def above(self) -> bool: ...


class Grid(NamedTuple):
    """The first rows of a table, each as wide as the widest."""

    texts: list[list[str]]
    heads: list[list[bool]]
    spanned: list[list[bool]]
    """Whether a place only goes on from the left."""
    hanging: list[list[bool]]
    """Whether a place only goes on from above."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[_Slot]], width: int) -> Self:
        """The grid of some rows of slots."""
        ends = [[*row, *[None] * (width - len(row))] for row in rows]
        return cls(
            [[slot.text if slot else "" for slot in row] for row in ends],
            [[bool(slot and slot.head) for slot in row] for row in ends],
            [[bool(slot and slot.left) for slot in row] for row in ends],
            [[bool(slot and slot.above) for slot in row] for row in ends],
        )


class Header(NamedTuple):
    """What the first rows are."""

    rows: int
    """How many of them name the columns."""
    pairs: bool = False
    """Whether every row is a key and its value instead."""
    sure: bool = False
    """Whether its cells say so; otherwise it is the custom that tables begin with names."""


def find_header(grid: Grid, *, records: bool = False) -> Header:
    """Which rows name the columns of a table, and whether it is a list of keys and values.

    Args:
        grid: Its first rows, titles above it left out.
        records: Whether tables of this format begin with names as a rule.
    """
    texts = grid.texts
    if not texts:
        return Header(0)
    width = len(texts[0])
    marked = _marked_rows(grid)
    if marked:
        return Header(marked, sure=True)
    if _labelled(texts):
        return Header(0, pairs=True)
    group = _is_group(grid)
    vote = _vote(texts[group:], _names_ok(texts[group:], texts[0] if group else None))
    if width == 2 and not group:
        return _two_columns(grid, vote, records=records)
    if vote is None or vote < 0 or (width == 1 and vote == 0):
        return Header(0)
    return Header(1 + group, sure=vote > 0)


def _marked_rows(grid: Grid) -> int:
    """How many of the first rows the file itself sets off, where it does not set off all of them."""
    heads = [
        all(head or not text for head, text in zip(row, texts, strict=True))
        for row, texts in zip(grid.heads, grid.texts, strict=True)
    ]
    count = next((number for number, head in enumerate(heads) if not head), 0)
    return count if count <= 4 else 0


def _labelled(texts: Sequence[Sequence[str]]) -> bool:
    """Whether the cells are keys with a colon, each with its value beside it."""
    filled = [row for row in texts if row[0] and any(row[1:])]
    return bool(filled) and sum(row[0].endswith(":") for row in filled) > len(filled) / 2


def _is_group(grid: Grid) -> bool:
    """Whether the first row groups the names in the second: it has gaps or spans, and the second none there."""
    if len(grid.texts) < 3 or len(grid.texts[0]) < 3:
        return False
    first, second = grid.texts[0], grid.texts[1]
    gaps = [place for place, text in enumerate(first) if not text or grid.spanned[0][place]]
    groups = [text for place, text in enumerate(first) if text and not grid.spanned[0][place] and place + 1 in gaps]
    if not gaps or not groups or sum(map(bool, second)) < len(second) - 1:
        return False
    if any(grid.spanned[1]) or any(_numeric(text) and not _yearlike(text) for text in second):
        return False
    names = [f"{_left_of(first, place)} {text}" for place, text in enumerate(second)]
    return len(set(names)) == len(names)


def _left_of(row: Sequence[str], place: int) -> str:
    return next((text for text in reversed(row[: place + 1]) if text), "")


def _names_ok(texts: Sequence[Sequence[str]], group: Sequence[str] | None) -> bool:
    """Whether the first row could be names at all: short, different from each other, most of them there."""
    names = [text for text in texts[0] if text]
    if len(texts) < 2 or len(names) < max(1, len(texts[0]) / 2):
        return False
    if group is None and len({name.casefold() for name in names}) < len(names):
        return False
    return all(map(_short, names))


def _short(text: str) -> bool:
    """Whether it could name something: no sentence, but for an abbreviation's full stop."""
    return len(text) <= _LONGEST_NAME and (len(text) < 6 or not text.endswith((".", "!", "?")))


def _vote(texts: Sequence[Sequence[str]], possible: bool) -> int | None:
    """How many columns speak for a header less how many speak against it; None where the first row cannot be one."""
    if not possible:
        return None
    first, below = texts[0], [row for row in texts[1:] if row != texts[0]]
    if not any(re.search(r"[^\W\d]", text) for text in first):
        return None
    labels = _sequence(first, below)
    return sum(
        _column_vote(name, [row[place] for row in below if row[place]], place in labels) for place, name in enumerate(first)
    )


def _column_vote(name: str, values: Sequence[str], label: bool) -> int:
    if not name or not values:
        return 0
    if name in values:
        return -1
    kinds = Counter(_kind(value) for value in values)
    kind, count = kinds.most_common(1)[0]
    if sum(_numeric(value) for value in values) >= _MOST * len(values):
        if not _numeric(name) or label:
            return 1
        lettered = sum(bool(re.search(r"[^\W\d]", value)) for value in values) > len(values) / 2
        return 1 if not lettered and re.search(r"[^\W\d]{2}", name) else -1
    if kind != "text" and count >= _MOST * len(values):
        return -1 if _kind(name) == kind else 1
    lengths = sorted(map(len, values))
    return int(lengths[len(lengths) // 2] > max(40, 3 * len(name)))


def _sequence(first: Sequence[str], below: Sequence[Sequence[str]]) -> set[int]:
    """The places of numbers that are names all the same: years over what are no years, `Q1` and `Q2` over plain numbers."""
    numeric = [place for place, text in enumerate(first) if _numeric(text)]
    if len(numeric) == len(first):
        return set()
    years = [place for place in numeric if _yearlike(first[place])]
    stepped = len(years) > 1 and _steps([int(first[place]) for place in years])
    found = {place for place in years if stepped or _share(map(_yearlike, (row[place] for row in below if row[place]))) < 0.5}
    shapes = Counter(_shape(first[place]) for place in numeric)
    for place in numeric:
        shape = _shape(first[place])
        if shapes[shape] > 1 and re.search(r"\D", shape) and not any(_shape(row[place]) == shape for row in below):
            found.add(place)
    return found


def _share(flags: Iterable[bool]) -> float:
    given = list(flags)
    return sum(given) / max(1, len(given))


def _steps(numbers: Sequence[int]) -> bool:
    """Whether they go up or down by the same step."""
    steps = {after - before for before, after in zip(numbers, numbers[1:], strict=False)}
    return len(steps) == 1 and steps != {0}


def _two_columns(grid: Grid, vote: int | None, *, records: bool) -> Header:
    texts = [row for row in grid.texts if row[0] and row[1]]
    keys = [row[0] for row in texts]
    # Whatever names the left column is no header of the right one: `key | value` is true of any table, names are not.
    keyed = bool(keys) and len(set(keys)) == len(keys) and sum(map(_numeric, keys)) < len(keys) / 2 and all(map(_short, keys))
    if keyed and all(row[0] for row in grid.heads) and not any(row[1] for row in grid.heads):
        return Header(0, pairs=True)
    values = [row[1] for row in texts[1:]]
    shapes = Counter(_shape(value) for value in values if _numeric(value))
    same = not shapes or shapes.most_common(1)[0][1] >= _MOST * len(values)
    kinds = Counter(_shape(row[1]) if _numeric(row[1]) else "text" for row in texts)
    mixed = len(texts) > 2 and kinds.most_common(1)[0][1] < _MOST * len(texts) and len(kinds) > 2
    if keyed and (mixed or keys[0].endswith(":")):
        return Header(0, pairs=True)
    if vote is not None and vote >= 0 and (records or (vote > 0 and same and len(values) > 1)):
        return Header(1, sure=vote > 0)
    return Header(0, pairs=keyed and not (records and len(texts) < 2))


def _numeric(text: str) -> bool:
    """Whether it is mostly a number: an amount, a date, a code with more digits than letters."""
    if re.match(r"[^\w]*\d", text):
        return True
    inked = [character for character in text if character.isalnum()]
    return sum(character.isdigit() for character in inked) * 2 >= len(inked) > 0


def _yearlike(text: str) -> bool:
    return bool(re.fullmatch(r"(1[89]|20|21)\d\d", text))


def _kind(text: str) -> str:
    """`number`, a shape with marks inside as addresses and account names have, or `text`."""
    if _numeric(text):
        return "number"
    return "marked" if " " not in text and re.search(r"\w[@.:/_\\]+\w", text) else "text"


def _shape(text: str) -> str:
    """What is the same of all amounts or dates of a column: digits as 9, words as x."""
    text = re.sub(r"\d+([.,'  ]\d{3})*([.,]\d+)?(?![\d./-])", "9", text)
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "x", text))
