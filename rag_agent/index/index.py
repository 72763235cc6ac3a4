"""`Index`: documents kept in a file, brought up to date, and searched by meaning and by word at once."""

import fcntl
import hashlib
import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag_agent.answers import Hit, IndexReport
from rag_agent.documents import Listing, Source, Splitter, list_sources
from rag_agent.documents.folder import KINDS
from rag_agent.documents.outline import Outline, outline
from rag_agent.documents.structures import plain_reading
from rag_agent.errors import DocumentsError, IndexFileError, RagAgentError, SettingsError
from rag_agent.index.background import Scale, scale_of
from rag_agent.index.database import Database, database_at, disk_is_full, remove, will_pass
from rag_agent.index.derived import Arrays, prune
from rag_agent.index.int8 import Codes, HowToSearch, Near, wanted
from rag_agent.index.library import Queries
from rag_agent.index.matrix import Matrix, most_varied, unit_rows
from rag_agent.index.ranking import rank
from rag_agent.index.spelling import mended, nearest
from rag_agent.index.tokens import Analyser
from rag_agent.index.update import Progress, Update
from rag_agent.postgres import CONVERSATIONS, Locks
from rag_agent.private import private_file, private_folder
from rag_agent.telling import tell_once

Found = TypeVar("Found")

_DEPTH = 50  # how deep the rankings of several queries go into their fusion
_CACHED_CHARACTERS = 50_000_000
_REMEMBERED = 16  # queries
_UNKNOWN = Scale(0.0, 0.0)  # not measured yet
_RELEVANCE = 0.8  # against variety, in what is said most

_T = TypeVar("_T")
Ahead = Callable[[Database, Sequence[Source], Splitter, str, Progress], int]
"""Embeds what some files need before the update does; returns how many vectors it kept (`on_ray.OnRay`)."""
Rows = NDArray[np.intp]


class Index:
    """The index of one docs root with one embedding model and one way of splitting.

    The file, or the schema of a database, is the truth; the matrix of vectors and the BM25 arrays are derived from it, kept
    beside it and mapped. Each embedding model has a file of its own, since its scores mean nothing to another: while one is
    made, that of the former model goes on answering who asks with it. An index that was made with another splitter is refused.
    Any number of processes may search while one brings the index up to date: each search sees one state of it, whole.
    """

    def __init__(
        self,
        docs: Path,
        home: Path | None,
        embeddings: Embeddings,
        model: str,
        splitter: Splitter,
        how: HowToSearch = "auto",
        *,
        url: str | None = None,
    ) -> None:
        """Name the parts; nothing is opened yet.

        Args:
            docs: The folder or file.
            home: The folder that keeps indexes; None keeps it in memory.
            embeddings: What makes vectors of texts.
            model: Its name, for the record.
            splitter: What cuts the texts.
            how: Whether a search reads all vectors as they are, or in eight bits and the best exactly (`Settings.search`).
            url: A PostgreSQL database that keeps the index in place of a file; `home` then keeps what is derived of it.
        """
        self.docs = docs
        self._url = url
        self._schema = schema_for(docs, model) if url else ""
        if url:
            self.path = home / "indexes" / f"{self._schema}.sqlite" if home else None
        else:
            self.path = path_for(home, docs, model) if home else None
        self._embeddings = embeddings
        self._splitter = splitter
        self._how = how
        self._made_with = {
            "embeddings": model,
            "chunk_size": str(splitter.chunk_size),
            "chunk_overlap": str(splitter.chunk_overlap),
            "separator": splitter.separator or "",
        }
        self._database: Database | None = None
        self._arrays: Arrays | None = None
        self._vectors: dict[str, Matrix] = {}
        self._scale: Scale | None = _UNKNOWN
        self._seen: Listing | None = None
        self._lock = threading.RLock()
        self._forget()

    @property
    def name(self) -> str:
        """What was searched, in words."""
        with self._lock:
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
            self._forget()

    # --- bringing it up to date ----------------------------------------------------------------------------------------

    def update(
        self, *, rebuild: bool = False, progress: Progress = lambda done, total: None, ahead: Ahead | None = None
    ) -> IndexReport:
        """Bring the index up to date with the files.

        Unchanged ones cost a look at their size and time, or, with `rebuild`, at their bytes. What is embedded is kept at once:
        an update that is interrupted goes on where it was. Searches see the former state until it is finished. Where another
        process is at it, `rebuild=False` leaves it to that one.

        Args:
            rebuild: Compare files of unchanged size and time by their bytes, and make an index anew that is damaged or was made
                with other settings, instead of refusing it.
            progress: Called with the chunks done and to do.
            ahead: Embeds what it can of new and changed files first.

        Raises:
            DocumentsError: The docs root is missing, or holds no file that can be read.
            IndexFileError: The index is damaged or was made with other settings.
        """
        began = time.perf_counter()
        with self._lock:
            listing = list_sources(self.docs)
            with self._one_at_a_time(wait=rebuild) as free:
                if rebuild:
                    self._discard_if_unusable()
                database = self._opened(any_settings=rebuild)
                if free:
                    report = self._updated(database, listing, progress, needed=rebuild, ahead=ahead)
                    self._seen = listing
                else:
                    report = IndexReport(0, 0, unchanged=database.counts()[0])
            files, chunks = database.counts()
            if files == 0:
                raise DocumentsError(_nothing_to_read(self.docs, report.skipped))
            return IndexReport(
                **{
                    **report.to_dict(),
                    "files": files,
                    "chunks": chunks,
                    "told": database.left_unread(),
                    "seconds": time.perf_counter() - began,
                }
            )

    def stale(self) -> bool:
        """Whether files came, went, or changed in size or time since this object brought the index up to date.

        Raises:
            DocumentsError: The docs root is missing or cannot be opened.
        """
        return list_sources(self.docs) != self._seen

    def _updated(
        self, database: Database, listing: Listing, progress: Progress, *, needed: bool, ahead: Ahead | None
    ) -> IndexReport:
        """Do it. On a full disk, unless it is `needed`, the former state goes on answering, and that is told."""
        if self._arrays is None and self.path:
            self._arrays = Arrays.open(self._folder(self.path), database.version())
        try:
            all_anew = self._differs(database) is not None
            known = {} if all_anew else database.stamps(live=True)
            new = [source for source in listing.sources if known.get(source.file) != (source.size, source.mtime_ns)]
            before = ahead(database, new, self._splitter, self._made_with["embeddings"], progress) if ahead else 0
            run = Update(database, self._embeddings, self._splitter, self._made_with, progress)
            report = run.run(listing, all_anew=all_anew, by_content=needed and not all_anew, swapped=self._derive)
        except IndexFileError as error:
            if needed or not disk_is_full(error) or not database.counts()[0]:
                raise
            known = database.stamps(live=True)
            waiting = [source.file for source in listing.sources if known.get(source.file) != (source.size, source.mtime_ns)]
            tell_once(
                f"the disk is full, so {len(waiting)} new or changed files of {self.docs} are not in the index; what was "
                f"indexed before answers. Free some space, then type: rag-agent index {self.docs}"
            )
            return IndexReport(0, 0, unchanged=len(known), skipped=tuple((file, "the disk is full") for file in waiting))
        if self.path and self._arrays:
            prune(self._folder(self.path), self._arrays.stamp)
        return replace(report, embedded=report.embedded + before)

    @contextmanager
    def _one_at_a_time(self, *, wait: bool) -> Iterator[bool]:
        """Keep other processes from updating; gives false if another one is at it, and there is something to search already."""
        if self._url:
            with self._one_of_all_machines(wait=wait) as free:
                yield free
            return
        if self.path is None:
            yield True
            return
        try:
            private_folder(self.path.parent)
            file = os.fdopen(private_file(self.path.with_suffix(".lock"), os.O_RDWR), "w", encoding="ascii")
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be written ({error}); set home to a folder that can") from error
        with file:  # closing it, or the end of the process, lets go of the lock
            free = True
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                free = wait or self._opened().counts()[0] == 0
                if free:
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield free

    @contextmanager
    def _one_of_all_machines(self, *, wait: bool) -> Iterator[bool]:
        """The same over a database: the lock is the server's, and ends with the connection of who held it."""
        assert self._url
        locks = Locks(self._url)
        try:
            release = locks.acquire(f"index {self._schema}", wait=False)
            if release is None and (wait or self._opened().counts()[0] == 0):
                release = locks.acquire(f"index {self._schema}", wait=True)
            try:
                yield release is not None
            finally:
                if release:
                    release()
        finally:
            locks.close()

    def _derive(self) -> None:
        """Derive the arrays of the state that is about to be committed, so that no reader has to."""
        database = self._opened(any_settings=True)
        former = self._arrays
        self._forget()
        try:
            arrays = Arrays.derive(database, self._text, former)
        except RagAgentError:
            raise
        except Exception:  # the former arrays may be damaged: they are only mapped, not read whole
            arrays = self._derived(database)
        if self.path:
            arrays.save(self._folder(self.path))
            arrays = Arrays.open(self._folder(self.path), arrays.stamp) or arrays
        self._arrays = arrays
        self._codes(arrays)

    def _derived(self, database: Database) -> Arrays:
        """The arrays, out of the file alone.

        Raises:
            IndexFileError: A row is not what was written.
        """
        try:
            return Arrays.derive(database, self._text)
        except RagAgentError:
            raise
        except Exception as error:  # such rows fail in as many ways as there are columns
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> IndexFileError:
        said = str(error).partition("\n")[0]
        return IndexFileError(
            f"the index {self.path} is damaged ({type(error).__name__}: {said}); make it anew: rag-agent index {self.docs}"
        )

    def _discard_if_unusable(self) -> None:
        """An index holds nothing that the documents do not: one that cannot be read makes room for a new one."""
        try:
            database = self._opened(any_settings=True)
            database.check()
        except IndexFileError as error:
            if will_pass(error):
                raise
            if self._database:
                self._database.discard()
            elif self.path and not self._url:
                remove(self.path)
            self.close()

    # --- search --------------------------------------------------------------------------------------------------------

    def search(self, queries: Queries, k: int, within: Collection[str] = ()) -> list[Hit]:
        """The best k chunks for some weighted queries, best first; of these files alone, where any are named."""
        vectors = [self.vector(query) for query, _ in queries]
        scale = self.scale() or Scale()

        def found(arrays: Arrays) -> list[Hit]:
            if not len(arrays):
                return []
            codes = self._codes(arrays)
            similar = [Near(arrays.matrix, vector, codes, scale) for vector in vectors]
            rows = self._rows_of(arrays, within) if within else None
            return [self._hit(arrays, *found) for found in self._fused(queries, similar, arrays, k, rows)]

        return self._read(found)

    def outline(self, hit: Hit) -> tuple[int, Outline]:
        """The file that a hit lies in, with its structure; and where its text begins in the file: 0.

        Where the file has changed since the hit was found, it is the hit alone, and its start.
        """

        def found(_: Arrays) -> Outline | None:
            file_id = self._opened().file_id(hit.file)
            return (
                self._outlines.get(file_id, lambda number: outline(self._opened().read(number))) if file_id is not None else None
            )

        whole = self._read(found)
        if whole is not None and whole.reading.text[hit.start : hit.end] == hit.text:
            return 0, whole
        return hit.start, outline(plain_reading(hit.text))

    def vector(self, query: str) -> Matrix:
        """The vector of a query, (dimensions,), of length 1; the last few are remembered, so that a turn embeds each once."""
        found = self._vectors.get(query)
        if found is None:
            found = unit_rows(np.asarray([self._embeddings.embed_query(query)], dtype=np.float32))[0]
            if len(self._vectors) >= _REMEMBERED:
                self._vectors = {}
            self._vectors[query] = found
        return found

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
        with self._state():
            file_id = self._opened().file_id(file)
            if file_id is None:
                raise DocumentsError(
                    f"{file} is not in the index of {self.docs}; `rag-agent index {self.docs}` brings it up to date"
                )
            return self._text(file_id)

    def words(self) -> Analyser:
        """What cuts the documents' language into terms."""
        return self._read(lambda arrays: arrays.bm25.analyser)

    def idf(self, term: str) -> float:
        """How telling a term is among these documents."""
        return self._read(lambda arrays: arrays.bm25.idf(term))

    def _read(self, work: Callable[[Arrays], Found]) -> Found:
        """Do something with one state. Where its arrays turn out to be damaged, they are derived anew, once.

        Raises:
            IndexFileError: The file itself is damaged.
        """
        with self._lock:
            try:
                with self._state() as arrays:
                    return work(arrays)
            except Exception as error:  # the arrays are mapped, not read whole: damage shows where it is met
                if isinstance(error, RagAgentError) and (will_pass(error) or not isinstance(error, IndexFileError)):
                    raise
                self._arrays = None
            try:
                with self._state(derive=True) as arrays:
                    return work(arrays)
            except RagAgentError:
                raise
            except Exception as error:
                raise self._damaged(error) from error

    def knows(self, word: str) -> bool:
        """Whether any document, or the name of one, holds a word, or the number in it: "1700s" is known by "1700"."""

        def found(arrays: Arrays) -> bool:
            bm25 = arrays.bm25
            return any(map(bm25.frequency, bm25.analyser.terms(word)[:1] if "_" in word else bm25.analyser.terms(word)))

        return self._read(found)

    def scale(self) -> Scale | None:
        """What the cosines of the embeddings mean; None where they tell nothing. It is measured once, and kept with the index."""
        if getattr(self._embeddings, "rag_agent_name", "") == "embedded":  # the scale is its own
            return Scale()
        if self._scale is _UNKNOWN:
            with self._lock:
                database = self._opened()
                key = f"scale of {self._made_with['embeddings']}"
                if (kept := database.meta().get(key)) is None:
                    measured = scale_of(self._embeddings)
                    kept = json.dumps(measured and [measured.unrelated, measured.matching])
                    with suppress(IndexFileError), database.transaction():  # kept where that can be: it can be measured again
                        database.set_meta({key: kept})
                self._scale = _scale_in(kept)
        return self._scale

    def chunks(self) -> int:
        """How many chunks there are."""
        return self._read(len)

    def files(self) -> tuple[str, ...]:
        """The files there are, by name."""
        with self._state():
            return tuple(sorted(self._opened().names().values()))

    def outlines(self, files: Collection[str]) -> Iterator[tuple[str, Outline]]:
        """Whole files with their structure."""
        with self._state():
            for file in files:
                file_id = self._opened().file_id(file)
                if file_id is not None:
                    yield file, self._outlines.get(file_id, lambda number: outline(self._opened().read(number)))

    def central(self, files: Collection[str], k: int) -> list[Hit]:
        """The k chunks of some files (of all, where none are named) that say most of what these say, in reading order.

        They are those nearest to the mean of all, each next one as unlike the former ones as it is near (maximal marginal
        relevance, Carbonell and Goldstein 1998).
        """
        with self._state() as arrays:
            rows = self._rows_of(arrays, files or self._opened().names().values())
            if not len(rows):
                return []
            vectors = np.asarray(arrays.matrix[rows])
            near = vectors @ unit_rows(vectors.mean(axis=0, keepdims=True))[0]
            picked = sorted(most_varied(vectors, near, k, _RELEVANCE))
            return [self._hit(arrays, int(rows[at]), float(near[at]), float(near[at])) for at in picked]

    def openings(self, files: Sequence[str]) -> list[Hit]:
        """The first chunk of each of some files."""
        with self._state() as arrays:
            rows = [self._rows_of(arrays, [file]) for file in files]
            return [self._hit(arrays, int(found[0]), 1.0, 1.0) for found in rows if len(found)]

    def centre(self, files: Collection[str]) -> Matrix | None:
        """The mean vector of some files, or of all, (dimensions,), of length 1."""
        with self._state() as arrays:
            rows = self._rows_of(arrays, files or self._opened().names().values())
            return unit_rows(np.asarray(arrays.matrix[rows]).mean(axis=0, keepdims=True))[0] if len(rows) else None

    def mended(self, word: str, code: str) -> str | None:
        """What a word that no document holds is likely a slip of; None where it is none."""
        with self._state() as arrays:
            return mended(word, code, arrays.bm25, lambda rows: self._chunk_texts(arrays, rows))

    def nearest(self, name: str) -> str | None:
        """What of the documents is most like a name that does not occur in them; None where nothing is."""
        with self._state() as arrays:
            return nearest(name, arrays.bm25, lambda rows: self._chunk_texts(arrays, rows))

    @contextmanager
    def _state(self, *, derive: bool = False) -> Iterator[Arrays]:
        """One state of the index: its arrays, and a file that stays as they say until the end of the block.

        Args:
            derive: Derive the arrays, whatever is kept of them.
        """
        with self._lock, self._opened().reading():
            database = self._opened()
            version = database.version()
            if self._arrays is None or self._arrays.stamp != version:
                self._refuse(self._differs(database))  # another process may have made it anew
                self._forget()
                kept = self._folder(self.path) if self.path else None
                self._arrays = Arrays.open(kept, version) if kept and not derive else None
                if self._arrays is None:
                    self._arrays = self._derived(database)
                    if kept:
                        self._arrays.save(kept, anew=derive)
            yield self._arrays

    def _forget(self) -> None:
        """What was kept of files is of a former state."""
        self._texts: _Kept[str] = _Kept(_CACHED_CHARACTERS, len)
        self._outlines: _Kept[Outline] = _Kept(_CACHED_CHARACTERS, lambda found: len(found.reading.text))

    def _text(self, file_id: int) -> str:
        return self._texts.get(file_id, self._opened().text)

    def _codes(self, arrays: Arrays) -> Codes | None:
        """The vectors in eight bits, where a search goes over these."""
        if not wanted(self._how, arrays.matrix):
            return None
        if arrays.codes is None:
            beside = self._folder(self.path) / arrays.stamp if self.path else None
            arrays.codes = Codes.kept(arrays.matrix, beside)
        return arrays.codes

    def _fused(
        self, queries: Queries, similar: list[Near], arrays: Arrays, k: int, rows: Rows | None
    ) -> list[tuple[int, float, float]]:
        """Chunk, score and cosine to the main query; several queries are fused by reciprocal rank, 1 = first in each."""
        depth = k if len(queries) == 1 else max(k, _DEPTH)
        rankings = [self._ranked(query, near, arrays, depth, rows) for (query, _), near in zip(queries, similar, strict=True)]
        scores = dict(rankings[0])
        if len(rankings) > 1:
            scores = {}
            total = sum(weight for _, weight in queries)
            for ranking, (_, weight) in zip(rankings, queries, strict=True):
                for place, (index, _) in enumerate(ranking, start=1):
                    scores[index] = scores.get(index, 0.0) + weight / total * 61 / (60 + place)
        best = sorted(scores.items(), key=lambda item: -item[1])[:k]
        similar[0].settle(np.array([index for index, _ in best], np.intp))
        return [(index, score, float(similar[0].scores[index])) for index, score in best]

    def _ranked(self, query: str, near: Near, arrays: Arrays, k: int, rows: Rows | None = None) -> list[tuple[int, float]]:
        def texts(rows: Sequence[int]) -> list[str]:
            return self._chunk_texts(arrays, rows)

        bm25 = arrays.bm25
        literal = None
        for holders in bm25.phrase_rows(query, texts).values():
            literal = np.zeros(len(arrays), dtype=np.bool_) if literal is None else literal
            literal[holders] = True
        lexical = bm25.scores(query)
        near.settle_best(k, rows)
        near.settle_best(k, rows, by=lexical)  # what ranks high ranks high by either
        dense = near.scores
        if rows is not None:  # the rest is as if it were not there
            dense, lexical = dense[rows], lexical[rows]
            literal = literal[rows] if literal is not None else None
            found = rank(dense, lexical, arrays.articles[rows], lambda at: texts(rows[list(at)].tolist()), k=k, literal=literal)
            return [(int(rows[at]), score) for at, score in found]
        return rank(
            dense,
            lexical,
            arrays.articles,
            texts,
            k=k,
            article_lexical=bm25.article_scores(query, arrays.articles),
            literal=literal,
            ceiling=bm25.ceiling(query),
        )

    def _rows_of(self, arrays: Arrays, files: Collection[str]) -> Rows:
        ids = [number for number, name in self._opened().names().items() if name in files]
        return np.flatnonzero(np.isin(arrays.columns["files"], ids))

    def _chunk_texts(self, arrays: Arrays, rows: Sequence[int]) -> list[str]:
        return [self._text(file)[start:end] for file, _, start, end, _ in map(arrays.span, rows)]

    def _hit(self, arrays: Arrays, row: int, score: float, similarity: float) -> Hit:
        file_id, article, start, end, page = arrays.span(row)
        whole = self._text(file_id)
        if not 0 <= start <= end <= len(whole):
            raise ValueError(f"a chunk from {start} to {end} does not lie in its text")
        text = whole[start:end]
        return Hit(self._opened().file(file_id), article, start, end, text, float(score), page, similarity)

    # --- the file ------------------------------------------------------------------------------------------------------

    def _opened(self, *, any_settings: bool = False) -> Database:
        if self._database is None:
            database = database_at(self.path, rebuild=f"rag-agent index {self.docs}", url=self._url, schema=self._schema)
            try:
                if not any_settings:
                    self._refuse(self._differs(database))
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _differs(self, database: Database) -> str | None:
        """The first setting in which an index that holds something was made otherwise."""
        meta = database.meta()
        if "embeddings" not in meta:
            return None
        return next((key for key, wanted in self._made_with.items() if meta.get(key) != wanted), None)

    def _refuse(self, key: str | None) -> None:
        if key is not None:
            found, wanted = self._opened(any_settings=True).meta().get(key), self._made_with[key]
            raise IndexFileError(
                f"the index of {self.docs} was made with {key}={found!r}, and {key}={wanted!r} is asked for; "
                f"ask with the former, or make it anew with the latter: rag-agent index {self.docs}"
                + (f" --embeddings {wanted}" if key == "embeddings" else "")
            )

    @staticmethod
    def _folder(path: Path) -> Path:
        """The folder of the arrays."""
        return path.with_suffix(".arrays")


class _Kept(Generic[_T]):
    """Things made of files, by the file's ID: the last used ones, within a bound on their size together."""

    def __init__(self, most: int, size: Callable[[_T], int]) -> None:
        self._held: dict[int, _T] = {}
        self._most, self._size = most, size
        self._together = 0

    def get(self, file_id: int, make: Callable[[int], _T]) -> _T:
        found = self._held.pop(file_id, None)
        if found is None:
            found = make(file_id)
            self._together += self._size(found)
        self._held[file_id] = found  # at the end: the last used
        while self._together > self._most and len(self._held) > 1:
            self._together -= self._size(self._held.pop(next(iter(self._held))))
        return found


def index_path(home: Path, docs: Path) -> Path:
    """The file that keeps the index of a docs root: named after it, and told apart by its whole path."""
    root = str(docs.expanduser().absolute())
    name = re.sub(r"[^\w.-]+", "_", Path(root).name)[:40] or "root"
    return home / "indexes" / f"{name}-{hashlib.sha256(root.encode()).hexdigest()[:12]}.sqlite"


def schema_for(docs: Path, model: str) -> str:
    """The schema of a database that keeps the index of a docs root with one embedding model."""
    path = index_path(Path(), docs)
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.rpartition("-")[0].lower())[:24]
    return f"{CONVERSATIONS}_{name}_{path.stem.rpartition('-')[2]}_{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def path_for(home: Path, docs: Path, model: str) -> Path:
    """The file for one embedding model: that of the docs root, or, where another model has that, one beside it."""
    first = index_path(home, docs)
    made = _made_with(first)
    if made in (None, model):
        return first
    beside = first.with_suffix(f".{hashlib.sha256(model.encode()).hexdigest()[:8]}.sqlite")
    if not beside.exists():
        tell_once(f"the index of {docs} was made with embeddings {made}; one for {model} is made beside it, and it stays")
    return beside


def _made_with(path: Path) -> str | None:
    """The embedding model of an index file; None where there is none, or it cannot be told."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'embeddings'").fetchone()
    except sqlite3.Error:  # opening it says what is wrong
        return None
    return str(row[0]) if row else None


def left_unread(home: Path, docs: Path) -> tuple[tuple[str, str], ...]:
    """What was not read of the files in the index of a docs root, file and thing in words; nothing where there is no index.

    Raises:
        IndexFileError: The index is damaged.
    """
    path = index_path(home, docs)
    if not path.is_file():
        return ()
    database = Database(path, rebuild=f"rag-agent index {docs}")
    try:
        return database.left_unread()
    finally:
        database.close()


def size(home: Path, docs: Path) -> tuple[int, int]:
    """How many vectors the index of a docs root searches, and how many numbers each has; zeros where there is no index.

    Raises:
        IndexFileError: The index is damaged.
    """
    path = index_path(home, docs)
    if not path.is_file():
        return 0, 0
    database = Database(path, rebuild=f"rag-agent index {docs}")
    try:
        return database.counts()[1], len(next(database.vectors(), b"")) // 4
    finally:
        database.close()


def _nothing_to_read(docs: Path, skipped: Sequence[tuple[str, str]]) -> str:
    if not skipped:
        return f"{docs} holds no file that is read ({KINDS}); put documents there, or name another folder with --docs PATH"
    first = "; ".join(f"{file}: {reason}" for file, reason in skipped[:3])
    more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    return f"{docs} holds no file that can be read ({first}{more}); put documents there that can"


def _scale_in(kept: str) -> Scale | None:
    """A scale as it is kept."""
    try:
        found = json.loads(kept)
        return None if found is None else Scale(*map(float, found))
    except (TypeError, ValueError):
        return None
