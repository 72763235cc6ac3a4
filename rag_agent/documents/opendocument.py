"""OpenDocument: texts (.odt), sheets (.ods), presentations (.odp).

Kept: headings, paragraphs, lists with the numbers they show, tables (nested, merged), text boxes, notes, headers and footers
(once), values of cells as they are shown, speaker's notes. Tracked changes count as accepted. Told: comments, pictures, embedded
objects, hidden sheets, rows and slides.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rag_agent.documents.archives import Package, attribute, child, count, descendants, local
from rag_agent.documents.builder import Builder
from rag_agent.documents.opendocument_lists import ListMarks
from rag_agent.documents.prose import Item, add_list, refined
from rag_agent.documents.reading import Reading, Unreadable
from rag_agent.documents.sheets import add_sheet
from rag_agent.documents.tables import Cell, add_table
from rag_agent.documents.word_styles import number

_FIELDS = {"page-number", "page-count"}
_CODE = ("preformatted text", "source code")
_INSIDE = {"section", "index-body", "table-header-rows", "table-rows", "table-row-group", "list-header"}
_MOST_REPEATED = 100  # empty cells and rows are repeated to the end of the sheet
_MOST_SHEET_CELLS = 5_000_000


def read(data: bytes) -> Reading:
    """The text of an OpenDocument file."""
    package = Package(data)
    if b"encryption-data" in package.data("META-INF/manifest.xml"):
        raise Unreadable("protected by a password")
    content = package.xml("content.xml")
    if content is None:
        raise Unreadable("damaged: its main part is missing")
    return _Document(package, content).read()


class _Document:
    def __init__(self, package: Package, content: Any) -> None:
        self._package = package
        self._content = content
        self._looks = package.xml("styles.xml")
        roots = [root for root in (self._looks, content) if root is not None]
        self._styles = {
            (attribute(one, "family"), attribute(one, "name")): one for root in roots for one in descendants(root, "style")
        }
        self._marks = ListMarks(one for root in roots for one in descendants(root, "list-style"))
        self._unread: Counter[str] = Counter()
        self._builder = Builder()
        self._title = ""
        self._beside: list[Any] = []  # notes and boxes of the paragraph that is read
        self._numbered = False  # whether the paragraph that is read shows the number of a page

    def read(self) -> Reading:
        body = child(self._content, "body")
        kind = next(iter([] if body is None else body), None)
        if kind is None:
            raise Unreadable("damaged: it has no body")
        if local(kind) == "spreadsheet":
            self._sheets(kind)
        elif local(kind) in ("presentation", "drawing"):
            self._slides(kind)
        else:
            heads, feet = self._running("header"), self._running("footer")
            self._add_running(heads)
            self._blocks(kind)
            self._add_running(feet)
        meta = self._package.xml("meta.xml")
        titled = child(meta, "meta", "title") if meta is not None else None
        told = [line for name, many in self._unread.items() for line in count(many, name)]
        named = (titled.text or "") if titled is not None else ""
        return refined(self._builder.reading(f"od{local(kind)[0]}", title=named or self._title, told=told))

    # --- texts ---

    def _blocks(self, root: Any, *, idle: bool = False) -> None:
        """Add what is in an element; `idle` where it is no content (a table of contents)."""
        waiting = list(reversed(root))
        while waiting:
            element = waiting.pop()
            name = local(element)
            if name in ("p", "h", "list"):
                same = [element]  # as far as it is one list, or one piece of code
                while waiting and self._runs_on(element, waiting[-1]):
                    same.append(waiting.pop())
                self._run(same, idle=idle)
            elif name == "table":
                self._table(element)
            elif name.endswith("-index") or name == "table-of-content":
                self._blocks(element, idle=True)
            elif name in ("frame", "custom-shape", "text-box", "g", "rect", "ellipse", "a"):
                self._shape(element)
            elif name in _INSIDE:
                waiting += reversed(element)

    def _runs_on(self, element: Any, after: Any) -> bool:
        if local(element) == "list":
            return local(after) == "list"
        return local(element) == local(after) == "p" and self._named(element) in _CODE and self._named(after) in _CODE

    def _run(self, elements: Sequence[Any], *, idle: bool) -> None:
        if local(elements[0]) == "list":
            self._list(elements)
        elif self._named(elements[0]) in _CODE:
            self._builder.add("code", "\n".join(map(self._text, elements)))
            self._add_beside()
        else:
            self._paragraph(elements[0], idle=idle)

    def _paragraph(self, element: Any, *, idle: bool = False) -> None:
        self._numbered = False
        text = self._text(element)
        style = self._named(element)
        if idle:
            self._builder.add("furniture", text)
        elif style == "title":
            self._title = self._title or text.strip()
            self._builder.add("heading", " ".join(text.split()), level=1)
        elif local(element) == "h":
            level = number(attribute(element, "outline-level"), 1) + bool(self._title)
            self._builder.add("heading", " ".join(text.split()), level=level)
        elif style in ("quotations", "quotation"):
            self._builder.add("quotation", text)
        else:
            self._builder.add("paragraph", text)
        self._add_beside()

    def _add_beside(self) -> None:
        """What hangs on the paragraph: its notes and text boxes."""
        beside, self._beside = self._beside, []
        for one in beside:
            self._blocks(one)

    def _text(self, element: Any) -> str:
        """The text of a paragraph, without what hangs on it."""
        pieces = [element.text or ""]
        waiting = list(reversed(element))
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                pieces.append(one)
                continue
            name = local(one)
            waiting.append(one.tail or "")
            if name == "s":
                pieces.append(" " * min(100, number(attribute(one, "c"), 1)))
            elif name in ("tab", "line-break"):
                pieces.append("\t" if name == "tab" else "\n")
            elif name == "note":
                self._beside += [part for part in one if local(part) == "note-body"]
            elif name in ("annotation", "annotation-end"):
                self._unread["comment"] += name == "annotation"
            elif name in ("frame", "custom-shape", "rect", "g"):
                self._beside.append(_Holder([one]))
            elif name not in ("hidden-text", "hidden-paragraph", "ruby-text"):
                self._numbered |= name in _FIELDS
                pieces.append(one.text or "" if name else "")
                waiting += reversed(one)
        return "".join(pieces).strip(" ")

    def _shape(self, element: Any) -> None:
        """Add the text of a frame or drawn shape, and count the pictures and objects in it."""
        for one in descendants(element, "image", "object", "object-ole"):
            replaced = local(one) == "image" and any(local(beside).startswith("object") for beside in one.getparent())
            self._unread["picture" if local(one) == "image" else "embedded object"] += not replaced
        for one in element:
            if local(one) in ("text-box", "frame", "g", "custom-shape"):
                self._blocks(one) if local(one) == "text-box" else self._shape(one)
            elif local(one) in ("p", "list", "table", "h"):
                self._blocks(_Holder([one]))

    def _named(self, element: Any) -> str:
        """The name of a paragraph's style as people see it: automatic styles go by the one they are based on."""
        name, family = attribute(element, "style-name"), "paragraph"
        style = self._styles.get((family, name))
        if style is not None and local(style.getparent()) == "automatic-styles":
            name = attribute(style, "parent-style-name")
            style = self._styles.get((family, name))
        shown = "" if style is None else attribute(style, "display-name")
        return (shown or name.replace("_20_", " ")).lower()

    # --- lists ---

    def _list(self, elements: Sequence[Any]) -> None:
        """Add lists that stand next to each other: as one, where the next goes on with the one before it or lies in it."""
        items: list[Item] = []
        held: list[Any] = []
        style = ""
        for element in elements:
            more: list[Item] = []
            self._items(element, 0, attribute(element, "style-name"), [], more, held)
            goes_on = attribute(element, "continue-numbering") == "true" or attribute(element, "continue-list")
            if items and more and not (goes_on or more[0].level or attribute(element, "style-name") == style):
                add_list(self._builder, items)
                items = []
            for one in more:
                if one.level < 0 and items:  # what has no mark belongs to the item above
                    items[-1] = Item(items[-1].level, [*items[-1].paragraphs, *one.paragraphs])
                else:
                    items.append(Item(max(0, one.level), one.paragraphs))
            style = attribute(element, "style-name")
        add_list(self._builder, items)
        self._beside = held
        self._add_beside()

    def _items(self, element: Any, level: int, style: str, counts: list[int], items: list[Item], held: list[Any]) -> None:
        style = attribute(element, "style-name") or style
        counts = self._marks.begun(element, style, level, counts)
        for entry in element:
            if local(entry) not in ("list-item", "list-header"):
                continue
            paragraphs = [self._text(one) for one in entry if local(one) in ("p", "h")]
            held += self._beside
            self._beside = []
            if paragraphs:
                marked = local(entry) == "list-item"
                items.append(self._marks.item(entry, paragraphs, style, level, counts) if marked else Item(-1, paragraphs))
            for one in (one for one in entry if local(one) == "list"):
                self._items(one, level + 1, style, counts, items, held)
        self._marks.keep(element, style, level, counts)

    # --- headers and footers ---

    def _running(self, kind: str) -> list[Any]:
        return (
            []
            if self._looks is None
            else [one for one in descendants(self._looks, kind) if local(one.getparent()) == "master-page"]
        )

    def _add_running(self, roots: Sequence[Any]) -> None:
        said: set[str] = set()
        for root in roots:
            for paragraph in descendants(root, "p"):
                self._numbered = False
                for part in self._text(paragraph).split("\t"):
                    text = " ".join(part.split())
                    if text and text not in said:
                        said.add(text)
                        idle = not any(map(str.isalpha, text)) or (self._numbered and len(text.split()) <= 4)
                        self._builder.add("furniture" if idle else "paragraph", text)
        self._beside = []

    # --- tables ---

    def _table(self, table: Any) -> None:
        rows = [[cell for cell in row if cell is not None] for row, _ in self._rows(table)]
        held, self._beside = self._beside, []
        add_table(self._builder, rows)
        self._beside = held
        self._add_beside()

    def _rows(self, table: Any) -> Iterator[tuple[list[Cell | None], int]]:
        """The rows of a table, and how often each is there."""
        waiting = list(reversed(table))
        while waiting:
            element = waiting.pop()
            if local(element) in ("table-header-rows", "table-rows", "table-row-group"):
                waiting += reversed(element)
            elif local(element) == "table-row":
                times = number(attribute(element, "number-rows-repeated"), 1)
                if attribute(element, "visibility") in ("collapse", "filter"):
                    self._unread["hidden row"] += times if any(True for _ in descendants(element, "p")) else 0
                    continue
                head = local(element.getparent()) == "table-header-rows"
                yield self._row(element, head=head), times

    def _row(self, row: Any, *, head: bool) -> list[Cell | None]:
        cells: list[Cell | None] = []
        for element in row:
            if local(element) not in ("table-cell", "covered-table-cell"):
                continue
            times = number(attribute(element, "number-columns-repeated"), 1)
            cell = None
            if local(element) == "table-cell":
                text = self._cell(element)
                across = number(attribute(element, "number-columns-spanned"), 1)
                cell = Cell(text, across, number(attribute(element, "number-rows-spanned"), 1), head and bool(text))
            cells += [cell] * min(times, _MOST_REPEATED if cell is None or not cell.text else 16_384)
        while cells and cells[-1] is not None and not cells[-1].text:
            cells.pop()
        return cells

    def _cell(self, cell: Any) -> str:
        pieces = []
        for one in cell:
            if local(one) in ("p", "h"):
                pieces.append(self._text(one))
            elif local(one) == "list":
                items: list[Item] = []
                self._items(one, 0, attribute(one, "style-name"), [], items, self._beside)
                pieces += [text for item in items for text in item.paragraphs]
            elif local(one) in ("table", "frame"):
                self._beside.append(_Holder([one]))
            elif local(one) == "annotation":
                self._unread["comment"] += 1
        return " / ".join(piece for piece in pieces if piece.strip())

    # --- sheets and slides ---

    def _sheets(self, root: Any) -> None:
        for table in (one for one in root if local(one) == "table"):
            style = self._styles.get(("table", attribute(table, "style-name")))
            look = child(style, "table-properties") if style is not None else None
            if look is not None and attribute(look, "display") == "false":
                self._unread["hidden sheet"] += 1
                continue
            grid: list[list[Cell | None]] = []
            for row, times in self._rows(table):
                grid += [row] * (times if row and times * len(row) + len(grid) < _MOST_SHEET_CELLS else min(times, 2))
            held, self._beside = self._beside, []
            add_sheet(self._builder, attribute(table, "name"), grid, [])
            for shapes in (one for one in table if local(one) == "shapes"):
                for shape in shapes:
                    self._shape(shape)
            self._beside = held
            self._beside.clear()

    def _slides(self, root: Any) -> None:
        for place, page in enumerate((one for one in root if local(one) == "page"), start=1):
            style = self._styles.get(("drawing-page", attribute(page, "style-name")))
            look = child(style, "drawing-page-properties") if style is not None else None
            if look is not None and attribute(look, "visibility") == "hidden":
                self._unread["hidden slide"] += 1
                continue
            self._builder.article(place)
            titles = [one for one in page if attribute(one, "class") == "title"]
            title = " ".join(self._text(paragraph) for one in titles for paragraph in descendants(one, "p"))
            self._builder.add("heading", " ".join(title.split()), level=1)
            self._title = self._title or title.strip()
            for one in page:
                if local(one) == "notes":
                    for frame in (frame for frame in one if attribute(frame, "class") == "notes"):
                        self._shape(frame)
                elif attribute(one, "class") != "title":
                    self._shape(one)


class _Holder(list[Any]):
    """Elements that are read as if one element held them."""
