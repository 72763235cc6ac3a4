import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def tiny(tiny_chat: Path, tiny_embeddings: Path) -> list[str]:
    """Options that name two tiny models: what they say is nonsense, how it is printed is not."""
    return ["--model", f"huggingface:{tiny_chat}", "--embeddings", f"huggingface:{tiny_embeddings}", "--set", "max_new_tokens=4"]


@pytest.fixture
def small(tiny_embeddings: Path) -> list[str]:
    return ["--embeddings", f"huggingface:{tiny_embeddings}"]


def one_line(done: Any, *parts: object) -> None:
    """An expected failure: exit status 1, nothing on standard output, one line that tells."""
    assert (done.code, done.out) == (1, ""), done.err
    lines = [line for line in done.err.splitlines() if line]
    assert len(lines) == 1, done.err
    assert lines[0].startswith("rag-agent: ")
    for part in parts:
        assert str(part) in lines[0]


# --- wrong usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["ask"],
        ["nothing"],
        ["ask", "x", "--nothing"],
        ["ask", "x", "-k", "0"],
        ["search", "x", "-k", "many"],
        ["threads", "show"],
    ],
)
def test_wrong_usage_is_status_2(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert "Usage: rag-agent" in done.err


def test_the_version_is_that_of_the_package_and_its_newest_entry_in_the_changelog(run: Run) -> None:
    import rag_agent

    done = run("--version")
    assert (done.code, done.out.strip()) == (0, rag_agent.__version__)
    changes = (Path(__file__).parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {rag_agent.__version__} - " in changes


def test_help_is_status_0(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    for command in ("ask", "chat", "search", "index", "graph", "threads", "models", "doctor"):
        assert command in done.out


# --- bad input is one line ----------------------------------------------------------------------------------------------


def test_an_empty_question(run: Run, docs: Path, tiny: list[str]) -> None:
    assert run("index", docs, *tiny[2:4]).code == 0
    one_line(run("ask", " ", "--docs", docs, *tiny), "the question is empty")
    one_line(run("search", "", "--docs", docs, *tiny[2:4]), "the query is empty")
    one_line(run("ask", "", "--no-docs", *tiny), "the question is empty")


def test_no_documents(run: Run, tmp_path: Path, small: list[str]) -> None:
    one_line(run("ask", "x", *small), "--docs PATH", "--no-docs")
    one_line(run("ask", "x", "--docs", tmp_path / "nothing", *small), tmp_path / "nothing", "no such folder")
    (tmp_path / "empty").mkdir()
    one_line(run("index", tmp_path / "empty", *small), tmp_path / "empty", "holds no file that is read")
    (tmp_path / "empty" / "x.txt").write_bytes(b"\0\0")
    one_line(run("search", "x", "--docs", tmp_path / "empty", *small), "x.txt: binary")


def test_options_that_contradict_each_other(run: Run, docs: Path) -> None:
    one_line(run("ask", "x", "--docs", docs, "--no-docs"), "--no-docs")


def test_an_unknown_model(run: Run, docs: Path, small: list[str]) -> None:
    assert run("index", docs, *small).code == 0
    one_line(run("ask", "Who landed on the Moon?", "--docs", docs, "--model", "gpt-4", *small), "'gpt-4'", "ollama:llama3.1:8b")
    one_line(run("search", "x", "--docs", docs, "--embeddings", "openai:x"), "'openai:x'", "nomic")


def test_models_that_are_not_here(run: Run, docs: Path) -> None:
    one_line(run("ask", "x", "--docs", docs), "rag-agent models pull embedded")
    one_line(run("ask", "x", "--no-docs"), "rag-agent models pull embedded")


def test_no_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    one_line(run("ask", "x", "--no-docs", "--model", "ollama:x"), "ollama serve")


def test_a_bad_setting(run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch, tiny: list[str]) -> None:
    one_line(run("ask", "x", "--no-docs", "--set", "temperature"), "name=value")
    one_line(run("ask", "x", "--no-docs", *tiny, "--set", "temprature=1"), "temprature")
    monkeypatch.setenv("RAG_AGENT_CHUNK_SIZE", "huge")
    one_line(run("index", docs), "chunk_size (from RAG_AGENT_CHUNK_SIZE)")


def test_a_home_that_cannot_be_written(
    run: Run, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: list[str]
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("RAG_AGENT_HOME", str(tmp_path / "file" / "home"))
    one_line(run("index", docs, *small), "cannot be written")
    one_line(run("threads", "list"), "cannot be written")


def test_a_damaged_index_is_named_and_healed_by_the_command_it_names(run: Run, docs: Path, small: list[str]) -> None:
    assert run("index", docs, *small).code == 0
    (file,) = (Path.home() / ".rag-agent" / "indexes").glob("*.sqlite")
    file.write_bytes(b"no database " * 500)
    one_line(run("search", "x", "--docs", docs, *small), file, f"rag-agent index {docs}")
    assert run("index", docs, *small).code == 0
    assert run("search", "x", "--docs", docs, *small).code == 0


def test_a_damaged_file_of_threads_is_named_and_kept(run: Run) -> None:
    file = Path.home() / ".rag-agent" / "threads.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database " * 500)
    one_line(run("threads", "list"), file)
    assert file.read_bytes() == b"no database " * 500


def test_an_unknown_thread_and_an_unknown_graph(run: Run) -> None:
    one_line(run("threads", "show", "nothing"), "'nothing'")
    one_line(run("threads", "delete", "nothing"), "'nothing'")
    one_line(run("graph", "nothing"), "chat, rag, agent")


def test_models_that_cannot_be_pulled(run: Run) -> None:
    one_line(run("models", "pull", "nothing"), "'nothing'")
    one_line(run("models", "pull", "ollama:x"), "ollama pull x")
    one_line(run("models", "remove", "embedded"), "rag-agent models list")


def test_bytes_that_are_no_text(process: Run, docs: Path, small: list[str]) -> None:
    one_line(process("ask", os.fsdecode(b"\xff"), "--no-docs", "--model", "ollama:x"), "question")


# --- index and search ---------------------------------------------------------------------------------------------------


def test_index_says_what_it_did(run: Run, docs: Path, small: list[str]) -> None:
    (docs / "image.txt").write_bytes(b"\0\0")
    done = run("index", docs, *small)
    assert done.code == 0
    assert "2 files, 3 chunks: 2 added, 0 updated, 0 removed, 0 unchanged, 1 skipped" in done.out
    assert "skipped image.txt: binary, not text" in done.err
    assert "2 unchanged" in run("index", docs, *small).out


def test_index_in_json(run: Run, docs: Path, small: list[str]) -> None:
    done = run("index", docs, "--json", *small)
    report = json.loads(done.out)
    assert report.keys() >= {"files", "chunks", "added", "updated", "removed", "unchanged", "skipped", "seconds"}
    assert (report["files"], report["chunks"], report["added"]) == (2, 3, ["crew.md", "moon.txt"])


def test_search_prints_passages(run: Run, docs: Path, small: list[str]) -> None:
    done = run("search", "water", "--docs", docs, "-k", 1, *small)
    assert done.code == 0
    assert len(done.out.splitlines()) == 2
    assert ", article " in done.out
    hits = json.loads(run("search", "water", "--docs", docs, "-k", 2, "--json", *small).out)
    assert len(hits) == 2
    for hit in hits:
        assert (docs / hit["file"]).read_text(encoding="utf-8")[hit["start"] : hit["end"]] == hit["text"]


def test_documents_are_the_setting_then_the_folder_rag_data(
    run: Run, docs: Path, tmp_path: Path, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs.rename(tmp_path / "work" / "rag_data")
    assert "moon.txt" in run("search", "moon", *small).out
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("The Moon.", encoding="utf-8")
    monkeypatch.setenv("RAG_AGENT_DOCS", str(tmp_path / "other"))
    assert "x.txt" in run("search", "moon", *small).out


# --- ask ----------------------------------------------------------------------------------------------------------------


def test_ask_in_json_prints_one_object_alone(run: Run, docs: Path, tiny: list[str]) -> None:
    done = run("ask", "Who landed on the Moon?", "--docs", docs, "--thread", "t 1/ü", "--json", *tiny)
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    promised = {"text", "kind", "refused", "citations", "context", "query", "thread_id", "model", "usage", "timings", "left_out"}
    assert answer.keys() >= promised
    assert answer["thread_id"] == "t 1/ü"
    assert answer["model"] == tiny[1]
    for citation in answer["citations"]:
        text = (docs / citation["file"]).read_text(encoding="utf-8")
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_ask_prints_the_answer_and_its_sources(run: Run, docs: Path, tiny: list[str]) -> None:
    done = run("ask", "Who landed on the Moon?", "--docs", docs, *tiny)
    answer = json.loads(run("ask", "Who landed on the Moon?", "--docs", docs, "--json", *tiny).out)
    assert done.code == 0
    assert done.out.startswith(answer["text"])
    for citation in answer["citations"]:
        assert f"{citation['file']}, article {citation['article']}" in done.out
        assert f"characters {citation['start']}-{citation['end']}" in done.out


def test_ask_without_documents(run: Run, tiny: list[str]) -> None:
    done = run("ask", "tell me a story", "--no-docs", "--json", "--system", "hello", *tiny)
    answer = json.loads(done.out)
    assert (answer["kind"], answer["citations"], answer["usage"]["output_tokens"]) == ("chat", [], 4)


# --- threads ------------------------------------------------------------------------------------------------------------


def test_threads_are_listed_shown_and_deleted(run: Run, tiny: list[str]) -> None:
    assert run("threads", "list").out == ""
    for thread in ("one", "two"):
        assert run("ask", f"hello {thread}", "--no-docs", "--thread", thread, *tiny).code == 0
    rows = [line.split("\t") for line in run("threads", "list").out.splitlines()]
    assert [row[0] for row in rows] == ["two", "one"]
    assert all("1" in row and f"hello {row[0]}" in row for row in rows)
    assert [thread["thread_id"] for thread in json.loads(run("threads", "list", "--json").out)] == ["two", "one"]
    (turn,) = json.loads(run("threads", "show", "one", "--json").out)
    assert (turn["question"], turn["answer"]["kind"]) == ("hello one", "chat")
    assert "1. hello one" in run("threads", "show", "one").out
    deleted = run("threads", "delete", "one")
    assert (deleted.code, deleted.out) == (0, "")
    assert "one" in deleted.err
    assert [thread["thread_id"] for thread in json.loads(run("threads", "list", "--json").out)] == ["two"]


# --- chat ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["quit\n", "EXIT\n", ""])
def test_chat_answers_line_by_line_until_it_ends(run: Run, tiny: list[str], ending: str) -> None:
    done = run("chat", "--no-docs", "--thread", "t", "--json", *tiny, stdin=f"hello\n\n  \nwho ?\n{ending}")
    assert done.code == 0, done.err
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["question"] for answer in answers] == ["hello", "who ?"]
    assert "Thread t" in done.err
    assert len(json.loads(run("threads", "show", "t", "--json").out)) == 2


def test_chat_streams_what_it_then_keeps(run: Run, tiny: list[str]) -> None:
    done = run("chat", "--no-docs", "--thread", "t", *tiny, stdin="tell me a story\n")
    (turn,) = json.loads(run("threads", "show", "t", "--json").out)
    assert done.out.strip() == turn["answer"]["text"]


def test_chat_goes_on_after_an_error(run: Run, tiny: list[str]) -> None:
    done = run("chat", "--no-docs", "--thread", "t", "--json", *tiny, stdin=f"{'one ' * 100}\nhello\n")
    assert done.code == 0
    assert "rag-agent: the prompt has" in done.err
    assert len(done.out.splitlines()) == 1


def test_chat_names_a_thread_of_its_own(run: Run, tiny: list[str]) -> None:
    run("chat", "--no-docs", *tiny, stdin="hello\n")
    (thread,) = json.loads(run("threads", "list", "--json").out)
    assert thread["thread_id"]


def test_ctrl_c_ends_a_chat_and_keeps_its_turns(command: list[str], tiny: list[str], run: Run) -> None:
    words = [*command, "chat", "--no-docs", "--thread", "t", "--json", *tiny]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write("hello\n")
        chat.stdin.flush()
        assert json.loads(chat.stdout.readline())["question"] == "hello"
        said = ""
        while said.count("> ") < 2:  # it waits for the next question: before, Ctrl-C ends the answer alone
            said += chat.stderr.read(1)
        chat.send_signal(signal.SIGINT)
        assert chat.wait(30) == 0
        assert "Traceback" not in chat.stderr.read()
    assert len(json.loads(run("threads", "show", "t", "--json").out)) == 1


def test_ctrl_c_in_a_command_is_one_line(command: list[str], docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the question and never answers
        silent.settimeout(60)
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        words = [*command, "index", str(docs), "--embeddings", "ollama:x"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as index:
            assert index.stderr
            with silent.accept()[0]:
                index.send_signal(signal.SIGINT)
                assert index.wait(30) == 1
            told = index.stderr.read()
    assert "Traceback" not in told
    assert "rag-agent: interrupted" in told


def test_a_closed_pipe_is_no_traceback(command: list[str]) -> None:
    words = " ".join([*(f"'{word}'" for word in command), "graph", "agent", "|", "true"])
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


# --- the rest -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chat", "rag", "agent"])
def test_graph_prints_the_drawing_that_is_kept(run: Run, name: str) -> None:
    kept = Path(__file__).parent.parent / "graphs" / f"{name}.mmd"
    done = run("graph", name)
    assert (done.code, done.out.strip()) == (0, kept.read_text(encoding="utf-8").strip())


def test_models_list_says_what_is_missing_and_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    entries = json.loads(run("models", "list", "--json").out)
    assert {entry["role"] for entry in entries if entry["name"].startswith("embedded")} == {"chat", "embeddings"}
    assert all("rag-agent models pull embedded" in entry["state"] for entry in entries if entry["name"].startswith("embedded"))
    assert "ollama serve" in run("models", "list").out


def test_doctor_tells_what_to_type_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    done = run("doctor")
    assert done.code == 0
    assert "next: rag-agent models pull embedded" in done.out
    assert "next: ollama serve" in done.out
    assert {"what", "ok", "state", "next_step"} == set(json.loads(run("doctor", "--json").out)[0])
    assert not (Path.home() / ".rag-agent").exists()  # nothing is changed
