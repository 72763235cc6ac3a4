"""`Index`: documents kept in a file, brought up to date, and searched by meaning and by word at once."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag_agent.answers import Hit, IndexReport
from rag_agent.documents import Chunk, Listing, Source, Splitter, Unreadable, list_sources, read_text
from rag_agent.errors import DocumentsError, IndexFileError
from rag_agent.index.database import FORMAT, Database
from rag_agent.index.lexical import BM25
from rag_agent.index.library import Queries
from rag_agent.index.ranking import rank
from rag_agent.index.tokens import Analyser

Progress = Callable[[int, int], None]
"""Told how many of how many chunks are embedded."""

_DEPTH = 50  # how deep the rankings of several queries go into their fusion
_BATCH = 256  # chunks embedded, and kept, at a time


class Index:
    """The index of one docs root with one embedding model and one way of splitting.

    The file is the truth; the matrix of vectors and the BM25 arrays are derived from it at the first search. An index
    that was made with another model or splitter is refused, since its scores would mean nothing.
    """

    def __init__(self, docs: Path, home: Path | None, embeddings: Embeddings, model: str, splitter: Splitter) -> None:
        """Name the parts; nothing is opened yet.

        Args:
            docs: The folder or file.
            home: The folder that keeps indexes; None keeps it in memory.
            embeddings: What makes vectors of texts.
            model: Its name, for the record.
            splitter: What cuts the texts.
        """
        self.docs = docs
        self.path = index_path(home, docs) if home else None
        self._embeddings = embeddings
        self._splitter = splitter
        self._made_with = {
            "format": FORMAT,
            "embeddings": model,
            "chunk_size": str(splitter.chunk_size),
            "chunk_overlap": str(splitter.chunk_overlap),
            "separator": splitter.separator or "",
        }
        self._database: Database | None = None
        self._arrays: _Arrays | None = None
        self._lock = threading.RLock()
        self._text = lru_cache(maxsize=64)(self._read)

    @property
    def name(self) -> str:
        """What was searched, in words."""
        files, _ = self._opened().counts()
        return f"{files} file{'s' if files != 1 else ''} of {self.docs}"

    @property
    def root(self) -> str:
        """The docs root, as an absolute path."""
        return str(self.docs.expanduser().absolute())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database:
                self._database.close()
            self._database = self._arrays = None

    def update(self, *, rebuild: bool = False, progress: Progress = lambda done, total: None) -> IndexReport:
        """Bring the index up to date with the files: unchanged ones cost a look at their size and time.

        What is embedded is kept at once: an update that is interrupted goes on where it was.

        Args:
            rebuild: Make an index anew that is damaged or was made with other settings, instead of refusing it.
            progress: Called with the chunks done and to do.

        Raises:
            DocumentsError: The docs root is missing, or holds no file that can be read.
            IndexFileError: The index is damaged or was made with other settings.
        """
        began = time.perf_counter()
        with self._lock:
            listing = list_sources(self.docs)
            if rebuild:
                self._discard_if_unusable()
            database = self._opened()
            report = _Update(database, self._embeddings, self._splitter, progress).run(listing)
            files, chunks = database.counts()
            if files == 0:
                raise DocumentsError(_nothing_to_read(self.docs, report.skipped))
            if report.added or report.updated or report.removed:
                self._arrays = None
                self._text.cache_clear()
            return IndexReport(**{**report.to_dict(), "files": files, "chunks": chunks, "seconds": time.perf_counter() - began})

    def search(self, queries: Queries, k: int) -> list[Hit]:
        """The best k chunks for some weighted queries, best first."""
        with self._lock:
            arrays = self._loaded()
            if not len(arrays.spans):
                return []
            return [self._hit(arrays, *found) for found in self._fused(queries, arrays, k)]

    def around(self, hit: Hit) -> tuple[int, str]:
        """The article that a hit lies in: where it begins in the file, and its text."""
        with self._lock:
            start, end = self._opened().article_span(hit.file, hit.article)
            return start, self._text(hit.file)[start:end]

    def fingerprint(self, file: str) -> str | None:
        """The SHA-256 of a file's text as it was indexed."""
        with self._lock:
            found = self._opened().sha256(file)
            return found.hex() if found else None

    def text(self, file: str) -> str:
        """A file's text as it was indexed; the offsets of hits and citations count in it.

        Raises:
            DocumentsError: There is no such file in the index.
        """
        with self._lock:
            return self._text(file)

    def _read(self, file: str) -> str:
        text = self._opened().text(file)
        if text is None:
            raise DocumentsError(f"{file} is not in the index of {self.docs}; `rag-agent index {self.docs}` brings it up to date")
        return text

    def words(self) -> Analyser:
        """What cuts the documents' language into terms."""
        with self._lock:
            return self._loaded().bm25.analyser

    def idf(self, term: str) -> float:
        """How telling a term is among these documents."""
        with self._lock:
            return self._loaded().bm25.idf(term)

    def _fused(self, queries: Queries, arrays: "_Arrays", k: int) -> list[tuple[int, float, float]]:
        """Chunk, score and cosine to the main query; several queries are fused by reciprocal rank, 1 = first in each."""
        similar = [self._similar(query, arrays) for query, _ in queries]
        depth = k if len(queries) == 1 else max(k, _DEPTH)
        rankings = [self._ranked(query, dense, arrays, depth) for (query, _), dense in zip(queries, similar, strict=True)]
        scores = dict(rankings[0])
        if len(rankings) > 1:
            scores = {}
            total = sum(weight for _, weight in queries)
            for ranking, (_, weight) in zip(rankings, queries, strict=True):
                for place, (index, _) in enumerate(ranking, start=1):
                    scores[index] = scores.get(index, 0.0) + weight / total * 61 / (60 + place)
        best = sorted(scores.items(), key=lambda item: -item[1])[:k]
        return [(index, score, float(similar[0][index])) for index, score in best]

    def _similar(self, query: str, arrays: "_Arrays") -> NDArray[np.float32]:
        vector = unit_rows(np.asarray([self._embeddings.embed_query(query)], dtype=np.float32))[0]
        similar: NDArray[np.float32] = arrays.matrix @ vector
        return similar

    def _ranked(self, query: str, dense: NDArray[np.float32], arrays: "_Arrays", k: int) -> list[tuple[int, float]]:
        texts, bm25 = arrays.texts_of(self._text), arrays.bm25
        literal = np.zeros(len(dense), dtype=np.bool_)
        for rows in bm25.phrase_rows(query, texts).values():
            literal[rows] = True
        return rank(
            dense,
            bm25.scores(query),
            arrays.articles,
            texts,
            k=k,
            article_lexical=bm25.article_scores(query, arrays.articles),
            literal=literal,
            ceiling=bm25.ceiling(query),
        )

    def _hit(self, arrays: "_Arrays", index: int, score: float, similarity: float) -> Hit:
        file, article, start, end = arrays.spans[index]
        return Hit(file, article, start, end, self._text(file)[start:end], float(score), similarity=similarity)

    def _loaded(self) -> "_Arrays":
        if self._arrays is None:
            self._arrays = _Arrays(self._opened(), self._text)
        return self._arrays

    def _opened(self) -> Database:
        if self._database is None:
            database = Database(self.path, rebuild=f"rag-agent index {self.docs}")
            try:
                self._check(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _check(self, database: Database) -> None:
        meta = database.meta()
        if not meta:
            with database.transaction():
                database.set_meta(self._made_with)
            return
        for key, wanted in self._made_with.items():
            if meta.get(key) != wanted:
                raise IndexFileError(
                    f"the index of {self.docs} was made with {key}={meta.get(key)!r}, and {key}={wanted!r} is asked for; "
                    f"ask with the former, or make it anew with the latter: rag-agent index {self.docs}"
                    + (f" --embeddings {wanted}" if key == "embeddings" else "")
                )

    def _discard_if_unusable(self) -> None:
        """An index holds nothing that the documents do not: one that cannot be used makes room for a new one."""
        try:
            self._opened().check()
        except IndexFileError:
            self.close()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)


class _Arrays:
    """What searches run over, derived from the file."""

    def __init__(self, database: Database, text: Callable[[str], str]) -> None:
        self.spans = database.spans()
        self.matrix = database.matrix()
        numbers: dict[tuple[str, int], int] = {}
        self.articles = np.array([numbers.setdefault(span[:2], len(numbers)) for span in self.spans], dtype=np.int64)
        self.bm25 = BM25.build([text(file)[start:end] for file, _, start, end in self.spans])

    def texts_of(self, text: Callable[[str], str]) -> Callable[[Sequence[int]], list[str]]:
        """What hands over the texts of chunks."""
        return lambda indices: [text(file)[start:end] for file, _, start, end in (self.spans[i] for i in indices)]


class _Update:
    """One run of bringing an index up to date."""

    def __init__(self, database: Database, embeddings: Embeddings, splitter: Splitter, progress: Progress) -> None:
        self._database = database
        self._embeddings = embeddings
        self._splitter = splitter
        self._progress = progress
        self._embedded = 0

    def run(self, listing: Listing) -> IndexReport:
        known = self._database.stamps()
        skipped = list(listing.skipped)
        added: list[str] = []
        updated: list[str] = []
        changed = [s for s in listing.sources if known.get(s.file) != (s.size, s.mtime_ns)]
        gone = sorted(set(known) - {source.file for source in listing.sources})
        for group in self._groups(changed, skipped):
            self._store(group)
            for source, *_ in group:
                (updated if source.file in known else added).append(source.file)
        unreadable = [file for file, _ in skipped if file in known and file not in gone]
        gone = sorted([*gone, *unreadable])
        if gone or updated:
            with self._database.transaction():
                self._database.remove(gone)
                self._database.drop_unused_vectors()
        unchanged = len(listing.sources) - len(added) - len(updated) - (len(skipped) - len(listing.skipped))
        return IndexReport(0, 0, tuple(added), tuple(updated), tuple(gone), unchanged, tuple(skipped), embedded=self._embedded)

    def _groups(self, sources: Sequence[Source], skipped: list[tuple[str, str]]) -> Iterator[list["_Read"]]:
        """Read files, in groups of about as many chunks as are embedded at a time."""
        group: list[_Read] = []
        count = 0
        for source in sources:
            try:
                text, encoding = read_text(source.path)
            except Unreadable as reason:
                skipped.append((source.file, str(reason)))
                continue
            if self._database.sha256(source.file) == hashlib.sha256(text.encode()).digest():
                with self._database.transaction():
                    self._database.touch(source)
                continue
            chunks = list(self._splitter.chunks(text, markdown=source.path.suffix.lower() == ".md"))
            if not chunks:
                skipped.append((source.file, "empty"))
                continue
            group.append((source, text, encoding, chunks))
            count += len(chunks)
            if count >= _BATCH:
                yield group
                group, count = [], 0
        if group:
            yield group

    def _store(self, group: Sequence["_Read"]) -> None:
        texts = self._database.missing(text[c.start : c.end] for _, text, _, chunks in group for c in chunks)
        if texts:
            self._progress(0, len(texts))
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            vectors = unit_rows(np.asarray(self._embeddings.embed_documents(batch), dtype=np.float32))
            with self._database.transaction():
                self._database.add_vectors(batch, vectors)
            self._embedded += len(batch)
            self._progress(start + len(batch), len(texts))
        with self._database.transaction():
            for source, text, encoding, chunks in group:
                self._database.put(source, text, encoding, chunks)


_Read = tuple[Source, str, str, list[Chunk]]


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1, so that a product is a cosine; rows of zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    result: NDArray[np.float32] = (matrix / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result


def index_path(home: Path, docs: Path) -> Path:
    """The file that keeps the index of a docs root: named after it, and told apart by its whole path."""
    root = str(docs.expanduser().absolute())
    name = re.sub(r"[^\w.-]+", "_", Path(root).name)[:40] or "root"
    return home / "indexes" / f"{name}-{hashlib.sha256(root.encode()).hexdigest()[:12]}.sqlite"


def _nothing_to_read(docs: Path, skipped: Sequence[tuple[str, str]]) -> str:
    if not skipped:
        return f"{docs} holds no .txt or .md file; put documents there, or name another folder with --docs PATH"
    first = "; ".join(f"{file}: {reason}" for file, reason in skipped[:3])
    more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    return f"{docs} holds no file that can be read ({first}{more}); put .txt or .md files there"
