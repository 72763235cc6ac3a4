"""Follow-ups said in full by a model that is large enough."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.memory.followups import Turn, usable_rewriting
from rag_agent.testing import CountEmbeddings, ScriptedChat

ORBIT = "Michael Collins stayed in orbit aboard Columbia."
BORN = "Michael Collins was born in Rome on 31 October 1930."
FIRST, SECOND = "Who stayed in orbit aboard Columbia?", "When was he born?"
REWRITTEN = "When was Michael Collins of Columbia born?"


@pytest.fixture
def made(docs: Path, words: Sequence[str]) -> Any:
    def make(replies: Any, model: Any = ScriptedChat, **settings: Any) -> RagAgent:
        chosen = Settings.load(home=":memory:", **settings)
        return RagAgent(docs, model=model(replies), embeddings=CountEmbeddings(words), settings=chosen)

    return make


def queries(agent: RagAgent, *questions: str) -> list[str]:
    return [agent.ask(question, thread_id="t").query for question in questions]


def test_a_follow_up_is_searched_for_in_the_models_words(made: Any) -> None:
    with made([ORBIT, f' "{REWRITTEN}"\n', BORN]) as agent:
        agent.ask(FIRST, thread_id="t")
        answer = agent.ask(SECOND, thread_id="t")
    first, second, third = agent._model.sent
    assert (answer.question, answer.query) == (SECOND, REWRITTEN)
    assert answer.citations[0].quote == BORN
    assert FIRST in second[-1].text and ORBIT in second[-1].text and SECOND in second[-1].text
    assert REWRITTEN in third[-1].text
    words = sum(len(message.text.split()) for message in (*second, *third))
    assert answer.usage["input_tokens"] == words  # both calls are counted


def test_a_question_that_stands_alone_is_left_untouched(made: Any) -> None:
    with made([ORBIT, BORN]) as agent:  # a third call would find no reply
        assert queries(agent, FIRST, "When was Michael Collins born?") == [FIRST, "When was Michael Collins born?"]


@pytest.mark.parametrize("settings", [{"rewrite": "builtin"}, {"answer": "quote"}])
def test_the_model_is_not_asked_where_that_is_set(made: Any, settings: dict[str, str]) -> None:
    with made([ORBIT, BORN] if "rewrite" in settings else [], **settings) as agent:
        assert queries(agent, FIRST, SECOND)[1] == "When was Michael Collins born?"


def test_a_small_model_is_asked_where_that_is_set(made: Any) -> None:
    class Small(ScriptedChat):  # type: ignore[misc,unused-ignore]
        @property
        def weights(self) -> Any:
            return self

        def parameters(self) -> int:
            return 135_000_000

    with made([], Small) as agent:
        assert queries(agent, FIRST, SECOND)[1] == "When was Michael Collins born?"
    with made([REWRITTEN], Small, rewrite="model") as agent:
        assert queries(agent, FIRST, SECOND)[1] == REWRITTEN


def test_it_is_asked_without_chance_and_out_of_the_stream(made: Any) -> None:
    class Warm(ScriptedChat):  # type: ignore[misc,unused-ignore]
        temperature: float = 0.7

        def _pieces(self, messages: Any) -> Any:
            assert self.temperature == 0
            return super()._pieces(messages)

    with made([ORBIT, REWRITTEN, BORN], Warm) as agent:
        agent.ask(FIRST, thread_id="t")
        config = {"configurable": {"thread_id": "t"}}
        parts = list(agent.graph.stream({"question": SECOND}, config, stream_mode="messages"))
    streamed = "".join(part[0].text for part in parts)
    assert BORN in streamed and REWRITTEN not in streamed


HISTORY = [Turn(FIRST, ORBIT)]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        ORBIT,  # an answer
        "When was Neil Armstrong born?",  # a name that nobody said
        "When was Michael Collins born in 1930?",  # a number that nobody said
        "Who stayed in orbit aboard Columbia?",  # the question before
        "When was he born?",  # nothing new
        "When was Michael Collins born?\nHe was born in Rome.",
        "Michael Collins stayed in orbit. When was Michael Collins born?",
        f"When was Michael Collins, who {'stayed in orbit ' * 12}born?",
    ],
)
def test_what_is_no_rewriting_is_not_used(reply: str) -> None:
    assert usable_rewriting(reply, SECOND, HISTORY) is None


@pytest.mark.parametrize(
    ("turn", "reply"),
    [
        (SECOND, "When was Michael Collins born?"),
        ("why?", "Why did Michael Collins stay in orbit?"),
        ("Tell me more about him.", "Tell me more about Michael Collins."),
    ],
)
def test_what_says_the_turn_in_full_is_used(turn: str, reply: str) -> None:
    assert usable_rewriting(reply, turn, HISTORY) == reply


def test_what_cannot_be_used_leaves_the_built_in_completion(made: Any) -> None:
    with made([ORBIT, "I do not know.", BORN]) as agent:
        assert queries(agent, FIRST, SECOND)[1] == "When was Michael Collins born?"
