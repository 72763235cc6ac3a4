"""One writer a conversation at a time, across threads and processes."""

import fcntl
import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_agent.errors import SettingsError
from rag_agent.private import private_file, private_folder


class ThreadLocks:
    """Locks by thread ID: a file each in a folder, which the system unlocks when a process ends, however it ends.

    The files are empty and named by a hash; they stay, since a lock on a file that another removes would hold nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        """Name the folder; `None` locks within this process alone."""
        self._folder = folder
        self._looking = threading.Lock()
        self._here: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def acquire(self, thread_id: str, *, wait: bool = True) -> "Held | None":
        """Wait for a conversation and hold it; with `wait=False`, None when another holds it.

        Raises:
            SettingsError: The folder cannot be written.
        """
        thread_id = str(thread_id)
        if self._folder is None:
            with self._looking:
                lock = self._here[thread_id]
            return Held(lock) if lock.acquire(blocking=wait) else None
        path = self._folder / f"{hashlib.sha256(thread_id.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.lock"
        try:
            private_folder(self._folder)
            file = private_file(path, os.O_RDWR)
        except OSError as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        return Held(file)

    @contextmanager
    def hold(self, thread_id: str) -> Iterator[None]:
        """Hold a conversation for the time of a block."""
        held = self.acquire(thread_id)
        assert held is not None
        try:
            yield
        finally:
            held.release()


class Held:
    """A conversation that is held."""

    def __init__(self, lock: "threading.Lock | int") -> None:
        self._lock = lock

    def release(self) -> None:
        """Let the next one in."""
        if isinstance(self._lock, int):
            os.close(self._lock)
        else:
            self._lock.release()
