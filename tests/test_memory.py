import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from rag_agent import Answer, RagAgent
from rag_agent.errors import SettingsError, ThreadError
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.threads import Threads
from rag_agent.memory.transcript import turns
from rag_agent.testing import CountEmbeddings, ScriptedChat

LANDED = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."


def chat(replies: Any, **options: Any) -> RagAgent:
    return RagAgent(model=ScriptedChat(replies), **options)


def echo(messages: Sequence[Any]) -> str:
    return f"reply {len(messages)}"


THREADS = Path(".rag-agent") / "threads.sqlite"


# --- threads ------------------------------------------------------------------------------------------------------------


def test_threads_are_listed_the_last_used_first() -> None:
    with chat(echo) as agent:
        assert list(agent.threads.list()) == []
        for thread, question in (("a", "First of a."), ("b", "First of b."), ("a", "Second of a.")):
            agent.ask(question, thread_id=thread)
        listed = agent.threads.list()
    assert [(thread.thread_id, thread.title, thread.turns) for thread in listed] == [
        ("a", "First of a.", 2),
        ("b", "First of b.", 1),
    ]
    assert listed[0].last_used > listed[1].last_used


def test_a_thread_is_shown_with_its_answers(docs: Path, words: Sequence[str]) -> None:
    with RagAgent(docs, model=ScriptedChat([LANDED]), embeddings=CountEmbeddings(words)) as agent:
        answer = agent.ask("Who landed on the Moon?", thread_id="t")
        (turn,) = agent.threads.show("t")
    assert turn.question == "Who landed on the Moon?"
    assert turn.docs == str(docs)
    assert (turn.answer.text, turn.answer.kind, turn.answer.citations) == (answer.text, "generated", answer.citations)


def test_a_deleted_thread_is_gone_and_the_others_stay() -> None:
    with chat(echo) as agent:
        for thread in ("a", "b"):
            agent.ask("Hello.", thread_id=thread)
        agent.threads.delete("a")
        assert [thread.thread_id for thread in agent.threads.list()] == ["b"]
        with pytest.raises(ThreadError):
            agent.threads.show("a")
        assert agent.ask("Hello.", thread_id="a").text == "reply 2"  # it begins anew


@pytest.mark.parametrize("action", ["show", "delete"])
def test_an_unknown_thread_is_told(action: str) -> None:
    with chat([]) as agent, pytest.raises(ThreadError, match="'nothing'.*rag-agent threads list"):
        getattr(agent.threads, action)("nothing")


ODD = [" ", "a/b", "../../etc/passwd", "'; DROP TABLE checkpoints; --", "月の石 😀", "x" * 5000, "%", "line\nbreak", "a\0b", "-x"]


@pytest.mark.parametrize("thread", ODD, ids=ascii)
def test_any_text_names_a_thread(thread: str) -> None:
    with chat(echo) as agent:
        agent.ask("Hello.", thread_id=thread)
        agent.ask("Hello.", thread_id="other")
    with chat(echo) as agent:
        assert agent.ask("What is my name?", thread_id=thread).text == "reply 4"
        assert {found.thread_id: found.turns for found in agent.threads.list()} == {thread: 2, "other": 1}
        assert len(agent.threads.show(thread)) == 2
        agent.threads.delete(thread)
        assert [found.thread_id for found in agent.threads.list()] == ["other"]


def test_an_empty_thread_id_is_refused() -> None:
    with chat([]) as agent, pytest.raises(SettingsError, match="thread ID is empty"):
        agent.ask("Hello.", thread_id="")


def test_a_thread_id_that_is_no_text_is_refused() -> None:
    with chat([]) as agent, pytest.raises(SettingsError, match="thread ID"):
        agent.ask("Hello.", thread_id="\udcff")  # what the shell makes of a byte that is no UTF-8


def test_messages_of_other_programs_count_as_chat() -> None:
    found = turns([HumanMessage("a"), AIMessage("b"), HumanMessage("unanswered"), HumanMessage("c"), AIMessage("d")])
    assert [(turn.question, turn.answer.text, turn.answer.kind) for turn in found] == [("a", "b", "chat"), ("c", "d", "chat")]


def test_threads_of_a_foreign_saver_are_read_alike() -> None:
    saver = InMemorySaver()
    with chat(echo, checkpointer=saver) as agent:
        agent.ask("Hello.", thread_id="t")
        assert [thread.thread_id for thread in agent.threads.list()] == ["t"]
    assert [turn.question for turn in Threads(saver).show("t")] == ["Hello."]
    assert not (Path.home() / THREADS).exists()


def test_a_thread_grows_by_what_was_said_alone(docs: Path, words: Sequence[str]) -> None:
    with RagAgent(docs, model=ScriptedChat(lambda messages: LANDED), embeddings=CountEmbeddings(words)) as agent:
        for _ in range(3):
            agent.ask("Who landed on the Moon?", thread_id="t")
        kept = list(agent.graph.get_state_history({"configurable": {"thread_id": "t"}}))
    assert len(kept) == 3  # one checkpoint a turn
    assert set(kept[0].values) == {"messages"}
    assert all(not turn.answer.context for turn in turns(kept[0].values["messages"]))


# --- the file -----------------------------------------------------------------------------------------------------------


def test_a_damaged_file_of_threads_is_named_and_left_as_it_is() -> None:
    path = Path.home() / THREADS
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 100)
    with chat(echo) as agent:
        for call in (lambda: agent.ask("Hello.", thread_id="t"), lambda: agent.threads.list()):
            with pytest.raises(ThreadError) as caught:
                call()
            assert str(path) in str(caught.value)
            assert "left as it is" in str(caught.value)
            assert "\n" not in str(caught.value)
        assert agent.ask("Hello.").text == "reply 2"  # a question of its own needs no threads
    assert path.read_bytes() == b"this is no database " * 100


def test_damage_behind_the_head_is_told_too() -> None:
    with chat(echo) as agent:
        agent.ask("Hello.", thread_id="t")
    path = Path.home() / THREADS
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xaa" * (len(data) - 8192)
    path.write_bytes(data)
    with chat(echo) as agent:
        for call in (
            lambda: agent.ask("Hello.", thread_id="t"),
            lambda: agent.threads.list(),
            lambda: agent.threads.show("t"),
            lambda: agent.threads.delete("t"),
        ):
            with pytest.raises(ThreadError, match="threads.sqlite"):
                call()


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with chat(echo, home=tmp_path / "file" / "home") as agent, pytest.raises(SettingsError, match="cannot be written"):
        agent.ask("Hello.", thread_id="t")


def test_a_question_of_its_own_writes_nothing() -> None:
    with chat(echo) as agent:
        agent.ask("Hello.")
        assert not (Path.home() / THREADS).exists()


STRICT = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from rag_agent import RagAgent
from rag_agent.testing import CountEmbeddings, ScriptedChat

docs, question = sys.argv[1:]
reply = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."
with RagAgent(docs, model=ScriptedChat(lambda messages: reply), embeddings=CountEmbeddings(["moon", "landed"])) as agent:
    agent.ask(question, thread_id="t")
    print(len(agent.threads.show("t")), agent.threads.show("t")[0].answer.kind)
"""


def test_a_thread_goes_on_in_a_new_process_with_strict_reading(docs: Path) -> None:
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    for number in (1, 2):
        done = subprocess.run(
            [sys.executable, "-c", STRICT, str(docs), "Who landed on the Moon?"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [str(number), "generated"]
        told = [
            line for line in done.stderr.lower().splitlines() if "msgpack" in line or "unregistered" in line or "blocked" in line
        ]
        assert told == []


# --- the saver ----------------------------------------------------------------------------------------------------------


def test_one_saver_serves_sync_and_async_callers(tmp_path: Path) -> None:
    import asyncio

    from langchain_core.language_models import FakeListChatModel

    from rag_agent.workflows import chat_graph

    saver = Checkpointer(tmp_path / "sub" / "threads.sqlite")
    try:
        graph = chat_graph(FakeListChatModel(responses=["Hello."])).compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": "t"}}
        graph.invoke({"messages": [HumanMessage("a")]}, config)
        found = asyncio.run(graph.ainvoke({"messages": [HumanMessage("b")]}, config))
        assert len(found["messages"]) == 4
    finally:
        saver.close()


def test_an_answer_travels_in_plain_values() -> None:
    with chat(echo) as agent:
        agent.ask("Hello.", thread_id="t")
        message = agent.graph.get_state({"configurable": {"thread_id": "t"}}).values["messages"][-1]
    assert isinstance(message, AIMessage)
    assert Answer.from_dict(json.loads(message.additional_kwargs["rag_agent"])["answer"]).text == "reply 2"
