"""Speed and memory of the index, beside what else there is, in one run on one machine.

    .venv/bin/python scripts/bench_index.py [search] [open] [ingest] [files] [--rows 1000 100000] [--data ../shared/eval]

search: milliseconds a query (the vector is given) over unit vectors of 384 numbers, median of at least 7: bare `M @ q`, ours,
FAISS IndexFlatIP, LangChain's InMemoryVectorStore (to 100,000); and the hybrid search of an index of 100,000 chunks beside its
dense part. open: an index of the last of --rows chunks: open and first search, resident memory. ingest: chunks a second over
`xquad/docs` + `haystack` (or --chunks of them) and the share that is not embedding, beside scripts/lesson.py. files: 10,000
unchanged files, then one changed.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from rag_agent.documents import Chunk, Source, Splitter
from rag_agent.documents.structures import plain_reading
from rag_agent.index import Index, MatrixVectorStore
from rag_agent.index.matrix import cosines, unit_rows

DIMENSIONS = 384
HERE = Path(__file__).parent


class Random(Embeddings):
    """A vector of its own for each text, at once."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Random vectors, the same for as many texts."""
        vectors: list[list[float]] = random_rows(len(texts)).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """A random vector."""
        vector: list[float] = random_rows(1)[0].tolist()
        return vector


def milliseconds(*calls: Callable[[], object]) -> list[float]:
    """The medians of 15 runs or a second of them, in turns: whatever else the machine does disturbs all calls alike."""
    taken: list[list[float]] = []
    for call in calls:
        call()
    while len(taken) < 15 or (sum(map(sum, taken)) < 1 and len(taken) < 300):
        taken.append([])
        for call in calls:
            began = time.perf_counter()
            call()
            taken[-1].append(time.perf_counter() - began)
    return [1000 * float(median) for median in np.median(taken, axis=0)]


def random_rows(count: int) -> np.ndarray:
    """Unit vectors, the same each time."""
    return unit_rows(np.random.default_rng(0).standard_normal((count, DIMENSIONS), dtype=np.float32))


def search(rows: Sequence[int]) -> None:
    """Compare searches."""
    from langchain_core.documents import Document
    from langchain_core.vectorstores import InMemoryVectorStore

    print("| rows | bare M @ q | ours | ours / bare | FAISS IndexFlatIP | InMemoryVectorStore |\n|---|---|---|---|---|---|")
    for count in rows:
        matrix, query = random_rows(count), random_rows(1)[0]
        ours = MatrixVectorStore(Random())
        ours.add_vectors([Document("x", id=str(n)) for n in range(count)], matrix)
        wanted = np.argsort(-(matrix @ query))[:4]
        found = [int(d.id or -1) for d in ours.similarity_search_by_vector(query.tolist())]
        assert found == wanted.tolist()
        bare, mine, faiss = milliseconds(
            partial(np.matmul, matrix, query),
            partial(ours.similarity_search_by_vector_with_score, query, 4),
            partial(faiss_index(matrix).search, query[None], 4),
        )
        other = "-"
        if count <= 100_000:
            store = InMemoryVectorStore(Random())
            for n in range(count):
                store.store[str(n)] = {"id": str(n), "vector": matrix[n].tolist(), "text": "x", "metadata": {}}
            other = f"{milliseconds(partial(store.similarity_search_by_vector, query.tolist(), 4))[0]:.1f}"
            del store
        print(f"| {count:,} | {bare:.3f} | {mine:.3f} | {mine / bare:.2f} | {faiss:.3f} | {other} |", flush=True)


def faiss_index(matrix: np.ndarray) -> Any:
    """FAISS's exact index of some vectors."""
    import faiss

    index = faiss.IndexFlatIP(matrix.shape[1])
    index.add(matrix)
    return index


def made_index(home: Path, count: int, words_a_chunk: int = 40) -> Index:
    """An index of random words in files of 100 chunks, with random vectors, as an ingestion would leave it."""
    index = Index(home / "docs", home, Random(), "random", Splitter())
    database = index._opened()
    chance = np.random.default_rng(1)
    words = np.array([f"{a}{b}{c}" for a in "bcdfgklm" for b in ("a", "e", "i", "on") for c in map(str, range(1500))])
    for first in range(0, count, 100):
        here = min(100, count - first)
        # Zipf's law, as words have it.
        drawn = words[np.minimum(chance.zipf(1.2, (here, words_a_chunk)), len(words)) - 1]
        texts = [" ".join(row) for row in drawn]
        chunks, start = [], 0
        for number, text in enumerate(texts):
            chunks.append(Chunk(number // 3, start, start + len(text)))
            start += len(text) + 1
        with database.transaction():
            database.add_vectors(texts, unit_rows(chance.standard_normal((here, DIMENSIONS), dtype=np.float32)), "random")
            database.stage(Source(f"{first}.txt", Path("x"), 1, 1), b"", plain_reading("\n".join(texts)), chunks, "random")
    with database.transaction():
        database.swap([], index._made_with, all_anew=False)
        index._derive()
    return index


def hybrid(count: int) -> None:
    """Compare hybrid search with its dense part."""
    with tempfile.TemporaryDirectory() as folder:
        index = made_index(Path(folder), count)
        arrays = index._arrays
        assert arrays
        query = "bon100 ca7 what is dea12 ki3"
        vector = np.asarray(Random().embed_query(query), np.float32)
        index._embeddings.embed_query = lambda text: vector.tolist()  # type: ignore[method-assign]
        dense, both = milliseconds(partial(cosines, arrays.matrix, vector), partial(index.search, [(query, 1.0)], 8))
        print(
            f"hybrid search of {count:,} chunks: {both:.1f} ms; its dense part {dense:.1f} ms; ratio {both / dense:.2f}",
            flush=True,
        )


_OPEN = """
import json, sys, time
sys.path.insert(0, {here!r})
from pathlib import Path
from bench_index import Random
from rag_agent.documents import Splitter
from rag_agent.index import Index
def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
before = kilobytes("RssAnon")
began = time.perf_counter()
index = Index(Path({home!r}) / "docs", Path({home!r}), Random(), "random", Splitter())
with index._state() as arrays:
    count = len(arrays)
opened = time.perf_counter() - began
hits = index.search([("bon100 ca7", 1.0)], 8)
first = time.perf_counter() - began
began = time.perf_counter()
index.search([("kon5 ga17", 1.0)], 8)
second = time.perf_counter() - began
print(json.dumps(dict(chunks=count, open_s=opened, open_and_first_search_s=first, next_search_s=second,
    own_bytes_a_chunk=(kilobytes('RssAnon') - before) * 1024 / count, mapped_bytes_a_chunk=kilobytes('RssFile') * 1024 / count)))
"""


def opening(count: int) -> None:
    """Open a large index in a new process."""
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        made_index(Path(home), count, words_a_chunk=20).close()
        print(f"an index of {count:,} chunks, made in {time.perf_counter() - began:.0f} s", flush=True)
        for _ in range(2):
            code = _OPEN.format(here=str(HERE), home=home)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
            print(done.stdout.strip() or done.stderr[-800:], flush=True)


def ingest(data: Path, chunks: int | None) -> None:
    """Compare ingestion with the lesson."""
    import lesson
    from langchain_core.vectorstores import InMemoryVectorStore

    from rag_agent.models import embeddings
    from rag_agent.models.embedded import EMBEDDINGS_NAME, place
    from rag_agent.settings import Settings

    with tempfile.TemporaryDirectory() as name:
        docs = Path(name, "docs")
        docs.mkdir()
        left = chunks or 10**9
        for file in sorted([*(data / "xquad" / "docs").glob("*.txt"), *(data / "haystack").glob("*.txt")]):
            if left > 0:
                (docs / file.name).write_bytes(file.read_bytes())
                left -= file.stat().st_size // 350
        settings = Settings.load()
        model = embeddings("embedded", settings=settings)
        model.embed_query("warm")
        spent = 0.0
        real = model.embed_documents

        def timed(texts: list[str]) -> list[list[float]]:
            nonlocal spent
            began = time.perf_counter()
            try:
                return real(texts)
            finally:
                spent += time.perf_counter() - began

        model.embed_documents = timed  # type: ignore[method-assign]
        index = Index(docs, Path(name, "home"), model, "embedded", Splitter())
        report = index.update()
        own = report.seconds - spent
        print(
            f"ours: {report.chunks} chunks in {report.seconds:.1f} s, {report.chunks / report.seconds:.1f} chunks/s; "
            f"beyond embedding {own:.2f} s, {100 * own / spent:.1f} %",
            flush=True,
        )
        model_folder = place(settings, EMBEDDINGS_NAME)
        assert model_folder  # else ours had not been there either
        other = lesson.embeddings(model_folder)
        other.embed_query("warm")
        began = time.perf_counter()
        documents = lesson.chunks(docs)
        InMemoryVectorStore.from_documents(documents, other)
        taken = time.perf_counter() - began
        ratio = (report.chunks / report.seconds) / (len(documents) / taken)
        print(f"lesson: {len(documents)} chunks in {taken:.1f} s, {len(documents) / taken:.1f} a second; ours {ratio:.2f} times")
        sample = [document.page_content for document in documents[:100]]
        cosine = (unit_rows(np.asarray(real(sample))) * unit_rows(np.asarray(other.embed_documents(sample)))).sum(1)
        print(f"least cosine of our vectors to the lesson's (float32), 100 chunks: {cosine.min():.5f}", flush=True)


def unchanged(count: int) -> None:
    """Index again what has not changed."""
    with tempfile.TemporaryDirectory() as name:
        docs = Path(name, "docs")
        docs.mkdir()
        chance = random.Random(0)
        for number in range(count):
            folder = docs / str(number % 100)
            folder.mkdir(exist_ok=True)
            words = [f"word{chance.randrange(5000)}" for _ in range(300)]
            (folder / f"{number}.txt").write_text(f"{number} {' '.join(words)}", encoding="utf-8")
        home = Path(name, "home")
        first = Index(docs, home, Random(), "random", Splitter()).update()
        index = Index(docs, home, Random(), "random", Splitter())
        again = index.update()
        checked = Index(docs, home, Random(), "random", Splitter()).update(rebuild=True)
        (docs / "7" / "7.txt").write_text((docs / "7" / "7.txt").read_text() + " further words", encoding="utf-8")
        changed = index.update()
        print(
            f"{count:,} files, {first.chunks:,} chunks: first {first.seconds:.1f} s; unchanged {again.seconds:.2f} s "
            f"(with the check of every page, as `rag-agent index` does: {checked.seconds:.2f} s); "
            f"one file of {first.chunks // count} chunks changed: {changed.embedded} embedded, {changed.seconds:.2f} s",
            flush=True,
        )


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["search", "open", "ingest", "files"])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--chunks", type=int, help="about how many chunks to ingest; left out, all")
    options = parser.parse_args()
    print(
        json.dumps(
            {"cores": os.cpu_count(), "load": os.getloadavg()[0], "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        )
    )
    if "search" in options.what:
        search(options.rows)
        hybrid(min(100_000, max(options.rows)))
    if "files" in options.what:
        unchanged(10_000)
    if "ingest" in options.what:
        if options.data.is_dir():
            ingest(options.data, options.chunks)
        else:
            print(f"ingest: skipped, there is no evaluation data at {options.data}")
    if "open" in options.what:
        opening(options.rows[-1])


if __name__ == "__main__":
    main()
