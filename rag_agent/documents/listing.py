"""Lists in plain text: bullets, numbers and letters, items of several lines, nested by their indentation."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag_agent.documents.blocks import Block, Kind
from rag_agent.documents.lines import Line
from rag_agent.documents.paragraphs import is_label

_MARK = re.compile(
    r"(?P<bullet>[-*+•‣◦▪·●○■□►✓✔☐☑➢–—]|\[[ xX]\]|o(?=\s))\s+(?=\S)"
    r"|(?P<open>\(?)(?P<word>step\s|stap\s|schritt\s|paso\s|étape\s)?(?P<value>\d{1,3}|[a-z]|[A-Z]|[ivx]{2,5})(?P<close>[.):])\s+(?=\S)"
    r"|\[(?P<reference>\d{1,3})\]\s+(?=\S)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)[.)]?\s+[A-ZÀ-Þ]")
_SHORT, _WORDS = 60, 8  # characters and words of a heading with a number that no empty line sets off
_FEW = frozenset("–—oO")  # these begin sentences, too: one alone is no list
_ROMAN = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv"]
_NEAR = 60  # lines to the next item at most
_BREAKS_OFF = re.compile(r"(?:`{3,}|~{3,})|>|([-=~^*#+_])\1{2,}$")


class Mark(NamedTuple):
    """What an item begins with."""

    family: str
    """The same for all items of a list."""
    values: tuple[int, ...]
    """What number it may stand for; none for a bullet."""
    length: int


def marked(said: str) -> Mark | None:
    """The marker that a line begins with."""
    if not (said[0] in "-*+•‣◦▪·●○■□►✓✔☐☑➢–—[(" or said[:1].isalnum()):
        return None
    found = _MARK.match(said)
    if not found:
        return None
    if found["bullet"]:
        return Mark(found["bullet"][0], (), found.end())
    if found["reference"]:
        return Mark("[]", (int(found["reference"]),), found.end())
    value, word = found["value"], (found["word"] or "").strip().lower()
    if found["close"] == ":" and not word:
        return None
    frame = f"{found['open']}{word}{found['close']}"
    if value.isdigit():
        return Mark(f"{frame}1", (int(value),), found.end())
    low = value.lower()
    values = ([ord(low) - 96] if len(low) == 1 else []) + ([_ROMAN.index(low) + 100] if low in _ROMAN else [])
    return Mark(f"{frame}{'a' if value.islower() else 'A'}", tuple(values), found.end()) if values else None


def _follows(mark: Mark, before: Mark) -> bool:
    """Whether an item can be the next one of a list: the next number, the same one ("1." everywhere), or any bullet."""
    if mark.family != before.family:
        return False
    steps = (0, 1) if mark.family.endswith("1") else (1,)
    return not mark.values or any(value - earlier in steps for value in mark.values for earlier in before.values)


def is_numbered_heading(text: str, lines: Sequence[Line], at: int) -> bool:
    """Whether a short line with a number ("2.1 Annual leave") stands right over its text, or over the first heading below it."""
    line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else None
    said = text[line.start : line.end]
    found = _NUMBERED.match(said)
    if not found or below is None or line.indent or below.indent or below.start == below.end or len(said) > _SHORT:
        return False
    under = text[below.start : below.end]
    if said.endswith((".", "!", "?", ",", ";", ":")) or len(said.split()) > _WORDS:
        return False
    if deeper := _NUMBERED.match(under):
        return deeper[1].startswith(f"{found[1]}.")
    return under[0].isupper() and not marked(under) and (len(under) > len(said) + 10 or under.endswith((".", "!", "?")))


def begins(text: str, lines: Sequence[Line], at: int, mark: Mark) -> bool:
    """Whether a line begins a list; a number or letter alone, as in "J. Smith" or a heading, does not."""
    if is_label(text[lines[at].start : lines[at].end]) or is_numbered_heading(text, lines, at):
        return False
    if not mark.values and mark.family not in _FEW:
        return True
    blank = False
    indent = lines[at].indent
    for line in lines[at + 1 : at + 1 + _NEAR]:
        if line.start == line.end:
            blank = True
            continue
        if line.indent <= indent:
            said = text[line.start : line.end]
            if other := marked(said):
                if line.indent == indent and other.family == mark.family:
                    return _follows(other, mark)
                if not mark.values or line.indent < indent or not other.values:
                    return False
            elif blank:
                return False
        blank = False
    return False


@dataclass
class _Level:
    list: int
    item: int
    indent: int
    mark: Mark


class _Listing:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.levels: list[_Level] = []
        self._children: dict[int, int] = {}  # an item's place: how many blocks it holds at first hand

    def open(self, line: Line, mark: Mark) -> None:
        if self.levels:
            self._children[self.levels[-1].item] += 1
        self.levels.append(_Level(len(self.blocks), -1, line.indent, mark))
        self._add("list", line.start, line.end)
        self.item(line, mark)

    def item(self, line: Line, mark: Mark) -> None:
        level = self.levels[-1]
        level.item, level.mark = len(self.blocks), mark
        self._children[level.item] = 1
        self._add("item", line.start, line.end)
        self._add("paragraph", line.start + mark.length, line.end)
        self.reach(line.end)

    def paragraph(self, line: Line) -> None:
        self._children[self.levels[-1].item] += 1
        self._add("paragraph", line.start, line.end)
        self.reach(line.end)

    def more(self, line: Line) -> None:
        self.blocks[-1] = self.blocks[-1]._replace(end=line.end)
        self.reach(line.end)

    def reach(self, end: int) -> None:
        for level in self.levels:
            for place in (level.list, level.item):
                self.blocks[place] = self.blocks[place]._replace(end=end)

    def _add(self, kind: Kind, start: int, end: int) -> None:
        self.blocks.append(Block(kind, start, end, len(self.levels) - 1 if kind != "paragraph" else 0))

    def done(self) -> list[Block]:
        """Without the paragraphs that are all of their item."""
        alone = {place + 1 for place, children in self._children.items() if children == 1}
        return [block for place, block in enumerate(self.blocks) if place not in alone]


def listing_at(text: str, lines: Sequence[Line], at: int, breaks: Container[int]) -> tuple[list[Block], int] | None:
    """The list that begins at a line and the number of the line behind it; None where none begins."""
    first = marked(text[lines[at].start : lines[at].end])
    if not first or not begins(text, lines, at, first):
        return None
    found = _Listing()
    found.open(lines[at], first)
    blank, behind = False, at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if line.start == line.end:
            blank = True
            continue
        if line.start in breaks or not _take(found, text, lines, number, blank):
            break
        blank, behind = False, number + 1
    return found.done(), behind


def _take(found: _Listing, text: str, lines: Sequence[Line], number: int, blank: bool) -> bool:
    """Put a line where it belongs; False where it is no part of the list."""
    line = lines[number]
    said = text[line.start : line.end]
    mark = marked(said)
    if mark and line.indent >= found.levels[0].indent - 1:
        taken = _take_item(found, text, lines, number, mark)
        if taken is not None:
            return taken
    levels = found.levels
    if blank:
        while len(levels) > 1 and line.indent <= levels[-1].indent:
            levels.pop()
        if line.indent <= levels[-1].indent + 1:
            return False
        found.paragraph(line)
    elif _BREAKS_OFF.match(said):
        return False
    else:
        found.more(line)
    return True


def _take_item(found: _Listing, text: str, lines: Sequence[Line], number: int, mark: Mark) -> bool | None:
    """Add what may be an item; None where its mark is none, False where another list begins."""
    line, levels = lines[number], found.levels
    while len(levels) > 1 and line.indent < levels[-1].indent:
        levels.pop()
    deeper = line.indent > levels[-1].indent + 1
    if not deeper and _follows(mark, levels[-1].mark):
        found.item(line, mark)
        return True
    if not begins(text, lines, number, mark):
        return None
    if not deeper:
        if len(levels) == 1:
            return False
        levels.pop()
    found.open(line, mark)
    return True
