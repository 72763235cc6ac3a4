"""HTML inside of Markdown, where it stands: what a reader sees of it, with its place in the text."""

import re

from rag_agent.documents.blocks import Block, Kind
from rag_agent.documents.lines import trimmed

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?P<close>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>[^<>]*)>|<[?!][^>]*>", re.DOTALL)
_INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i img input ins kbd label mark picture q s samp small source span "
    "strike strong sub sup td th time tt u var wbr".split()
)
_HIDDEN = frozenset(("script", "style", "template", "head", "svg"))
_HIDES = re.compile(r"\bhidden\b|aria-hidden\s*=\s*[\"']?true|display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_KINDS: dict[str, Kind] = {
    "tr": "row",
    "li": "item",
    "pre": "code",
    "blockquote": "quotation",
    "summary": "heading",
    "dt": "heading",
}
_VOID = frozenset(("img", "br", "hr", "input", "source", "wbr", "meta", "link", "col"))


def visible(text: str, start: int, end: int, *, level: int, inside: bool = False) -> list[Block]:
    """The blocks of a span of HTML: what stands between tags that begin a new line.

    Args:
        text: The whole text.
        start: Where the HTML begins.
        end: Where it ends.
        level: Of what stands as a heading without a number of its own (`<summary>`).
        inside: Whether it lies in a list or quotation, where nothing is a heading.
    """
    walk = _Walk(text, level, inside)
    at = start
    for found in _TAG.finditer(text, start, end):
        walk.take(at, found.start())
        at = found.end()
        if found["name"]:
            walk.tag(found["name"].lower(), bool(found["close"]), found["rest"] or "", found.start())
        else:
            walk.cut(found.start())
    walk.take(at, end)
    walk.cut(end)
    return walk.blocks


class _Walk:
    def __init__(self, text: str, level: int, inside: bool) -> None:
        self.text = text
        self.blocks: list[Block] = []
        self._level = level
        self._inside = inside
        self._kind: Kind = "paragraph"
        self._depth = 0  # of the heading that is open
        self._hidden = ""
        self._nested = 0  # how many elements of the hidden one's name are open
        self._span: tuple[int, int] | None = None
        self._headed = False  # whether the row has header cells
        self._names: tuple[str, ...] = ()
        self._table = 0  # the place of its first row

    def take(self, start: int, end: int) -> None:
        """Text that is seen."""
        start, end = trimmed(self.text, start, end)
        if start < end and not self._hidden:
            self._span = (self._span[0] if self._span else start, end)

    def tag(self, name: str, closes: bool, rest: str, at: int) -> None:
        if self._hidden:
            if name == self._hidden:
                self._nested += -1 if closes else 1
                if self._nested == 0:
                    self._hidden = ""
            return
        if not closes and name not in _VOID and not rest.endswith("/") and (name in _HIDDEN or _HIDES.search(rest)):
            self.cut(at)
            self._hidden, self._nested = name, 1
            return
        if name == "th":
            self._headed = True
        if name in _INLINE:
            return
        self.cut(at)
        if closes or name == "br":
            self._kind = "paragraph" if closes else self._kind
        else:
            self._begin(name)
        if name == "table":
            self._names = ()
            self._tabled(closes)

    def _tabled(self, closes: bool) -> None:
        """Put a table around its rows."""
        rows = self.blocks[self._table :] if closes else []
        if rows and all(block.kind in ("row", "names") for block in rows):
            self.blocks.insert(self._table, Block("table", rows[0].start, rows[-1].end))
        self._table = len(self.blocks)

    def _begin(self, name: str) -> None:
        heads = re.fullmatch(r"h([1-6])", name)
        self._kind = "heading" if heads else _KINDS.get(name, "paragraph")
        self._depth = int(heads[1]) if heads else self._level
        self._headed = False

    def cut(self, at: int) -> None:
        """End what is being read."""
        if not self._span:
            return
        (start, end), self._span = self._span, None
        kind = self._kind
        if kind == "heading" and self._inside:
            kind = "paragraph"
        if kind == "row":
            cells = [" ".join(re.sub(_TAG, " ", cell).split()) for cell in re.split(r"<t[dh]\b[^<>]*>", self.text[start:end])]
            if self._headed and not self._names:
                kind, self._names = "names", tuple(cells)
            else:
                names = self._names if len(self._names) == len(cells) else ()
                self.blocks.append(Block("row", start, end, 0, names))
                return
        self.blocks.append(Block(kind, start, end, self._depth if kind == "heading" else 0))
