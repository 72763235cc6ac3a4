"""CSV and its like."""

import csv
import io

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import MAX_BYTES, Reading, decode
from rag_agent.documents.tables import add_table


def read(data: bytes) -> Reading:
    """The rows of a file whose cells are parted by a comma, semicolon, tab or bar."""
    text = decode(data)[0].removeprefix("\ufeff")
    first = text.partition("\n")[0]
    csv.field_size_limit(MAX_BYTES)
    builder = Builder()
    add_table(builder, csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count)))
    return builder.reading("csv")
