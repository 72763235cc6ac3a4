"""A page of a PDF file as a picture, with quotes marked. A process of its own draws it: the file is nobody's we know."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag_agent.documents.isolation import alone
from rag_agent.errors import DocumentsError

__all__ = ["picture_of"]

_SECONDS = 30
_MEMORY = 2 * 1024**3
_WIDTH = 1100  # pixels
_HIGHEST = 4000
_MARK = (255, 214, 0, 96)
_MAIN = "from rag_agent.server.pictures import draw; draw()"


def picture_of(path: Path, page: int, quotes: Sequence[str]) -> bytes:
    """A page, counted from 1, as PNG.

    Raises:
        DocumentsError: There is no such page, or it cannot be drawn.
    """
    command, environment = alone(_MAIN)
    asked = json.dumps({"path": str(path), "page": page, "quotes": list(quotes)}).encode()
    try:
        run = subprocess.run(
            command, input=asked, capture_output=True, timeout=_SECONDS, check=False, env=environment, cwd=os.sep
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentsError(f"page {page} of {path.name} takes too long to draw; read its text instead") from error
    if run.returncode or not run.stdout.startswith(b"\x89PNG"):
        raise DocumentsError(f"page {page} of {path.name} cannot be drawn; read its text instead")
    return run.stdout


def draw() -> None:
    """Read from standard input what to draw, and write it to standard output."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    import pypdfium2
    from PIL import Image, ImageDraw

    asked = json.loads(sys.stdin.buffer.read())
    document = pypdfium2.PdfDocument(asked["path"])
    page = document[asked["page"] - 1] if asked["page"] > 0 else None
    if page is None:
        sys.exit(1)
    width, height = page.get_size()
    scale = min(_WIDTH / width, _HIGHEST / height)
    picture = page.render(scale=scale).to_pil().convert("RGBA")
    marks = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(marks)
    for quote in asked["quotes"]:
        for left, bottom, right, top in _boxes(page.get_textpage(), quote):
            pen.rectangle(
                (left * scale - 1, (height - top) * scale - 1, right * scale + 1, (height - bottom) * scale + 1), fill=_MARK
            )
    Image.alpha_composite(picture, marks).convert("RGB").save(sys.stdout.buffer, "PNG")


def _boxes(text: Any, quote: str) -> Iterator[tuple[float, float, float, float]]:
    """The boxes of a quote's characters. Letters and digits alone are compared: lines break, and hyphens fall, otherwise."""
    from pypdfium2 import raw

    whole = [chr(raw.FPDFText_GetUnicode(text, n)) for n in range(text.count_chars())]
    places = [n for n, char in enumerate(whole) if char.isalnum()]
    page = "".join(whole[n].casefold()[:1] for n in places)
    wanted = "".join(char.casefold()[:1] for char in quote if char.isalnum())
    at = page.find(wanted) if wanted else -1
    if at >= 0:
        for n in places[at : at + len(wanted)]:
            yield text.get_charbox(n)
