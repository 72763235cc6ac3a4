"""The structure of Markdown, by a CommonMark parser."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from rag_agent.documents.answers import answered
from rag_agent.documents.articles import articles
from rag_agent.documents.blocks import Block, Kind
from rag_agent.documents.lines import Line, lines_of, trimmed, whole
from rag_agent.documents.markup import visible
from rag_agent.documents.paragraphs import asks, parts
from rag_agent.documents.shown import inline, shown
from rag_agent.documents.structures import Structure

_PARSER = MarkdownIt("commonmark").enable("table").use(footnote_plugin).use(deflist_plugin)
_PARSER.core.ruler.enableOnly(["normalize", "block"])  # blocks alone: five times as fast, and no pattern of ours does inline text
_HOLDERS: dict[str, Kind] = {
    "bullet_list_open": "list", "ordered_list_open": "list", "list_item_open": "item", "blockquote_open": "quotation",
}  # fmt: skip
_MARKER = re.compile(r"[-+*]|\d{1,9}[.)]|\[\^[^\]]*\]:|[:~]")
_FRONT = re.compile(r"\ufeff?(-{3,}|\+\+\+)[ \t]*(?:\r\n?|\n)")
# One line of the metadata block that Jekyll and Pandoc (`key: value`) or Hugo (`key = value`) read at the head of a file.
_METADATA = re.compile(r"[^\s:=]+\s*[:=](\s|$)|\s|#|-\s|[\]\[}]|$")
_BOLD = re.compile(r"(\*\*|__)(?!\s)((?:(?!\1).)+)(?<!\s)\1[ \t]*$")
_CONTENTS = re.compile(r"\[[^\[\]]*\]\(#[^()\s]*\)|\[`[^\[\]]*`\]\(#[^()\s]*\)")
_MOST_PAIR = 300
_CONTAINER = re.compile(r"(?:!!!|\?\?\?\+?|:::+)(?:[ \t]*\w.*)?$")  # how MkDocs and Docusaurus begin and end a note
_MOST_HEADING = 120  # characters; a longer line in bold is a sentence that somebody wants to be seen


def structure(text: str) -> Structure:
    """The blocks of a Markdown text, its articles (parted by thematic breaks) and its title."""
    body, closing = front_matter(text)
    lines = lines_of(text)
    metadata = list(_metadata(text, lines, body, closing)) if closing else []
    walk = _Walk(text, closing or (1 if text.startswith("\ufeff") else 0))
    blocks = [*metadata, *answered(text, list(_asked(text, walk.blocks)), walk.breaks)]
    titles = [value for key, value in _pairs(text, metadata) if key == "title"]
    titles += [shown(text, block, ".md") for block in blocks if block.kind == "heading" and block.level == 1]
    title = titles[0] if titles else ""
    return Structure(whole(text, blocks), articles(text, walk.breaks, body), title)


def front_matter(text: str) -> tuple[int, int]:
    """Where the metadata at the head of a text begins and where the line that closes it ends; (0, 0) where there is none."""
    opening = _FRONT.match(text)
    if not opening:
        return 0, 0
    rule = r"-{3,}|\.\.\." if opening[1][0] == "-" else r"\+\+\+"
    closing = re.compile(rf"^(?:{rule})[ \t]*\r?$", re.MULTILINE).search(text, opening.end())
    if not closing:
        return 0, 0
    said = [line for line in re.split(r"\r\n?|\n", text[opening.end() : closing.start()]) if line.strip()]
    return (opening.end(), closing.end()) if said and all(map(_METADATA.match, said)) else (0, 0)


def _metadata(text: str, lines: Sequence[Line], begin: int, end: int) -> Iterator[Block]:
    """A pair a key; what is indented or listed below it belongs to it."""
    open_at = close_at = -1
    for line in lines:
        if not begin <= line.start < line.end <= end or line.end == end:
            continue
        if text[line.start] == "#" or (line.indent == 0 and text[line.start] not in "-]}"):
            if open_at >= 0:
                yield Block("pair", open_at, close_at)
            open_at = -1 if text[line.start] == "#" else line.start
        close_at = line.end
    if open_at >= 0:
        yield Block("pair", open_at, close_at)


def _pairs(text: str, blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        key, value = re.split(r"\s*[:=]\s*|$", text[block.start : block.end], maxsplit=1)
        yield key.lower(), " ".join(value.split()).strip("\"'")


class _Walk:
    """Tokens with their lines to blocks with their spans."""

    def __init__(self, text: str, begin: int) -> None:
        self.text = text
        self.blocks: list[Block] = []
        self.breaks: list[tuple[int, int]] = []
        self._lines = lines_of(text, begin)
        self._quotes = 0  # how many quotations are open
        self._cursor = 0  # behind the last marker of a list or quotation
        self._open: list[tuple[int, Token]] = []
        self._level = 0  # of the last heading
        self._until = 0  # the place behind what has been read already
        self._names: tuple[str, ...] = ()
        self._tokens = _PARSER.parse(text[begin:])
        for place, token in enumerate(self._tokens):
            if place < self._until:
                continue
            handler = getattr(self, f"_{token.type}", None)
            if token.type in _HOLDERS:
                self._begin(token)
            elif token.type.endswith("_close") and self._open and token.tag == self._open[-1][1].tag:
                self._end(token)
            elif handler and token.map:
                handler(token, place)

    def _ink(self, number: int) -> int:
        """Where a line's own text begins: behind the markers of what it lies in."""
        line = self._lines[number]
        if line.begin < self._cursor <= line.end:
            at = self._cursor
        else:
            at = line.begin
            for _ in range(self._quotes):
                ink = self._skip(at, line.end)
                if self.text[ink : ink + 1] != ">":
                    break
                at = ink + 1
        return self._skip(at, line.end)

    def _skip(self, at: int, end: int) -> int:
        while at < end and (self.text[at].isspace() or self.text[at] == "\ufeff"):
            at += 1
        return at

    def _span(self, token: Token) -> tuple[int, int]:
        assert token.map
        first, behind = token.map
        last = min(behind, len(self._lines)) - 1
        return self._trim(self._ink(first), self._lines[max(first, last)].end)

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        piece = self.text[start:end].rstrip()
        while self._quotes and piece.endswith(">") and "\n" in piece and not piece[piece.rfind("\n") :].strip(" \t\r\n>"):
            piece = piece[: piece.rfind("\n")].rstrip()
        return trimmed(self.text, start, start + len(piece))

    def _add(self, kind: Kind, start: int, end: int, level: int = 0, names: Sequence[str] = ()) -> None:
        if start < end:
            self.blocks.append(Block(kind, start, end, level, tuple(names)))

    def _depth(self, tag: str) -> int:
        return sum(token.type == tag for _, token in self._open)

    # --- what holds other blocks

    def _begin(self, token: Token) -> None:
        start, end = self._span(token)
        kind = _HOLDERS[token.type]
        lists = self._depth("list_item_open")
        self._open.append((len(self.blocks), token))
        self.blocks.append(Block(kind, start, max(start, end), lists if kind in ("list", "item") else 0))
        if kind == "quotation":
            self._quotes += 1
            self._cursor = start + 1
        elif kind == "item" and (marker := _MARKER.match(self.text, start)):
            self._cursor = marker.end()

    def _end(self, token: Token) -> None:
        place, opened = self._open.pop()
        block = self.blocks[place]
        if block.kind == "quotation":
            self._quotes -= 1
        inside = self.blocks[place + 1 :]
        if block.start >= block.end:
            del self.blocks[place:]
        elif block.kind == "item" and len(inside) == 1 and inside[0].kind == "paragraph":
            del self.blocks[place + 1 :]
        elif block.kind == "list" and not self._is_announced(place) and _is_contents(self.text, inside):
            self.blocks[place:] = [Block("furniture", block.start, block.end)]

    def _is_announced(self, place: int) -> bool:
        return place > 0 and self.text[self.blocks[place - 1].end - 1] in ":："

    # --- leaves

    def _paragraph_open(self, token: Token, place: int) -> None:
        start, end = self._noted(*self._span(token))
        content = self._tokens[place + 1].content
        if self._open or start == end:
            self._add("paragraph", start, end)
        elif re.search(r"!\[|[<&]", content) and not re.search(r"\w", inline(content, images=False)):
            self._add("furniture", start, end)
        elif (bold := _BOLD.match(content)) and len(content) <= _MOST_HEADING and bold[2][-1] not in ".:;,!":
            # Bold on a line of its own is how many write the headings below their headings.
            self._add("heading", start, end, min(self._level, 6) + 1)
        else:
            self.blocks += parts(self.text, start, end)

    def _noted(self, start: int, end: int) -> tuple[int, int]:
        """A paragraph without the lines around it that make it a note."""
        said = self.text[start:end]
        if said[0:3] in ("!!!", "???", ":::") and _CONTAINER.match(said.partition("\n")[0].rstrip()):
            start = min(end, start + len(said.partition("\n")[0]))
        if said.rpartition("\n")[2].strip(": \t\r") == "" and said.endswith(":::"):
            end = max(start, end - len(said.rpartition("\n")[2]))
        return trimmed(self.text, start, end)

    def _heading_open(self, token: Token, place: int) -> None:
        start, end = self._span(token)
        content = self._tokens[place + 1].content
        if token.markup == "-" and ("\n" in content or content.endswith((".", ":", ";"))):
            # A rule right below a sentence was meant to part articles, whatever CommonMark makes of it.
            rule = self._lines[token.map[1] - 1] if token.map else self._lines[-1]
            self._paragraph_open(token, place)
            if self.blocks and self.blocks[-1].end > rule.start:
                last = self.blocks[-1]
                self.blocks[-1] = last._replace(end=trimmed(self.text, last.start, rule.start)[1])
            if not self._open:
                self.breaks.append((rule.begin, rule.end))
            return
        if self._open:
            self._add("paragraph", start, end)
        elif re.search(r"\w", inline(content, images=False)):
            self._level = int(token.tag[1])
            self._add("heading", start, end, self._level)
        elif content:
            self._add("furniture", start, end)

    def _fence(self, token: Token, place: int) -> None:
        assert token.map
        first, behind = token.map
        last = min(behind, len(self._lines)) - 1
        if last > first and self._closes(token, last):
            last -= 1
        if last > first:
            self._add("code", *trimmed(self.text, self._ink(first + 1), self._lines[last].end))

    def _closes(self, token: Token, number: int) -> bool:
        said = self.text[self._ink(number) : self._lines[number].end]
        return len(said) >= len(token.markup) and not said.strip(token.markup[0])

    def _code_block(self, token: Token, place: int) -> None:
        self._add("code", *self._span(token))

    def _html_block(self, token: Token, place: int) -> None:
        start, end = self._span(token)
        self.blocks += visible(self.text, start, end, level=min(self._level, 6) + 1, inside=bool(self._open))

    def _hr(self, token: Token, place: int) -> None:
        if not self._open and token.map:
            line = self._lines[token.map[0]]
            self.breaks.append((line.begin, line.end))

    def _table_open(self, token: Token, place: int) -> None:
        self._add("table", *self._span(token))

    def _tr_open(self, token: Token, place: int) -> None:
        cells = []
        while self._tokens[place].type != "tr_close":
            if self._tokens[place].type == "inline":
                cells.append(self._tokens[place].content)
            place += 1
        start, end = self._span(token)
        if self._tokens[place - 1].type == "th_close":
            self._names = tuple(inline(cell) for cell in cells)
            self._add("names" if any(self._names) else "furniture", start, end)
        else:
            named = any(self._names) and any(cells)
            self._add("row" if any(cells) else "furniture", start, end, names=self._names if named else ())

    def _footnote_reference_open(self, token: Token, place: int) -> None:
        line = self._lines[token.map[0]] if token.map else self._lines[-1]
        marker = _MARKER.match(self.text, line.start)
        self._cursor = marker.end() if marker else 0

    def _dt_open(self, token: Token, place: int) -> None:
        """A term: a pair with its one short definition, else the heading of its definitions."""
        start, end = self._span(token)
        types = [one.type for one in self._tokens[place + 3 : place + 9]]
        if types[:5] == ["dd_open", "paragraph_open", "inline", "paragraph_close", "dd_close"] and types[5:] != ["dd_open"]:
            behind = self._span(self._tokens[place + 4])[1]
            if behind - start <= _MOST_PAIR:
                self._add("pair", start, behind)
                self._until = place + 8
                return
        self._add("paragraph" if self._open else "heading", start, end, 0 if self._open else min(self._level, 6) + 1)

    def _dd_open(self, token: Token, place: int) -> None:
        start, _ = self._span(token)
        marker = _MARKER.match(self.text, start)
        self._cursor = marker.end() if marker else start


def _is_contents(text: str, inside: Sequence[Block]) -> bool:
    """Whether a list holds nothing but links to headings."""
    items = [block for block in inside if block.kind == "item"]
    said = [re.sub(r"^(?:[-+*]|\d+[.)])\s+", "", text[block.start : block.end].partition("\n")[0].strip()) for block in items]
    return len(items) > 1 and all(map(_CONTENTS.fullmatch, said))


def _asked(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """Headings of bold text that ask as questions."""
    for block in blocks:
        bold = block.kind == "heading" and text[block.start : block.start + 2] in ("**", "__")
        yield block._replace(kind="question", level=0) if bold and asks(text[block.start : block.end]) else block
