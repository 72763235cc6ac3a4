"""The text of a web page, by the parser of the standard library: it keeps no tree, so that depth costs nothing."""

import re
from html.parser import HTMLParser

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading, decode

_UNSEEN = {"script", "style", "template", "noscript", "svg", "math"}
_PARAGRAPHS = {
    "address", "article", "aside", "blockquote", "body", "details", "div", "dl", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "title", "ul",
}  # fmt: skip
_LINES = {"br", "caption", "dd", "dt", "figcaption", "legend", "li", "option", "summary", "tr"}


def read(data: bytes) -> Reading:
    """The text of a page's bytes, in the encoding that it declares."""
    builder = Builder()
    for paragraph in hypertext(_decoded(data)).split("\n\n"):
        builder.add("paragraph", paragraph)
    return builder.reading("html")


def _decoded(data: bytes) -> str:
    declared = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", data[:4096], re.IGNORECASE)
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode(declared[1].decode("ascii"))
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data)[0]


def hypertext(source: str) -> str:
    """What a reader of the page sees: paragraphs with an empty line between them, rows of tables with ` | ` in between."""
    parser = _Text()
    parser.feed(_closed(source))
    parser.close()
    text = "".join(parser.pieces)
    lines = (re.sub(r"[ \t\f\v\xa0]+", " ", line).strip(" |") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _closed(source: str) -> str:
    """Without comments, and without the openings of what never closes: the parser looks for each one's end anew."""
    pieces, at = [], 0
    while (start := source.find("<!--", at)) >= 0:
        pieces.append(source[at:start])
        end = source.find("-->", start + 2)
        at = end + 3 if end >= 0 else len(source)
    source = "".join([*pieces, source[at:]]).replace("<![", "")
    tail = source.rfind(">") + 1
    return source[:tail] + source[tail:].replace("<", "&lt;")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: list[str] = []
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag in ("td", "th"):
            self.pieces.append(" | ")
        self._break(tag)
        self._preformatted += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        self._break(tag)
        self._preformatted = max(0, self._preformatted - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data if self._preformatted else re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag in _LINES:
            self.pieces.append("\n")
