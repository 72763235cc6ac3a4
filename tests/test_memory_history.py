"""Long conversations in a small window."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent import RagAgent
from rag_agent.memory import summaries
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


# --- summaries ----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_summaries() -> None:
    """Other tests hold the same conversations."""
    summaries.forget()


class Weights:
    """Of a model that tells its size."""

    def __init__(self, count: int) -> None:
        self.count = count

    def parameters(self) -> int:
        return self.count


class Capable(SmallWindow):  # type: ignore[misc,unused-ignore]
    """A model of three billion weights."""

    def __init__(self, replies: Any = ()) -> None:
        super().__init__(replies)

    weights: Weights = Weights(3_000_000_000)


class Small(SmallWindow):  # type: ignore[misc,unused-ignore]
    """The embedded model's size."""

    def __init__(self, replies: Any = ()) -> None:
        super().__init__(replies)

    weights: Weights = Weights(135_000_000)


def is_summary(messages: list[BaseMessage]) -> bool:
    return "Summarise it in at most" in str(messages[-1].content)


def chatting(summary: Any) -> Any:
    def reply(messages: list[BaseMessage]) -> Any:
        return summary if is_summary(messages) else "I see. " + "That is worth a thought or two. " * 4

    return reply


def talk(asked: RagAgent, first: int, last: int) -> None:
    for number in range(first, last + 1):
        asked.ask(f"Tell me what you make of the weather on day {number}, with its wind and its clouds.", thread_id="t")


def test_a_capable_model_summarises_what_does_not_fit_once_in_eight_turns(tmp_path: Any) -> None:
    summary = "The weather of many days was spoken of. The wind of day 2 was the strongest."
    model = Capable(chatting(summary))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        asked.ask("Remember: I am allergic to walnuts.", thread_id="t")
        talk(asked, 2, 59)
        calls = [place for place, messages in enumerate(model.sent) if is_summary(messages)]
        assert len(calls) >= 3
        # In between, eight turns are answered without one; the ninth call is the next summary.
        assert {after - before for before, after in zip(calls, calls[1:], strict=False)} == {9}
        # A summary is made of the one before and the turns since, and no longer shows the turns before those.
        first, second = (said(model.sent[call]) for call in calls[:2])
        assert summary not in first and "on day 2," in first and "on day 20," not in first
        assert summary in second and "on day 2," not in second and "on day 20," in second
        model.sent.clear()
        talk(asked, 60, 60)
        shown = str(model.sent[-1][0].content)
        assert summary in shown and "I am allergic to walnuts" in shown
        told = asked.threads.show("t")[-1].answer.left_out[0]
        assert "a summary that it wrote of" in told
        assert model.longest > WINDOW // 2
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or b"The wind of day 2 was the strongest" not in file.read_bytes()


def test_a_summary_is_paid_for_in_the_usage_and_is_no_part_of_the_stream(tmp_path: Any) -> None:
    model = Capable(chatting("They spoke of secretive weather."))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        for _ in range(60):
            model.sent.clear()
            events = [*asked.stream("Tell me what you make of the hail, with its wind and its clouds.", thread_id="t")]
            if len(model.sent) == 2:
                break
        assert is_summary(model.sent[0])
        assert "secretive" not in "".join(event.text for event in events)
        words = sum(len(str(message.content).split()) for messages in model.sent for message in messages)
        assert events[-1].answer is not None and events[-1].answer.usage["input_tokens"] == words


@pytest.mark.parametrize("summary", ["", ValueError("broken")])
def test_without_a_usable_summary_turns_are_told_in_lines(tmp_path: Any, summary: Any) -> None:
    model = Capable(chatting(summary))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        talk(asked, 1, 59)
        calls = sum(map(is_summary, model.sent))
        assert 1 <= calls <= 59 // 8  # one that failed is not tried again at once
        assert "on day 59" in said(model.sent[-1])
        told = asked.threads.show("t")[-1].answer.left_out[0]
        assert "a summary" not in told and "and 0 in a line each" not in told


def test_a_summary_that_is_too_long_is_cut(tmp_path: Any) -> None:
    model = Capable(chatting(" ".join(f"It rained on day {number}." for number in range(1000))))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        talk(asked, 1, 59)
        last = [said(messages) for messages in model.sent if is_summary(messages)][-1]
        assert "It rained on day 3." in last and "It rained on day 90." not in last and "wind and its clouds" in last
        assert "It rained on day 3." in str(model.sent[-1][0].content)
        assert "; 0 did not fit" in asked.threads.show("t")[-1].answer.left_out[0]


def test_a_small_model_is_never_asked_for_a_summary(tmp_path: Any) -> None:
    model = Small(chatting("no"))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        talk(asked, 1, 40)
        assert len(model.sent) == 40 and not any(map(is_summary, model.sent))
        assert "in a line each" in asked.threads.show("t")[-1].answer.left_out[0]


def test_a_deleted_conversation_leaves_no_summary(tmp_path: Any) -> None:
    model = Capable(chatting("The weather of many days was spoken of."))
    with RagAgent(None, model=model, home=tmp_path) as asked:
        talk(asked, 101, 140)
        made = sum(map(is_summary, model.sent))
        exported = asked.threads.export("t")
        asked.threads.delete("t")
        asked.threads.import_(exported)
        talk(asked, 141, 141)
        assert sum(map(is_summary, model.sent)) == made + 1
