"""PDF: pages in reading order.

Kept: lines joined to paragraphs, over columns and pages; headings by their type; lists; tables with and without rules; the values
of forms beside their labels; notes; running heads and page numbers, as furniture. Told: pages that are pictures or whose letters
are not known (the extra `ocr` reads them), comments, attached files.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rag_agent.documents.archives import count
from rag_agent.documents.builder import Builder
from rag_agent.documents.lists import Item, add_list, shown, typed_mark
from rag_agent.documents.pdf_forms import add_values
from rag_agent.documents.pdf_layout import Line, Table, layout
from rag_agent.documents.pdf_text import LEADER, PageParts, Part, parts_of, text_of, words_of
from rag_agent.documents.pdf_words import Page
from rag_agent.documents.reading import Reading, Unreadable
from rag_agent.documents.tables import Cell, add_table, heads

_SCANNED = 0.5  # of a page that pictures cover
_FEW = 50  # characters: a page with fewer, under a picture, is a scan with a stamp on it


def read(data: bytes) -> Reading:
    """The pages of a PDF."""
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise Unreadable("protected by a password") from error
        raise
    try:
        return _Document(document).read()
    finally:
        document.close()


class _Document:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._unread: Counter[str] = Counter()
        self._builder = Builder()
        self._words: Counter[str] = Counter()
        self._names: list[list[Cell]] = []  # what names the columns of a table that the last page ended with

    def read(self) -> Reading:
        import pypdfium2.raw as c

        if self._document.get_formtype():
            self._document.init_forms()
        pages: list[list[Line | Table]] = []
        heights: list[float] = []
        beside: list[list[str]] = []
        for number in range(len(self._document)):
            elements, height, loose = self._page(number)
            pages.append(elements)
            heights.append(height)
            beside.append(loose)
        self._words = words_of(pages)
        for number, (parts, loose) in enumerate(zip(parts_of(pages, heights), beside, strict=True)):
            self._builder.article(number + 1)
            self._add(parts, loose)
        self._unread["attached file"] += max(0, c.FPDFDoc_GetAttachmentCount(self._document.raw))
        told = [
            line + _ADVICE.get(name, "")
            for name, many in self._unread.items()
            for line in count(many, name, _PLURALS.get(name, ""))
        ]
        return self._builder.reading("pdf", title=_title(self._document), told=told)

    def _page(self, number: int) -> tuple[list[Line | Table], float, list[str]]:
        page = self._document[number]
        try:
            read = Page(page)
            loose = add_values(self._document, page, read, self._unread)
            inked = sum(len(word.text) for word in read.words)
            if read.garbled:
                self._unread["page in type whose letters are not known"] += 1
            elif inked < _FEW and read.pictured() > _SCANNED:
                self._unread["scanned page"] += 1
            return layout(read.words, read.rules()), read.height, read.turned + loose
        finally:
            page.close()

    def _add(self, page: PageParts, loose: Sequence[str]) -> None:
        builder = self._builder
        builder.lines("furniture", (line.text for line in page.heads))
        parts = page.body + page.notes
        at = 0
        while at < len(parts):
            part = parts[at]
            end = _list_end(parts, at)
            if part.table:
                self._table(part.table, goes_on=at == 0)
            elif end > at:
                self._list(parts[at:end])
            elif part.role == "heading":
                builder.add("heading", " ".join(self._text(part).split()), level=part.level)
            elif part.role in ("code", "pair", "furniture"):
                builder.add(part.role, self._text(part))
            else:
                builder.add("paragraph", self._text(part))
            at = max(at + 1, end)
        if not parts or not parts[-1].table:
            self._names = []
        builder.lines("paragraph", loose)
        builder.lines("furniture", (line.text for line in page.feet))

    def _text(self, part: Part) -> str:
        return text_of(part, self._words)

    def _list(self, parts: Sequence[Part]) -> None:
        lefts: list[float] = []
        items: list[Item] = []
        for part in parts:
            mark = typed_mark(self._text(part))
            if part.role != "item" or not mark:
                items[-1] = Item(items[-1].level, [*items[-1].paragraphs, self._text(part)])
                continue
            lefts = [left for left in lefts if left < part.left - 4] + [part.left]
            items.append(Item(len(lefts) - 1, [shown(*mark)]))
        add_list(self._builder, items)

    def _table(self, table: Table, *, goes_on: bool) -> None:
        rows = [[Cell(spot.text, spot.across, spot.down, spot.bold) for spot in row] for row in table.rows]
        lines = [" ".join(cell.text for cell in row) for row in rows]
        if sum(bool(LEADER.search(line)) for line in lines) * 2 > len(lines):
            self._builder.lines("furniture", lines)  # a table of contents
            return
        if goes_on and self._names and _width(rows) == _width(self._names) and not heads(rows):
            rows = self._names + rows
        self._names = rows[:1] if heads(rows) else []
        add_table(self._builder, rows)


def _width(rows: Sequence[Sequence[Cell]]) -> int:
    return max(sum(cell.across for cell in row) for row in rows)


def _list_end(parts: Sequence[Part], at: int) -> int:
    """Behind the list that begins at a place; the place itself where none does. One number alone is no list."""
    end = at
    while end < len(parts) and parts[end].role == "item":
        end += 1
        behind = end
        while behind < len(parts) and parts[behind].role == "text" and parts[behind].left > parts[at].left + 4:
            behind += 1
        if end < behind < len(parts) and parts[behind].role == "item" and behind - end <= 3:
            end = behind
    numbered = end == at + 1 and any(map(str.isalnum, parts[at].lines[0].words[0].text))
    return at if numbered else end


def _title(document: Any) -> str:
    """The title of the document's properties, without what programs put there."""
    title = document.get_metadata_dict().get("Title", "").strip().removeprefix("Microsoft Word - ")
    return (
        "" if title.lower().endswith((".doc", ".docx", ".pdf", ".indd", ".tex", ".dvi")) or title.lower() == "untitled" else title
    )


_PLURALS = {"page in type whose letters are not known": "pages in type whose letters are not known"}
_ADVICE = {
    "scanned page": ": install the extra `ocr`",
    "page in type whose letters are not known": ": install the extra `ocr`",
}
