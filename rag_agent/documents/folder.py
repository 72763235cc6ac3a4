"""A folder or a file to the list of texts in it, in a stable order, never out of its root."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag_agent.errors import DocumentsError

SUFFIXES = (".txt", ".md")
"""The kinds of file that are read."""


@dataclass(frozen=True)
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
    for found in _walk(path) if stat.S_ISDIR(mode) else [path]:
        file = found.relative_to(root).as_posix()
        try:
            file.encode()
        except UnicodeEncodeError:
            skipped.append((os.fsencode(file).decode("utf-8", "replace"), "its name is not valid UTF-8"))
            continue
        listed = _source(found, file, root)
        if isinstance(listed, Source):
            sources.append(listed)
        else:
            skipped.append((file, listed))
    return Listing(root, tuple(sources), tuple(skipped))


def _walk(folder: Path) -> Iterator[Path]:
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(current, name) for name in sorted(files) if not name.startswith("."))


def _source(path: Path, file: str, root: Path) -> Source | str:
    """The file as a source, or the reason why it is none."""
    if path.suffix.lower() not in SUFFIXES:
        return f"not one of {', '.join(SUFFIXES)}"
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return "a link out of the documents folder"
        status = path.stat()
    except (OSError, RuntimeError) as error:
        return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return Source(file, path, status.st_size, status.st_mtime_ns)
