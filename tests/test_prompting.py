"""What a model is given to answer from: which prompt, and how much of the passages."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.vectorstores import InMemoryVectorStore

from rag_agent import Answer
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
    graph = agent_graph(
        model, VectorStoreLibrary(store), embeddings=CountEmbeddings(words), k=3, refusal_threshold=0.0, **options
    ).compile()
    return Answer.from_dict(graph.invoke({"question": QUESTION})["answer"])


def test_what_fits_is_shown_whole(words: Sequence[str]) -> None:
    model = ScriptedChat([LANDED])
    answer = ask(model, words)
    prompt = model.sent[0][-1].text
    assert all(sentence in prompt for sentence in [LANDED, *FILLING])
    assert answer.left_out == ()


@pytest.mark.parametrize("window", [150, 200])
def test_a_window_that_holds_no_passage_gets_the_sentences_that_are_likeliest_to_answer(
    words: Sequence[str], window: int
) -> None:
    model = Narrow([LANDED], window=window)
    answer = ask(model, words)
    prompt = model.sent[0][-1].text
    shown = sum(sentence in prompt for sentence in [LANDED, *FILLING, WATER, "The Moon is far."])
    assert LANDED in prompt
    assert 0 < shown < 33
    assert model.count_tokens(model.sent[0]) > window - 50 - 30  # one sentence more would not have fitted
    assert any(line.startswith(f"the model was shown {shown} of 33 passages") for line in answer.left_out)
    assert answer.text == f"{LANDED} [1]"


def test_a_window_that_holds_no_sentence_leaves_the_answer_to_the_quotes(words: Sequence[str]) -> None:
    model = Narrow([], window=60)
    answer = ask(model, words)
    assert model.sent == []
    assert answer.kind == "quote" and LANDED in answer.text
    assert "shown 0 of 33 passages" in answer.left_out[0]


def test_marks_of_the_model_are_no_part_of_the_answer(words: Sequence[str]) -> None:
    answer = ask(ScriptedChat([f"{LANDED.rstrip('.')} [7]."]), words)
    assert answer.text == f"{LANDED} [1]"  # the marks are the program's own, from the quotes


def test_a_small_model_is_asked_the_same_where_its_words_shall_answer(words: Sequence[str]) -> None:
    model = Small([LANDED])
    answer = ask(model, words, answer="generate")
    assert len(model.sent[0]) == 2
    assert answer.text == f"{LANDED} [1]"
