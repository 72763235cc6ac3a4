"""The words of a page put together to lines, each in one column; and what tables are made of."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from rag_agent.documents.pdf_words import Word
from rag_agent.documents.prose import typed_mark

_APART = 1.0  # of the size of the type: what lies further apart on a line belongs to different columns or cells
_LARGER = 1.2  # times the size of type that is raised or lowered beside it
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
