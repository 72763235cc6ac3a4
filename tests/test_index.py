import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from rag_agent import RagAgent, Settings
from rag_agent.errors import DocumentsError, IndexFileError, SettingsError
from rag_agent.index import VectorStoreLibrary
from rag_agent.index.background import PASSAGES
from rag_agent.testing import CountEmbeddings, ScriptedChat


def agent(docs: Path, words: Sequence[str], *, home: Path | str | None = None, **settings: object) -> RagAgent:
    made = Settings.load(**settings)
    return RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(words), home=home, settings=made)


def embedded(found: RagAgent) -> list[str]:
    """What was embedded as a document since the agent was made."""
    embeddings = found._given_embeddings
    assert isinstance(embeddings, CountEmbeddings)
    return [text for text in embeddings.documents if text not in PASSAGES]  # which measure the model itself


def index_file(home: Path | None = None) -> Path:
    (found,) = ((home or Path.home() / ".rag-agent") / "indexes").glob("*.sqlite")
    return found


def tree(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


# --- search -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("kept")
def test_a_search_finds_the_passage_and_its_place(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        hits = asked.search("Who stayed in orbit?")
        assert hits[0].file == "moon.txt"
        assert hits[0].article == 0
        assert "Michael Collins stayed in orbit" in hits[0].text
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        for hit in hits:
            assert asked.read(hit.file)[hit.start : hit.end] == hit.text
        assert asked.search("How much water?")[0].article == 1


def test_a_search_gives_as_many_as_were_asked_for(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words, k=2) as asked:
        assert len(asked.search("Moon")) == 2
        assert len(asked.search("Moon", k=1)) == 1
        assert len(asked.search("Moon", k=50)) == 3


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(docs: Path, words: Sequence[str], query: str) -> None:
    with agent(docs, words) as asked, pytest.raises(SettingsError, match="empty"):
        asked.search(query)


@pytest.mark.usefixtures("kept")
def test_spans_hold_in_every_encoding(tmp_path: Path, words: Sequence[str]) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    text = "Men on the Moon\r\n---\r\nÉtat de l’eau: water\r\n---\r\n月の石 😀 collins in orbit\r\n"
    for name, encoding in (("a", "utf-8"), ("b", "utf-8-sig"), ("c", "utf-16"), ("d", "utf-32")):
        (folder / f"{name}.txt").write_bytes(text.encode(encoding))
    with agent(folder, words) as asked:
        hits = asked.search("collins in orbit", k=100)
        assert len(hits) == 12
        for hit in hits:
            raw = asked.read(hit.file)
            assert raw[hit.start : hit.end] == hit.text
            assert raw.removeprefix("\ufeff") == text
            assert hit.text == hit.text.strip()
        assert {hit.text for hit in hits} == {"Men on the Moon", "État de l’eau: water", "月の石 😀 collins in orbit"}


def test_reading_a_file_that_is_not_indexed_is_told(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked, pytest.raises(DocumentsError, match="../secret.txt"):
        asked.read("../secret.txt")


# --- bringing it up to date ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("kept")
def test_a_report_says_what_was_done(docs: Path, words: Sequence[str]) -> None:
    (docs / "photo.heic").write_text("x", encoding="utf-8")
    (docs / "empty.txt").write_text(" \n---\n", encoding="utf-8")
    (docs / "image.txt").write_bytes(b"\x89PNG\0\0\0")
    with agent(docs, words) as asked:
        report = asked.index()
    assert (report.files, report.chunks, report.embedded, report.unchanged) == (2, 3, 3, 0)
    assert (report.added, report.updated, report.removed) == (("crew.md", "moon.txt"), (), ())
    assert dict(report.skipped) == {
        "photo.heic": "not a kind of file that is read", "empty.txt": "empty", "image.txt": "binary, not text",
    }  # fmt: skip


@pytest.mark.usefixtures("kept")
def test_an_unchanged_folder_is_not_embedded_twice(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as first:
        first.index()
        assert len(embedded(first)) == 3
        first.index()
        assert len(embedded(first)) == 3
    with agent(docs, words) as second:
        hits = second.search("Moon")
        assert hits
        assert embedded(second) == []
        report = second.index()
    assert (report.unchanged, report.added, report.embedded) == (2, (), 0)


@pytest.mark.usefixtures("kept")
def test_only_what_changed_is_embedded_again(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
    text = (docs / "moon.txt").read_text(encoding="utf-8")
    (docs / "moon.txt").write_text(text.replace("8,000 tons of water", "9,000 tons of water"), encoding="utf-8")
    with agent(docs, words) as asked:
        report = asked.index()
        assert report.updated == ("moon.txt",)
        assert len(embedded(asked)) == 1
        assert "9,000" in embedded(asked)[0]
        assert "9,000" in asked.search("water")[0].text
        assert "8,000" not in "".join(hit.text for hit in asked.search("8,000 tons of water", k=10))


@pytest.mark.usefixtures("kept")
def test_a_change_that_keeps_size_and_content_costs_nothing(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
        os.utime(docs / "moon.txt", ns=(1, 1))
        report = asked.index()
        assert (report.updated, report.unchanged, len(embedded(asked))) == ((), 2, 3)


@pytest.mark.usefixtures("kept")
def test_a_change_is_seen_by_an_agent_that_has_searched_before(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.search("Moon")
        (docs / "new.txt").write_text("Armstrong brought back rocks from the Moon.", encoding="utf-8")
        assert asked.index().added == ("new.txt",)
        assert "new.txt" in {hit.file for hit in asked.search("Moon", k=10)}


@pytest.mark.usefixtures("kept")
def test_a_removed_file_is_forgotten(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
        (docs / "crew.md").unlink()
        report = asked.index()
        assert (report.removed, report.files, report.chunks) == (("crew.md",), 1, 2)
        assert {hit.file for hit in asked.search("born in Rome", k=10)} == {"moon.txt"}
        with pytest.raises(DocumentsError):
            asked.read("crew.md")


@pytest.mark.usefixtures("kept")
def test_a_file_that_became_unreadable_is_forgotten_and_named(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
        (docs / "crew.md").write_bytes(b"\0\0\0")
        report = asked.index()
        assert (report.removed, report.skipped) == (("crew.md",), (("crew.md", "binary, not text"),))


@pytest.mark.usefixtures("kept")
def test_a_moved_file_is_not_embedded_again(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
    (docs / "sub").mkdir()
    (docs / "crew.md").rename(docs / "sub" / "crew.md")
    with agent(docs, words) as asked:
        report = asked.index()
        assert (report.added, report.removed) == (("sub/crew.md",), ("crew.md",))
        assert embedded(asked) == []
        assert asked.search("born in Rome")[0].file == "sub/crew.md"


@pytest.mark.usefixtures("kept")
def test_a_text_that_stands_twice_is_embedded_once(docs: Path, words: Sequence[str]) -> None:
    (docs / "copy.txt").write_text((docs / "crew.md").read_text(encoding="utf-8"), encoding="utf-8")
    with agent(docs, words) as asked:
        assert asked.index().embedded == 3
        assert asked.index().chunks == 4


def test_progress_counts_the_chunks_to_embed(docs: Path, words: Sequence[str]) -> None:
    seen: list[tuple[int, int]] = []
    with agent(docs, words) as asked:
        asked.index(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (3, 3)]


@pytest.mark.usefixtures("kept")
def test_an_ingestion_that_breaks_off_goes_on_where_it_was(tmp_path: Path, words: Sequence[str]) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.txt").write_text(f"Moon rock number {number}.", encoding="utf-8")

    class Failing(CountEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if self.documents:
                raise KeyboardInterrupt
            return super().embed_documents(texts)

    with RagAgent(folder, model=ScriptedChat([]), embeddings=Failing(words)) as asked, pytest.raises(KeyboardInterrupt):
        asked.index()
    with agent(folder, words) as asked:
        report = asked.index()
        assert (report.files, report.chunks) == (300, 300)
        assert 0 < len(embedded(asked)) < 300


# --- what it refuses ----------------------------------------------------------------------------------------------------


def test_another_embedding_model_has_an_index_of_its_own_and_a_line_says_why(
    docs: Path, words: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    with agent(docs, words) as asked:
        asked.index()
        with agent(docs, "ae") as other:
            assert other.search("Moon")
            assert other.index().embedded == 0
        assert asked.index().embedded == 0
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert f"counts of {' '.join(words)}" in told[0]
    assert "counts of a e" in told[0]


@pytest.mark.usefixtures("kept")
def test_an_index_of_other_chunks_is_refused_with_both_sizes(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
    with agent(docs, words, chunk_size=100) as other, pytest.raises(IndexFileError, match="'500'.*'100'.*rag-agent index"):
        other.search("Moon")


def damage_head(path: Path) -> None:
    path.write_bytes(b"this is no database, and never was one " * 40)


def damage_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xaa" * (len(data) - 8192)  # the pages behind the schema
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("damage", [damage_head, damage_middle, truncate])
def test_a_damaged_file_is_named_with_the_command_that_heals_it(docs: Path, words: Sequence[str], damage: object) -> None:
    with agent(docs, words) as asked:
        asked.index()
    assert callable(damage)
    damage(index_file())
    with agent(docs, words) as asked:
        with pytest.raises(IndexFileError) as caught:
            asked.search("Moon")
        assert str(index_file()) in str(caught.value)
        assert f"rag-agent index {docs}" in str(caught.value)
        assert "\n" not in str(caught.value)
        report = asked.index()
        assert (report.files, report.chunks) == (2, 3)
        assert asked.search("Moon")[0].file == "moon.txt"


def test_an_index_that_another_process_holds_is_not_thrown_away(docs: Path, words: Sequence[str]) -> None:
    with agent(docs, words) as asked:
        asked.index()
    before = index_file().stat().st_ino
    holder = sqlite3.connect(index_file(), isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with agent(docs, words) as asked:
            assert asked.search("Moon")  # readers do not wait for writers
    finally:
        holder.close()
    assert index_file().stat().st_ino == before


def test_no_folder_and_an_empty_folder_are_told(tmp_path: Path, words: Sequence[str]) -> None:
    with agent(tmp_path / "nothing", words) as asked, pytest.raises(DocumentsError, match="no such folder"):
        asked.index()
    (tmp_path / "empty").mkdir()
    with (
        agent(tmp_path / "empty", words) as asked,
        pytest.raises(DocumentsError, match="holds no file that is read .*; put documents"),
    ):
        asked.index()
    (tmp_path / "empty" / "image.txt").write_bytes(b"\0\0")
    with agent(tmp_path / "empty", words) as asked, pytest.raises(DocumentsError, match="image.txt: binary"):
        asked.index()


# --- where it is kept ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_home_in_memory_writes_nothing(
    tmp_path: Path, docs: Path, words: Sequence[str], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "variable":
        monkeypatch.setenv("RAG_AGENT_HOME", ":memory:")
    before = tree(tmp_path)
    model = ScriptedChat(lambda messages: "Neil Armstrong and Edwin Aldrin landed on the Moon.")
    home = ":memory:" if how == "argument" else None
    with RagAgent(docs, model=model, embeddings=CountEmbeddings(words), home=home) as asked:
        assert asked.search("Moon")
        assert asked.ask("Who landed on the Moon?", thread_id="t").text
        assert [thread.thread_id for thread in asked.threads.list()] == ["t"]
    assert tree(tmp_path) == before


def test_two_roots_have_two_indexes_and_each_its_own(tmp_path: Path, docs: Path, words: Sequence[str]) -> None:
    other = tmp_path / "other" / "docs"
    other.mkdir(parents=True)
    (other / "x.txt").write_text("Water is wet.", encoding="utf-8")
    for folder in (docs, other):
        with agent(folder, words) as asked:
            asked.index()
    with agent(docs, words) as asked:
        assert {hit.file for hit in asked.search("water", k=10)} == {"moon.txt", "crew.md"}
    assert len(list((Path.home() / ".rag-agent" / "indexes").glob("*.sqlite"))) == 2


def test_a_relative_and_an_absolute_path_share_an_index(
    docs: Path, words: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with agent(docs, words) as asked:
        asked.index()
    monkeypatch.chdir(docs.parent)
    with agent(Path("docs"), words) as asked:
        assert asked.index().embedded == 0


def test_a_single_file_is_indexed_alone(docs: Path, words: Sequence[str]) -> None:
    with agent(docs / "crew.md", words) as asked:
        assert asked.index().added == ("crew.md",)
        assert {hit.file for hit in asked.search("Moon", k=10)} == {"crew.md"}


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, docs: Path, words: Sequence[str]) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with agent(docs, words, home=tmp_path / "file" / "home") as asked:
        with pytest.raises(SettingsError, match="cannot be written.*set home"):
            asked.search("Moon")
        with pytest.raises(SettingsError, match="cannot be written.*set home"):
            asked.index()


# --- other people's stores ----------------------------------------------------------------------------------------------


def test_spans_of_a_vector_store_come_from_its_metadata(words: Sequence[str]) -> None:
    store = InMemoryVectorStore(CountEmbeddings(words))
    store.add_documents([
        Document("Collins stayed in orbit.", metadata={"source": "a.txt", "start_index": 7, "page": 3}),
        Document("Water.", metadata={"file": "b.txt", "article": 2, "start": 5}),
        Document("Armstrong was born in Ohio."),
    ])  # fmt: skip
    library = VectorStoreLibrary(store)
    (first,) = library.search([("collins in orbit", 1.0)], 1)
    assert (first.file, first.article, first.start, first.end, first.page) == ("a.txt", 0, 7, 31, 3)
    (second,) = library.search([("water", 1.0)], 1)
    assert (second.file, second.article, second.start, second.end) == ("b.txt", 2, 5, 11)
    (third,) = library.search([("armstrong born", 1.0)], 1)
    assert (third.start, third.end) == (0, 27)
    assert third.file


@pytest.mark.usefixtures("kept")
def test_several_queries_are_fused(words: Sequence[str]) -> None:
    store = InMemoryVectorStore(CountEmbeddings(words))
    store.add_texts(["collins", "water"])
    found = VectorStoreLibrary(store).search([("water", 1.0), ("collins", 0.5)], 2)
    assert [hit.text for hit in found] == ["water", "collins"]
    assert found[0].score > found[1].score
