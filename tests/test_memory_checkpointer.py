"""Our saver against LangGraph's own: what goes in comes out, each message is kept once, damage is told and recovered from."""

import asyncio
import operator
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from rag_agent import RagAgent
from rag_agent.errors import ThreadError
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.memory.recovery import recover
from rag_agent.memory.threads import Threads
from rag_agent.testing import ScriptedChat
from rag_agent.workflows import chat_graph

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    log: Annotated[list[str], operator.add]
    data: dict[str, Any]


def graph(saver: Any) -> Any:
    """Messages that are added, changed and removed, other channels, a subgraph with its own checkpoints, an interrupt."""

    def talk(state: State) -> dict[str, Any]:
        said = AIMessage(
            [{"type": "text", "text": "hello"}], id=f"a{len(state['messages'])}",
            tool_calls=[{"name": "look", "args": {"deep": [1, {"x": None}]}, "id": "c1"}], additional_kwargs={"k": {"n": [1.5]}},
        )  # fmt: skip
        return {"messages": [said, ToolMessage("seen", tool_call_id="c1", id=f"t{len(state['messages'])}")], "log": ["talk"]}

    def wait(state: State) -> dict[str, Any]:
        return {"data": {"told": interrupt("how?"), "bytes": b"\0\1", "tuple": (1, 2)}, "log": ["wait"]}

    inner = StateGraph(State)
    inner.add_node("wait", wait)
    inner.add_edge(START, "wait")
    inner.add_edge("wait", END)
    builder = StateGraph(State)
    builder.add_node("talk", talk)
    builder.add_node("inner", inner.compile(checkpointer=True))
    builder.add_edge(START, "talk")
    builder.add_edge("talk", "inner")
    builder.add_edge("inner", END)
    return builder.compile(checkpointer=saver)


def life(compiled: Any) -> list[Any]:
    """Some turns, changes and removals; then every state of the history, without what differs by chance."""
    for turn in range(3):
        compiled.invoke({"messages": [HumanMessage(f"turn {turn}", id=f"h{turn}")], "log": ["in"]}, CONFIG)
        compiled.invoke(Command(resume=f"so {turn}"), CONFIG)
    compiled.update_state(CONFIG, {"messages": [RemoveMessage("h1"), HumanMessage("changed", id="h0")]}, as_node="inner")
    compiled.update_state(CONFIG, {"messages": [SystemMessage("late", id="s")], "data": {}}, as_node="inner")
    compiled.update_state(CONFIG, {"messages": [RemoveMessage("__remove_all__")]}, as_node="inner")
    states = list(compiled.get_state_history(CONFIG))
    return [(s.values, s.next, s.metadata["source"], s.metadata["step"], len(s.tasks), bool(s.parent_config)) for s in states]


@pytest.mark.parametrize("durability", ["sync", "reopened"])
def test_a_graph_of_every_kind_lives_as_with_the_stock_saver(durability: str, conversations: Path | str) -> None:
    wanted = life(graph(InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))))
    saver = Checkpointer(conversations)
    found = life(graph(saver))
    assert found == wanted
    assert [repr(values) for values, *_ in found] == [repr(values) for values, *_ in wanted]
    if durability == "reopened":
        saver.close()
        saver = Checkpointer(conversations)
        states = list(graph(saver).get_state_history(CONFIG))
        assert [repr(state.values) for state in states] == [repr(values) for values, *_ in wanted]
    assert not Threads(saver).check()


def test_async_calls_work_with_the_same_saver(conversations: Path | str) -> None:
    saver = Checkpointer(conversations)
    compiled = chat_graph(ScriptedChat(["one", "two"])).compile(checkpointer=saver)

    async def talk() -> list[Any]:
        await asyncio.gather(
            *(compiled.ainvoke({"messages": [("user", "hi")]}, {"configurable": {"thread_id": str(n)}}) for n in range(2))
        )
        return [state async for state in compiled.aget_state_history({"configurable": {"thread_id": "0"}})]

    assert asyncio.run(talk())[0].values == compiled.get_state({"configurable": {"thread_id": "0"}}).values


def test_each_message_is_kept_once(conversations: Path | str) -> None:
    saver = Checkpointer(conversations)
    compiled = chat_graph(ScriptedChat(lambda messages: "yes " * 100)).compile(checkpointer=saver)
    for turn in range(20):
        compiled.invoke({"messages": [("user", f"turn {turn}")]}, CONFIG, durability="exit")
    [(parts, lines)] = saver.database.connection.execute("SELECT (SELECT COUNT(*) FROM parts), (SELECT COUNT(*) FROM lines)")
    assert (parts, lines) == (40, 40)


def test_what_is_changed_in_place_is_stored_and_does_not_reach_other_readers(conversations: Path | str) -> None:
    saver = Checkpointer(conversations)

    def change(state: State) -> dict[str, Any]:
        state["messages"][0].additional_kwargs.setdefault("seen", []).append(len(state["messages"]))
        return {"messages": [AIMessage("ok")]}

    builder = StateGraph(State)
    builder.add_node("change", change)
    builder.add_edge(START, "change")
    compiled = builder.compile(checkpointer=saver)
    for _ in range(3):
        compiled.invoke({"messages": [HumanMessage("hi")]}, CONFIG, durability="exit")
    states = list(compiled.get_state_history(CONFIG))
    assert [state.values["messages"][0].additional_kwargs["seen"] for state in states] == [[1, 3, 5], [1, 3], [1]]


def test_a_lending_saver_hands_out_what_it_remembers_and_forgets_with_its_lender(conversations: Path | str) -> None:
    saver = Checkpointer(conversations)
    lending = saver.lending()

    def messages(reader: Checkpointer) -> list[AnyMessage]:
        found = reader.get_tuple(CONFIG)
        return list(found.checkpoint["channel_values"]["messages"]) if found else []

    compiled = chat_graph(ScriptedChat(["one", "two"])).compile(checkpointer=lending)
    for question in ("first", "second"):
        compiled.invoke({"messages": [("user", question)]}, CONFIG, durability="exit")
    assert all(one is other for one, other in zip(messages(lending), messages(lending), strict=True))
    assert not any(one is other for one, other in zip(messages(lending), messages(saver), strict=True))
    assert (
        [message.text for message in messages(saver)] == ["first", "one", "second", "two"] == [m.text for m in messages(lending)]
    )
    saver.delete_thread("t")
    assert messages(lending) == [] == messages(saver)


def test_the_graph_of_an_agent_hands_out_copies(tmp_path: Path) -> None:
    with RagAgent(home=tmp_path, model=ScriptedChat(["one", "two"])) as agent:
        agent.ask("first", thread_id="t")
        agent.graph.get_state(CONFIG).values["messages"][1].content = "changed"
        agent.ask("second", thread_id="t")
        assert [message.text for message in agent.graph.get_state(CONFIG).values["messages"]] == ["first", "one", "second", "two"]


def test_a_file_of_the_first_version_is_taken_over_whole(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    with sqlite3.connect(path, check_same_thread=False) as connection:
        stock = SqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        with RagAgent(None, model=ScriptedChat(lambda messages: "yes"), home=":memory:", checkpointer=stock) as asked:
            for turn in range(5):
                asked.ask(f"Tell me of turn {turn}", thread_id="t")
            asked.ask("Tell me of another", thread_id="u")
            before = [(s.values, s.config, s.parent_config, s.metadata) for s in asked.graph.get_state_history(CONFIG)]
        # One that cannot be read must not take the others with it.
        sql = "INSERT INTO checkpoints SELECT 'x', checkpoint_ns, checkpoint_id, NULL, type, X'C1FF', metadata FROM checkpoints"
        connection.execute(f"{sql} WHERE thread_id = 'u'")
    connection.close()
    for _ in range(2):  # the second time there is nothing to take over
        with RagAgent(None, model=ScriptedChat(lambda messages: "yes"), home=tmp_path) as asked:
            assert [(s.values, s.config, s.parent_config, s.metadata) for s in asked.graph.get_state_history(CONFIG)] == before
            assert {thread.thread_id: thread.turns for thread in asked.threads.list()} == {"t": 5, "u": 1}
            assert "unreadable_checkpoints" in asked.threads.check()[0]
    with RagAgent(None, model=ScriptedChat(lambda messages: "yes"), home=tmp_path) as asked:
        asked.ask("Tell me of the next", thread_id="t")
        asked.threads.rewind("t", 2)
        assert len(asked.threads.show("t")) == 2


def test_a_damaged_file_is_told_of_and_recovered_without_losing_it(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    saver = Checkpointer(path)
    compiled = chat_graph(ScriptedChat(lambda messages: "yes " * 300)).compile(checkpointer=saver)
    for thread in range(20):
        for turn in range(3):
            config: Any = {"configurable": {"thread_id": f"t{thread}"}}
            compiled.invoke({"messages": [("user", f"turn {turn} of thread {thread} " * 20)]}, config, durability="exit")
    saver.database.connection.execute("UPDATE parts SET value = X'C1' WHERE id = 1")  # a message that is no longer one
    saver.database.forget_log()
    saver.close()
    data = bytearray(path.read_bytes())
    for page in range(20, 24):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    saver = Checkpointer(path)
    assert Threads(saver).check()
    saver.close()
    aside, saved, lost = recover(path)
    assert aside.read_bytes() == bytes(data)
    assert saved >= 20 and lost >= 1
    fresh = Checkpointer(path)
    assert not Threads(fresh).check()
    assert len(Threads(fresh).list()) >= 10
    fresh.close()


def test_a_file_that_is_no_database_or_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(ThreadError, match="damaged"):
        Checkpointer(path)
    with pytest.raises(ThreadError, match="left as it is"):
        recover(path)
    assert path.read_bytes().startswith(b"no database")
    later = tmp_path / "later.sqlite"
    saver = Checkpointer(later)
    saver.database.connection.execute("UPDATE meta SET value = '9' WHERE key = 'format'")
    saver.close()
    with pytest.raises(ThreadError, match="later version"):
        Checkpointer(later)
