"""Bytes to text, so that offsets hold: newlines untranslated, a byte order mark kept as one character."""

import codecs
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag_agent.documents.blocks import Block, Section

MAX_BYTES = 200 * 1024 * 1024
"""Larger files are passed over: one text this size already takes a gigabyte of memory while it is split."""

# Codecs that keep the mark as U+FEFF ("utf-16" would swallow it). UTF-32-LE begins like UTF-16-LE, so it is asked first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What files that are no Unicode are written in. More choices make more mistakes: short French passes for several DOS code pages.
_LEGACY = [
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8_r", "koi8_u", "cp874",
    "cp932", "cp949", "big5", "gb18030", "euc_jp",
]  # fmt: skip


_told_alive: list[Callable[[], None]] = []


def on_part(call: Callable[[], None]) -> None:
    """Have `call` called whenever a part of a file has been read."""
    _told_alive[:] = [call]


def part_done() -> None:
    """Say that a part of a file (a page) has been read: the time that one file may take begins anew."""
    for call in _told_alive:
        call()


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")


class Unreadable(Exception):
    """A file cannot be read as text; the message says why."""


@dataclass(frozen=True)
class Reading:
    """What a file says."""

    text: str
    encoding: str
    """What gives the text: `data.decode(*encoding.split(":"))`; the name of the format where the text was extracted."""
    sections: tuple[Section, ...] | None = None
    """The articles; None leaves it to the splitter to find them."""
    blocks: tuple[Block, ...] = ()
    """The structure of the text, in reading order; see `rag_agent.documents.blocks`."""
    title: str = ""
    """What the file calls itself (the `<title>` of a page, the title of a document's properties), if it says so."""
    extracted: bool = False
    """Whether the text is taken out of a file that is no text itself."""
    told: tuple[str, ...] = ()
    """What was not read, one thing a line, in words: "2 comments", "3 scanned pages: install the extra `ocr`"."""


def read_text(path: Path) -> tuple[str, str]:
    """The text of a file and its encoding: `path.read_bytes().decode(*encoding.split(":"))` is the text.

    Raises:
        Unreadable: The file is too large, binary, in no known encoding, or cannot be opened.
    """
    return decode(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """A regular file's content, at most `MAX_BYTES`.

    Raises:
        Unreadable: It is something else, too large, cannot be opened, or changed while it was read.
    """
    try:
        # Between the listing and now, another kind of file may have come in its place: a link is not followed, and a pipe
        # without a writer does not block.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            for _ in range(2):
                before = os.fstat(handle)
                if not stat.S_ISREG(before.st_mode):
                    raise Unreadable("not a regular file")
                if before.st_size > MAX_BYTES:
                    raise Unreadable(f"larger than {MAX_BYTES // 1024 // 1024} MiB; split it into smaller files")
                file.seek(0)
                data = file.read(MAX_BYTES + 1)
                after = os.fstat(handle)
                if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
                    return data
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    raise Unreadable("it changed while it was read; index again when it is finished")


def decode(data: bytes) -> tuple[str, str]:
    """The text of some bytes, and the codec that gives it: by byte order mark, as UTF-8, or as the most likely legacy encoding.

    Where some bytes of a UTF-8 text are damaged, each stands as U+FFFD and the encoding says so: "utf-8:replace".

    Raises:
        Unreadable: The bytes are binary, or decode in no known encoding.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding), encoding
    if b"\0" in data:
        raise Unreadable("binary, not text")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    if _is_damaged_utf8(data, text):
        return text, "utf-8:replace"
    return _legacy(data)


def damage(text: str, encoding: str) -> tuple[str, ...]:
    """What `Reading.told` says of bytes that stand for no character."""
    count = text.count("\ufffd") if encoding.endswith(":replace") else 0
    return (f"{count} damaged {'byte' if count == 1 else 'bytes'} (no valid UTF-8)",) if count else ()


def _is_damaged_utf8(data: bytes, text: str) -> bool:
    """Whether more characters took several bytes, as only UTF-8 has them, than bytes were invalid.

    In a legacy encoding the bytes of two letters seldom happen to be one character of UTF-8.
    """
    invalid = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    return len(_BEYOND_ASCII.findall(text)) - invalid >= invalid and not _has_controls(text)


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"starts like {encoding} but is not: {error.reason} at byte {error.start}") from error


def _legacy(data: bytes) -> tuple[str, str]:
    """A guess, refused when the text it gives is full of control characters, as binary data is."""
    from charset_normalizer import from_bytes  # costs 50 ms, and most files are UTF-8

    matches = from_bytes(data, cp_isolation=_LEGACY)
    best = matches.best()
    encoding = best.encoding if best else "cp1252"
    # Where the Western code page reads as well as the best guess, it is by far the likelier.
    if best and any(match.encoding == "cp1252" and match.coherence >= best.coherence for match in matches):
        encoding = "cp1252"
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable("in no known text encoding; save it as UTF-8") from error
    if _has_controls(text):
        raise Unreadable("binary, not text")
    return text, encoding


def _has_controls(text: str) -> bool:
    """Whether a text holds as many control characters as only binary data does."""
    return len(_CONTROL.findall(text)) > len(text) / 50
