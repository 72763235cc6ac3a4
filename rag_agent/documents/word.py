"""DOCX: its XML walked in the order of the document.

Kept: headings, paragraphs, lists with the numbers they show, tables (nested, merged), text boxes, foot- and endnotes (behind the
paragraph that bears them), headers and footers (once), content controls, tracked changes as accepted, results of fields, the
text of diagrams. Told: comments, pictures, charts, embedded objects, hidden text.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from rag_agent.documents.archives import Package, attribute, child, count, descendants, local
from rag_agent.documents.builder import Builder
from rag_agent.documents.prose import Item, add_list, refined, shown, typed_mark
from rag_agent.documents.reading import Reading
from rag_agent.documents.tables import Cell, add_table
from rag_agent.documents.word_styles import Numbering, Styles, number, on
from rag_agent.documents.word_tables import across, cells_of, down, flat, goes_on, number_hex
from rag_agent.documents.word_text import Runs, Shown

_BOLD_LEVEL = 7  # of headings that are bold paragraphs: below all that have a style
_LONGEST_HEADING = 80  # characters, of such a heading
_BETWEEN = 3  # paragraphs between two items of a list that goes on behind them belong to the first


def read(data: bytes) -> Reading:
    """The text of a Word document."""
    return _Word(Package(data)).read()


class _Paragraph(NamedTuple):
    """A paragraph with what decides about it."""

    text: str
    style: str
    level: int
    """Of a heading, else -1."""
    item: int
    """How deep it lies in a list, else -1."""
    list: str
    """Which list."""
    number: int
    """Of an item of a numbered list, else 0."""
    contents: bool
    bold: bool
    shown: Shown


class _Word:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.main("word/document.xml")
        related = {relation.kind: relation.part for relation in package.relations(self._main)}
        self._parts = {relation.id: relation.part for relation in package.relations(self._main)}
        self._styles = Styles(package.xml(related.get("styles", "word/styles.xml")))
        self._numbering = Numbering(package.xml(related.get("numbering", "word/numbering.xml")))
        self._unread: Counter[str] = Counter()
        self._runs = Runs(self._styles, self._unread)
        self._notes: dict[tuple[str, str], Any] = {}
        for kind in ("footnote", "endnote"):
            root = package.xml(related.get(f"{kind}s", f"word/{kind}s.xml"))
            for note in [] if root is None else root:
                if attribute(note, "type") not in ("separator", "continuationSeparator", "continuationNotice"):
                    self._notes[kind, attribute(note, "id")] = note
        comments = package.xml(related.get("comments", "word/comments.xml"))
        self._unread["comment"] += 0 if comments is None else sum(1 for _ in descendants(comments, "comment"))
        self._builder = Builder()
        self._title = ""
        self._held = ""  # the text of paragraphs whose end was deleted: it goes on in the next

    def read(self) -> Reading:
        body = child(self._package.xml(self._main), "body")
        heads, feet = self._running("header"), self._running("footer")
        self._add_running(heads, body)
        self._blocks([] if body is None else list(body))
        self._add_running(feet, body)
        told = [line for name, many in self._unread.items() for line in count(many, name, _PLURALS.get(name, ""))]
        return refined(self._builder.reading("docx", title=self._package.title() or self._title, told=told))

    # --- headers and footers ---

    def _running(self, kind: str) -> list[Any]:
        return [root for part in self._package.related(self._main, kind) if (root := self._package.xml(part)) is not None]

    def _add_running(self, roots: Sequence[Any], body: Any) -> None:
        """What says something once, as text; page numbers and what repeats the body, as furniture."""
        said: set[str] = set()
        first = [text for one in list(() if body is None else body)[:8] if (text := _plain(one))]
        for root in roots:
            for paragraph in descendants(root, "p"):
                read = self._runs.read(paragraph)
                for part in read.text.split("\t"):
                    text = " ".join(part.split())
                    if text and text not in said:
                        said.add(text)
                        idle = text in first or not any(map(str.isalpha, text)) or (read.numbered and len(text.split()) <= 4)
                        self._builder.add("furniture" if idle else "paragraph", text)

    # --- blocks ---

    def _blocks(self, elements: Sequence[Any]) -> None:
        waiting: list[_Paragraph] = []
        for element in flat(elements):
            name = local(element)
            if name == "p":
                waiting += [paragraph] if (paragraph := self._paragraph(element)) else []
            elif name == "tbl":
                self._paragraphs(waiting)
                waiting = []
                self._table(element)
            elif name == "altChunk":
                self._unread["embedded document"] += 1
        self._paragraphs(waiting)

    def _paragraph(self, element: Any) -> _Paragraph | None:
        properties = child(element, "pPr")
        named = child(properties, "pStyle") if properties is not None else None
        style = "" if named is None else attribute(named, "val")
        contents = self._runs.in_contents
        read = self._runs.read(element)
        if self._held:
            read.pieces.insert(0, self._held)
            self._held = ""
        if properties is not None and child(properties, "rPr", "del") is not None:
            self._held = read.text
            return None
        text = read.text.strip()
        contents = (contents and self._runs.in_contents) or self._styles.name(style).startswith("toc ")
        depth, identity, mark, value = -1, "", "", 0
        if text and (numbered := self._number(style, properties)):
            depth, identity, mark, value = numbered
        level = self._styles.heading(style, properties)
        if mark and not (level >= 0 and mark == "-"):
            text = f"{mark} {text}"
        return _Paragraph(text, style, level, depth if level < 0 else -1, identity, value, contents, read.bold, read)

    def _number(self, style: str, properties: Any) -> tuple[int, str, str, int] | None:
        own = child(properties, "numPr") if properties is not None else None
        based = self._styles.find(style, "pPr", "numPr")
        found = {}
        for key in ("numId", "ilvl"):
            places = [child(one, key) for one in (own, based) if one is not None]
            found[key] = next((attribute(one, "val") for one in places if one is not None), "0")
        level = max(0, min(8, number(found["ilvl"])))
        mark = None if found["numId"] in ("0", "") else self._numbering.mark(found["numId"], level)
        return None if mark is None else (level, found["numId"], *mark)

    def _paragraphs(self, paragraphs: Sequence[_Paragraph]) -> None:
        at = 0
        while at < len(paragraphs):
            end = _list_end(paragraphs, at)
            if end > at:
                self._list(paragraphs[at:end])
            elif (end := self._code_end(paragraphs, at)) > at:
                self._builder.add("code", "\n".join(one.text for one in paragraphs[at:end]))
            else:
                end = at + 1
                self._single(paragraphs[at], paragraphs[end] if end < len(paragraphs) else None)
            for one in paragraphs[at:end]:
                self._beside(one.shown)
            at = end

    def _code_end(self, paragraphs: Sequence[_Paragraph], at: int) -> int:
        while at < len(paragraphs) and any(
            word in self._styles.name(paragraphs[at].style) for word in ("source code", "html preformatted", "code block")
        ):
            at += 1
        return at

    def _single(self, one: _Paragraph, after: _Paragraph | None) -> None:
        name = self._styles.name(one.style)
        if one.contents:
            self._builder.add("furniture", one.text)
        elif one.level >= 0:
            self._title = self._title or (one.text if one.level == 0 else "")
            self._builder.add("heading", " ".join(one.text.split()), level=one.level + bool(self._title))
        elif one.bold and after and after.text and not after.bold and after.level < 0 and _heads(one.text):
            self._builder.add("heading", one.text, level=_BOLD_LEVEL)
        else:
            self._builder.add("quotation" if name in ("quote", "intense quote", "block text") else "paragraph", one.text)

    def _list(self, paragraphs: Sequence[_Paragraph]) -> None:
        items: list[Item] = []
        for one in paragraphs:
            if one.item >= 0:
                items.append(Item(one.item, [one.text]))
            elif typed := typed_mark(one.text):
                items.append(Item(0, [shown(*typed)]))
            else:
                items[-1] = Item(items[-1].level, [*items[-1].paragraphs, one.text])
        add_list(self._builder, items)

    def _beside(self, read: Shown) -> None:
        """What hangs on a paragraph: its text boxes, diagrams and notes."""
        for box in read.boxes:
            self._blocks(list(box))
        for key in read.diagrams:
            root = self._package.xml(self._parts.get(key, ""))
            points = [] if root is None else list(descendants(root, "pt"))
            self._builder.lines("paragraph", filter(None, map(_plain, points)))
        for note in read.notes:
            if (body := self._notes.pop(note, None)) is not None:
                self._blocks(list(body))

    # --- tables ---

    def _table(self, table: Any) -> None:
        rows = [list(cells_of(row)) for row in flat(list(table)) if local(row) == "tr" and child(row, "trPr", "del") is None]
        if all(len(row) == 1 for row in rows) or (len(rows) == 1 and any(len(_kept(cell)) > 2 for _, cell in rows[0])):
            for row in rows:  # a frame around text, or columns of it
                for _, cell in row:
                    self._blocks(list(cell))
            return
        look = child(table, "tblPr", "tblLook")
        style = child(table, "tblPr", "tblStyle")
        first = look is not None and (attribute(look, "firstRow") == "1" or number_hex(attribute(look, "val")) & 0x20 > 0)
        set_off = first and style is not None and self._styles.bold_first_row(attribute(style, "val"))
        beside: list[Shown] = []
        nested: list[Any] = []
        lines: list[list[Cell]] = []
        for place, row in enumerate(rows):
            head = (set_off and place == 0) or any(on(child(cell.getparent(), "trPr", "tblHeader")) for _, cell in row[:1])
            line = []
            for column, cell in row:
                if goes_on(cell):
                    continue
                if column is None:
                    line.append(Cell(""))
                    continue
                text, bold = self._cell(cell, beside, nested)
                line.append(Cell(text, across(cell), down(rows, place, column), head or bold))
            lines.append(line)
        add_table(self._builder, lines)
        for one in beside:
            self._beside(one)
        for inner in nested:
            self._table(inner)

    def _cell(self, cell: Any, beside: list[Shown], nested: list[Any]) -> tuple[str, bool]:
        """The text of a cell, and whether it is bold; what hangs on it and lies in it is added to the lists."""
        text, weights = "", []
        for element in flat(list(cell)):
            if local(element) == "tbl":
                nested.append(element)
            elif local(element) == "p" and (one := self._paragraph(element)):
                beside.append(one.shown)
                if one.text:
                    weights.append(one.bold)
                    text += ("" if not text else " " if text.endswith((".", ":", ";", ",", "!", "?")) else " / ") + one.text
        return text, bool(weights) and all(weights)


_PLURALS = {"piece of hidden text": "pieces of hidden text"}


def _list_end(paragraphs: Sequence[_Paragraph], at: int) -> int:
    """Behind the list that begins at a place; the place itself where none does."""
    if _starts_typed(paragraphs, at):
        while at < len(paragraphs) and paragraphs[at].item < 0 and paragraphs[at].level < 0 and typed_mark(paragraphs[at].text):
            at += 1
        return at
    end = at
    while end < len(paragraphs) and paragraphs[end].item >= 0:
        identity = paragraphs[end].list
        end += 1
        behind = end
        while behind < len(paragraphs) and paragraphs[behind].item < 0 and paragraphs[behind].level < 0:
            behind += 1
        if end < behind <= end + _BETWEEN and behind < len(paragraphs):
            after = paragraphs[behind]
            if after.item >= 0 and after.list == identity and after.number > 1:
                end = behind  # the numbers go on: what stands between belongs to the item
    return end


def _starts_typed(paragraphs: Sequence[_Paragraph], at: int) -> bool:
    two = paragraphs[at : at + 2]
    return len(two) == 2 and all(one.item < 0 and one.level < 0 and not one.contents and typed_mark(one.text) for one in two)


def _heads(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and "\n" not in text and not text.endswith((".", ",", ";", "!"))


def _plain(element: Any) -> str:
    return " ".join("".join(one.text or "" for one in descendants(element, "t")).split())


def _kept(cell: Any) -> list[Any]:
    return [one for one in cell if local(one) in ("p", "tbl", "sdt")]
