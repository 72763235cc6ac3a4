"""Long conversations in a small window."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent import RagAgent
from rag_agent.memory.history import fit, shorten
from rag_agent.testing import ScriptedChat

WINDOW = 2048
FACTS = {
    3: "The boiler of the Ardent is painted vermilion.",
    40: "Marta keeps a tortoise named Pushkin.",
    90: "The spare key hangs in the granary.",
}


class SmallWindow(ScriptedChat):  # type: ignore[misc,unused-ignore]
    """A model that refuses what does not fit, as a real one does; a word is one and a third tokens."""

    window: int = WINDOW
    max_new_tokens: int = 200
    longest: int = 0

    def __init__(self, replies: Any = ()) -> None:
        super().__init__(replies)

    def count_tokens(self, messages: list[BaseMessage]) -> int:
        return sum(4 + len(str(message.content).split()) * 4 // 3 for message in messages)

    def _pieces(self, messages: list[BaseMessage]) -> Any:
        length = self.count_tokens(messages)
        self.longest = max(self.longest, length)
        assert length + self.max_new_tokens <= self.window, f"{length} tokens"
        return super()._pieces(messages)


def said(messages: list[BaseMessage]) -> str:
    return "\n".join(str(message.content) for message in messages)


def test_120_turns_in_2048_tokens_overflow_nowhere_and_forget_nothing(tmp_path: Any) -> None:
    model = SmallWindow(lambda messages: "I see. " + "That is worth a thought or two, and here they are. " * 3)
    with RagAgent(None, model=model, home=tmp_path) as asked:
        for number in range(1, 121):
            fact = FACTS.get(number, f"The weather of day {number} was much like that of the day before it, with some wind.")
            answer = asked.ask(f"Tell me what you make of this: {fact}", thread_id="long")
        assert answer.left_out and "of 119 earlier turns" in answer.left_out[0]
        assert model.longest > WINDOW // 2
        for question, fact in (
            ("Which colour has the boiler of the Ardent?", FACTS[3]),
            ("Who keeps a tortoise, and what is its name?", FACTS[40]),
            ("Where does the spare key hang?", FACTS[90]),
        ):
            asked.ask(question, thread_id="long")
            assert fact in said(model.sent[-1])
        assert len(asked.threads.show("long")) == 123
        assert [thread.thread_id for thread in asked.threads.list("tortoise pushkin")] == ["long"]


def turns(count: int) -> list[Any]:
    return [
        message
        for number in range(1, count + 1)
        for message in (
            HumanMessage(f"Question {number} about thing{number}?"),
            AIMessage(f"Answer {number}. " + "More of it. " * 8),
        )
    ]


def test_a_short_conversation_is_shown_whole() -> None:
    shown = fit(SmallWindow(), SystemMessage("role"), turns(5), "And now?")
    assert [type(message) for message in shown.messages] == [SystemMessage, *[HumanMessage, AIMessage] * 5, HumanMessage]
    assert shown.left_out == ()


def test_what_was_to_be_remembered_is_kept() -> None:
    messages = [HumanMessage("Remember: I am allergic to walnuts."), AIMessage("Noted."), *turns(100)]
    shown = fit(SmallWindow(), SystemMessage("role"), messages, "What can I cook?")
    assert "I am allergic to walnuts" in str(shown.messages[0].content)
    assert "Question 100 about thing100?" in said(shown.messages[1:])


def test_a_model_that_does_not_tell_is_given_no_more_than_4096_tokens() -> None:
    shown = fit(ScriptedChat([]), SystemMessage("role"), turns(300), "And now?")
    assert 4000 < len(said(shown.messages).encode()) < 4096 * 3


@pytest.mark.parametrize("words", [10, 5000])
def test_an_answer_to_transform_is_cut_where_it_does_not_fit(words: int) -> None:
    shown = shorten(SmallWindow(), lambda text: [HumanMessage(f"Shorten: {text}")], "word " * words)
    assert SmallWindow().count_tokens(shown.messages) <= WINDOW - 200
    assert bool(shown.left_out) == (words == 5000)
