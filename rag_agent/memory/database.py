"""What keeps conversations, a SQLite file or a PostgreSQL database: tables, transactions, errors that name the next step."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag_agent import postgres
from rag_agent.errors import SettingsError, ThreadError
from rag_agent.private import private_file, private_folder
from rag_agent.settings import MEMORY

UNREADABLE = "unreadable_checkpoints"
"""Where a checkpoint of the first version that could not be read is left, as it was."""

FORMAT = "2"
"""1 was the stock SqliteSaver's tables, `checkpoints` and `writes`."""

# What was said is kept once a thread, in `parts`, by the hash of its bytes. A list of messages is a chain of `lines`, each
# naming the one before it, and a snapshot names the last: snapshots share what they have in common, so that the file grows
# by what is said. Numbers are never used twice (AUTOINCREMENT), so that other processes may remember what they stand for.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS threads (
    key INTEGER PRIMARY KEY AUTOINCREMENT, thread_id TEXT NOT NULL UNIQUE, title TEXT, question TEXT, used TEXT,
    asking TEXT, asked TEXT);
CREATE TABLE IF NOT EXISTS snapshots (
    key INTEGER PRIMARY KEY AUTOINCREMENT, thread INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE, ns TEXT NOT NULL,
    id TEXT NOT NULL, parent TEXT, type TEXT NOT NULL, checkpoint BLOB NOT NULL, metadata BLOB NOT NULL, turns INTEGER,
    UNIQUE (thread, ns, id));
CREATE TABLE IF NOT EXISTS channels (
    snapshot INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE, channel TEXT NOT NULL, part INTEGER, line INTEGER,
    PRIMARY KEY (snapshot, channel)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, thread INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE, hash BLOB NOT NULL,
    type TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (thread, hash));
CREATE TABLE IF NOT EXISTS lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, thread INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE, previous INTEGER,
    part INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS lines_by_thread ON lines (thread);
CREATE TABLE IF NOT EXISTS pending (
    thread INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE, ns TEXT NOT NULL, id TEXT NOT NULL, task TEXT NOT NULL,
    path TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (thread, ns, id, task, idx));
"""


def database_at(where: Path | str | None, *, damaged: bool = False) -> "Database":
    """The conversations in a file, in a PostgreSQL database (by its URL), or in memory (None): see `Database`."""
    return PostgresDatabase(where) if isinstance(where, str) else Database(where, damaged=damaged)


class Database:
    """One connection that many threads share; several processes may have the file open at a time."""

    RUN_ID = "CAST(json_extract(CAST(metadata AS TEXT), '$.run_id') AS TEXT)"
    """The run that made a snapshot, as SQL."""

    def __init__(self, path: Path | None, *, damaged: bool = False) -> None:
        """Open or create the file.

        Args:
            path: The file; None keeps conversations in memory.
            damaged: Open it as it is, to read what is readable.

        Raises:
            SettingsError: The folder cannot be written.
            ThreadError: The file is no database, damaged, or of a later version. It is left as it is.
        """
        self.path = path
        self._lock = threading.RLock()
        self.connection: Any
        try:
            if path:
                private_folder(path.parent)
                os.close(private_file(path, os.O_RDWR))
            self.connection = sqlite3.connect(path or MEMORY, isolation_level=None, check_same_thread=False, timeout=60)
        except (OSError, sqlite3.OperationalError) as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        if damaged:
            return
        try:
            with self.told():
                self._set_up()
        except BaseException:
            self.connection.close()
            raise

    def _set_up(self) -> None:
        # A finished turn survives the loss of power (FULL), what is deleted is overwritten (secure_delete).
        for pragma in (
            "secure_delete = ON",
            "trusted_schema = OFF",
            "foreign_keys = ON",
            "synchronous = FULL",
            "temp_store = MEMORY",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        if self.path:
            _until_free(lambda: self.connection.execute("PRAGMA journal_mode = WAL"))
        tables = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "meta" not in tables:
            with self.writing():
                for statement in _SCHEMA.split(";\n"):
                    self.connection.execute(statement)
                self.connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
        found = self.connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if found is None or found[0] != FORMAT:
            raise ThreadError(
                f"{self.path} was written by a later version of rag-agent (format {found and found[0]}, here {FORMAT}); "
                "update rag-agent, or set another home"
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ThreadError(f"the conversations in {self.path} cannot be used: {error}; mend that and try again") from error
        except sqlite3.ProgrammingError as error:
            raise ThreadError(f"the conversations in {self.path} are closed ({error}); open them anew") from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite's own message may quote what is no text
            raise ThreadError(
                f"the file of conversations {self.path} is damaged ({error}); it is left as it is: `rag-agent threads check "
                "--recover` saves what is readable into a new file and keeps the old one beside it"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing. Other threads and processes wait, for a minute at the most."""
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The file as it is at one moment, whatever others write meanwhile."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[sqlite3.Connection]:
        with self._lock, self.told():
            if self.connection.in_transaction:  # part of a larger one
                yield self.connection
                return
            self._begin(writes=writes)
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _begin(self, *, writes: bool) -> None:
        self.connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def broken(self) -> list[str]:
        """What is wrong with the file itself, and what a former version left in it, in words."""
        with self.reading() as connection:
            found = [f"the file: {row[0]}" for row in connection.execute("PRAGMA quick_check(10)") if row[0] != "ok"]
            if self.has(UNREADABLE):
                found.append(f"checkpoints of the first version that could not be read are kept in the table {UNREADABLE}")
        return found

    def has(self, table: str) -> bool:
        """Whether there is a table."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self.connection.execute(sql, (table,)).fetchone() is not None

    def forget_log(self) -> None:
        """Empty the write-ahead log, which still holds what was deleted; a reader in another process puts it off."""
        with self._lock, self.told():
            if self.path and not self.connection.in_transaction:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def vacuum(self) -> tuple[int, int]:
        """Give unused space back to the disk: bytes before and after."""
        with self._lock, self.told():
            before = self.size()
            self.connection.execute("VACUUM")
            self.forget_log()
            return before, self.size()

    def size(self) -> int:
        """Bytes on disk, or in memory."""
        if self.path:
            return sum(file.stat().st_size for suffix in ("", "-wal") if (file := Path(f"{self.path}{suffix}")).exists())
        pages, size = (self.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages) * int(size)


class PostgresDatabase(Database):
    """Conversations in a schema of a PostgreSQL database; processes of any machine may use it at a time."""

    RUN_ID = "convert_from(metadata, 'UTF8')::json ->> 'run_id'"

    def __init__(self, url: str) -> None:
        """Connect to the database; its tables are made if they are not there.

        Raises:
            SettingsError: The server cannot be reached or refuses, or the extra is not installed.
            ThreadError: The conversations are of a later version.
        """
        self.path = None
        self._name = postgres.shown(url)
        self._lock = threading.RLock()
        self.connection = postgres.Connection(url, postgres.CONVERSATIONS, _SCHEMA)
        try:
            with self.writing() as connection:
                connection.execute("INSERT INTO meta VALUES ('format', ?) ON CONFLICT DO NOTHING", (FORMAT,))
                found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if found[0] != FORMAT:
                raise ThreadError(
                    f"{self._name} was written by a later version of rag-agent (format {found[0]}, here {FORMAT}); "
                    "update rag-agent"
                )
        except BaseException:
            self.connection.close()
            raise

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except sqlite3.DatabaseError as error:  # what reading says of rows that are not what was written
            raise ThreadError(
                f"the conversations in {self._name} are damaged ({error}); restore a copy of the database"
            ) from error
        except postgres.errors() as error:
            said = str(error).strip().partition("\n")[0]
            raise ThreadError(f"the conversations in {self._name} cannot be used: {said}; mend that and try again") from error

    def _begin(self, *, writes: bool) -> None:
        self.connection.begin(writes=writes)

    def broken(self) -> list[str]:
        """Nothing: the server looks after its files."""
        return []

    def has(self, table: str) -> bool:
        """Whether there is a table."""
        return bool(self.connection.execute("SELECT to_regclass(?) IS NOT NULL", (table,)).fetchone()[0])

    def forget_log(self) -> None:
        """Give up the space of what was deleted; `vacuum` writes the tables anew, without it."""
        with self._lock, self.told():
            if not self.connection.in_transaction:
                self.connection.vacuum(full=False)

    def vacuum(self) -> tuple[int, int]:
        """Write the tables anew, without what was deleted: bytes before and after."""
        with self._lock, self.told():
            before = self.size()
            self.connection.vacuum(full=True)
            return before, self.size()

    def size(self) -> int:
        """Bytes on the server's disk."""
        with self._lock, self.told():
            return int(self.connection.size())


def _until_free(step: Callable[[], object]) -> None:
    # SQLite does not wait when two processes create a file at once: changing the journal mode needs the file alone.
    for _ in range(600):
        try:
            step()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.1)
    step()
