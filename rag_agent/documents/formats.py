"""Files that are no plain text: bytes in, text and its sections out. PDF and office files need the extra `formats`."""

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from rag_agent.documents.hypertext import hypertext
from rag_agent.documents.reading import MAX_BYTES, Reading, Section, Unreadable, decode

_MAX_CHARACTERS = 50_000_000
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")

Part = tuple[str, int | None]
"""A section's text and its page."""


def extract(suffix: str, data: bytes) -> Reading:
    """The text of a file's bytes: deterministic, so that offsets hold as long as file and library stay the same.

    Args:
        suffix: What tells the format: one of `FORMATS`.
        data: The file.

    Raises:
        Unreadable: It is damaged, protected, too large, holds no text, or needs a package that is not installed.
    """
    try:
        reading = _joined(FORMATS[suffix](data), suffix.removeprefix("."))
    except Unreadable:
        raise
    except ImportError as error:
        raise Unreadable(f"{suffix} needs {error.name}; install it: pip install 'rag-agent[formats]'") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except MemoryError as error:
        raise Unreadable("reading it needs more memory than one file may take") from error
    except Exception as error:  # what parsers raise over damaged files has no bounds
        told = str(error).strip().partition("\n")[0][:120]
        raise Unreadable(f"not a {suffix} file that can be read ({type(error).__name__}{': ' + told if told else ''})") from error
    if not reading.sections:
        raise Unreadable("no text in it; if it holds scanned pages, run them through OCR first" if suffix == ".pdf" else "empty")
    return reading


def _joined(parts: Iterable[Part], encoding: str) -> Reading:
    """One text of the parts, an empty line between them."""
    pieces: list[str] = []
    sections: list[Section] = []
    length = 0
    for raw, page in parts:
        text = _NOT_TEXT.sub("\ufffd", raw).strip()
        if not text:
            continue
        start = length + 2 if pieces else 0
        length = start + len(text)
        if length > _MAX_CHARACTERS:
            raise Unreadable(f"more than {_MAX_CHARACTERS:,} characters of text; split it into smaller files")
        pieces.append(text)
        sections.append(Section(start, length, page))
    return Reading("\n\n".join(pieces), encoding, tuple(sections))


def _html(data: bytes) -> Iterator[Part]:
    declared = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", data[:4096], re.IGNORECASE)
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            yield hypertext(data.decode(declared[1].decode("ascii"))), None
            return
        except (UnicodeDecodeError, LookupError):
            pass
    yield hypertext(decode(data)[0]), None


def _csv(data: bytes) -> Iterator[Part]:
    text = decode(data)[0].removeprefix("\ufeff")
    first = text.partition("\n")[0]
    csv.field_size_limit(MAX_BYTES)
    yield _table(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count))), None


def _json(data: bytes) -> Iterator[Part]:
    value = json.loads(decode(data)[0].removeprefix("\ufeff"))
    yield from _records(value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else [value])


def _jsonl(data: bytes) -> Iterator[Part]:
    records = []
    for number, line in enumerate(decode(data)[0].removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise Unreadable(f"line {number} is not JSON") from error
    yield from _records(records)


def _records(records: Sequence[Any]) -> Iterator[Part]:
    """Each record an article."""
    if records and all(isinstance(r, dict) and ("turns" in r or ("question" in r and "answer" not in r)) for r in records):
        raise Unreadable("questions for an evaluation, not a document")
    for record in records:
        yield "\n".join(_flat(record)), None


def _flat(value: Any) -> Iterator[str]:
    """A line a value, named by the keys that lead to it; no recursion, since values may lie thousands deep."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{name}.{key}"[-200:] if name else str(key), one) for key, one in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((name, one) for one in reversed(value))
        elif value is not None and value != "":
            said = value if isinstance(value, str) else json.dumps(value)
            yield f"{name}: {said}" if name else said


def _pdf(data: bytes) -> Iterator[Part]:
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
            # Pdfium writes these marks for a hyphen at the end of a line: the word goes on.
            yield re.sub("[\x02\ufffe\uffff](\r?\n)?", "", text_page.get_text_range()).replace("\r\n", "\n"), number + 1
            text_page.close()
            page.close()
    finally:
        document.close()


def _docx(data: bytes) -> Iterator[Part]:
    from docx import Document
    from docx.table import Table

    _check_zip(data)
    lines: list[str] = []
    for block in Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            lines.append(_table([cell.text for cell in row.cells] for row in block.rows))
        else:
            lines.append(block.text)
    yield "\n\n".join(line.strip() for line in lines if line.strip()), None


def _xlsx(data: bytes) -> Iterator[Part]:
    from openpyxl import load_workbook

    _check_zip(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that say nothing about the text
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            table = _table([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
            yield f"{sheet.title}\n{table}" if table else "", None
        book.close()


def _cell(value: Any) -> str:
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)


def _table(rows: Iterable[Sequence[str]]) -> str:
    """A line a row. Where the first row names the columns, each value is named: a chunk out of the middle makes sense."""
    names: list[str] | None = None
    lines: list[str] = []
    length = 0
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if names is None:
            names = cells if len(set(cells)) == len(cells) > 1 and all(re.search(r"[^\W\d]", cell) for cell in cells) else []
            line = " | ".join(cells)
        elif len(names) == len(cells):
            line = "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell)
        else:
            line = " | ".join(cell for cell in cells if cell)
        length += len(line)
        if length > _MAX_CHARACTERS:
            raise Unreadable(f"more than {_MAX_CHARACTERS:,} characters of text; split it into smaller files")
        lines.append(line)
    return "\n".join(lines)


def _check_zip(data: bytes) -> None:
    """Refuse an archive that unpacks to more than is read; what it states is what `zipfile` will unpack at most."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Unreadable("damaged, or protected by a password") from error
    if size > MAX_BYTES:
        raise Unreadable(f"unpacks to {size // 1024 // 1024} MiB, more than {MAX_BYTES // 1024 // 1024}")


FORMATS: dict[str, Callable[[bytes], Iterator[Part]]] = {
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".xlsx": _xlsx,
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
}
"""What is extracted, by suffix."""
