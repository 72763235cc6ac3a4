"""Bringing an index up to date: read ahead in threads, embed what is new, keep it at once, put everything in place at last."""

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.answers import IndexReport
from rag_agent.documents import Chunk, Listing, Reader, Reading, Source, Splitter, Unreadable
from rag_agent.index.database import Database, embedded
from rag_agent.index.matrix import unit_rows

Progress = Callable[[int, int], None]
"""Told how many of how many chunks are embedded; the second number is an estimate until all files are read."""

_GROUP = 1024  # chunks sorted by length together, so that little is padding
_BATCH = 32  # chunks embedded, and kept, at a time at least; more where that takes less than a step
_MOST = 256
_STEP = 0.5  # seconds from one sign of progress to the next
_READERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class _Read:
    source: Source
    digest: bytes
    """SHA-256 of the file's bytes."""
    reading: Reading
    chunks: list[Chunk]

    @property
    def texts(self) -> list[str]:
        return [embedded(chunk, self.reading.text) for chunk in self.chunks]


class Update:
    """One run."""

    def __init__(
        self, database: Database, embeddings: Embeddings, splitter: Splitter, made_with: dict[str, str], progress: Progress
    ) -> None:
        self._database = database
        self._embeddings = embeddings
        self._splitter = splitter
        self._made_with = made_with
        self._model = made_with["embeddings"]
        self._progress = progress
        self._embedded = 0
        self._new = 0  # chunks that had or have to be embedded, of the bytes read so far
        self._bytes = 0

    def run(self, listing: Listing, *, all_anew: bool, by_content: bool, swapped: Callable[[], None]) -> IndexReport:
        """Do it.

        Args:
            listing: What the docs root holds.
            all_anew: Whether the files in the index count for nothing, since they were split or embedded otherwise.
            by_content: Whether files of unchanged size and time are told apart by their bytes, all of which are read.
            swapped: Called inside the transaction that puts the files in place, before it is committed.
        """
        database = self._database
        listed = {source.file: (source.size, source.mtime_ns) for source in listing.sources}
        known = database.stamps(live=True)
        current = {} if all_anew else known
        staged = self._still_good(listed, current)
        changed = {s.file for s in listing.sources if current.get(s.file) != listed[s.file]}
        if by_content:
            changed |= self._rewritten([s for s in listing.sources if s.file not in changed])
        wanted = [s for s in listing.sources if s.file in changed and s.file not in staged]
        touched, unreadable = self._stage(wanted, current)
        skipped = (*listing.skipped, *unreadable)
        gone = sorted(set(known) - set(listed) | {file for file, _ in skipped} & set(known))
        new = set(database.stamps(live=False))
        if touched or new or gone or all_anew:  # else nothing is written, and nobody waited for
            with database.transaction():
                database.touch(touched)
                if new or gone or all_anew:
                    database.swap(gone, self._made_with, all_anew=all_anew)
                    swapped()
        added = tuple(file for file in listed if file in new and file not in current)
        updated = tuple(file for file in listed if file in new and file in current)
        unchanged = len(listed) - len(new) - len(unreadable)
        return IndexReport(0, 0, added, updated, tuple(gone), unchanged, skipped, embedded=self._embedded)

    def _still_good(self, listed: dict[str, tuple[int, int]], current: dict[str, tuple[int, int]]) -> set[str]:
        """What an ingestion that broke off had read, as far as it is as it was; the rest is forgotten."""
        database, made_with = self._database, json.dumps(self._made_with, sort_keys=True)
        staged = database.stamps(live=False)
        same = database.meta().get("staged_with") == made_with
        good = {f for f, stamp in staged.items() if same and listed.get(f) == stamp and current.get(f) != stamp}
        if not same or len(good) < len(staged):
            with database.transaction():
                database.unstage(set(staged) - good)
                database.set_meta({"staged_with": made_with})
        return good

    def _rewritten(self, sources: Sequence[Source]) -> set[str]:
        """Those of some files whose bytes are others than were read."""
        known = self._database.bytes_sha256()
        with ThreadPoolExecutor(_READERS, "rag-agent-hash") as pool:
            digests = pool.map(_digest, sources)
            return {source.file for source, digest in zip(sources, digests, strict=True) if known.get(source.file) != digest}

    def _stage(
        self, wanted: Sequence[Source], current: dict[str, tuple[int, int]]
    ) -> tuple[list[tuple[Source, bytes]], list[tuple[str, str]]]:
        """Read, embed and stage files; hands back those whose text is as it was, and those that cannot be read."""
        touched: list[tuple[Source, bytes]] = []
        unreadable: list[tuple[str, str]] = []
        group: list[_Read] = []
        left = sum(source.size for source in wanted)
        for source, found in self._read_ahead(wanted):
            left -= source.size
            self._bytes += source.size
            if isinstance(found, Unreadable):
                unreadable.append((source.file, str(found)))
            elif source.file in current and self._database.sha256(source.file) == _sha256(found):
                touched.append((source, found.digest))
            elif not found.chunks:
                unreadable.append((source.file, "empty"))
            else:
                group.append(found)
                if sum(len(read.chunks) for read in group) >= _GROUP:
                    self._keep(group, left)
                    group = []
        self._keep(group, left)
        return touched, unreadable

    def _read_ahead(self, sources: Sequence[Source]) -> Iterator[tuple[Source, _Read | Unreadable]]:
        """Files in order, read while the ones before are embedded; a few at a time, so that memory stays bounded."""
        reader = Reader()
        pool = ThreadPoolExecutor(_READERS, "rag-agent-read")
        waiting: deque[tuple[Source, Future[_Read | Unreadable]]] = deque()
        try:
            for source in sources:
                waiting.append((source, pool.submit(self._read, reader, source)))
                if len(waiting) > 4 * _READERS:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            reader.close()
            pool.shutdown(cancel_futures=True)

    def _read(self, reader: Reader, source: Source) -> _Read | Unreadable:
        digest = _digest(source)  # before the text: a file that changes in between is told by it the next time
        try:
            reading = self._splitter.articles(reader.read(source.path))
            return _Read(source, digest, reading, list(self._splitter.chunks_of(reading)))
        except Unreadable as reason:
            return reason

    def _keep(self, group: Sequence[_Read], left: int) -> None:
        """Embed what is new in a group, keep it batch by batch, then stage the files. `left`: bytes still to be read."""
        database = self._database
        texts = sorted(database.missing((text for read in group for text in read.texts), self._model), key=len)
        self._new += len(texts)
        total = self._new + round(left * self._new / max(1, self._bytes))
        if texts:
            self._progress(self._embedded, total)
        size, done = _BATCH, 0
        while done < len(texts):
            began = time.perf_counter()
            batch = texts[done : done + size]
            vectors = unit_rows(np.asarray(self._embeddings.embed_documents(batch), dtype=np.float32))
            with database.transaction():
                database.add_vectors(batch, vectors, self._model)
            done += len(batch)
            self._embedded += len(batch)
            self._progress(self._embedded, total)
            took = time.perf_counter() - began
            size = min(_MOST, 2 * size) if took < _STEP / 2 else max(_BATCH, size // 2) if took > _STEP else size
        if group:
            with database.transaction():
                for read in group:
                    database.stage(read.source, read.digest, read.reading, read.chunks, self._model)


def _digest(source: Source) -> bytes:
    try:
        with source.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""  # what is wrong is told when it is read


def _sha256(read: _Read) -> bytes:
    return hashlib.sha256(read.reading.text.encode()).digest()
