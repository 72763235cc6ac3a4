"""Pages that were laid out, written down as blocks."""

import re
from collections.abc import Sequence

from rag_agent.documents.builder import Builder
from rag_agent.documents.pdf_join import PageParts, Part, text_of, words_of
from rag_agent.documents.pdf_lines import Line, Table
from rag_agent.documents.pdf_text import LEADER, parts_of
from rag_agent.documents.prose import Item, add_list, shown, typed_mark
from rag_agent.documents.tables import Cell, add_table, heads

_SAYS = 4  # words: shorter running heads are names of the document or numbers of pages


def add_pages(
    builder: Builder, pages: Sequence[Sequence[Line | Table]], heights: Sequence[float], beside: Sequence[Sequence[str]] = ()
) -> None:
    """Add the pages of a document, each an article.

    Args:
        builder: Where to.
        pages: The lines and tables of each page in reading order.
        heights: How high each page is.
        beside: What else stands on each page.
    """
    parts = parts_of(pages, heights)
    writer = _Writer(builder, parts)
    writer.words = words_of(pages)
    for number, page in enumerate(parts):
        builder.article(number + 1)
        writer.add(page, beside[number] if beside else ())


class _Writer:
    def __init__(self, builder: Builder, pages: Sequence[PageParts]) -> None:
        self._builder = builder
        self.words = words_of(())
        self._names: list[list[Cell]] = []  # what names the columns of a table that the last page ended with
        headings = (" ".join(line.text for line in part.lines) for page in pages for part in page.body if part.role == "heading")
        self._said = " | ".join(headings).casefold()  # what a running head need not say again

    def add(self, page: PageParts, beside: Sequence[str]) -> None:
        self._running(page.heads)
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
                self._builder.add("heading", " ".join(self._text(part).split()), level=part.level)
            elif part.role in ("code", "pair", "furniture"):
                self._builder.add(part.role, self._text(part))
            else:
                self._builder.add("paragraph", self._text(part))
            at = max(at + 1, end)
        if not parts or not parts[-1].table:
            self._names = []
        for text in beside:
            self._builder.add("paragraph", text)
        self._running(page.feet)

    def _running(self, lines: Sequence[Line]) -> None:
        """Running heads: furniture, but for one that says something, the first time."""
        for line in lines:
            known = re.sub(r"\d+", "#", line.text.casefold())
            says = (
                len(re.findall(r"[^\W\d_]{2,}", line.text)) >= _SAYS
                and line.text.casefold() not in self._said
                and known not in self._said
            )
            self._builder.add("paragraph" if says else "furniture", line.text)
            self._said += f" | {known}"

    def _text(self, part: Part) -> str:
        return text_of(part, self.words)

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
        self._names = rows[:1] if heads(rows) or len(rows) == 1 else []  # one row alone may be names above a break
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
