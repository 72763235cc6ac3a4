"""Web pages, by a parser of HTML5: what a reader of the page sees, with its structure."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rag_agent.documents.answers import answered
from rag_agent.documents.builder import Builder
from rag_agent.documents.hyperflow import Flow
from rag_agent.documents.hypertags import (
    BLOCKS,
    FURNITURE,
    UNREAD,
    Attributes,
    hidden,
    is_furniture,
    is_link_list,
    rows_of,
    said,
    standing_alone,
    tag_of,
)  # fmt: skip
from rag_agent.documents.paragraphs import asks
from rag_agent.documents.reading import Reading, decode
from rag_agent.documents.tables import add_table

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_DECLARED = re.compile(rb"<(?:meta[^>]{0,200}charset|\?xml[^>]{0,200}encoding)\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
# XML lets any element close itself; HTML takes `<script/>` for an opening, and the page for a script.
_CLOSES_ITSELF = re.compile(
    r"<(a|canvas|div|em|i|iframe|noscript|p|script|span|style|t[dh]|textarea|title)\b([^<>]*)/>", re.IGNORECASE
)
_MOST_PAIR = 200


class Page(NamedTuple):
    """What a page says of itself."""

    title: str
    told: tuple[str, ...]
    """What of it was not read."""


def read(data: bytes) -> Reading:
    """The text of a page's bytes, in the encoding that it declares."""
    builder = Builder()
    page = add_page(builder, decoded(data))
    reading = builder.reading("html", title=page.title, told=page.told)
    return replace(reading, blocks=tuple(answered(reading.text, reading.blocks)))


def decoded(data: bytes) -> str:
    """Bytes of HTML or XML as text, by the encoding that they declare, else as any text."""
    declared = _DECLARED.search(data[:4096])
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode(declared[1].decode("ascii"))
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data)[0]


def add_page(builder: Builder, source: str, *, level: int = 0) -> Page:
    """Add what a page says.

    Args:
        builder: Where to.
        source: The page.
        level: Of the heading that it stands below; its own headings are that much deeper.
    """
    from selectolax.lexbor import LexborHTMLParser

    if source.lstrip("\ufeff \r\n\t").startswith("<?xml") or "/xhtml" in source[:500]:
        source = _CLOSES_ITSELF.sub(r"<\1\2></\1>", source)
    root = LexborHTMLParser(source.replace("\0", "\ufffd")).root
    walk = _Walk(builder, level)
    if root is not None:
        walk.run(root)
    unread = [(walk.hidden, "hidden element"), (walk.frames, "frame of another page")]
    told = tuple(
        f"{many} {what.replace('element', 'elements').replace('frame', 'frames') if many > 1 else what}"
        for many, what in unread
        if many
    )
    return Page(walk.title, told)


class _Walk(Flow):
    """Goes through a page in reading order, without recursion, since elements may lie thousands deep."""

    def __init__(self, builder: Builder, level: int) -> None:
        super().__init__(builder, level)
        self.title = ""
        self.hidden = 0
        self.frames = 0
        self._base = level
        self._content = 0  # how many `<main>`, `<article>` are open
        self._numbers: list[int] = []  # by open list: of its next item, 0 where they have bullets
        self._definitions: list[bool] = []  # by open `<dl>`: whether its terms and definitions are pairs
        self._bold = 0

    def run(self, root: "LexborNode") -> None:
        waiting: list[tuple[LexborNode, bool]] = [(root, False)]
        while waiting:
            node, leaves = waiting.pop()
            if leaves:
                self._leave(tag_of(node), node)
                continue
            tag = tag_of(node)
            if tag == "-text":
                self._take(node.text_content or "")
            elif not tag.startswith(("-", "!")) and self._enter(tag, node):
                waiting.append((node, True))
                waiting += [(child, False) for child in reversed(list(node.iter(include_text=True)))]
        self._flush()
        while self._holders:
            self._close()

    def _take(self, text: str) -> None:
        if text.strip() and not self._bold:
            self._plain = True
        self._pieces.append(re.sub(r"\s+", " ", text))

    def _enter(self, tag: str, node: "LexborNode") -> bool:
        """Begin an element; False where its children are not to be gone through."""
        if tag in UNREAD:
            if tag == "head" and (title := node.css_first("title")) is not None:
                self.title = said(title)
            self.frames += tag in ("iframe", "frame", "object", "embed")
            return False
        attributes: Attributes = node.attributes
        if hidden(attributes):
            self.hidden += bool(said(node))
            return False
        handler = getattr(self, f"_enter_{tag}", None)
        if tag in BLOCKS:
            self._flush()
        if tag in ("main", "article"):
            self._content += 1
        elif not self._furniture and (tag in FURNITURE or attributes) and is_furniture(tag, node, inside=bool(self._content)):
            self._furniture = node.mem_id
        if tag in ("b", "strong"):
            self._bold += 1
        return handler(node) if handler else True

    def _leave(self, tag: str, node: "LexborNode") -> None:
        handler = getattr(self, f"_leave_{tag}", None)
        if handler:
            handler(node)
        elif tag in BLOCKS:
            self._flush()
        if tag in ("b", "strong"):
            self._bold = max(0, self._bold - 1)
        if tag in ("main", "article"):
            self._content -= 1
        elif self._furniture == node.mem_id:
            self._furniture = 0

    # --- elements

    def _leave_heading(self, node: "LexborNode") -> None:
        if self._holders:
            self._flush()
            return
        self._level = self._base + int((node.tag or "h6")[1])
        self._flush("heading", self._level)

    _leave_h1 = _leave_h2 = _leave_h3 = _leave_h4 = _leave_h5 = _leave_h6 = _leave_heading

    def _enter_br(self, node: "LexborNode") -> bool:
        self._pieces.append("\n")
        return False

    def _enter_pre(self, node: "LexborNode") -> bool:
        text = (node.text(deep=True) or "").strip("\r\n").rstrip()
        if text:
            self._emit("code", text)
        return False

    def _enter_blockquote(self, node: "LexborNode") -> bool:
        self._announce("quotation")
        return True

    def _leave_blockquote(self, node: "LexborNode") -> None:
        self._flush()
        self._close()

    def _enter_ul(self, node: "LexborNode") -> bool:
        introduced = self._before.endswith((":", "："))
        listed = any(holder.kind == "list" for holder in self._holders)
        if not self._furniture and not listed and not introduced and is_link_list(node, inside=bool(self._content)):
            self._emit("furniture", "\n".join(said(item) for item in node.iter() if item.tag == "li"))
            return False
        start = str((node.attributes or {}).get("start") or 1)
        self._numbers.append((int(start) if start.isdecimal() else 1) if node.tag == "ol" else 0)
        self._announce("list")
        return True

    _enter_ol = _enter_menu = _enter_ul

    def _leave_ul(self, node: "LexborNode") -> None:
        self._flush()
        if self._numbers:
            self._numbers.pop()
            self._close()

    _leave_ol = _leave_menu = _leave_ul

    def _enter_li(self, node: "LexborNode") -> bool:
        if not self._holders or self._holders[-1].kind != "list":  # it stands outside of any list
            self._numbers.append(-1)
            return True
        number = self._numbers[-1]
        self._announce("item", f"{number}. " if number > 0 else "- ")
        self._numbers[-1] += number > 0
        return True

    def _leave_li(self, node: "LexborNode") -> None:
        self._flush()
        if self._numbers and self._numbers[-1] == -1:
            self._numbers.pop()
        else:
            self._close()

    def _enter_dl(self, node: "LexborNode") -> bool:
        short = all(standing_alone(one) and len(said(one)) <= _MOST_PAIR for one in node.iter() if one.tag == "dd")
        self._definitions.append(short)
        return True

    def _leave_dl(self, node: "LexborNode") -> None:
        self._flush()
        if self._definitions:
            self._definitions.pop()
        if self._term:  # nothing defines it
            term, self._term = self._term, ""
            self._emit("paragraph", term)

    def _leave_dt(self, node: "LexborNode") -> None:
        if self._definitions and self._definitions[-1] and not self._furniture:
            term = " ".join("".join(self._pieces).split()).rstrip(" :")
            self._term = f"{self._term}, {term}" if self._term and term else self._term or term
            self._pieces = []
        elif self._holders or self._furniture:
            self._flush()
        else:
            self._flush("heading", self._level + max(1, len(self._definitions)))

    def _leave_dd(self, node: "LexborNode") -> None:
        self._flush()

    def _leave_summary(self, node: "LexborNode") -> None:
        text = " ".join("".join(self._pieces).split())
        self._flush(
            "question" if asks(text) else "paragraph" if self._holders else "heading", 0 if asks(text) else self._level + 1
        )

    def _enter_table(self, node: "LexborNode") -> bool:
        rows = rows_of(node)
        if rows is None:
            return True
        for caption in node.css("caption"):
            if text := said(caption):
                self._emit("paragraph", text)
        if self._furniture:
            self._emit("furniture", " ".join(cell.text for row in rows for cell in row if cell.text))
        elif all(len(row) <= 1 for row in rows):
            self._simple_list(cell.text for row in rows for cell in row)
        else:
            self._open()
            add_table(self._builder, rows)
        return False

    def _simple_list(self, texts: Iterable[str]) -> None:
        self._announce("list")
        for text in texts:
            if text:
                self._open()
                self._builder.add("item", f"- {text}", level=self._holders[-1].level)
        self._close()
