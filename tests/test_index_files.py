"""What lies on the disk: one state at a time, whatever happens to the processes."""

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from rag_agent.answers import Hit
from rag_agent.documents import Splitter
from rag_agent.errors import IndexFileError
from rag_agent.index import Index, LibraryRetriever, VectorStoreLibrary
from rag_agent.index.derived import Arrays
from rag_agent.testing import CountEmbeddings

WORDS = ("moon", "water", "rock")


class Slow(CountEmbeddings):
    """Takes its time, so that there is something to interrupt."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        time.sleep(0.03)
        return super().embed_documents(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(40):
        (tmp_path / "files" / f"{number:02}.txt").write_text(f"Moon rock {number}.\n---\nWater {number}.", encoding="utf-8")
    return tmp_path / "files"


def index(folder: Path, *, model: str = "counts", embeddings: CountEmbeddings | None = None) -> Index:
    return Index(folder, folder.parent / "home", embeddings or CountEmbeddings(WORDS), model, Splitter())


def sets(found: Index) -> list[str]:
    assert found.path
    return sorted(path.name for path in found.path.with_suffix(".arrays").iterdir())


def content(found: Index) -> list[tuple[str, int, int, int, str]]:
    hits = found.search([("moon", 1.0)], 1000)
    return sorted((hit.file, hit.article, hit.start, hit.end, hit.text) for hit in hits)


# --- the arrays beside the file -----------------------------------------------------------------------------------------


def test_arrays_are_mapped_not_derived_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(folder).update()
    monkeypatch.setattr(Arrays, "derive", None)
    again = index(folder)
    assert len(content(again)) == 80
    assert again._arrays
    assert again._arrays.matrix.base is not None  # a view of the map
    assert len(sets(again)) == 1


def test_arrays_of_another_version_are_never_used(folder: Path) -> None:
    first = index(folder)
    first.update()
    before = content(first)
    other = index(folder)
    (folder / "new.txt").write_text("Moon moon.", encoding="utf-8")
    other.update()
    assert len(content(first)) == len(before) + 1  # the one that was open sees the change at its next search
    assert len(sets(first)) == 1
    assert first.path
    shutil.rmtree(first.path.with_suffix(".arrays"))
    assert content(index(folder)) == content(other)


@pytest.mark.parametrize("damage", ["truncate", "remove", "no json", "other layout", "empty folder"])
def test_damaged_arrays_are_derived_anew(folder: Path, damage: str) -> None:
    made = index(folder)
    made.update()
    wanted = content(made)
    made.close()
    assert made.path
    (place,) = made.path.with_suffix(".arrays").iterdir()
    match damage:
        case "truncate":
            os.truncate(place / "matrix.npy", 200)
        case "remove":
            (place / "bm25-rows.npy").unlink()
        case "no json":
            (place / "about.json").write_text("{", encoding="utf-8")
        case "other layout":
            about = place / "about.json"
            about.write_text(about.read_text(encoding="utf-8").replace('"layout": 1', '"layout": 0'), encoding="utf-8")
        case _:
            shutil.rmtree(place)
            place.mkdir()
    assert content(index(folder)) == wanted
    assert content(index(folder)) == wanted


def test_words_of_chunks_that_stayed_are_taken_over(folder: Path) -> None:
    made = index(folder)
    made.update()
    (folder / "03.txt").write_text("Rock and zirconium.", encoding="utf-8")
    (folder / "04.txt").unlink()
    made.update()
    anew = Index(folder, None, CountEmbeddings(WORDS), "counts", Splitter())
    anew.update()
    assert content(made) == content(anew)
    for word in ("zirconium", "moon", "4", "water"):
        assert made.idf(word) == pytest.approx(anew.idf(word))
    ranked = [[hit.text for hit in one.search([("zirconium rock", 1.0)], 1)] for one in (made, anew)]
    assert ranked[0] == ranked[1] == ["Rock and zirconium."]


# --- other settings -----------------------------------------------------------------------------------------------------


def test_the_index_of_another_model_is_made_beside_the_first_and_goes_on_where_it_was_broken_off(folder: Path) -> None:
    made = index(folder)
    made.update()
    wanted = content(made)
    embedded: list[str] = []

    class Breaking(CountEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if self.documents:
                raise KeyboardInterrupt  # after one batch
            embedded.extend(texts)
            return super().embed_documents(texts)

    broken = 0
    while True:
        other = index(folder, model="other", embeddings=Breaking(WORDS))
        try:
            other.update()
            break
        except KeyboardInterrupt:
            broken += 1
            other.close()
            assert content(index(folder)) == wanted  # the former one answers
    assert broken >= 1
    assert len(embedded) == len(set(embedded)) == 80
    assert content(index(folder, model="other")) == content(made) == wanted
    assert index(folder).path != index(folder, model="other").path


def test_an_index_of_an_older_format_is_refused_and_made_anew(folder: Path) -> None:
    made = index(folder)
    made.update()
    made.close()
    assert made.path
    with sqlite3.connect(made.path) as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'format'")
    connection.close()
    with pytest.raises(IndexFileError, match="format 1.*reads 3.*rag-agent index"):
        index(folder).search([("moon", 1.0)], 1)
    again = index(folder)
    again.update(rebuild=True)
    assert len(content(again)) == 80


# --- several at once ----------------------------------------------------------------------------------------------------


def test_an_update_that_another_process_is_at_is_left_to_it(folder: Path) -> None:
    index(folder).update()
    (folder / "new.txt").write_text("Moon.", encoding="utf-8")
    inside, go_on = threading.Event(), threading.Event()

    class Waiting(CountEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            inside.set()
            go_on.wait(20)
            return super().embed_documents(texts)

    busy = threading.Thread(target=index(folder, embeddings=Waiting(WORDS)).update)
    busy.start()
    assert inside.wait(20)
    report = index(folder).update()
    assert (report.added, report.files) == ((), 40)
    go_on.set()
    busy.join()
    assert index(folder).update(rebuild=True).files == 41


def test_a_hit_of_a_file_that_changed_is_its_own_surroundings(folder: Path) -> None:
    made = index(folder)
    made.update()
    (hit,) = made.search([("moon rock 7", 1.0)], 1)
    assert surroundings(made, hit) == (0, "Moon rock 7.\n---\nWater 7.")
    (folder / hit.file).write_text("Something else altogether.", encoding="utf-8")
    made.update()
    assert surroundings(made, hit) == (hit.start, hit.text)
    gone = Hit("none.txt", 0, 3, 7, "text", 1.0)
    assert surroundings(made, gone) == (3, "text")


def surroundings(made: Index, hit: Hit) -> tuple[int, str]:
    base, outline = made.outline(hit)
    return base, outline.reading.text


def updating(folder: Path) -> None:
    index(folder, embeddings=Slow(WORDS)).update(rebuild=True)


def test_a_process_that_is_killed_loses_nothing_that_it_kept(folder: Path) -> None:
    """Six random kills; scripts/soak makes a hundred."""
    calm = Index(folder, None, CountEmbeddings(WORDS), "counts", Splitter())
    calm.update()
    chance = random.Random(1)
    kept = 0
    context = multiprocessing.get_context("fork")
    for number in range(6):
        (folder / f"more{number}.txt").write_text("Water moon.\n---\n" * 50 + f"Moon {number}.", encoding="utf-8")
        process = context.Process(target=updating, args=(folder,))
        process.start()
        time.sleep(chance.uniform(0.01, 0.3))
        if process.pid:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        path = index(folder).path
        assert path
        if path.exists():
            with sqlite3.connect(path) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'vectors'").fetchone()[0]
                vectors = connection.execute("SELECT count(*) FROM vectors").fetchone()[0] if found else 0
            connection.close()
            assert vectors >= kept
            kept = vectors
    last = index(folder)
    last.update(rebuild=True)
    calm.update()
    assert content(last) == content(calm)
    assert len(sets(last)) == 1


# --- retrievers ---------------------------------------------------------------------------------------------------------


def test_a_retriever_takes_the_place_of_a_vector_store(folder: Path) -> None:
    made = index(folder)
    made.update()
    library = VectorStoreLibrary(LibraryRetriever(library=made, k=9))
    hits = library.search([("moon rock 7", 1.0)], 3)
    assert len(hits) == 3
    assert (hits[0].file, hits[0].text, hits[0].start, hits[0].end) == ("07.txt", "Moon rock 7.", 0, 12)
    assert library.name == "the retriever"
