"""The SQLite file that is the truth of an index: files with their text, chunks as spans, vectors by content hash.

Vectors are kept as they are embedded, by the hash of the model's name and the text, so that a text is embedded once wherever
it moves and a killed ingestion finds what it had done. Files that were read are staged (`live = 0`), where no search sees
them; one transaction puts them in place of the former ones. A reader so sees the index before an update or after it.
"""

import hashlib
import json
import os
import re
import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_agent import postgres
from rag_agent.documents import Block, Chunk, Reading, Section, Source
from rag_agent.errors import IndexFileError, SettingsError
from rag_agent.private import private_file, private_folder

FORMAT = "3"

_VERSION = re.compile(r"[0-9a-f]{32}")

# A chunk's text is its span of the file's text; it is not stored twice. A chunk's ID is never given again, so that arrays
# derived from the chunks of an earlier version tell which of them are still there.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL, live INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL, bytes_sha256 BLOB NOT NULL, encoding TEXT NOT NULL, told TEXT NOT NULL, UNIQUE (file, live));
CREATE TABLE IF NOT EXISTS texts (
    file_id INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE, text BLOB NOT NULL, structure BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    article INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, page INTEGER, context TEXT NOT NULL,
    vector_id INTEGER NOT NULL REFERENCES vectors);
CREATE INDEX IF NOT EXISTS chunks_by_file ON chunks (file_id, article);
CREATE INDEX IF NOT EXISTS chunks_by_vector ON chunks (vector_id);
"""
# Format 2 kept no structure. It answers as it is until the next update, which finds every file changed and reads it anew;
# texts that stand under no heading keep their vectors.
_FROM_2 = """
ALTER TABLE files ADD COLUMN told TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN bytes_sha256 BLOB NOT NULL DEFAULT x'';
ALTER TABLE texts ADD COLUMN structure BLOB NOT NULL DEFAULT x'';
ALTER TABLE chunks ADD COLUMN context TEXT NOT NULL DEFAULT '';
DELETE FROM files WHERE live = 0;
UPDATE files SET size = -1, sha256 = x''
"""
# Rows that no version of this program writes, by table, beside those whose values are of another type than their column.
_DAMAGED = {
    "vectors": """length(vector) % 4 != 0 OR length(vector) = 0
        OR length(vector) != (SELECT length(vector) FROM vectors LIMIT 1)""",
    "files": "NOT EXISTS (SELECT 1 FROM texts WHERE file_id = files.id)",
    "chunks": """start < 0 OR "end" < start OR NOT EXISTS (SELECT 1 FROM vectors WHERE id = vector_id)
        OR NOT EXISTS (SELECT 1 FROM files WHERE id = file_id)""",
}


def _damaged() -> dict[str, str]:
    """For each table, what finds a damaged row. The types are those of our schema: the file may be a stranger's."""
    found = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"):
            wrong = [
                f"""(typeof("{name}") != '{kind.lower()}'{"" if filled else f' AND "{name}" IS NOT NULL'})"""
                for _, name, kind, filled, *_ in connection.execute(f"PRAGMA table_info({table})")
            ]
            found[table] = f"SELECT 1 FROM {table} WHERE {' OR '.join([*wrong, *filter(None, [_DAMAGED.get(table)])])} LIMIT 1"
    return found


def remove(path: Path) -> None:
    """Delete the file of an index that is not open."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def database_at(path: Path | None, *, rebuild: str, url: str | None = None, schema: str = "") -> "Database":
    """An index in a file or in memory, or, where a URL is named, in a schema of a PostgreSQL database: see `Database`."""
    return PostgresDatabase(url, schema, rebuild=rebuild) if url else Database(path, rebuild=rebuild)


_LIVE_CHUNKS = "FROM chunks JOIN files ON files.id = file_id WHERE live = 1"


class Database:
    """Reads and writes of the index file. One object serves one thread at a time."""

    def __init__(self, path: Path | None, *, rebuild: str) -> None:
        """Open or create the file; `path=None` is a database in memory.

        Args:
            path: The file.
            rebuild: The command that makes it anew, for messages.

        Raises:
            IndexFileError: The file is no index, damaged, or of another format.
            SettingsError: The folder cannot be written.
        """
        self._rebuild = rebuild
        self._path = path
        self._connection: Any
        try:
            if path:
                private_folder(path.parent.parent)  # the home
                private_folder(path.parent)
                os.close(private_file(path, os.O_RDWR))
            self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=60)
        except (OSError, sqlite3.OperationalError) as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self.told():
            self._connection.execute("PRAGMA foreign_keys = ON")
            # The file may be a stranger's: what its schema computes by itself may not call functions that do anything.
            self._connection.execute("PRAGMA trusted_schema = OFF")
            if self._path:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
            if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                with self.transaction():
                    for statement in _SCHEMA.split(";"):
                        self._connection.execute(statement)
                    self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
                    self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (uuid.uuid4().hex,))
            found = self.meta().get("format")
            if found == "2":
                with self.transaction():
                    for statement in _FROM_2.split(";"):
                        self._connection.execute(statement)
                    self.set_meta({"format": FORMAT, "version": uuid.uuid4().hex})
                found = FORMAT
        if found != FORMAT:
            raise IndexFileError(
                f"the index {self._path} has format {found}, and this version of rag-agent reads {FORMAT}; "
                f"make it anew: {self._rebuild}"
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def discard(self) -> None:
        """Delete the file: an index holds nothing that the documents do not."""
        self.close()
        if self._path:
            remove(self._path)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise IndexFileError(
                f"the index {self._path} cannot be used: {error}; mend that, or make it anew: {self._rebuild}"
            ) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite's own message may quote what is no text
            raise IndexFileError(f"the index {self._path} is damaged ({error}); make it anew: {self._rebuild}") from error

    def check(self) -> None:
        """Read every page and row, so that damage is found wherever it is.

        Raises:
            IndexFileError: The file is damaged.
        """
        with self.told():
            found = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if found != "ok":
                raise sqlite3.DatabaseError(found.partition("\n")[0])
            for what, damaged in _damaged().items():
                if self._connection.execute(damaged).fetchone():
                    raise sqlite3.DatabaseError(f"a row of its {what} is not what was written")
        self._check_texts()

    def _check_texts(self) -> None:
        self.version()
        for (file_id,) in self._connection.execute("SELECT file_id FROM texts").fetchall():
            self.text(file_id)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; other writers wait."""
        yield from self._between(writes=True)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything that is read in between is of one moment."""
        if self._connection.in_transaction:
            yield
        else:
            yield from self._between(writes=False)

    def _begin(self, *, writes: bool) -> None:
        self._connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def _between(self, *, writes: bool) -> Iterator[None]:
        with self.told():
            self._begin(writes=writes)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a database itself takes back what a full disk broke off
                    self._connection.execute("ROLLBACK")
                raise

    def meta(self) -> dict[str, str]:
        """How the index was made: format, embedding model, splitter settings; and what names its state."""
        with self.told():
            return dict(self._connection.execute("SELECT key, value FROM meta"))

    def version(self) -> str:
        """What names the present state: no other state of this index, nor another index, has the same.

        Raises:
            IndexFileError: The file holds no such name. It becomes the name of a folder, so nothing else will do.
        """
        with self.told():
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
            if row is None or not _VERSION.fullmatch(str(row[0])):
                raise sqlite3.DatabaseError("its version is none")
            return str(row[0])

    def set_meta(self, values: dict[str, str]) -> None:
        """Add to `meta`."""
        self._connection.executemany(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", values.items()
        )

    # --- files ---------------------------------------------------------------------------------------------------------

    def stamps(self, *, live: bool) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file that is searched, or of every one that is staged."""
        with self.told():
            rows = self._connection.execute("SELECT file, size, mtime_ns FROM files WHERE live = ?", (int(live),))
            return {file: (size, mtime) for file, size, mtime in rows}

    def sha256(self, file: str) -> bytes | None:
        """The content hash of a file in the index."""
        with self.told():
            row = self._connection.execute("SELECT sha256 FROM files WHERE file = ? AND live = 1", (file,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None

    def bytes_sha256(self) -> dict[str, bytes]:
        """The hash of every searched file's bytes, as they were read."""
        with self.told():
            return dict(self._connection.execute("SELECT file, bytes_sha256 FROM files WHERE live = 1"))

    def touch(self, sources: Iterable[tuple[Source, bytes]]) -> None:
        """Note new stamps and hashes of the bytes of files whose text is as it was."""
        self._connection.executemany(
            "UPDATE files SET size = ?, mtime_ns = ?, bytes_sha256 = ? WHERE file = ? AND live = 1",
            [(source.size, source.mtime_ns, digest, source.file) for source, digest in sources],
        )

    def stage(self, source: Source, digest: bytes, reading: Reading, chunks: Sequence[Chunk], model: str) -> None:
        """Keep a file for `swap`; `digest` is the SHA-256 of its bytes. Every chunk's vector must be there already."""
        self.unstage([source.file])
        text, data = reading.text, reading.text.encode()
        row = self._connection.execute(
            "INSERT INTO files (file, live, size, mtime_ns, sha256, bytes_sha256, encoding, told) "
            "VALUES (?, 0, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                source.file, source.size, source.mtime_ns, hashlib.sha256(data).digest(), digest, reading.encoding,
                "\n".join(reading.told),
            ),
        ).fetchone()[0]  # fmt: skip
        self._connection.execute("INSERT INTO texts VALUES (?, ?, ?)", (row, data, _packed(reading)))
        self._connection.executemany(
            'INSERT INTO chunks (file_id, article, start, "end", page, context, vector_id) '
            "VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM vectors WHERE hash = ?))",
            [(row, c.article, c.start, c.end, c.page, c.context, key(model, embedded(c, text))) for c in chunks],
        )

    def unstage(self, files: Iterable[str]) -> None:
        """Forget staged files."""
        self._connection.executemany("DELETE FROM files WHERE file = ? AND live = 0", [(file,) for file in files])

    def swap(self, gone: Iterable[str], made_with: dict[str, str], *, all_anew: bool) -> None:
        """Put the staged files in place of their former selves, and take files out; with `all_anew`, all that were there."""
        if all_anew:
            self._connection.execute("DELETE FROM files WHERE live = 1")
        self._connection.executemany("DELETE FROM files WHERE live = 1 AND file = ?", [(file,) for file in gone])
        self._connection.execute("DELETE FROM files WHERE live = 1 AND file IN (SELECT file FROM files WHERE live = 0)")
        self._connection.execute("UPDATE files SET live = 1 WHERE live = 0")
        self._connection.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM chunks)")
        # Not a counter: the name of a state that was never committed must not come back for another.
        self.set_meta({**made_with, "version": uuid.uuid4().hex})

    # --- vectors -------------------------------------------------------------------------------------------------------

    def missing(self, texts: Iterable[str], model: str) -> list[str]:
        """Those of the texts that have no vector yet, each once."""
        has = "SELECT 1 FROM vectors WHERE hash = ?"
        with self.told():
            return [text for text in dict.fromkeys(texts) if not self._connection.execute(has, (key(model, text),)).fetchone()]

    def hashes(self) -> frozenset[bytes]:
        """What there are vectors of, as `key` names it."""
        with self.told():
            return frozenset(row[0] for row in self._connection.execute("SELECT hash FROM vectors"))

    def add_vectors(self, texts: Sequence[str], vectors: NDArray[np.float32], model: str) -> None:
        """Keep the vectors of some texts."""
        rows = [(key(model, text), vector.tobytes()) for text, vector in zip(texts, vectors, strict=True)]
        self._connection.executemany("INSERT INTO vectors (hash, vector) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def vectors(self) -> Iterator[bytes]:
        """The vectors of all chunks in the order of `spans`, as float32."""
        with self.told():
            rows = self._connection.execute(
                "SELECT vector FROM chunks JOIN files ON files.id = file_id JOIN vectors ON vectors.id = vector_id "
                "WHERE live = 1 ORDER BY chunks.id"
            )
            yield from (row[0] for row in rows)

    # --- what searches read --------------------------------------------------------------------------------------------

    def spans(self) -> NDArray[np.int64]:
        """Every chunk's ID, file's ID, article, start, end and page (0: none), (chunks, 6), in the order of the index."""
        with self.told():
            rows = self._connection.execute(
                f'SELECT chunks.id, file_id, article, start, "end", coalesce(page, 0) {_LIVE_CHUNKS} ORDER BY chunks.id'
            )
            flat = np.fromiter((number for row in rows for number in row), np.int64)
        return flat.reshape(-1, 6)

    def counts(self) -> tuple[int, int]:
        """How many files and chunks there are."""
        with self.told():
            files = self._connection.execute("SELECT count(*) FROM files WHERE live = 1").fetchone()[0]
            return files, self._connection.execute(f"SELECT count(*) {_LIVE_CHUNKS}").fetchone()[0]

    def file(self, file_id: int) -> str:
        """A file's name."""
        with self.told():
            return str(self._connection.execute("SELECT file FROM files WHERE id = ?", (file_id,)).fetchone()[0])

    def file_id(self, file: str) -> int | None:
        """The ID of a file that is searched."""
        with self.told():
            row = self._connection.execute("SELECT id FROM files WHERE file = ? AND live = 1", (file,)).fetchone()
        return int(row[0]) if row else None

    def text(self, file_id: int) -> str:
        """A file's text as it was read."""
        with self.told():
            row = self._connection.execute("SELECT text FROM texts WHERE file_id = ?", (file_id,)).fetchone()
            try:
                if not isinstance(row[0], bytes):  # of a number, `bytes` would make as many zeros
                    raise TypeError("no bytes")
                return row[0].decode()
            except (TypeError, ValueError) as error:  # no row, no bytes, or bytes that are no text
                raise sqlite3.DatabaseError(f"the text of file {file_id} is not what was written") from error

    def read(self, file_id: int) -> Reading:
        """A file's text as it was read, and its structure."""
        with self.told():
            text, structure, encoding = self._connection.execute(
                "SELECT text, structure, encoding FROM texts JOIN files ON files.id = file_id WHERE file_id = ?", (file_id,)
            ).fetchone()
            text = bytes(text).decode()
            if structure:
                return _unpacked(text, encoding, bytes(structure))
            rows = self._connection.execute(
                'SELECT min(start), max("end"), min(page) FROM chunks WHERE file_id = ? GROUP BY article ORDER BY article',
                (file_id,),
            ).fetchall()
        sections = tuple(Section(*row) for row in rows)
        return Reading(text, encoding, sections, tuple(Block("paragraph", s.start, s.end) for s in sections))

    def names(self) -> dict[int, str]:
        """The names of the files that are searched, by ID."""
        with self.told():
            return {n: _text(file) for n, file in self._connection.execute("SELECT id, file FROM files WHERE live = 1")}

    def contexts(self) -> list[str]:
        """What each chunk stands under, in the order of `spans`."""
        with self.told():
            return [_text(row[0]) for row in self._connection.execute(f"SELECT context {_LIVE_CHUNKS} ORDER BY chunks.id")]

    def left_unread(self) -> tuple[tuple[str, str], ...]:
        """What was not read of the files that are searched: file and thing, in words."""
        with self.told():
            rows = self._connection.execute("SELECT file, told FROM files WHERE live = 1 AND told != '' ORDER BY file").fetchall()
            return tuple((_text(file), line) for file, lines in rows for line in _text(lines).split("\n"))


class PostgresDatabase(Database):
    """An index in a schema of a PostgreSQL database; processes of any machine may use it at a time."""

    def __init__(self, url: str, schema: str, *, rebuild: str) -> None:
        """Connect to the database; the tables are made if they are not there.

        Args:
            url: The database.
            schema: The index's own.
            rebuild: The command that makes it anew, for messages.

        Raises:
            IndexFileError: It is of another format.
            SettingsError: The server cannot be reached or refuses, or the extra is not installed.
        """
        self._rebuild = rebuild
        self._name = f"{schema} of {postgres.shown(url)}"
        self._path = None
        self._connection = postgres.Connection(url, schema, _SCHEMA)
        try:
            with self.transaction():
                for name, value in (("format", FORMAT), ("version", uuid.uuid4().hex)):
                    self._connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
            if (found := self.meta()["format"]) != FORMAT:
                raise IndexFileError(
                    f"the index {self._name} has format {found}, and this version of rag-agent reads {FORMAT}; update rag-agent"
                )
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except postgres.errors() as error:
            said = str(error).strip().partition("\n")[0]
            raise IndexFileError(f"the index {self._name} cannot be used: {said}; mend that and try again") from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # what reading says of rows that are not what was written
            raise IndexFileError(f"the index {self._name} is damaged ({error}); make it anew: {self._rebuild}") from error

    def _begin(self, *, writes: bool) -> None:
        self._connection.begin(writes=writes)

    def check(self) -> None:
        """Read every row, so that damage is found wherever it is; the server looks after its pages.

        Raises:
            IndexFileError: A row is not what was written.
        """
        with self.told():
            for what, damaged in _DAMAGED.items():
                if self._connection.execute(f"SELECT 1 FROM {what} WHERE {damaged} LIMIT 1").fetchone():
                    raise sqlite3.DatabaseError(f"a row of its {what} is not what was written")
        self._check_texts()

    def discard(self) -> None:
        """Delete the index."""
        with self.told():
            self._connection.discard()
        self.close()


def _text(value: object) -> str:
    """A value of a column of text: SQLite keeps whatever it is given."""
    if not isinstance(value, str):
        raise sqlite3.DatabaseError("a row is not what was written")
    return value


def disk_is_full(error: BaseException) -> bool:
    """Whether an error of ours came of a disk that takes no more."""
    return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def will_pass(error: BaseException) -> bool:
    """Whether an error of ours says nothing about the file: a full disk, a lock, rights that are missing."""
    passing = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM)
    return disk_is_full(error) or _code(error) in passing or postgres.is_the_drivers(error.__cause__)


def _code(error: BaseException) -> int | None:
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else None  # the rest is detail


def key(model: str, text: str) -> bytes:
    """What a text's vector is kept by: 16 bytes of a SHA-256."""
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()[:16]


def embedded(chunk: Chunk, text: str) -> str:
    """What is embedded of a chunk: its text under its headings."""
    own = text[chunk.start : chunk.end]
    return f"{chunk.context}\n{own}" if chunk.context else own


def _packed(reading: Reading) -> bytes:
    shape = {"title": reading.title, "extracted": reading.extracted, "sections": reading.sections, "blocks": reading.blocks}
    return zlib.compress(json.dumps(shape, ensure_ascii=False).encode(), 1)


def _unpacked(text: str, encoding: str, structure: bytes) -> Reading:
    shape = json.loads(zlib.decompress(structure))
    blocks = tuple(Block(kind, start, end, level, tuple(names)) for kind, start, end, level, names in shape["blocks"])
    return Reading(
        text, encoding, tuple(Section(*s) for s in shape["sections"]), blocks, shape["title"], extracted=shape["extracted"]
    )
