"""One writer a conversation at a time, across threads, processes and, over PostgreSQL, machines."""

import fcntl
import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rag_agent.errors import SettingsError
from rag_agent.postgres import Locks
from rag_agent.private import private_file, private_folder


class ThreadLocks:
    """Locks by thread ID: a file each in a folder, which the system unlocks when a process ends, however it ends.

    The files are empty and named by a hash; they stay, since a lock on a file that another removes would hold nothing.
    """

    def __init__(self, folder: Path | str | None) -> None:
        """Name the folder, or a PostgreSQL database by its URL; `None` locks within this process alone."""
        self._folder = folder
        self._server = Locks(folder) if isinstance(folder, str) else None
        self._looking = threading.Lock()
        self._here: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def acquire(self, thread_id: str, *, wait: bool = True) -> "Held | None":
        """Wait for a conversation and hold it; with `wait=False`, None when another holds it.

        Raises:
            SettingsError: The folder cannot be written.
        """
        thread_id = str(thread_id)
        if self._server is not None:
            release = self._server.acquire(f"thread {thread_id}", wait=wait)
            return Held(release) if release else None
        if self._folder is None:
            with self._looking:
                lock = self._here[thread_id]
            return Held(lock.release) if lock.acquire(blocking=wait) else None
        path = Path(self._folder) / f"{hashlib.sha256(thread_id.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.lock"
        try:
            private_folder(path.parent)
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
        return Held(partial(os.close, file))

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

    def __init__(self, release: Callable[[], None]) -> None:
        self.release = release
        """Let the next one in."""
