"""Damaged and crowded disks: what is derived is derived anew, what is lost is told in a line, what answered goes on to answer."""

import random
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag_agent import RagAgent
from rag_agent.documents import Splitter
from rag_agent.errors import IndexFileError, RagAgentError
from rag_agent.index import Index
from rag_agent.testing import CountEmbeddings, ScriptedChat


def index(folder: Path) -> Index:
    return Index(folder, folder.parent / "home", CountEmbeddings(("moon", "water")), "counts", Splitter())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(5):
        (tmp_path / "files" / f"{number}.txt").write_text(f"Moon rock {number}.\n---\nWater {number}.", encoding="utf-8")
    made = index(tmp_path / "files")
    made.update()
    made.close()
    return tmp_path / "files"


def arrays(folder: Path) -> list[Path]:
    path = index(folder).path
    assert path
    return sorted(path.with_suffix(".arrays").rglob("*.*"))


def texts(found: Index) -> list[str]:
    return [hit.text for hit in found.search([("moon", 1.0)], 20)]


BREAK: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "noise": lambda data: random.Random(1).randbytes(len(data)),
    "a list": lambda data: b"[]",
    "a number": lambda data: b"3",
    "not closed": lambda data: b"{",
    "odd fields": lambda data: b'{"layout": 1, "arrays": 3, "language": null}',
    "no fields": lambda data: b'{"layout": 1, "arrays": [], "language": 3}',
    "all ones": lambda data: data[:128] + b"\xff" * max(0, len(data) - 128),
}


@pytest.mark.parametrize("how", BREAK)
def test_a_damaged_array_or_its_description_is_derived_anew(folder: Path, how: str) -> None:
    wanted = texts(index(folder))
    for number in range(len(arrays(folder))):
        path = arrays(folder)[number]
        path.write_bytes(BREAK[how](path.read_bytes()))
        found = index(folder)
        got = texts(found)
        found.outline(found.search([("moon", 1.0)], 1)[0])
        found.close()
        if "noise" not in how and "ones" not in how or path.name == "about.json":
            assert got == wanted, path.name
        else:  # numbers of the right shape that are wrong: no traceback, and what is shown is text of the files
            assert all("Moon" in text or "Water" in text or text == "" for text in got), path.name
        again = index(folder)
        again.update(rebuild=True)
        again.close()


@pytest.mark.parametrize("blob", [b"", b"x", b"12345", b"\0" * 400, "text", None, 3, np.full(3, np.nan, np.float32).tobytes()])
def test_a_damaged_vector_is_one_line_and_is_mended_by_the_command_it_names(folder: Path, blob: Any) -> None:
    path = index(folder).path
    assert path
    with sqlite3.connect(path) as connection:
        if blob is None:
            connection.execute("DELETE FROM vectors WHERE id = 1")
        else:
            connection.execute("UPDATE vectors SET vector = ? WHERE id = 1", (blob,))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", ("a" * 32,))  # no arrays are kept of it
    connection.close()
    found = index(folder)
    try:
        texts(found)
    except IndexFileError as error:
        assert "\n" not in str(error) and f"rag-agent index {folder}" in str(error)
    found.close()
    again = index(folder)
    again.update(rebuild=True)
    assert len(texts(again)) == 10


@pytest.mark.parametrize("value", [2**62, -1, b"\xff", "text", 1.5])
def test_a_damaged_text_is_one_line_and_is_mended_by_the_command_it_names(folder: Path, value: Any) -> None:
    path = index(folder).path
    assert path
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE texts SET text = ?", (value,))
    connection.close()
    found = index(folder)
    with pytest.raises(IndexFileError, match="damaged.*make it anew") as caught:
        texts(found)
    assert "\n" not in str(caught.value)
    found.close()
    again = index(folder)
    again.update(rebuild=True)
    assert len(texts(again)) == 10


@pytest.mark.parametrize("value", [None, "text", b"\xff", -1, 1.5])
def test_a_value_of_another_type_in_any_column_is_one_line_or_does_no_harm(folder: Path, value: Any) -> None:
    path = index(folder).path
    assert path
    whole = path.read_bytes()
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [(t, row[1]) for t in tables for row in connection.execute(f"PRAGMA table_info({t})")]
    connection.close()
    assert ("files", "told") in columns
    for table, column in columns:
        path.write_bytes(whole)
        with sqlite3.connect(path) as connection:
            with suppress(sqlite3.IntegrityError):  # an ID takes nothing but a number
                connection.execute(f'UPDATE OR IGNORE {table} SET "{column}" = ?', (value,))
        connection.close()
        found = index(folder)
        for step in (found.update, lambda found=found: texts(found), lambda found=found: found.update(rebuild=True)):
            try:
                step()
            except IndexFileError as error:
                assert "\n" not in str(error)
        assert len(texts(found)) == 10, f"{table}.{column}"
        found.close()


def test_a_full_disk_leaves_the_old_index_to_answer_and_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = index(folder)
    wanted = texts(found)
    connection = found._opened()._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    (folder / "new.txt").write_text("Moon. " * 100_000, encoding="utf-8")
    report = found.update()
    assert report.skipped == (("new.txt", "the disk is full"),) and report.files == 5
    assert texts(found) == wanted
    assert any("the disk is full" in line and "1 new" in line and f"rag-agent index {folder}" in line for line in caplog.messages)
    with pytest.raises(IndexFileError, match="full"):
        found.update(rebuild=True)
    assert texts(found) == wanted
    connection.execute("PRAGMA max_page_count = 1000000")
    assert found.update().added == ("new.txt",)


def test_a_full_disk_is_told_where_there_is_nothing_to_answer(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "new.txt").write_text("Moon. " * 100_000, encoding="utf-8")
    found = index(tmp_path / "files")
    found._opened()._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(IndexFileError, match="full"):
        found.update()


# --- whom it is for -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, 0o755])
def test_what_is_kept_is_closed_to_others(docs: Path, before: int | None) -> None:
    home = Path.home() / ".rag-agent"
    if before is not None:
        for place in (home, home / "indexes", home / "locks"):
            place.mkdir(parents=True)
            place.chmod(before)
        (home / "threads.sqlite").touch(0o644)
    with RagAgent(docs, model=ScriptedChat(lambda messages: "Armstrong."), embeddings=CountEmbeddings(), settings=None) as agent:
        agent.ask("Who landed on the Moon?", thread_id="t")
    for path in [home, *home.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_folder_that_the_user_named_and_made_keeps_its_rights(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    with RagAgent(model=ScriptedChat(["One."]), home=shared) as agent:
        agent.ask("Who?", thread_id="t")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert stat.S_IMODE((shared / "threads.sqlite").stat().st_mode) == 0o600


# --- threads of one process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("round_", range(6))
def test_threads_that_use_an_agent_first_at_the_same_time_lose_no_turn(docs: Path, tmp_path: Path, round_: int) -> None:
    def reply(messages: list[Any]) -> str:
        return f"reply to {messages[-1].content}"

    with RagAgent(model=ScriptedChat(reply), home=tmp_path / f"home{round_}") as agent:
        barrier, errors = threading.Barrier(6), []

        def ask(number: int) -> None:
            try:
                barrier.wait()
                for turn in range(3):
                    agent.ask(f"Question {number} {turn}", thread_id="shared")
                    agent.ask(f"Question {number} {turn}", thread_id=f"own-{number}")
            except BaseException as error:
                errors.append(error)

        started = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for one in started:
            one.start()
        for one in started:
            one.join()
        assert not errors
        assert len(agent.threads.show("shared")) == 18
        assert [len(agent.threads.show(f"own-{number}")) for number in range(6)] == [3] * 6


def test_a_part_is_made_once_however_many_threads_ask_for_it_first() -> None:
    import time

    from rag_agent.parts import made_once

    class Whole:
        def __init__(self) -> None:
            self.making = threading.RLock()
            self.made = 0

        @made_once
        def part(self) -> object:
            time.sleep(0.05)
            self.made += 1
            return object()

    whole, found = Whole(), []
    started = [threading.Thread(target=lambda: found.append(whole.part)) for _ in range(6)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    assert whole.made == 1 and len(set(map(id, found))) == 1
    assert issubclass(IndexFileError, RagAgentError)
