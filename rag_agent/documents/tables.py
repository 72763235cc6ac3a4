"""Rows of cells to lines in which each value is named: a chunk out of the middle makes sense."""

import re
from collections.abc import Iterable, Sequence

from rag_agent.documents.builder import Builder


def add_table(builder: Builder, rows: Iterable[Sequence[str]]) -> None:
    """Add a table: a line a row, `name: value; name: value` where the first row names the columns."""
    names: list[str] | None = None
    builder.open("table")
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if names is None:
            names = cells if len(set(cells)) == len(cells) > 1 and all(re.search(r"[^\W\d]", cell) for cell in cells) else []
            builder.add("names" if names else "row", " | ".join(cells))
        elif len(names) == len(cells):
            builder.add("row", "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell))
        else:
            builder.add("row", " | ".join(cell for cell in cells if cell))
    builder.close()
