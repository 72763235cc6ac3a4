"""Where the articles of a text begin and end."""

import re
from collections.abc import Sequence

from rag_agent.documents.blocks import Section
from rag_agent.documents.lines import trimmed

_RULE = re.compile(r"^[ \t\ufeff]*-{3,}[ \t]*\r?$", re.MULTILINE)
_MOST_HEADING = 90  # characters
SENTENCE_END = tuple(".!?…:;,。！？：；")
"""What no heading ends with."""


def rules(text: str, begin: int = 0) -> list[tuple[int, int]]:
    """The lines of dashes that part articles: not those that underline a heading or the head of a table."""
    return [found.span() for found in _RULE.finditer(text, begin) if not _underlines(text, *found.span())]


def _underlines(text: str, start: int, end: int) -> bool:
    """Whether dashes belong to the one short line above them: as long as it is, or with a table around them."""
    before, over = _before(text, start)
    said = before.strip()
    length = len(text[start:end].strip(" \t\r\ufeff"))
    if length < 4:
        return False
    if not said:
        title, under, behind = _after(text, end)
        return _is_boxed(title.strip(), length, under.strip()) and not behind.strip()
    after = _after(text, end)[0].strip()
    if _cells(said) > 1 and _cells(after) > 1:
        return True
    if over.strip():  # a rule above, too, or the last line of a paragraph
        return _is_boxed(said, length, over.strip()) and not after
    return abs(length - len(said)) <= len(said) // 8 and _may_head(said)


def _is_boxed(said: str, length: int, other: str) -> bool:
    """Whether a line between two rules, one of a length and another, is a heading."""
    return len(other) == length >= len(said) and not other.strip("-") and _may_head(said)


def _may_head(said: str) -> bool:
    return 0 < len(said) <= _MOST_HEADING and not said.endswith(SENTENCE_END) and bool(said.strip("-"))


def _cells(line: str) -> int:
    return len(re.split(r"\t+| {2,}|\s\|\s", line.strip()))


def _before(text: str, start: int) -> list[str]:
    """The line above an offset, and the one above that."""
    lines = text[max(0, start - 400) : start].replace("\r\n", "\n").removesuffix("\n").split("\n")
    return [*reversed(lines), "", ""][:2]


def _after(text: str, end: int) -> list[str]:
    """The three lines below an offset that is a line's end."""
    return [*text[end : end + 600].replace("\r\n", "\n").split("\n")[1:], "", "", ""][:3]


def articles(text: str, breaks: Sequence[tuple[int, int]], begin: int = 0) -> tuple[Section, ...]:
    """What lies between breaks, without the white space around it."""
    found = []
    for start, end in [*breaks, (len(text), len(text))]:
        span = trimmed(text, begin, start)
        if span[0] < span[1]:
            found.append(Section(*span))
        begin = end
    return tuple(found)
