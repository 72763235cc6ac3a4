"""The file that keeps memories: LangGraph's own SQLite store, private, and set to overwrite what is deleted."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from langgraph.store.base import Op, Result
from langgraph.store.sqlite import SqliteStore

from rag_agent.errors import SettingsError, ThreadError
from rag_agent.memory.locks import ThreadLocks
from rag_agent.private import private_file, private_folder
from rag_agent.settings import MEMORY

__all__ = ["MemoryStore"]


class MemoryStore(SqliteStore):
    """A `SqliteStore` that several threads and processes may use; calls are made one at a time."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None keeps memories in memory.

        Raises:
            SettingsError: The folder cannot be written.
            ThreadError: The file is no database, or damaged. It is left as it is.
        """
        self.path = path
        try:
            if path:
                private_folder(path.parent)
                os.close(private_file(path, os.O_RDWR))
            connection = sqlite3.connect(path or MEMORY, isolation_level=None, check_same_thread=False, timeout=60)
        except (OSError, sqlite3.OperationalError) as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        super().__init__(connection)
        # Two processes that set up one file at once would each add the same columns; two that correct one fact would keep both.
        self._locks = ThreadLocks(path.parent / "locks" / "memories" if path else None)
        with self._told():
            for pragma in ("secure_delete = ON", "trusted_schema = OFF", "synchronous = FULL", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            with self.hold("set up"):
                self.setup()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do what is asked, all of it or nothing.

        Raises:
            ThreadError: The file cannot be used.
        """
        with self._told():
            return super().batch(ops)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The same, in a thread."""
        import asyncio

        return await asyncio.to_thread(self.batch, list(ops))

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Let nobody else, in this process or another, hold the same name meanwhile."""
        return self._locks.hold(name)

    def vacuum(self) -> None:
        """Give unused space back to the disk."""
        with self._told(), self.lock:
            self.conn.execute("VACUUM")

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.conn.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ThreadError(f"the memories in {self.path} cannot be used ({error}); mend or remove that file") from error
