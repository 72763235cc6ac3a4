import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.checkpoint.memory import InMemorySaver

from rag_agent import Answer, Event, RagAgent, Settings
from rag_agent.errors import DocumentsError, ModelNotFoundError, SettingsError
from rag_agent.testing import CountEmbeddings, ScriptedChat

LANDED = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."
QUESTION = "Who landed on the Moon?"


@pytest.fixture
def made(docs: Path, words: Sequence[str]) -> Any:
    def make(replies: Any, **options: Any) -> RagAgent:
        return RagAgent(docs, model=ScriptedChat(replies), embeddings=CountEmbeddings(words), **options)

    return make


def always(reply: str) -> Any:
    return lambda messages: reply


# --- answers ------------------------------------------------------------------------------------------------------------


def test_an_answer_names_its_sources(made: Any) -> None:
    with made([LANDED]) as agent:
        answer = agent.ask(f"  {QUESTION}\n")
        (citation,) = answer.citations
        assert answer.text == f"{LANDED} [1]"
        assert (answer.kind, answer.refused, answer.thread_id, answer.model) == ("generated", False, None, "scripted")
        assert (answer.question, answer.query) == (QUESTION, QUESTION)
        assert (citation.file, citation.article, citation.quote) == ("moon.txt", 0, LANDED)
        assert agent.read(citation.file)[citation.start : citation.end] == citation.quote
        for hit in answer.context:
            assert agent.read(hit.file)[hit.start : hit.end] == hit.text
        assert answer.timings["total"] >= answer.timings["retrieve"] > 0


def test_citations_hold_in_files_of_any_encoding(tmp_path: Path, words: Sequence[str]) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.txt").write_bytes(f"Été à la une 😀\r\n\r\n{LANDED}\r\nMore.\r\n".encode("utf-16"))
    with RagAgent(folder, model=ScriptedChat([LANDED]), embeddings=CountEmbeddings(words)) as agent:
        (citation,) = agent.ask(QUESTION).citations
        assert agent.read("a.txt")[citation.start : citation.end] == citation.quote == LANDED
        assert (folder / "a.txt").read_bytes().decode("utf-16-le")[citation.start : citation.end] == LANDED


@pytest.mark.parametrize("question", ["", " \n\t", "\udcff"])
def test_an_empty_question_is_refused(made: Any, question: str) -> None:
    with made([]) as agent:
        with pytest.raises(SettingsError, match="question"):
            agent.ask(question)
        with pytest.raises(SettingsError, match="question"):
            asyncio.run(agent.aask(question))


def test_a_refusal_is_an_answer(made: Any) -> None:
    with made([]) as agent:
        answer = agent.ask("What does a saxophone from Paraguay weigh?", thread_id="t")
        assert answer.refused
        assert answer.citations == ()
        assert "2 files" in answer.text
        assert agent.threads.show("t")[0].answer.refused


def test_the_index_is_made_before_the_first_question_and_kept(made: Any) -> None:
    with made([LANDED]) as agent:
        agent.ask(QUESTION)
    with made([LANDED]) as agent:
        agent.ask(QUESTION)
        embedded = agent._given_embeddings.documents
        assert not [text for text in embedded if "Balashi" in text]  # no chunk; sentences may be compared


def test_without_documents_it_is_plain_chat_with_memory_and_a_role() -> None:
    model = ScriptedChat(["positive", "Thanks to you."])
    with RagAgent(model=model, system="You classify sentiments.") as agent:
        answer = agent.ask("I love it! Positive or negative?", thread_id="t")
        assert (answer.kind, answer.text, answer.citations) == ("chat", "positive", ())
        agent.ask("Why?", thread_id="t")
    assert model.sent[0][0].text == "You classify sentiments."
    assert [message.text for message in model.sent[1]][1:] == ["I love it! Positive or negative?", "positive", "Why?"]


@pytest.mark.parametrize("call", [lambda agent: agent.index(), lambda agent: agent.search("x"), lambda agent: agent.read("x")])
def test_without_documents_there_is_nothing_to_search(call: Any) -> None:
    with RagAgent(model=ScriptedChat([])) as agent, pytest.raises(DocumentsError):
        call(agent)


def test_settings_are_used_and_arguments_come_first(docs: Path) -> None:
    settings = Settings.load(model="ollama:x", system="a", home=":memory:", k=2)
    with RagAgent(docs, settings=settings, system="b") as agent:
        assert (agent.settings.system, agent.settings.k, agent.settings.folder) == ("b", 2, None)


def test_models_that_are_not_here_are_told_at_the_first_question(docs: Path) -> None:
    with RagAgent(docs) as agent, pytest.raises(ModelNotFoundError, match="rag-agent models pull embedded"):
        agent.ask(QUESTION)


# --- threads ------------------------------------------------------------------------------------------------------------


def test_a_follow_up_goes_on_with_another_agent(made: Any) -> None:
    with made(always("Michael Collins stayed in orbit aboard Columbia.")) as agent:
        agent.ask("Who stayed in orbit?", thread_id="t")
    with made(always("Michael Collins was born in Rome on 31 October 1930.")) as agent:
        answer = agent.ask("When was he born?", thread_id="t")
        assert "Collins" in answer.query
        assert "31 October 1930" in answer.text
        assert answer.citations[0].file == "crew.md"
        assert len(agent.threads.show("t")) == 2


def test_a_question_of_its_own_is_not_stored(made: Any) -> None:
    with made(always(LANDED)) as agent:
        agent.ask(QUESTION)
        assert list(agent.threads.list()) == []


def test_threads_do_not_hear_of_each_other(made: Any) -> None:
    with made(always("Hello.")) as agent:
        agent.ask("Hello, I am Ann.", thread_id="a")
        agent.ask("Thank you!", thread_id="b")
        assert not any("Ann" in message.text for message in agent._given_model.sent[-1])


@pytest.mark.parametrize("broken", [KeyboardInterrupt(), RuntimeError("out of paper")], ids=["Ctrl-C", "error"])
@pytest.mark.parametrize("thanks", [True, False], ids=["streamed", "whole"])
def test_a_turn_that_breaks_off_leaves_the_thread_as_it_was(made: Any, broken: BaseException, thanks: bool) -> None:
    half = ["Neil ", broken]
    last = ["You are welcome."] if thanks else [LANDED]
    with made([LANDED, half, *last]) as agent:
        agent.ask(QUESTION, thread_id="t")
        before = agent.threads.show("t")
        with pytest.raises(type(broken)):
            agent.ask("Thank you!" if thanks else QUESTION, thread_id="t")
        assert agent.threads.show("t") == before
        agent.ask("Thank you!" if thanks else QUESTION, thread_id="t")
        assert [turn.question for turn in agent.threads.show("t")] == [QUESTION, "Thank you!" if thanks else QUESTION]
        assert len(agent.graph.get_state({"configurable": {"thread_id": "t"}}).values["messages"]) == 4
    with made([]) as agent:
        assert len(agent.threads.show("t")) == 2


def test_a_first_turn_that_breaks_off_leaves_no_thread(made: Any) -> None:
    with made([KeyboardInterrupt()]) as agent:
        with pytest.raises(KeyboardInterrupt):
            agent.ask(QUESTION, thread_id="t")
        assert list(agent.threads.list()) == []


def test_a_stream_that_is_closed_early_leaves_the_thread_as_it_was(made: Any) -> None:
    with made(always(LANDED)) as agent:
        stream = agent.stream(QUESTION, thread_id="t")
        next(stream)
        stream.close()
        assert list(agent.threads.list()) == []
        assert agent.ask(QUESTION, thread_id="t").kind == "generated"  # and it waits for nobody


def test_two_turns_of_one_thread_wait_for_each_other(made: Any) -> None:
    with made(always(LANDED)) as agent:
        agent.index()
        askers = [threading.Thread(target=agent.ask, args=(QUESTION,), kwargs={"thread_id": "t"}) for _ in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert len(agent.threads.show("t")) == 4


def test_a_foreign_saver_takes_the_place_of_the_file(made: Any) -> None:
    saver = InMemorySaver()
    with made(always(LANDED), checkpointer=saver) as agent:
        agent.ask(QUESTION, thread_id="t")
    with made([], checkpointer=saver) as agent:
        assert len(agent.threads.show("t")) == 1
    assert not (Path.home() / ".rag-agent" / "threads.sqlite").exists()


# --- events -------------------------------------------------------------------------------------------------------------


def texts(events: Sequence[Event], kind: str) -> list[str]:
    return [event.text for event in events if event.type == kind]


def test_events_come_in_order(made: Any) -> None:
    with made([f"{LANDED} Elvis sang in Memphis."]) as agent:
        events = list(agent.stream(QUESTION, thread_id="t"))
    nodes = ["contextualize", "retrieve", "grade", "generate", "verify", "respond"]
    steps = [(event.node, event.ended) for event in events if event.type == "step"]
    assert steps == [step for node in nodes for step in ((node, False), (node, True))]
    assert texts(events, "sentence") == [f"{LANDED} [1]"]
    assert texts(events, "token") == []
    assert [event.type for event in events].count("answer") == 1
    assert events[-1].answer == Answer.from_dict(events[-1].answer.to_dict())
    assert "Elvis" not in "".join(event.text for event in events)


def test_a_stream_and_a_question_give_the_same_answer(made: Any) -> None:
    with made(always(LANDED)) as agent:
        *_, last = agent.stream(QUESTION)
        asked = agent.ask(QUESTION)
    assert last.answer is not None
    assert {**last.answer.to_dict(), "timings": {}} == {**asked.to_dict(), "timings": {}}


def test_tokens_are_streamed_in_chat_alone() -> None:
    with RagAgent(model=ScriptedChat(["Hello my friend."])) as agent:
        events = list(agent.stream("Hello."))
    assert texts(events, "token") == ["Hello", " my", " friend."]
    assert events[-1].answer is not None
    assert events[-1].answer.text == "Hello my friend."


# --- async --------------------------------------------------------------------------------------------------------------


def test_async_calls_do_the_same(made: Any) -> None:
    async def talk(agent: RagAgent) -> tuple[Answer, list[Event], Answer]:
        first = await agent.aask(QUESTION, thread_id="t")
        events = [event async for event in agent.astream(QUESTION, thread_id="t")]
        return first, events, await agent.aask(QUESTION, thread_id="t")

    with made(always(LANDED)) as agent:
        first, events, last = asyncio.run(talk(agent))
        assert first.text == last.text == f"{LANDED} [1]"
        assert texts(events, "sentence") == [f"{LANDED} [1]"]
        assert events[-1].type == "answer"
        assert len(agent.threads.show("t")) == 3


def test_async_questions_of_several_threads_run_at_once(made: Any) -> None:
    async def talk(agent: RagAgent) -> list[Answer]:
        return await asyncio.gather(*(agent.aask(QUESTION, thread_id=f"t{n % 3}") for n in range(6)))

    with made(always(LANDED)) as agent:
        answers = asyncio.run(talk(agent))
        assert [answer.thread_id for answer in answers] == ["t0", "t1", "t2"] * 2
        assert [thread.turns for thread in agent.threads.list()] == [2, 2, 2]


def test_a_cancelled_question_does_not_hold_its_thread(made: Any) -> None:
    async def talk(agent: RagAgent) -> Answer:
        stream = agent.astream(QUESTION, thread_id="t")
        await anext(stream)  # holds the thread
        waiting = asyncio.create_task(agent.aask(QUESTION, thread_id="t"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()  # type: ignore[attr-defined]
        return await asyncio.wait_for(agent.aask(QUESTION, thread_id="t"), 20)

    with made(always(LANDED)) as agent:
        assert asyncio.run(talk(agent)).kind == "generated"
        assert len(agent.threads.show("t")) == 1


def test_an_error_of_the_model_reaches_the_async_caller(made: Any) -> None:
    with made([RuntimeError("out of paper")]) as agent, pytest.raises(RuntimeError, match="out of paper"):
        asyncio.run(agent.aask(QUESTION))


# --- other people's stores ----------------------------------------------------------------------------------------------


def test_a_foreign_store_answers_with_quotes_of_its_documents(words: Sequence[str]) -> None:
    store = InMemoryVectorStore(CountEmbeddings(words))
    store.add_documents([Document(f"It is told: {LANDED}", metadata={"source": "paper.pdf", "page": 4, "start_index": 100})])
    with RagAgent(model=ScriptedChat([LANDED]), vector_store=store) as agent:
        answer = agent.ask(QUESTION, thread_id="t")
        assert LANDED in answer.text and answer.text.endswith(" [1]")
        (citation,) = answer.citations
        assert (citation.file, citation.page) == ("paper.pdf", 4)
        assert citation.start >= 100
        assert citation.quote in f"It is told: {LANDED}"
        assert agent.search("Moon", k=1)[0].file == "paper.pdf"
        with pytest.raises(DocumentsError):
            agent.read("paper.pdf")


def test_documents_and_a_store_at_once_are_refused(docs: Path, words: Sequence[str]) -> None:
    with pytest.raises(SettingsError, match="vector_store"):
        RagAgent(docs, vector_store=InMemoryVectorStore(CountEmbeddings(words)))
