"""Jupyter notebooks."""

import json
from collections.abc import Sequence
from typing import Any

from rag_agent.documents import markdown
from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading, Unreadable, decode

_MOST_OUTPUT = 20_000  # characters of one output


def read(data: bytes) -> Reading:
    """The cells of a notebook in order: Markdown, code, and what the code put out as text."""
    notebook = json.loads(decode(data)[0].removeprefix("\ufeff"))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict):  # before version 4
        cells = [cell for sheet in notebook.get("worksheets", []) for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise Unreadable("no notebook: it has no cells")
    builder = Builder()
    title, unread = "", 0
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") in ("markdown", "heading"):
            source = f"{'#' * int(cell.get('level', 1))} {source}" if cell["cell_type"] == "heading" else source
            found = markdown.structure(source)
            title = title or found.title
            builder.add_text(source, found.blocks)
        else:
            builder.add("code" if cell.get("cell_type") == "code" else "paragraph", source)
        unread += _outputs(builder, cell.get("outputs", []))
    told = [f"{unread} {'output that is' if unread == 1 else 'outputs that are'} no text"] if unread else []
    return builder.reading("ipynb", title=title, told=told)


def _outputs(builder: Builder, outputs: Sequence[Any]) -> int:
    """Add what cells put out; how many outputs had nothing to read."""
    unread = 0
    for output in outputs:
        data = output.get("data", output)
        text = _joined(output.get("text") or data.get("text/markdown") or data.get("text/plain") or output.get("evalue") or "")
        shows = any(key.startswith(("image/", "text/html", "application/")) for key in data)
        if text.strip() and not (shows and text.lstrip().startswith("<")):  # "<Figure size ...>" stands for a picture
            builder.add("code", text[:_MOST_OUTPUT])
            unread += len(text) > _MOST_OUTPUT
        else:
            unread += 1
    return unread


def _joined(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source or "")
