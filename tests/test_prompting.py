"""What a model is given to answer from: which prompt, and how much of the passages."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.vectorstores import InMemoryVectorStore

from rag_agent import Answer, RagAgent, Settings
from rag_agent.index import VectorStoreLibrary
from rag_agent.testing import CountEmbeddings, ScriptedChat
from rag_agent.workflows import agent_graph

LANDED = "Neil Armstrong and Edwin Aldrin landed on the Moon on 20 July 1969."
FILLING = [f"Page {number} of the Moon diary tells of weather, wind and waves." for number in range(30)]
QUESTION = "Who landed on the Moon?"


class Narrow(ScriptedChat):  # type: ignore[misc,unused-ignore]
    """A model that refuses what does not fit, as a real one does; a word is a token."""

    window: int
    max_new_tokens: int = 50

    def __init__(self, replies: Any, window: int) -> None:
        super().__init__(replies, window=window)

    def count_tokens(self, messages: list[BaseMessage]) -> int:
        return sum(len(str(message.content).split()) for message in messages)

    def _pieces(self, messages: list[BaseMessage]) -> Any:
        assert self.count_tokens(messages) + self.max_new_tokens <= self.window
        return super()._pieces(messages)


class Small(ScriptedChat):  # type: ignore[misc,unused-ignore]
    """A model of 135 million weights."""

    weights: Any = SimpleNamespace(parameters=lambda: 135_000_000)

    def __init__(self, replies: Any) -> None:
        super().__init__(replies)


WATER = "The Balashi plant makes 8,000 tons of water each day."


def ask(model: ScriptedChat, words: Sequence[str], **options: Any) -> Answer:
    store = InMemoryVectorStore(CountEmbeddings(words))
    for article, place in enumerate((3, 14)):
        text = [*FILLING[15 * article : 15 * article + 15]]
        text.insert(place, LANDED if article else "The Moon is far.")
        store.add_documents(
            [Document(" ".join(text), metadata={"file": "moon.txt", "article": article, "start": 1000 * article})]
        )
    store.add_documents([Document(WATER, metadata={"file": "water.txt", "article": 0, "start": 0})])
    graph = agent_graph(model, VectorStoreLibrary(store), embeddings=CountEmbeddings(words), k=3, **options).compile()
    return Answer.from_dict(graph.invoke({"question": QUESTION})["answer"])


def test_what_fits_is_shown_whole(words: Sequence[str]) -> None:
    model = ScriptedChat([LANDED])
    answer = ask(model, words)
    prompt = model.sent[0][-1].text
    assert all(sentence in prompt for sentence in [LANDED, *FILLING])
    assert prompt.index(LANDED) < prompt.index(FILLING[0])  # the passage of the best sentence comes first
    assert answer.left_out == ()


def test_what_is_beside_the_point_leaves_the_context(words: Sequence[str]) -> None:
    model = ScriptedChat([LANDED])
    answer = ask(model, words)
    assert WATER not in model.sent[0][-1].text
    assert {hit.file for hit in answer.context} == {"moon.txt"}


@pytest.mark.parametrize("window", [200, 240, 280])
def test_the_best_sentences_go_into_a_window_that_does_not_hold_all(words: Sequence[str], window: int) -> None:
    model = Narrow([LANDED], window=window)
    answer = ask(model, words)
    prompt = model.sent[0][-1].text
    shown = sum(sentence in prompt for sentence in FILLING)
    assert LANDED in prompt and "…" in prompt
    assert 0 < len(FILLING) - shown <= 30
    assert model.count_tokens(model.sent[0]) > window - 50 - 30  # a whole sentence and its fence would not have fitted
    (told,) = answer.left_out
    assert told.startswith(f"the model was shown {shown + 1 + ('The Moon is far.' in prompt)} of the 32 sentences")
    assert answer.kind == "generated"


def test_a_window_that_holds_no_sentence_leaves_the_answer_to_the_quotes(words: Sequence[str]) -> None:
    model = Narrow([], window=60)
    answer = ask(model, words)
    assert model.sent == []
    assert answer.kind == "quote" and LANDED in answer.text
    assert "shown 0 of the 32 sentences" in answer.left_out[0]


def test_a_large_model_gets_the_passages_and_is_asked_for_citations(words: Sequence[str]) -> None:
    model = ScriptedChat([f"{LANDED.rstrip('.')} [1]."])
    answer = ask(model, words)
    assert len(model.sent[0]) == 2
    assert '<passage id="1" file="moon.txt">' in model.sent[0][-1].text and "like this [1]" in model.sent[0][-1].text
    assert answer.text == f"{LANDED} [1]"  # the marks are the program's own, from the quotes


def test_a_small_model_gets_examples_and_a_few_sentences(words: Sequence[str]) -> None:
    model = Small([LANDED])
    ask(model, words, answer="generate")
    sent = model.sent[0]
    assert [message.text for message in sent if isinstance(message, AIMessage)] == [
        "The bridge was opened by the mayor, Anna Lund.",
        "The harvest begins in November.",
    ]
    assert LANDED in sent[-1].text
    assert len(sent[-1].text.split()) < 120


@pytest.mark.parametrize(("kind", "prompt", "messages"), [(Small, "long", 2), (ScriptedChat, "short", 6)])
def test_the_prompt_can_be_chosen(words: Sequence[str], kind: Any, prompt: str, messages: int) -> None:
    model = kind([LANDED])
    answer = ask(model, words, answer="generate", prompt=prompt)
    assert len(model.sent[0]) == messages
    assert answer.text == f"{LANDED} [1]"


@pytest.mark.parametrize(("prompt", "messages"), [("auto", 2), ("short", 6)])
def test_the_setting_chooses_the_prompt(docs: Path, prompt: str, messages: int) -> None:
    model = ScriptedChat([LANDED])
    settings = Settings.load(home=":memory:", prompt=prompt)
    with RagAgent(docs, model=model, embeddings=CountEmbeddings(), settings=settings) as agent:
        assert agent.ask(QUESTION).text == f"{LANDED} [1]"
    assert len(model.sent[0]) == messages
