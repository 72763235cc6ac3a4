"""The structure of source code and settings: comments are prose, the rest is code or `key = value`."""

import re
from collections.abc import Iterator, Sequence

from rag_agent.documents.articles import articles
from rag_agent.documents.blocks import Block, Kind
from rag_agent.documents.lines import Line, lines_of, trimmed, whole
from rag_agent.documents.structures import Structure

_MOST_ITEM = 600  # characters of an item; what is longer is read line by line
_MOST_LINES = 60  # of a block of code; a longer definition is cut at its empty lines
_STRING = re.compile(r"[rRuUbB]?(\"\"\"|''')")
_SECTION = re.compile(r"\[{1,2}\s*[^\[\]]+\s*\]{1,2}\s*(?:[#;].*)?$")
_PARENT = re.compile(r"(?:- +)?[\w.\"'/$-][^#{}\[\]]{0,80}:\s*(?:#.*)?$")
_SETTING = re.compile(r"(?:export\s+)?[\w.\"'/$-][^=:#\n]{0,120}?\s*(?:=|:\s)\s*\S")


def hashes(text: str) -> Structure:
    """Python, shells, Ruby, Perl, R and others whose comments begin with `#`."""
    return _code(text, ("#",), docstrings=True)


def slashes(text: str) -> Structure:
    """C, Java, JavaScript, Go, Rust, CSS and others with `//` and `/* */`."""
    return _code(text, ("//",), ("/*", "*/"))


def dashes(text: str) -> Structure:
    """SQL, Lua, Haskell and others with `--`."""
    return _code(text, ("--",), ("/*", "*/"))


def semicolons(text: str) -> Structure:
    """Lisps and assemblers."""
    return _code(text, (";",))


def percents(text: str) -> Structure:
    """Erlang, MATLAB."""
    return _code(text, ("%",))


def bare(text: str) -> Structure:
    """Code without comments that are known."""
    return _code(text, ())


def logs(text: str) -> Structure:
    """Lines that stand for themselves; what is indented below one belongs to it."""
    blocks: list[Block] = []
    for line in lines_of(text):
        if line.start == line.end:
            continue
        if blocks and line.indent and text[blocks[-1].end : line.begin].strip("\r\n") == "":
            blocks[-1] = blocks[-1]._replace(end=line.end)
        else:
            blocks.append(Block("row", line.start, line.end))
    return _structure(text, blocks)


def settings(text: str) -> Structure:
    """INI, TOML, YAML, properties: sections are headings, `key = value` and what is indented below it a pair."""
    found = _Settings(text)
    for line in lines_of(text):
        if line.start < line.end:
            found.take(line)
    blocks = found.blocks
    # A name with nothing below it is no heading.
    for place, (block, after) in enumerate(zip(blocks, [*blocks[1:], None], strict=False)):
        if block.kind == "heading" and (after is None or (after.kind == "heading" and after.level <= block.level)):
            blocks[place] = block._replace(kind="pair", level=0)
    return _structure(text, blocks)


class _Settings:
    def __init__(self, text: str) -> None:
        self._text = text
        self.blocks: list[Block] = []
        self._indent = 0  # of the last item

    def take(self, line: Line) -> None:
        said = self._text[line.start : line.end]
        last = self.blocks[-1] if self.blocks else None
        if said[0] in "#;!" and not said.startswith("#!"):
            self._remark(line, last)
        elif last and last.kind == "item" and line.indent > self._indent and line.end - last.start < _MOST_ITEM:
            self._goes_on(line)
        elif said.startswith("- "):
            self._indent = line.indent
            self._add("item", line)
        elif (level := self._level(said, line)) > 0:
            self._add("heading", line, level)
        elif _SETTING.match(said):
            self._add("pair", line)
        elif last and last.kind in ("pair", "code"):
            self._goes_on(line)
        else:
            self._add("code", line)

    @staticmethod
    def _level(said: str, line: Line) -> int:
        """Of the section that a line opens, 0 where it opens none."""
        if said[0] == "[" and _SECTION.match(said):
            return 1 + said.partition("]")[0].count(".")
        return 1 + line.indent // 2 if _PARENT.match(said) else 0

    def _remark(self, line: Line, last: Block | None) -> None:
        if last and last.kind == "paragraph" and len(self._text[last.end : line.start].splitlines()) <= 2:
            self._goes_on(line)
        else:
            self._add("paragraph", line)

    def _add(self, kind: Kind, line: Line, level: int = 0) -> None:
        self.blocks.append(Block(kind, line.start, line.end, level))

    def _goes_on(self, line: Line) -> None:
        self.blocks[-1] = self.blocks[-1]._replace(end=line.end)


def _structure(text: str, blocks: Sequence[Block]) -> Structure:
    return Structure(whole(text, blocks), articles(text, ()))


def _code(text: str, comments: tuple[str, ...], around: tuple[str, str] | None = None, *, docstrings: bool = False) -> Structure:
    lines = lines_of(text)
    blocks: list[Block] = []
    for kind, first, behind in _Comments(text, lines, comments, around, docstrings).runs():
        start, end = trimmed(text, lines[first].begin, lines[behind - 1].end)
        if start == end:
            continue
        if kind == "comment":
            blocks.append(Block("paragraph" if re.search(r"[^\W\d_]{2}", text[start:end]) else "furniture", start, end))
        else:
            blocks += _definitions(text, lines, first, behind)
    return _structure(text, blocks)


class _Comments:
    """Where comments are."""

    def __init__(
        self, text: str, lines: Sequence[Line], marks: tuple[str, ...], around: tuple[str, str] | None, docstrings: bool
    ) -> None:
        self._text = text
        self._lines = lines
        self._marks = marks
        self._around = around or ("", "")
        self._docstrings = docstrings
        self._unclosed: set[str] = set()

    def runs(self) -> Iterator[tuple[str, int, int]]:
        """Runs of comment and of code: their kind, their first line and the one behind the last."""
        at, begin = 0, 0
        while at < len(self._lines):
            behind = self._behind(at)
            if behind > at:
                if begin < at:
                    yield "code", begin, at
                yield "comment", at, behind
                at = begin = behind
            else:
                at += 1
        if begin < at:
            yield "code", begin, at

    def _said(self, at: int) -> str:
        return self._text[self._lines[at].start : self._lines[at].end]

    def _behind(self, at: int) -> int:
        """The line behind the comment that a line begins; the line itself where it begins none."""
        first = self._said(at)
        if self._marks and first.startswith(self._marks) and not first.startswith("#!"):
            while at < len(self._lines) and self._said(at).startswith(self._marks):
                at += 1
            return at
        string = _STRING.match(first) if self._docstrings else None
        opening, closing = (string[0], string[1]) if string else self._around
        if not opening or not first.startswith(opening):
            return at
        if closing in first[len(opening) :]:
            return at + 1 if first.endswith(closing) else at
        return at if closing in self._unclosed else self._closed(at, closing)

    def _closed(self, at: int, closing: str) -> int:
        for number in range(at + 1, len(self._lines)):
            if closing in self._said(number):
                return number + 1
        self._unclosed.add(closing)
        return at


def _definitions(text: str, lines: Sequence[Line], first: int, behind: int) -> Iterator[Block]:
    """Code by its definitions: what begins at the margin behind an empty line begins a block."""
    begin, blank = first, False
    for number in range(first, behind + 1):
        empty = number < behind and lines[number].start == lines[number].end
        margin = number < behind and not empty and lines[number].indent == 0
        if number == behind or (blank and not empty and (margin or number - begin > _MOST_LINES)):
            start, end = trimmed(text, lines[begin].begin, lines[number - 1].end)
            if start < end:
                yield Block("code", start, end)
            begin = number
        blank = empty
