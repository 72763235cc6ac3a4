"""XLSX."""

import io
import warnings
from datetime import date, datetime
from typing import Any

from rag_agent.documents.archives import check_zip
from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading
from rag_agent.documents.tables import add_table


def read(data: bytes) -> Reading:
    """The sheets of a workbook, each an article."""
    from openpyxl import load_workbook

    check_zip(data)
    builder = Builder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that say nothing about the text
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            builder.article()
            builder.add("heading", sheet.title, level=1)
            add_table(builder, ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)))
        book.close()
    return builder.reading("xlsx")


def _cell(value: Any) -> str:
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
