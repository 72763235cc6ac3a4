"""Pictures of pages, read by the program Tesseract: scanned pages of a PDF, and image files.

The extra `ocr` holds what prepares pictures; the program comes from the system (Debian: `tesseract-ocr`, and `tesseract-ocr-nld`
and its like for languages other than English). It reads in the languages that are installed.
"""

import io
import locale
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import Any

from rag_agent.documents.builder import Builder
from rag_agent.documents.pdf_blocks import add_pages
from rag_agent.documents.pdf_layout import layout
from rag_agent.documents.pdf_words import Word
from rag_agent.documents.prose import refined
from rag_agent.documents.reading import Reading, Unreadable, part_done

_DPI = 300
_LONGEST_SIDE = 6000  # pixels
_MOST_LANGUAGES = 4  # each takes its time, and more of them make more mistakes
_SURE = 30  # of 100: words of which Tesseract is less sure are specks and lines
_MOST_FRAMES = 1000
_MOST_PIXELS = 100_000_000
_ALIKE = 0.25  # lines whose heights differ by less are set in the same size of type


@cache
def languages() -> tuple[str, ...]:
    """The languages that are read; none where the program is missing."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=20, check=False, cwd=os.sep)
    lines = told.stdout.splitlines()
    found = sorted(line.strip() for line in lines[1:] if line.strip() and line.strip() not in ("osd", "equ"))
    if len(found) > _MOST_LANGUAGES:
        own = (locale.getlocale()[0] or "").partition("_")[0]
        found = [one for one in found if one == "eng" or (own and one.startswith(own))] or found[:1]
    return tuple(found)


def recognized(picture: bytes) -> list[Word]:
    """The words of a picture with their places, in points at 300 dots an inch.

    Raises:
        Unreadable: The program failed.
    """
    command = ["tesseract", "stdin", "stdout", "-l", "+".join(languages()), "--dpi", str(_DPI), "tsv"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # several threads of it are slower than one
    done = subprocess.run(command, input=picture, capture_output=True, env=environment, check=False, cwd=os.sep)
    if done.returncode:
        raise Unreadable(f"tesseract failed: {done.stderr.decode(errors='replace').strip().rpartition(chr(10))[2][:100]}")
    return _words(done.stdout.decode("utf-8", "replace").splitlines()[1:])


def _words(rows: Sequence[str]) -> list[Word]:
    lines: dict[tuple[str, ...], list[Word]] = {}
    for row in rows:
        cells = row.split("\t")
        if len(cells) < 12 or not cells[11].strip() or float(cells[10]) < _SURE:
            continue
        left, top, width, height = (int(cell) * 72 / _DPI for cell in cells[6:10])
        lines.setdefault(tuple(cells[1:5]), []).append(Word(cells[11].strip(), left, left + width, top + height, height))
    usual = median([_height(line) for line in lines.values()] or [0.0])
    for line in lines.values():
        base, size = median(word.base for word in line), _height(line)
        size = usual if abs(size - usual) < _ALIKE * usual else size
        for word in line:
            word.base, word.size = base, size
    return [word for line in lines.values() for word in line]


def _height(line: Sequence[Word]) -> float:
    """The size of a line's type: letters that rise or hang are taller than others, so the tallest of most words counts."""
    return sorted(word.size for word in line)[-1 - len(line) // 4]


def rendered(page: Any) -> bytes:
    """A page of a PDF as a grey picture."""
    width, height = page.get_size()
    scale = min(_DPI / 72, _LONGEST_SIDE / max(width, height, 1.0))
    bitmap = page.render(scale=scale, grayscale=True)
    rows = memoryview(bitmap.buffer).cast("B")
    pixels = b"".join(bytes(rows[line * bitmap.stride : line * bitmap.stride + bitmap.width]) for line in range(bitmap.height))
    return b"P5 %d %d 255\n%s" % (bitmap.width, bitmap.height, pixels)


def read(data: bytes) -> Reading:
    """The text of an image file; each of its pictures an article.

    Raises:
        Unreadable: It is no picture, a huge one, or what reads it is not installed.
    """
    try:
        from PIL import Image, ImageOps, ImageSequence
    except ImportError as error:
        raise Unreadable(MISSING) from error
    if not languages():
        raise Unreadable(MISSING)
    builder = Builder()
    pages = []
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise Unreadable(f"a picture of {image.width} x {image.height} pixels; make it smaller")
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if number == _MOST_FRAMES:
                raise Unreadable(f"more than {_MOST_FRAMES} pictures; split it into smaller files")
            upright = ImageOps.exif_transpose(frame).convert("L")
            upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            out = io.BytesIO()
            upright.save(out, "PPM")
            pages.append((layout(recognized(out.getvalue()), ()), upright.height * 72 / _DPI))
            part_done()
    add_pages(builder, [page for page, _ in pages], [height for _, height in pages])
    return refined(builder.reading("image", told=[told(len(pages))]))


def told(pages: int) -> str:
    """What is said of pages that were read from pictures."""
    return f"{pages} scanned page{'' if pages == 1 else 's'} read by OCR ({', '.join(languages())}): letters may be mistaken"


MISSING = "a picture of text: install the extra `ocr` (pip install 'rag-agent[ocr]') and the program tesseract"
"""Why an image file is not read."""
