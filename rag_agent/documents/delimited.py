"""CSV and its like: cells parted by a comma, semicolon, tab, bar or whatever the file says."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import MAX_BYTES, Reading, Unreadable, damage, decode
from rag_agent.documents.tables import add_table

_SAMPLE = 100  # rows that are looked at to tell what parts the cells


def read(data: bytes) -> Reading:
    """The rows of a file of cells."""
    text, encoding = decode(data)
    text = text.removeprefix("\ufeff").replace("\0", "")
    csv.field_size_limit(MAX_BYTES)
    delimiter = ""
    if text[:4].lower() == "sep=":  # Excel's way to say it
        line, _, text = text.partition("\n")
        delimiter = line.strip("\r")[4:5]
    builder = Builder()
    try:
        add_table(builder, _rows(text, delimiter or _delimiter(text)), records=True)
    except csv.Error as error:
        raise Unreadable(f"no table that can be read ({error})") from error
    return builder.reading("csv", told=damage(text, encoding))


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _delimiter(text: str) -> str:
    """The one that gives the most rows the same number of cells; decimal commas and commas of prose come and go."""
    return max(",;\t|", key=lambda one: _consistency(list(islice(_rows(text, one), _SAMPLE))))


def _consistency(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return 0.0, 0
    width, count = max(several.items(), key=lambda one: (one[1], one[0]))
    return count / widths.total(), width
