"""PDF."""

import re

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading, Unreadable


def read(data: bytes) -> Reading:
    """The pages of a PDF."""
    builder = Builder()
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise Unreadable("protected by a password") from error
        raise
    try:
        for number in range(len(document)):
            page = document[number]
            text_page = page.get_textpage()
            builder.article(number + 1)
            # Pdfium writes these marks for a hyphen at the end of a line: the word goes on.
            text = re.sub("[\x02\ufffe\uffff](\r?\n)?", "", text_page.get_text_range())
            builder.add("paragraph", text.replace("\r\n", "\n"))
            text_page.close()
            page.close()
    finally:
        document.close()
    return builder.reading("pdf")
