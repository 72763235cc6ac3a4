"""PDF: pages in reading order.

Kept: lines joined to paragraphs, over columns and pages; headings by their type; lists; tables with and without rules; the values
of forms beside their labels; notes; running heads and page numbers, as furniture. Told: pages that are pictures or whose letters
are not known (the extra `ocr` reads them), comments, attached files.
"""

from collections import Counter
from typing import Any

from rag_agent.documents import ocr
from rag_agent.documents.archives import count
from rag_agent.documents.builder import Builder
from rag_agent.documents.pdf_blocks import add_pages
from rag_agent.documents.pdf_forms import add_values
from rag_agent.documents.pdf_layout import layout
from rag_agent.documents.pdf_lines import Line, Table
from rag_agent.documents.pdf_words import Page
from rag_agent.documents.prose import refined
from rag_agent.documents.reading import Reading, Unreadable, part_done

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
        self._recognized = 0

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
            part_done()
        builder = Builder()
        add_pages(builder, pages, heights, beside)
        self._unread["attached file"] += max(0, c.FPDFDoc_GetAttachmentCount(self._document.raw))
        told = [
            line + (_ADVICE if name in _BY_OCR else "")
            for name, many in self._unread.items()
            for line in count(many, name, _PLURALS.get(name, ""))
        ]
        if self._recognized:
            told.append(ocr.told(self._recognized))
        return refined(builder.reading("pdf", title=_title(self._document), told=told))

    def _page(self, number: int) -> tuple[list[Line | Table], float, list[str]]:
        page = self._document[number]
        try:
            read = Page(page)
            loose = add_values(self._document, page, read, self._unread)
            inked = sum(len(word.text) for word in read.words)
            scanned = inked < _FEW and read.pictured() > _SCANNED
            if not scanned and not read.garbled:
                return layout(read.words, read.rules()), read.height, read.turned + loose
            if not ocr.languages():
                self._unread[_BY_OCR[read.garbled]] += 1
                return layout(read.words, read.rules()), read.height, read.turned + loose
            self._recognized += 1
            return layout(ocr.recognized(ocr.rendered(page)), ()), read.height, loose
        finally:
            page.close()


def _title(document: Any) -> str:
    """The title of the document's properties, without what programs put there."""
    title = document.get_metadata_dict().get("Title", "").strip().removeprefix("Microsoft Word - ")
    return (
        "" if title.lower().endswith((".doc", ".docx", ".pdf", ".indd", ".tex", ".dvi")) or title.lower() == "untitled" else title
    )


_BY_OCR = ("scanned page", "page in type whose letters are not known")
_PLURALS = {_BY_OCR[True]: "pages in type whose letters are not known"}
_ADVICE = ": install the extra `ocr` and the program tesseract"
