"""Documents that change are seen: by an open agent, by a full index, by `index --watch`; and what is not read is told."""

import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.answers import IndexReport
from rag_agent.errors import DocumentsError, RagAgentError
from rag_agent.testing import CountEmbeddings, ScriptedChat

# --- an open agent ------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("rag_agent.agent.time", made)
    return made


@pytest.fixture
def agent(docs: Path, words: Sequence[str], clock: Clock) -> Iterator[RagAgent]:
    settings = Settings.load(home=":memory:", answer="quote")
    with RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(words), settings=settings) as made:
        made.search("Moon")
        yield made


def files(agent: RagAgent) -> set[str]:
    return {hit.file for hit in agent.search("Moon", k=50)}


@pytest.mark.usefixtures("kept")
def test_new_changed_and_deleted_files_are_seen_a_second_later(agent: RagAgent, docs: Path, clock: Clock) -> None:
    clock.now += 1
    (docs / "new.txt").write_text("A new moon rises.", encoding="utf-8")
    assert "new.txt" in files(agent)
    clock.now += 1
    (docs / "new.txt").write_text("A newer moon rises at nine.", encoding="utf-8")
    assert "at nine" in agent.read("new.txt")
    clock.now += 1
    (docs / "new.txt").unlink()
    assert "new.txt" not in files(agent)


def test_within_a_second_nobody_looks(agent: RagAgent, docs: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.now += 1
    files(agent)
    looks: list[Path] = []
    monkeypatch.setattr("rag_agent.index.index.list_sources", lambda path: looks.append(path))
    (docs / "new.txt").write_text("A new moon rises.", encoding="utf-8")
    clock.now += 0.9
    assert "new.txt" not in files(agent) and looks == []


def test_a_look_at_unchanged_files_reads_embeds_and_writes_nothing(
    agent: RagAgent, docs: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "broken.pdf").write_bytes(b"no PDF")
    clock.now += 1
    files(agent)
    monkeypatch.setattr("rag_agent.index.index.Update", None)
    clock.now += 1
    assert files(agent)


def test_every_way_of_asking_looks(agent: RagAgent, docs: Path, clock: Clock) -> None:
    ways: list[Callable[[str], object]] = [agent.ask, agent.explain, agent.search]
    for number, ask in enumerate(ways):
        clock.now += 1
        (docs / f"{number}.txt").write_text(f"Moon number {number}.", encoding="utf-8")
        ask("Which moon?")
        assert f"{number}.txt" in files(agent)


def test_a_folder_that_is_gone_is_told_in_one_line(agent: RagAgent, docs: Path, clock: Clock) -> None:
    docs.rename(docs.parent / "elsewhere")
    clock.now += 1
    with pytest.raises(DocumentsError, match="no such folder or file") as told:
        agent.ask("Who landed on the Moon?")
    assert "\n" not in str(told.value)
    (docs.parent / "elsewhere").rename(docs)
    assert "Neil Armstrong" in agent.ask("Who landed on the Moon?").text


# --- a full index -------------------------------------------------------------------------------------------------------


def rewrite(path: Path, text: str) -> None:
    """Another text of the same size, at the same time as before."""
    stat = path.stat()
    assert len(text.encode()) == stat.st_size
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.usefixtures("kept")
def test_a_full_index_sees_a_file_of_the_same_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The Moon is grey.", encoding="utf-8")
    with RagAgent(path, model=ScriptedChat([]), embeddings=CountEmbeddings(["moon"]), home=":memory:") as agent:
        agent.index()
        rewrite(path, "The Moon is blue.")
        assert agent.index(rebuild=False).updated == (), "a look does not see it"
        report = agent.index()
        assert report.updated == ("a.txt",) and agent.read("a.txt") == "The Moon is blue."
        again = agent.index()
        assert (again.updated, again.unchanged, again.embedded) == ((), 1, 0)


@pytest.mark.usefixtures("kept")
def test_other_bytes_of_the_same_text_are_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The Moon is grey – all of it.", encoding="utf-8")
    with RagAgent(path, model=ScriptedChat([]), embeddings=CountEmbeddings(["moon"]), home=":memory:") as agent:
        agent.index()
        os.utime(path, ns=(1, 1))
        for _ in range(2):
            report = agent.index()
            assert (report.updated, report.unchanged, report.embedded) == ((), 1, 0)


# --- progress -----------------------------------------------------------------------------------------------------------


class Timed(CountEmbeddings):
    """Says how many texts each call brings; a call takes as long as it is told."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__(["moon"])
        self._clock, self._seconds = clock, seconds
        self.calls: list[int] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._clock.now += self._seconds * len(texts)
        self.calls.append(len(texts))
        return super().embed_documents(texts)


@pytest.mark.parametrize(("seconds", "calls"), [(0.1, [32] * 10), (0.0001, [32, 64, 128, 96])])
def test_progress_comes_in_small_steps_where_embedding_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, calls: list[int]
) -> None:
    clock = Clock()
    clock.perf_counter = clock.monotonic  # type: ignore[attr-defined]
    monkeypatch.setattr("rag_agent.index.update.time", clock)
    (tmp_path / "a.txt").write_text("\n---\n".join(f"Moon number {n}." for n in range(320)), encoding="utf-8")
    embeddings, told = Timed(clock, seconds), list[tuple[int, int]]()
    with RagAgent(tmp_path / "a.txt", model=ScriptedChat([]), embeddings=embeddings, home=":memory:") as agent:
        agent.index(progress=lambda done, total: told.append((done, total)))
    assert embeddings.calls == calls
    assert [done for done, _ in told] == [sum(calls[:n]) for n in range(len(calls) + 1)]
    assert told[-1] == (320, 320)


def test_the_bar_tells_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from rag_agent import console

    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    with console.progress_bar("Indexing docs") as bar:
        for done in (0, 10, 20, 30):
            bar(done, 100)
            time.sleep(0.02)
        time.sleep(0.3)
    text = shown.getvalue()
    assert "Indexing docs" in text and "30/100" in text and "/s" in text and "0:00:0" in text


# --- what is not read ---------------------------------------------------------------------------------------------------


@pytest.fixture
def partly(tmp_path: Path) -> Path:
    """A page with a part that is not read, and a file that is none."""
    folder = tmp_path / "partly"
    folder.mkdir()
    (folder / "page.html").write_text(
        "<html><body><p>The Moon is grey.</p><p hidden>Not this.</p></body></html>", encoding="utf-8"
    )
    (folder / "empty.txt").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's models are doubles."""
    monkeypatch.setattr("rag_agent.agent.chat_model", lambda name, **_: ScriptedChat([], rag_agent_name=name))
    monkeypatch.setattr("rag_agent.agent.embedding_model", lambda name, **_: CountEmbeddings(["moon"]))


@pytest.mark.usefixtures("doubles")
class TestToldByTheCommands:
    def test_index_tells_what_was_not_read(self, run: Callable[..., Any], partly: Path) -> None:
        done = run("index", partly)
        assert "skipped empty.txt: empty" in done.err
        assert "not read in page.html: " in done.err
        values = json.loads(run("index", partly, "--json").out)
        assert values["told"][0][0] == "page.html" and values["skipped"] == [["empty.txt", "empty"]]

    def test_a_question_tells_it_once_when_the_files_are_new(self, run: Callable[..., Any], partly: Path) -> None:
        assert "not read in page.html: " in run("search", "Moon", "--docs", partly).err
        assert "not read" not in run("search", "Moon", "--docs", partly).err

    def test_doctor_tells_it_of_the_default_documents(
        self, run: Callable[..., Any], partly: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAG_AGENT_DOCS", str(partly))
        assert "not read" not in run("doctor").out, "nothing is indexed yet"
        run("index", partly)
        assert "--  not read: page.html: " in run("doctor").out


# --- index --watch ------------------------------------------------------------------------------------------------------


def test_watching_takes_up_changes_until_it_is_left(docs: Path, words: Sequence[str]) -> None:
    from rag_agent.watching import kept_up_to_date

    with RagAgent(docs, model=ScriptedChat([]), embeddings=CountEmbeddings(words), home=":memory:") as agent:
        agent.index()
        changes = kept_up_to_date(agent, docs, None)
        (docs / "before.txt").touch()

        def after(change: Callable[[], object]) -> IndexReport | RagAgentError:
            import threading

            timer = threading.Timer(0.5, change)
            timer.start()
            try:
                return next(changes)
            finally:
                timer.join()

        added = after(lambda: (docs / "new.txt").write_text("A new moon.", encoding="utf-8"))
        assert isinstance(added, IndexReport) and added.added == ("new.txt",)
        gone = after(lambda: (docs / "new.txt").unlink())
        assert isinstance(gone, IndexReport) and gone.removed == ("new.txt",)
        changes.close()  # type: ignore[attr-defined]


def test_the_command_watches_until_ctrl_c(command: list[str], docs: Path, tmp_path: Path, tiny_embeddings: Path) -> None:
    words = [*command, "index", str(docs), "--watch", "--embeddings", f"huggingface:{tiny_embeddings}", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stderr
            first = json.loads(process.stdout.readline())
            assert first["added"] == ["crew.md", "moon.txt"]
            assert any("Watching" in line for line in iter(process.stderr.readline, ""))
            time.sleep(1)
            (docs / "new.txt").write_text("A new moon.", encoding="utf-8")
            assert json.loads(process.stdout.readline())["added"] == ["new.txt"]
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
