"""DOCX."""

import io

from rag_agent.documents.archives import check_zip
from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading
from rag_agent.documents.tables import add_table


def read(data: bytes) -> Reading:
    """The paragraphs and tables of a Word document."""
    from docx import Document
    from docx.table import Table

    check_zip(data)
    builder = Builder()
    for block in Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            add_table(builder, ([cell.text for cell in row.cells] for row in block.rows))
        else:
            builder.add("paragraph", block.text)
    return builder.reading("docx")
