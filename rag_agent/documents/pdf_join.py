"""What the blocks of a page say: lines joined to text, words that were parted at the end of a line made whole."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rag_agent.documents.pdf_lines import Line, Table

Role = Literal["text", "heading", "item", "code", "table", "pair", "furniture"]

_CJK = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"


@dataclass(slots=True)
class Part:
    """A block of a page."""

    role: Role
    lines: list[Line] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    """What stands between a line and the next: a space or a line break."""
    table: Table | None = None
    level: int = 0
    said: str = ""
    """What it says, where that is not its lines."""

    @property
    def left(self) -> float:
        """Where its first line begins."""
        return self.lines[0].left


@dataclass(slots=True)
class PageParts:
    """The blocks of a page, by where they go."""

    heads: list[Line]
    body: list[Part]
    notes: list[Part]
    feet: list[Line]


def text_of(part: Part, words: "Counter[str]") -> str:
    """What a block says, words that were parted at the end of a line made whole.

    Args:
        part: The block.
        words: How often each word of the document occurs inside a line; tells which hyphens are real.
    """
    if part.said:
        return part.said
    if part.role == "code":
        return _code(part.lines)
    out = part.lines[0].text
    for line, end in zip(part.lines[1:], part.ends, strict=True):
        text = line.text
        if end == " " and out.endswith(("-", "\u2010", "\u00ad")):
            out = hyphenated(out, text, words)
        elif end == " " and re.search(f"[{_CJK}]$", out) and re.match(f"[{_CJK}]", text):
            out += text
        else:
            out += end + text
    return out.replace("\u00ad", "")


_LONGEST_WORD = 100


def hyphenated(before: str, after: str, words: "Counter[str]") -> str:
    """Two lines of which the first ends with a hyphen, joined: it stays where the document shows it to be a real one."""
    left = re.search(r"([^\W_]+)[-\u2010\u00ad]$", before[-_LONGEST_WORD:])
    right = re.match(r"[^\W_]+", after[:_LONGEST_WORD])
    if not left or not right:
        return f"{before} {after}" if re.search(r"\s\W$", before) else before + after
    a, b = left[1].casefold(), right[0].casefold()
    whole, parted = words[a + b], words[f"{a}-{b}"]
    if before[-1] == "\u00ad" or whole > parted:
        return before[:-1] + after
    real = parted or not right[0][0].islower() or a.isdigit() or b.isdigit() or (words[a] and words[b])
    return before + after if real else before[:-1] + after


def words_of(pages: Sequence[Sequence[Line | Table]]) -> "Counter[str]":
    """How often each word occurs inside a line, hyphens as part of words."""
    found: Counter[str] = Counter()
    for line in (line for page in pages for one in page for line in ([one] if isinstance(one, Line) else one.lines)):
        text = re.sub(r"\S+[-\u2010\u00ad]$", "", line.text.casefold())
        found.update(re.findall(r"[^\W_]+(?:-[^\W_]+)*", text))
    return found


def _code(lines: Sequence[Line]) -> str:
    """Typewriting, its indents kept."""
    left = min(line.left for line in lines)
    out = []
    for line in lines:
        inked = sum(len(word.text) for word in line.words)
        wide = sum(word.right - word.left for word in line.words) / max(1, inked)
        text, at = "", left
        for word in line.words:
            text += " " * max(round((word.left - at) / max(1.0, wide)), 1 if text else 0) + word.text
            at = word.right
        out.append(text)
    return "\n".join(out)
