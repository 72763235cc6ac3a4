"""Folders and files that this user alone can read: what is asked, answered and indexed is nobody else's business."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; the ones that are made are closed to others.

    A folder that was there stays as it is, since it may be there for more than this: all but the home that this package
    makes by default, which earlier versions left open.

    Raises:
        OSError: It cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            place.mkdir(mode=0o700)
    home = Path.home() / ".rag-agent"
    if folder == home or home in folder.parents:
        for place in (home, folder):
            _close(place)


def private_file(path: Path, flags: int) -> int:
    """Open a file, which is made where it is missing, and close it to others; returns its descriptor.

    Raises:
        OSError: It cannot be opened.
    """
    file = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _close(path)
    return file


@contextlib.contextmanager
def synced(path: Path) -> Iterator[BinaryIO]:
    """A private file to write, which is on the disk at the end of the block."""
    with os.fdopen(private_file(path, os.O_WRONLY), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _close(path: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else's, whose choice it is
        mode = path.stat().st_mode
        if mode & 0o077 and path.stat().st_uid == os.geteuid():
            path.chmod(mode & 0o700)
