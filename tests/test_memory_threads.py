"""Conversations through the command, each step in a process of its own, and through Python."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from rag_agent import RagAgent, RagAgentError
from rag_agent.errors import ThreadError
from rag_agent.testing import CountEmbeddings, ScriptedChat

HOME = ".rag-agent"
CODE = """
import sys
from rag_agent import agent
from rag_agent.testing import CountEmbeddings, ScriptedChat
agent.chat_model = lambda *a, **k: ScriptedChat(lambda messages: f"You said: {messages[-1].content}")
agent.embedding_model = lambda *a, **k: CountEmbeddings(["moon", "landed", "collins", "orbit", "water", "born", "rome"])
from rag_agent.cli import main
main()
"""


@pytest.fixture
def command() -> list[str]:
    import sys

    return [sys.executable, "-c", CODE]


def echo(messages: Sequence[BaseMessage]) -> str:
    return f"You said: {messages[-1].content}"


def agent(home: Path, model: Any = None, docs: Path | None = None) -> RagAgent:
    words = ["moon", "landed", "collins", "orbit", "water", "balashi", "born", "rome"]
    return RagAgent(docs, model=model or ScriptedChat(echo), embeddings=CountEmbeddings(words), home=home)


def questions(run: Callable[..., Any], thread: str) -> list[str]:
    return [turn["question"] for turn in json.loads(run("threads", "show", thread, "--json").out)]


def test_a_conversation_through_the_command(process: Callable[..., Any], tmp_path: Path) -> None:
    def ask(question: str, thread: str, **environment: str) -> str:
        done = process("ask", question, "--no-docs", "--thread", thread, **environment)
        assert done.code == 0, done.err
        return str(done.out)

    # Follow-up: the second process knows the first's turn.
    for question in ("Tell me of the zanzibar", "Tell me of the ocelot", "Tell me of the wombat"):
        ask(question, "zoo")
    assert questions(process, "zoo") == ["Tell me of the zanzibar", "Tell me of the ocelot", "Tell me of the wombat"]
    # Fork, at the end and at a turn; the old one stays.
    assert process("threads", "fork", "zoo", "whole").code == 0
    assert process("threads", "fork", "zoo", "part", "--turn", "1").code == 0
    assert process("threads", "fork", "zoo", "part").code == 1
    assert questions(process, "part") == ["Tell me of the zanzibar"]
    ask("Tell me of the badger", "part")
    assert questions(process, "part") == ["Tell me of the zanzibar", "Tell me of the badger"]
    assert questions(process, "zoo") == questions(process, "whole")
    # Rewind, ask on, and come back.
    assert process("threads", "rewind", "zoo", "--turn", "2").code == 0
    ask("Tell me of the heron", "zoo")
    assert questions(process, "zoo") == ["Tell me of the zanzibar", "Tell me of the ocelot", "Tell me of the heron"]
    assert process("threads", "rewind", "zoo", "--turn", "7").err.startswith("rag-agent: thread 'zoo' has no turn 7; it has 3")
    # Edit a question and ask it again.
    done = process("threads", "edit", "zoo", "2", "Tell me of the lynx")
    assert done.code == 0 and "lynx" in done.out
    assert questions(process, "zoo") == ["Tell me of the zanzibar", "Tell me of the lynx"]
    # Rename and search.
    assert process("threads", "rename", "zoo", "Animals").code == 0
    found = json.loads(process("threads", "list", "--search", "lynx", "--json").out)
    assert [(thread["thread_id"], thread["title"], thread["turns"]) for thread in found] == [("zoo", "Animals", 2)]
    # Export, and import in another home.
    assert process("threads", "export", "zoo", "-o", tmp_path / "zoo.json").code == 0
    assert process("threads", "export", "zoo", "-o", tmp_path / "zoo.md").code == 0
    assert "## 2. Tell me of the lynx" in (tmp_path / "zoo.md").read_text(encoding="utf-8")
    other = {"RAG_AGENT_HOME": str(tmp_path / "other")}
    assert process("threads", "import", tmp_path / "zoo.json", **other).code == 0
    refused = process("threads", "import", tmp_path / "zoo.json", **other)
    assert refused.code == 1 and "already" in refused.err
    ask("Tell me of the otter", "zoo", **other)
    assert process("threads", "rewind", "zoo", "--turn", "1", **other).code == 0
    there = process("threads", "show", "zoo", "--json", **other).out
    assert [turn["question"] for turn in json.loads(there)] == ["Tell me of the zanzibar"]
    changed = (tmp_path / "zoo.json").read_text(encoding="utf-8").replace("lynx", "bear")
    (tmp_path / "bad.json").write_text(changed, encoding="utf-8")
    assert "checksum" in process("threads", "import", tmp_path / "bad.json", "--as", "bad", **other).err
    # Delete: nothing of it is in any file of the home.
    home = tmp_path / "home" / HOME
    assert found_in(home, b"zanzibar") and found_in(home, b"ocelot")
    for thread in ("zoo", "whole", "part"):
        assert process("threads", "delete", thread).code == 0
    for word in (b"zanzibar", b"ocelot", b"lynx", b"badger", b"heron", b"Animals"):
        assert not found_in(home, word)
    assert process("threads", "show", "zoo").code == 1
    assert process("threads", "check").out == "All conversations can be read.\n"
    assert json.loads(process("threads", "vacuum", "--json").out)["bytes_after"] > 0


def found_in(home: Path, word: bytes) -> list[Path]:
    return [file for file in home.rglob("*") if file.is_file() and word in file.read_bytes()]


def test_deleting_leaves_no_byte_of_many_texts_of_many_sizes(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        for thread in range(6):
            for turn in range(12):
                asked.ask(f"Keep secret{thread} " + "padding " * (turn * thread * 40), thread_id=f"t{thread}")
        asked.threads.fork("t1", "f", turn=4)
        for name in ("t1", "t3", "t5", "f"):
            asked.threads.delete(name)
        for thread in (1, 3, 5):
            assert not found_in(tmp_path, b"secret%d" % thread)
        for thread in (0, 2, 4):
            assert len(asked.threads.show(f"t{thread}")) == 12
        assert not asked.threads.check()


@pytest.mark.usefixtures("kept")
def test_rewinding_comes_back_and_reaches_every_turn(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        for number in range(8):
            asked.ask(f"Tell me of number {number}", thread_id="t")
        for turn in (5, 0, 8, 1, 7):
            asked.threads.rewind("t", turn)
            assert [t.question for t in asked.threads.show("t")] == [f"Tell me of number {n}" for n in range(turn)]
        states = list(asked.graph.get_state_history({"configurable": {"thread_id": "t"}}))
        assert len(states) == 13 and states[0].next == ()
        with pytest.raises(ThreadError, match="no turn -1"):
            asked.threads.rewind("t", -1)


@pytest.mark.usefixtures("kept")
def test_a_thread_whose_checkpoints_were_pruned_is_rewound_by_its_messages(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        for number in range(4):
            asked.ask(f"Tell me of number {number}", thread_id="t")
        asked.threads._own.prune(["t"])
        asked.threads.fork("t", "u", turn=2)
        asked.threads.rewind("t", 3)
        assert (len(asked.threads.show("t")), len(asked.threads.show("u"))) == (3, 2)
        asked.ask("Tell me more", thread_id="u")
        assert len(asked.threads.show("u")) == 3


@pytest.mark.usefixtures("kept")
def test_plain_langgraph_calls_work_on_the_same_thread(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        asked.ask("Tell me of the moon", thread_id="t")
        config: Any = {"configurable": {"thread_id": "t"}}
        messages = asked.graph.get_state(config).values["messages"]
        assert [type(message).__name__ for message in messages] == ["HumanMessage", "AIMessage"]
        messages[1].content = "changed by the caller"
        assert asked.graph.get_state(config).values["messages"][1].content == "You said: Tell me of the moon"
        asked.graph.update_state(config, {"messages": [messages[0].model_copy(update={"content": "Tell me of the sun"})]})
        assert [turn.question for turn in asked.threads.show("t")] == ["Tell me of the sun"]
        assert len(list(asked.graph.get_state_history(config))) == 2


@pytest.mark.usefixtures("kept")
def test_an_edit_that_fails_leaves_the_conversation_as_it_was(tmp_path: Path) -> None:
    model = ScriptedChat(["one", "two", ValueError("broken")])
    with agent(tmp_path, model) as asked:
        asked.ask("Tell me of one", thread_id="t")
        asked.ask("Tell me of two", thread_id="t")
        with pytest.raises(ValueError, match="broken"):
            asked.edit("t", 1, "Tell me of three")
        assert [turn.question for turn in asked.threads.show("t")] == ["Tell me of one", "Tell me of two"]
        assert asked.threads.list()[0].unfinished is None
        with pytest.raises(ThreadError, match="has 2 turns"):
            asked.edit("t", 3, "x")


def told(asked: RagAgent) -> list[str]:
    return [turn.question for turn in asked.threads.show("t")]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("turn", [1, 3])
def test_a_process_that_is_killed_in_an_edit_leaves_the_conversation_as_it_was(tmp_path: Path, turn: int, pruned: bool) -> None:
    former = ["Tell me of one", "Tell me of two", "Tell me of three"]
    with agent(tmp_path) as asked:
        for question in former:
            asked.ask(question, thread_id="t")
        if pruned:
            asked.threads._own.prune(["t"])
    context = multiprocessing.get_context("fork")
    asking = context.Event()

    def edit() -> None:
        def block(messages: Sequence[BaseMessage]) -> str:
            asking.set()
            time.sleep(60)
            return "late"

        agent(tmp_path, ScriptedChat(block)).edit("t", turn, "Tell me of four")

    process = context.Process(target=edit)
    process.start()
    assert asking.wait(30) and process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with agent(tmp_path) as asked:
        assert told(asked) == former
        assert asked.threads.unfinished("t") == "Tell me of four"
        asked.edit("t", turn, "Tell me of five")
        assert told(asked) == [*former[: turn - 1], "Tell me of five"]
        assert asked.threads.unfinished("t") is None
        asked.ask("Tell me of six", thread_id="t")
        assert told(asked) == [*former[: turn - 1], "Tell me of five", "Tell me of six"]
        assert not asked.threads.check()


@pytest.mark.usefixtures("kept")
def test_an_edit_reads_what_came_before_and_can_be_taken_back(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        for number in range(4):
            asked.ask(f"Tell me of number {number}", thread_id="t")
        model: Any = asked._model
        assert asked.edit("t", 3, "Tell me of the lynx").text == "You said: Tell me of the lynx"
        shown = " ".join(message.text for message in model.sent[-1])
        assert "number 1" in shown and "number 2" not in shown
        kept = asked.graph.get_state({"configurable": {"thread_id": "t"}})
        assert len({message.id for message in kept.values["messages"]} - {None}) == 6 and kept.next == ()
        asked.threads.rewind("t", 4)
        assert told(asked) == [f"Tell me of number {number}" for number in range(4)]


@pytest.mark.usefixtures("kept")
def test_a_turn_waits_for_an_edit_and_readers_see_the_former_turns_meanwhile(tmp_path: Path) -> None:
    asking, go_on = threading.Event(), threading.Event()

    def slow(messages: Sequence[BaseMessage]) -> str:
        if "lynx" in messages[-1].text:
            asking.set()
            assert go_on.wait(30)
        return "Yes."

    with agent(tmp_path, ScriptedChat(slow)) as asked:
        asked.ask("Tell me of one", thread_id="t")
        asked.ask("Tell me of two", thread_id="t")
        editing = threading.Thread(target=asked.edit, args=("t", 1, "Tell me of the lynx"))
        editing.start()
        assert asking.wait(30)
        following = threading.Thread(target=asked.ask, args=("Tell me of three",), kwargs={"thread_id": "t"})
        following.start()
        following.join(0.2)
        assert following.is_alive()
        assert told(asked) == ["Tell me of one", "Tell me of two"]
        go_on.set()
        editing.join()
        following.join()
        assert told(asked) == ["Tell me of the lynx", "Tell me of three"]


@pytest.mark.usefixtures("kept")
def test_prune_by_number_age_and_size(tmp_path: Path) -> None:
    with agent(tmp_path) as asked:
        for number in range(5):
            asked.ask("Tell me of it", thread_id=f"t{number}")
        assert [thread.thread_id for thread in asked.threads.prune(keep=3)] == ["t1", "t0"]
        assert not asked.threads.prune(older_than=timedelta(days=1))
        size = asked.threads.list()[0].size or 0
        assert [thread.thread_id for thread in asked.threads.prune(max_bytes=size + 10)] == ["t3", "t2"]
        assert [thread.thread_id for thread in asked.threads.prune(older_than=timedelta(0))] == ["t4"]
        with pytest.raises(ThreadError, match="prune what"):
            asked.threads.prune()


@pytest.mark.usefixtures("kept")
def test_an_answer_whose_file_changed_is_stale(tmp_path: Path, docs: Path) -> None:
    with agent(tmp_path / "kept", docs=docs) as asked:
        first = asked.ask("Where was Michael Collins born?", thread_id="t")
        assert first.citations
        assert not asked.threads.stale()
        file = docs / first.citations[0].file
        file.write_text(file.read_text(encoding="utf-8").replace("Rome", "Milan"), encoding="utf-8")
        [stale] = asked.threads.stale("t")
        assert (stale.turn, stale.question, stale.files) == (
            1,
            "Where was Michael Collins born?",
            {first.citations[0].file: "changed"},
        )
    with agent(tmp_path / "kept", docs=docs) as asked:
        assert "Milan" in asked.ask(stale.answer.query).text
        file.unlink()
        assert asked.threads.stale("t")[0].files == {first.citations[0].file: "gone"}


@pytest.mark.usefixtures("kept")
def test_a_turn_that_was_killed_is_shown_as_unfinished(run: Callable[..., Any], tmp_path: Path) -> None:
    import subprocess
    import sys

    with agent(tmp_path / "home" / HOME) as asked:
        asked.ask("Tell me of the moon", thread_id="t")
    dies = CODE.replace('f"You said: {messages[-1].content}"', "__import__('os').kill(__import__('os').getpid(), 9)")
    words = ["ask", "Tell me of the sun", "--no-docs", "--thread", "t"]
    assert subprocess.run([sys.executable, "-c", dies, *words], capture_output=True, check=False).returncode == -9
    finished, unfinished = json.loads(run("threads", "show", "t", "--json").out)
    assert (finished["question"], finished["unfinished"]) == ("Tell me of the moon", False)
    assert (unfinished["question"], unfinished["unfinished"], unfinished["answer"]) == ("Tell me of the sun", True, None)
    assert "“Tell me of the sun” was cut off" in run("threads", "show", "t").err


def test_stale_answers_through_the_command(process: Callable[..., Any], docs: Path) -> None:
    assert process("ask", "Where was Michael Collins born?", "--docs", docs, "--thread", "t").code == 0
    for file in docs.rglob("*.md"):
        file.write_text(file.read_text(encoding="utf-8").replace("Rome", "Milan"), encoding="utf-8")
    assert "has changed" in process("threads", "show", "t").err
    done = process("threads", "stale", "--ask")
    assert "turn 1: Where was Michael Collins born?" in done.out and "+ " in done.out and "Milan" in done.out


def test_a_foreign_saver_lists_shows_and_deletes(tmp_path: Path) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    with RagAgent(None, model=ScriptedChat(echo), home=tmp_path, checkpointer=InMemorySaver()) as asked:
        asked.ask("Tell me of it", thread_id="t")
        assert [thread.thread_id for thread in asked.threads.list()] == ["t"]
        with pytest.raises(RagAgentError, match="can list, show and delete only"):
            asked.threads.fork("t", "u")
        asked.threads.delete("t")
        assert not asked.threads.list()
