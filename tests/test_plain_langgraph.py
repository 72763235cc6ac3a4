"""`agent_graph` as users of LangGraph know graphs: messages, schemas, context, streams, interrupts, replay."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import TypeAdapter

from rag_agent import RagAgent, Settings
from rag_agent.errors import SettingsError
from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.testing import CountEmbeddings, ScriptedChat

LANDED = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."
QUESTION = "Who landed on the Moon?"
UNCHECKED = "Zebulon Quagmire landed on the Moon."
NODES = ["contextualize", "retrieve", "grade", "generate", "verify", "respond"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "moon.txt").write_text(f"{LANDED}\n", encoding="utf-8")
    return folder


@pytest.fixture(params=["InMemorySaver", "Checkpointer"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    if request.param == "InMemorySaver":
        yield InMemorySaver()
        return
    ours = Checkpointer(tmp_path / "threads.sqlite")
    yield ours
    ours.close()


@pytest.fixture
def made(folder: Path) -> Iterator[Any]:
    agents = []

    def make(reply: Any = lambda messages: f"{LANDED} [1]", **settings: Any) -> RagAgent:
        chosen = Settings.load(home=":memory:", **settings)
        embeddings = CountEmbeddings(["landed", "moon", "water", "who"])
        agents.append(RagAgent(folder, model=ScriptedChat(reply), embeddings=embeddings, settings=chosen))
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


def thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def told(found: dict[str, Any]) -> AIMessage:
    message = found["messages"][-1]
    assert isinstance(message, AIMessage)
    return message


# --- messages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{"question": QUESTION}, {"messages": [HumanMessage(QUESTION)]}, {"messages": [("user", QUESTION)]}]
)
def test_a_question_comes_as_text_or_as_a_message(made: Any, given: dict[str, Any]) -> None:
    found = made().builder().compile().invoke(given)
    assert [message.text for message in found["messages"]] == [QUESTION, f"{LANDED} [1]"]
    assert found["answer"]["question"] == QUESTION


def test_the_citations_are_in_the_message(made: Any) -> None:
    agent = made()
    [citation] = told(agent.builder().compile().invoke({"messages": [HumanMessage(QUESTION)]})).additional_kwargs["citations"]
    assert (citation["file"], citation["quote"]) == ("moon.txt", LANDED)
    assert agent.read("moon.txt")[citation["start"] : citation["end"]] == LANDED


def test_a_thread_goes_on_whichever_way_it_is_asked(made: Any, saver: BaseCheckpointSaver[Any]) -> None:
    graph = made().builder().compile(checkpointer=saver)
    graph.invoke({"messages": [HumanMessage(QUESTION)]}, thread("t"))
    graph.invoke({"question": "Are you sure?"}, thread("t"))
    found = graph.invoke({"messages": [HumanMessage("What did I ask first?")]}, thread("t"))
    asked = [message.text for message in found["messages"] if isinstance(message, HumanMessage)]
    assert asked == [QUESTION, "Are you sure?", "What did I ask first?"]
    assert QUESTION in told(found).text and len(found["messages"]) == 6


def test_a_conversation_may_come_whole(made: Any) -> None:
    said = [HumanMessage(QUESTION), AIMessage("Armstrong and Aldrin."), HumanMessage("What did I ask first?")]
    found = made().builder().compile().invoke({"messages": said})
    assert len(found["messages"]) == 4 and QUESTION in told(found).text


@pytest.mark.parametrize("given", [{"messages": []}, {"messages": [AIMessage("Hello.")]}, {"question": " "}])
def test_without_a_question_one_line_says_so(made: Any, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="there is no question"):
        made().builder().compile().invoke(given)


FAILING = "Who landed with whom on the Moon?"


@pytest.mark.parametrize("failed", [{"question": FAILING}, {"messages": [HumanMessage(FAILING)]}], ids=["text", "message"])
@pytest.mark.parametrize("next_one", [{"question": QUESTION}, {"messages": [HumanMessage(QUESTION)]}], ids=["text", "message"])
def test_a_turn_that_failed_leaves_nothing_to_the_next(made: Any, saver: Any, failed: Any, next_one: Any) -> None:
    graph = made([RuntimeError("out of paper"), f"{LANDED} [1]"]).builder().compile(checkpointer=saver)
    with pytest.raises(RuntimeError, match="out of paper"):
        graph.invoke(failed, thread("t"), durability="sync")
    found = graph.invoke(next_one, thread("t"), durability="sync")
    assert (found["answer"]["question"], told(found).text) == (QUESTION, f"{LANDED} [1]")
    assert not found["answer"]["left_out"]
    assert set(graph.get_state(thread("t")).values) == {"messages"}


# --- schemas and context ------------------------------------------------------------------------------------------------


def test_the_schemas_are_declared(made: Any) -> None:
    graph = made().builder().compile()
    schemas = (graph.get_input_jsonschema(), graph.get_output_jsonschema(), graph.get_context_jsonschema())
    assert [set(schema["properties"]) for schema in schemas] == [
        {"question", "messages"},
        {"answer", "messages"},
        {"model", "k", "answer", "judge", "docs", "user"},
    ]
    for schema in schemas:
        json.dumps(schema)


def test_what_comes_out_is_the_answer_and_the_conversation(made: Any) -> None:
    assert set(made().builder().compile().invoke({"question": QUESTION})) == {"answer", "messages"}


def test_unknown_keys_of_context_and_configuration_are_ignored(made: Any) -> None:
    graph = made().builder().compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t", "colour": "green"}}
    found = graph.invoke({"question": QUESTION}, config, context={"colour": "green", "k": 1})
    assert found["answer"]["kind"] != "refusal"


def test_a_context_varies_whose_words_answer(made: Any) -> None:
    agent = made()
    found = agent.builder().compile().invoke({"question": QUESTION}, context={"answer": "quote"})
    assert (found["answer"]["kind"], agent._model.sent) == ("quote", [])


def test_a_context_varies_the_documents(made: Any, tmp_path: Path) -> None:
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "water.txt").write_text("The plant who makes water landed a prize.\n", encoding="utf-8")
    graph = made(answer="quote").builder().compile()
    cited = []
    for context in ({"docs": str(tmp_path / "plant")}, {}):
        found = graph.invoke({"question": "Who landed?"}, context=context)
        cited.append([citation["file"] for citation in found["answer"]["citations"]])
    assert cited == [["water.txt"], ["moon.txt"]]


def test_a_context_varies_the_model(made: Any, tiny_chat: Path) -> None:
    agent = made()
    name = f"huggingface:{tiny_chat}"
    found = agent.builder().compile().invoke({"question": QUESTION}, context={"model": name})
    assert (found["answer"]["model"], agent._model.sent) == (name, [])


@pytest.mark.parametrize("context", [{"k": 0}, {"k": "many"}, {"answer": "loud"}, {"model": ""}, {"docs": 7}])
def test_a_context_that_cannot_be_used_is_told_in_a_line(made: Any, context: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"context: {next(iter(context))} is"):
        made().builder().compile().invoke({"question": QUESTION}, context=context)


# --- streams ------------------------------------------------------------------------------------------------------------

MODES = ["values", "updates", "messages", "custom", "tasks", "debug", "checkpoints"]


@pytest.mark.parametrize("mode", MODES)
def test_no_stream_shows_an_unchecked_word(made: Any, mode: str) -> None:
    graph = made(lambda messages: f"{LANDED} [1] {UNCHECKED} [1]").builder().compile(checkpointer=InMemorySaver())
    before_check = []
    for part in graph.stream({"question": QUESTION}, thread("t"), stream_mode=["tasks", mode], durability="sync"):
        checked = part[1].get("name") == "verify" and "result" in part[1] if part[0] == "tasks" else "verify" in part[1]
        if checked:  # from here on it may be told as what was left out
            break
        before_check.append(str(part))
    assert before_check and not any("Quagmire" in part or "Zebulon" in part for part in before_check)


# --- interrupts and replay ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("node", NODES)
def test_a_turn_can_be_interrupted_at_any_node(made: Any, saver: BaseCheckpointSaver[Any], when: str, node: str) -> None:
    agent = made()
    whole = agent.builder().compile().invoke({"question": QUESTION})
    graph = agent.builder().compile(checkpointer=saver, **{when: [node]})
    first = graph.invoke({"messages": [HumanMessage(QUESTION)]}, thread("t"))
    calls = len(agent._model.sent)
    assert ("answer" in first) == ((when, node) == ("interrupt_after", "respond"))
    found = graph.invoke(None, thread("t"))
    assert told(found).text == told(whole).text and len(found["messages"]) == 2
    assert len(agent._model.sent) - calls <= 1


def test_any_checkpoint_can_be_replayed(made: Any, saver: BaseCheckpointSaver[Any]) -> None:
    graph = made().builder().compile(checkpointer=saver)
    text = told(graph.invoke({"question": QUESTION}, thread("t"), durability="sync")).text
    kept = [state for state in graph.get_state_history(thread("t")) if state.next]
    assert {state.next[0] for state in kept} == {"__start__", *NODES}
    for state in kept:
        found = graph.invoke(None, state.config)
        assert told(found).text == text and len(found["messages"]) == 2


def test_a_thread_keeps_what_was_said_alone(made: Any, saver: BaseCheckpointSaver[Any]) -> None:
    graph = made().builder().compile(checkpointer=saver)
    for _ in range(2):
        graph.invoke({"question": QUESTION}, thread("t"), durability="sync")
    assert set(graph.get_state(thread("t")).values) == {"messages"}


def test_an_interrupted_turn_gives_way_to_another_question(made: Any, saver: BaseCheckpointSaver[Any]) -> None:
    graph = made().builder().compile(checkpointer=saver, interrupt_before=["generate"])
    graph.invoke({"question": "Who landed with whom on the Moon?"}, thread("t"))
    graph.invoke({"question": QUESTION}, thread("t"))
    found = graph.invoke(None, thread("t"))
    assert [message.text for message in found["messages"]] == [QUESTION, f"{LANDED} [1]"]


def test_a_state_is_edited_while_the_turn_waits(made: Any, saver: BaseCheckpointSaver[Any]) -> None:
    graph = made().builder().compile(checkpointer=saver, interrupt_before=["retrieve"])
    graph.invoke({"question": "Who did that?"}, thread("t"))
    graph.update_state(thread("t"), {"queries": [(QUESTION, 1.0)]})
    assert graph.invoke(None, thread("t"))["answer"]["query"] == QUESTION


def test_every_checkpoint_loads_strictly(made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    saver = InMemorySaver()
    graph = made().builder().compile(checkpointer=saver)
    graph.invoke({"question": QUESTION}, thread("t"), durability="sync")
    states = list(graph.get_state_history(thread("t")))
    assert len(states) > len(NODES) and all(
        TypeAdapter(dict[str, Any]).validate_python(state.values) is not None for state in states
    )
