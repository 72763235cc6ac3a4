"""The SQLite file that is the truth of an index: files with their text, chunks as spans, vectors by content hash."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_agent.documents import Chunk, Source
from rag_agent.errors import IndexFileError, SettingsError

FORMAT = "1"

# Vectors are kept by the hash of the text they embed, so that a text is embedded once wherever it moves, and a killed
# ingestion finds what it had done. A chunk's text is its span of the file's text; it is not stored twice.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL, encoding TEXT NOT NULL, text BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, article INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, vector_id INTEGER NOT NULL REFERENCES vectors);
CREATE INDEX IF NOT EXISTS chunks_by_file ON chunks (file_id, article);
CREATE INDEX IF NOT EXISTS chunks_by_vector ON chunks (vector_id);
"""


class Database:
    """Reads and writes of the index file. One object serves one thread at a time."""

    def __init__(self, path: Path | None, *, rebuild: str) -> None:
        """Open or create the file; `path=None` is a database in memory.

        Args:
            path: The file.
            rebuild: The command that makes it anew, for messages.

        Raises:
            IndexFileError: The file is no index, or damaged.
            SettingsError: The folder cannot be written.
        """
        self._rebuild = rebuild
        self._path = path
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=60)
        except (OSError, sqlite3.OperationalError) as error:
            raise SettingsError(f"{path} cannot be written ({error}); set home to a folder that can") from error
        with self.told():
            self._connection.execute("PRAGMA foreign_keys = ON")
            if path:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise IndexFileError(
                f"the index {self._path} cannot be used: {error}; mend that, or make it anew: {self._rebuild}"
            ) from error
        except sqlite3.DatabaseError as error:
            raise IndexFileError(f"the index {self._path} is damaged ({error}); make it anew: {self._rebuild}") from error

    def check(self) -> None:
        """Read every page, so that damage is found wherever it is.

        Raises:
            IndexFileError: The file is damaged.
        """
        with self.told():
            found = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if found != "ok":
                raise sqlite3.DatabaseError(found.partition("\n")[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; other writers wait."""
        with self.told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def meta(self) -> dict[str, str]:
        """How the index was made: format, embedding model, splitter settings, and its version number."""
        with self.told():
            return dict(self._connection.execute("SELECT key, value FROM meta"))

    def set_meta(self, values: dict[str, str]) -> None:
        """Add to `meta`."""
        self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file in the index."""
        with self.told():
            return {
                file: (size, mtime) for file, size, mtime in self._connection.execute("SELECT file, size, mtime_ns FROM files")
            }

    def sha256(self, file: str) -> bytes | None:
        """The content hash of a file in the index."""
        row = self._connection.execute("SELECT sha256 FROM files WHERE file = ?", (file,)).fetchone()
        return bytes(row[0]) if row else None

    def touch(self, source: Source) -> None:
        """Note a new stamp of a file whose content is as it was."""
        self._connection.execute(
            "UPDATE files SET size = ?, mtime_ns = ? WHERE file = ?", (source.size, source.mtime_ns, source.file)
        )

    def remove(self, files: Iterable[str]) -> None:
        """Take files out, with their chunks."""
        self._connection.executemany("DELETE FROM files WHERE file = ?", [(file,) for file in files])

    def put(self, source: Source, text: str, encoding: str, chunks: Sequence[Chunk]) -> None:
        """Put a file in place of its former self. Every chunk's vector must be there already."""
        self.remove([source.file])
        data = text.encode()
        row = self._connection.execute(
            "INSERT INTO files (file, size, mtime_ns, sha256, encoding, text) VALUES (?, ?, ?, ?, ?, ?)",
            (source.file, source.size, source.mtime_ns, hashlib.sha256(data).digest(), encoding, data),
        ).lastrowid
        self._connection.executemany(
            'INSERT INTO chunks (file_id, article, start, "end", vector_id) '
            "VALUES (?, ?, ?, ?, (SELECT id FROM vectors WHERE hash = ?))",
            [(row, c.article, c.start, c.end, text_hash(text[c.start : c.end])) for c in chunks],
        )

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that have no vector yet, each once."""
        has = "SELECT 1 FROM vectors WHERE hash = ?"
        return [t for t in dict.fromkeys(texts) if not self._connection.execute(has, (text_hash(t),)).fetchone()]

    def add_vectors(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep the vectors of some texts."""
        rows = [(text_hash(text), vector.tobytes()) for text, vector in zip(texts, vectors, strict=True)]
        self._connection.executemany("INSERT OR IGNORE INTO vectors (hash, vector) VALUES (?, ?)", rows)

    def drop_unused_vectors(self) -> None:
        """Forget the vectors of texts that no chunk holds any more."""
        self._connection.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM chunks)")

    def matrix(self) -> NDArray[np.float32]:
        """All vectors in the order of `spans`, (chunks, dimensions)."""
        with self.told():
            rows = self._connection.execute("SELECT vector FROM chunks JOIN vectors ON vectors.id = vector_id ORDER BY chunks.id")
            blobs = [blob for (blob,) in rows]
        if not blobs:
            return np.empty((0, 0), dtype=np.float32)
        return np.frombuffer(b"".join(blobs), dtype=np.float32).reshape(len(blobs), -1)

    def spans(self) -> list[tuple[str, int, int, int]]:
        """File, article, start and end of every chunk, in the order of the index."""
        with self.told():
            return self._connection.execute(
                'SELECT file, article, start, "end" FROM chunks JOIN files ON files.id = file_id ORDER BY chunks.id'
            ).fetchall()

    def counts(self) -> tuple[int, int]:
        """How many files and chunks there are."""
        with self.told():
            files = self._connection.execute("SELECT count(*) FROM files").fetchone()[0]
            return files, self._connection.execute("SELECT count(*) FROM chunks").fetchone()[0]

    def text(self, file: str) -> str | None:
        """A file's text as it was read."""
        with self.told():
            row = self._connection.execute("SELECT text FROM files WHERE file = ?", (file,)).fetchone()
        return bytes(row[0]).decode() if row else None

    def article_span(self, file: str, article: int) -> tuple[int, int]:
        """Where an article's chunks begin and end."""
        with self.told():
            row = self._connection.execute(
                'SELECT min(start), max("end") FROM chunks JOIN files ON files.id = file_id WHERE file = ? AND article = ?',
                (file, article),
            ).fetchone()
        return int(row[0]), int(row[1])


def text_hash(text: str) -> bytes:
    """The key of a text's vector: 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:16]
