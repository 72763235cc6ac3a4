"""A folder or a file to the list of texts in it, in a stable order, never out of its root."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag_agent.documents.formats import suffix_of
from rag_agent.errors import DocumentsError

KINDS = "text, Markdown, web pages, PDF, office documents, books, tables, JSON, XML, e-mail, subtitles, notebooks, source code"
"""The kinds of file that are read, in words."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, and the stamp that tells whether it changed."""

    file: str
    """Relative to the root, with forward slashes."""
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Listing:
    """What a docs root holds."""

    root: Path
    sources: tuple[Source, ...]
    skipped: tuple[tuple[str, str], ...]
    """Each file that was passed over, and why."""


def list_sources(docs: str | Path) -> Listing:
    """The files to read below a folder (recursively, sorted by name; hidden ones left out), or the one file named.

    Raises:
        DocumentsError: There is no such folder or file, or it cannot be opened.
    """
    path = Path(docs).expanduser().absolute()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise DocumentsError(f"{docs}: no such folder or file; name the documents with --docs PATH") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DocumentsError(f"{docs}: {reason}; name a folder or file that can be read") from error
    root = path if stat.S_ISDIR(mode) else path.parent
    if stat.S_ISDIR(mode) and not os.access(path, os.R_OK | os.X_OK):
        raise DocumentsError(f"{docs}: permission denied; name a folder that can be read")
    sources: list[Source] = []
    skipped: list[tuple[str, str]] = []
    real_root = root.resolve()
    for found in _walk(str(path), skipped, len(str(root)) + 1) if stat.S_ISDIR(mode) else [str(path)]:
        file = found[len(str(root).rstrip("/")) + 1 :]
        listed = _source(found, file, real_root)
        if isinstance(listed, Source):
            sources.append(listed)
        else:
            skipped.append((os.fsencode(file).decode("utf-8", "replace"), listed))
    return Listing(root, tuple(sources), tuple(skipped))


def _walk(folder: str, skipped: list[tuple[str, str]], base: int) -> Iterator[str]:
    """The files of a folder, then those of its folders; no recursion, since folders may lie thousands deep."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    (folders if _is_folder(entry) else files).append(entry.path)
        except OSError as error:
            skipped.append((os.fsencode(current[base:]).decode("utf-8", "replace"), _told(error)))
            continue
        for path in sorted(folders, reverse=True):
            if os.path.islink(path):
                skipped.append((os.fsencode(path[base:]).decode("utf-8", "replace"), "a link to a folder is not followed"))
            else:
                waiting.append(path)
        yield from sorted(files)


def _source(path: str, file: str, root: Path) -> Source | str:
    """The file as a source, or the reason why it is none."""
    try:
        file.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    if not suffix_of(os.path.basename(path)):
        return "not a kind of file that is read"
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            real = os.path.realpath(path, strict=True)
            if not Path(real).is_relative_to(root):
                return "a link out of the documents folder"
            path, status = real, os.lstat(real)
    except (OSError, RuntimeError) as error:
        return _told(error)
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return Source(file, Path(path), status.st_size, status.st_mtime_ns)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
