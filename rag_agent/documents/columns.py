"""Tables in plain text: cells parted by bars, tabs, or aligned by spaces."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_agent.documents.blocks import Block
from rag_agent.documents.lines import Line

_RULE = re.compile(r"(?=.*[-=] ?[-=])[-=+|: \t]+$")
_SPACES = re.compile(r"\S+(?: \S+)*")
_DIGIT = re.compile(r"\d")


class Cell(NamedTuple):
    """A cell of a row, with the columns of the page where it stands."""

    text: str
    start: int
    end: int


class Table(NamedTuple):
    """A table that was found."""

    blocks: list[Block]
    behind: int
    """The number of the line behind it."""


def cells(said: str, indent: int = 0) -> list[Cell]:
    """The cells of a line: parted by bars, else by tabs, else by two or more spaces."""
    if "|" in said:
        bare = said.strip().removeprefix("|").removesuffix("|")
        pieces = re.split(r"(?<!\\)\|", bare)
        return [Cell(piece.strip(), 0, 0) for piece in pieces] if " | " in said or said[0] == "|" else []
    if "\t" in said:
        return [Cell(piece.strip(), 0, 0) for piece in said.split("\t") if piece.strip()]
    if "  " not in said:
        return []
    return [Cell(found[0], indent + found.start(), indent + found.end()) for found in _SPACES.finditer(said)]


def _row(text: str, line: Line) -> list[Cell]:
    return cells(text[line.start : line.end], line.indent)


def _aligned(row: Sequence[Cell], other: Sequence[Cell]) -> bool:
    """Whether each cell begins or ends where the other row's does; bars and tabs need no alignment."""
    return len(row) == len(other) and all(
        one.end == 0 or abs(one.start - two.start) <= 1 or abs(one.end - two.end) <= 1
        for one, two in zip(row, other, strict=True)
    )


def _heads(row: Sequence[Cell], other: Sequence[Cell]) -> bool:
    """Whether each cell stands over the other row's."""
    return len(row) == len(other) and all(
        one.end == 0 or (one.start < two.end + 2 and two.start < one.end + 2) for one, two in zip(row, other, strict=True)
    )


def table_at(text: str, lines: Sequence[Line], at: int) -> Table | None:
    """The table that begins at a line, None where none does."""
    said = text[lines[at].start : lines[at].end]
    if not ("|" in said or "\t" in said or "  " in said or said[0] == "+"):
        return None
    ruled, number = bool(_RULE.match(said)), at
    while number < len(lines) and (rule := text[lines[number].start : lines[number].end]) and _RULE.match(rule):
        number += 1
    first = number
    if first >= len(lines) or len(head := _row(text, lines[first])) < 2:
        return None
    rows: list[tuple[Line, list[Cell]]] = [(lines[first], head)]
    rule_behind_head = False
    number += 1
    while number < len(lines) and lines[number].start < lines[number].end:
        line = lines[number]
        if _RULE.match(text, line.start, line.end):
            rule_behind_head |= len(rows) == 1
            ruled = True
        else:
            row = _row(text, line)
            if not _belongs(row, rows):
                break
            rows.append((line, row))
        number += 1
    enough = len(rows) >= 2 and (ruled or head[0].end == 0 or len(rows) >= 3 or len(head) >= 3)
    return _table(rows, lines[at].start, lines[number - 1].end, number, named=rule_behind_head) if enough else None


def _belongs(row: list[Cell], rows: list[tuple[Line, list[Cell]]]) -> bool:
    if len(rows) == 1:
        return _heads(row, rows[0][1])
    model = rows[1][1]
    if _aligned(row, model):
        return True
    # Some cells may be empty: each of the others stands in a column.
    return 2 <= len(row) < len(model) and row[0].end > 0 and all(any(_aligned([one], [two]) for two in model) for one in row)


def _table(rows: list[tuple[Line, list[Cell]]], start: int, end: int, behind: int, *, named: bool) -> Table:
    head = rows[0][1]
    texts = [cell.text for cell in head]
    named = named or (
        len(set(texts)) == len(texts) and all(texts) and not any(map(_DIGIT.search, texts))
        and any(_DIGIT.search(cell.text) for _, row in rows[1:] for cell in row)
    )  # fmt: skip
    blocks = [Block("table", start, end)]
    for number, (line, row) in enumerate(rows):
        if named and number == 0:
            blocks.append(Block("names", line.start, line.end))
        else:
            blocks.append(Block("row", line.start, line.end, 0, _names(row, head) if named else ()))
    return Table(blocks, behind)


def _names(row: Sequence[Cell], head: Sequence[Cell]) -> tuple[str, ...]:
    if len(row) == len(head):
        return tuple(cell.text for cell in head)
    return tuple(next((over.text for over in head if _heads([cell], [over])), "") for cell in row)
