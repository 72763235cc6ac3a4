"""Hours of bad luck for the index: kills, readers beside a writer, damaged files. `scripts/soak index` runs it.

    .venv/bin/python scripts/soak_index.py [kills] [readers] [fuzz]   [--kills 100] [--seconds 60] [--inputs 10000]

kills: a process that updates an index of 200 files, or makes it anew, is killed at a random moment, a hundred times; the file
is whole each time, no vector of a text that is still there is lost, and the finished index equals one that nobody disturbed.
readers: four processes search while one changes all files and updates in a loop; every search sees one state. fuzz: random
damage to a file of every format; each is read or skipped with a reason, within 20 seconds.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rag_agent.documents import Reader, Splitter, Unreadable
from rag_agent.documents.formats import FORMATS
from rag_agent.index import Index
from rag_agent.testing import CountEmbeddings

FILES = 200
FORK = multiprocessing.get_context("fork")


class Slow(CountEmbeddings):
    """Takes a moment a batch, so that there is something to interrupt."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors, after 10 ms."""
        time.sleep(0.01)
        return super().embed_documents(texts)


def made(folder: Path, home: Path | None, model: str = "counts") -> Index:
    """The index of the folder's `docs`."""
    return Index(folder / "docs", home, Slow(["moon", "water", "rock"]), model, Splitter())


def write(folder: Path, state: int) -> None:
    """Every file says which state it is of."""
    for number in range(FILES):
        (folder / "docs").mkdir(exist_ok=True)
        text = "\n---\n".join(f"moon rock {number} part {part} state {state}" for part in range(10))
        (folder / "docs" / f"{number:03}.txt").write_text(text, encoding="utf-8")


def content(index: Index) -> list[tuple[Any, ...]]:
    """Everything that the index holds, with its vectors, whatever its order."""
    with index._state() as arrays:
        rows = [(*arrays.span(row)[1:], arrays.matrix[row].tobytes(), arrays.span(row)[0]) for row in range(len(arrays))]
        return sorted((index._opened().file(row[-1]), index._text(row[-1])[row[1] : row[2]], *row[:-1]) for row in rows)


def vectors(path: Path) -> set[bytes]:
    """The hashes of the vectors that the file keeps; it must be whole."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors'").fetchone()
        return {row[0] for row in connection.execute("SELECT hash FROM vectors")} if there else set()
    finally:
        connection.close()


def undisturbed(folder: Path, model: str) -> Index:
    """An index of the documents as they are that nobody kills."""
    calm = made(folder, folder / "calm", model)
    calm.update(rebuild=True)
    return calm


def updating(folder: Path, home: Path, model: str) -> None:
    """What is killed."""
    made(folder, home, model).update(rebuild=True)


def kills(count: int) -> None:
    """Kill updates and rebuilds."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name), Path(name, "home")
        finished = during_swap = state = 0
        kept: set[bytes] = set()
        model = "counts"
        write(folder, state)
        began = time.perf_counter()
        calm = undisturbed(folder, model)
        calm_seconds = time.perf_counter() - began
        number = 0
        while number - finished < count:
            number += 1
            path = made(folder, home).path
            assert path
            process = FORK.Process(target=updating, args=(folder, home, model))
            process.start()
            if number % 2:
                # Wait for the arrays that are written inside the swap, then a random moment more.
                until = time.time() + 5
                while time.time() < until and process.is_alive() and not any(path.with_suffix(".arrays").glob("new-*")):
                    time.sleep(0.0005)
                time.sleep(chance.uniform(0, 0.02))
            else:
                time.sleep(chance.uniform(0, 2 * calm_seconds))
            if process.pid and process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
            process.join()
            finished += process.exitcode == 0
            during_swap += process.exitcode != 0 and number % 2
            if path.exists():
                now = vectors(path)
                assert calm.path and kept & vectors(calm.path) <= now, "a stored chunk that is still wanted is gone"
                kept = now
            if process.exitcode == 0:  # else the next one goes on with what this one had to do
                state += 1
                write(folder, state)
                model = chance.choice(["counts", "other"])
                calm = undisturbed(folder, model)
        last = made(folder, home, model)
        last.update(rebuild=True)
        assert content(last) == content(calm)
        print(
            f"kills: {count}, {during_swap} of them about the swap, beside {finished} updates that finished; "
            "every file whole, nothing lost"
        )


def searching(folder: Path, home: Path, until: float, told: Any) -> None:
    """Search until the time is over; every hit of a search must be of one state."""
    searches, states = 0, set()
    index = made(folder, home)
    while time.time() < until:
        hits = index.search([("moon rock 7", 1.0)], 50)
        seen = {hit.text.rpartition(" ")[2] for hit in hits}
        if len(seen) != 1 or len(hits) != 50:
            told.put(f"mixed: {seen}, {len(hits)} hits")
            return
        states |= seen
        searches += 1
    told.put((searches, len(states)))


def readers(seconds: float) -> None:
    """Four readers beside one writer."""
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name), Path(name, "home")
        write(folder, 0)
        made(folder, home).update()
        told: Any = FORK.Queue()
        until = time.time() + seconds
        processes = [FORK.Process(target=searching, args=(folder, home, until, told)) for _ in range(4)]
        for process in processes:
            process.start()
        state = 0
        while time.time() < until:
            state += 1
            write(folder, state)
            made(folder, home).update(rebuild=True)
        found = [told.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
            assert process.exitcode == 0
        assert all(isinstance(one, tuple) for one in found), found
        print(f"readers: {state} updates; searches and states seen by each reader: {found}; no error, no mixed result")


def fuzz(inputs: int) -> None:
    """Random damage to files of every format."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from test_formats import MAKERS, mutated  # type: ignore[import-not-found]  # on the path above

    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name, Reader(seconds=20) as reader:
        read = skipped = 0
        slowest = (0.0, "")
        for suffix in (*FORMATS, ".txt"):
            path = Path(name, f"file{suffix}")
            MAKERS.get({".htm": ".html", ".txt": ".csv"}.get(suffix, suffix), MAKERS[".csv"])(path)
            seed = path.read_bytes()
            for number in range(inputs // (len(FORMATS) + 1) + 1):
                path.write_bytes(mutated(seed, chance))
                began = time.perf_counter()
                try:
                    reader.read(path).text.encode()
                    read += 1
                except Unreadable as reason:
                    assert "longer than" not in str(reason), (suffix, number)
                    skipped += 1
                slowest = max(slowest, (time.perf_counter() - began, suffix))
        print(f"fuzz: {read + skipped:,} inputs, {read:,} read, {skipped:,} skipped with a reason; slowest {slowest}")


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["kills", "readers", "fuzz"])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--inputs", type=int, default=10_000)
    options = parser.parse_args()
    if "kills" in options.what:
        kills(options.kills)
    if "readers" in options.what:
        readers(options.seconds)
    if "fuzz" in options.what:
        fuzz(options.inputs)


if __name__ == "__main__":
    main()
