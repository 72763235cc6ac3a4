"""Questions about the conversation itself, over documents: told from the transcript, without a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_agent import RagAgent, prompts
from rag_agent.memory.followups import Recall, recall_of
from rag_agent.testing import CountEmbeddings, ScriptedChat


@pytest.mark.parametrize(
    ("question", "recall"),
    [
        ("What did I ask you first?", Recall(nth=1)),
        ("what did I first ask?", Recall(nth=1)),
        ("What was my second question?", Recall(nth=2)),
        ("What was the 3rd thing I asked?", Recall(nth=3)),
        ("What's my last question?", Recall(nth=-1)),
        ("Which question did I ask at the beginning?", Recall(nth=1)),
        ("What did you just say?", Recall(nth=-1)),
        ("What did I ask you before?", Recall()),
        ("What did we talk about earlier?", Recall(whole=True)),
        ("Summarise our conversation", Recall(whole=True)),
        ("Can you sum up what we discussed?", Recall(whole=True)),
        ("Vat ons gesprek samen", Recall(whole=True)),
        ("Fasse unser Gespräch zusammen", Recall(whole=True)),
        ("Résume notre conversation", Recall(whole=True)),
        ("Resume nuestra conversación", Recall(whole=True)),
        ("Wat vroeg ik als eerste?", Recall(nth=1)),
        ("Was habe ich zuerst gefragt?", Recall(nth=1)),
        ("Qu'est-ce que j'ai demandé en premier ?", Recall(nth=1)),
        ("¿Qué pregunté primero?", Recall(nth=1)),
        ("What did I ask in turn 12?", Recall(turn=12)),
        ("In turn three, what did you answer?", Recall(turn=3)),
        ("What did we say about the bridge in turn 3?", Recall(turn=3)),
        ("What was your answer about the bridge earlier?", Recall(about="the bridge")),
        ("What was your answer to my question about the bridge?", Recall(about="the bridge")),
        ("Earlier, what did you say about the bridge?", Recall(about="the bridge")),
        ("What did I ask you first about the bridge?", Recall(nth=1, about="the bridge")),
        ("Can you remind me what you said about the bridge?", Recall(about="the bridge")),
        ("Do you remember what I asked about the bridge?", Recall(about="the bridge")),
    ],
)
def test_a_question_about_the_conversation(question: str, recall: Recall) -> None:
    assert recall_of(question) == recall


@pytest.mark.parametrize(
    "question",
    [
        "What did Armstrong say first?",
        "What was said earlier about taxes in the report?",
        "What did you say about taxes in the report?",
        "What did we decide before?",
        "What did we say about taxes in our letter before?",
        "What did we discuss first at the board meeting?",
        "What did I say about taxes?",
        "What did we mention about the merger?",
        "What did I ask the council before?",
        "What did I tell Anna before the flood?",
        "What was the first question of the exam?",
        "What was the answer about the bridge?",
        "What was your company's answer to the strike?",
        "Who asked about the bridge first?",
        "What happened in turn 3 of the race?",
        "What was the first thing he said?",
        "What did you build first?",
        "What did Collins answer when I asked about the bridge?",
        "Who landed on the Moon first?",
        "What was asked before?",
        "Repeat that.",
        "Make your answer shorter.",
    ],
)
def test_a_question_to_the_documents(question: str) -> None:
    assert recall_of(question) is None


CREW = [f"Crewman{number}" for number in range(1, 36)]


@pytest.fixture
def asked(tmp_path: Path) -> Any:
    """An agent after 35 turns, the fourth of which was about a bridge."""
    (tmp_path / "docs").mkdir()
    for name in CREW:
        (tmp_path / "docs" / f"{name}.txt").write_text(f"{name} was born in Town{name[7:]}.\n", encoding="utf-8")
    (tmp_path / "docs" / "bridge.txt").write_text("The Halberd bridge is 220 metres long.\n", encoding="utf-8")
    model = ScriptedChat(_reply)
    with RagAgent(tmp_path / "docs", model=model, embeddings=CountEmbeddings([*CREW, "bridge"]), home=":memory:") as agent:
        for number, name in enumerate(CREW, start=1):
            question = "How long is the Halberd bridge?" if number == 4 else f"Where was {name} born?"
            answer = agent.ask(question, thread_id="t")
            assert answer.citations, question
        yield agent


def _reply(messages: Sequence[Any]) -> str:
    """What the passage that stands first in the prompt says."""
    text = str(messages[-1].content)
    asked = text[text.rindex("Question:") :]
    name = next((name for name in reversed(CREW) if f"{name} " in asked), None)
    return f"{name} was born in Town{name[7:]}." if name else "The Halberd bridge is 220 metres long."


def test_a_turn_far_back_is_told_again_with_its_sources(asked: RagAgent, tmp_path: Path) -> None:
    model: Any = asked._model
    calls = len(model.sent)
    first = asked.ask("What did I ask you first?", thread_id="t")
    assert first.text == ("In turn 1 you asked: “Where was Crewman1 born?” The answer was: Crewman1 was born in Town1. [1]")
    assert (first.kind, [citation.file for citation in first.citations]) == ("transformed", ["Crewman1.txt"])
    for question in (
        "What was your answer about the bridge earlier?",
        "What did we say about the bridge in turn 4?",
        "What did you say about the bridge?",
    ):
        bridge = asked.ask(question, thread_id="t")
        assert "In turn 4 you asked: “How long is the Halberd bridge?” The answer was: The Halberd bridge is 220" in bridge.text
        assert [citation.file for citation in bridge.citations] == ["bridge.txt"]
    assert "no turn 99" in asked.ask("What did I ask in turn 99?", thread_id="t").text
    assert asked.ask("What did I ask in turn 99?", thread_id="t").kind == "chat"
    assert len(model.sent) == calls
    # What comes after goes on with what the conversation was about before.
    assert asked.ask("Where was Crewman7 born?", thread_id="t").kind == "generated"


def test_what_nobody_spoke_of_is_a_question_to_the_documents(asked: RagAgent) -> None:
    assert asked.ask("What did you say about saxophones?", thread_id="t").refused
    assert asked.ask("What did I ask you first?", thread_id="new").kind in ("generated", "quote", "refusal")


def test_a_recalled_answer_says_when_its_file_has_changed(asked: RagAgent, tmp_path: Path) -> None:
    (tmp_path / "docs" / "bridge.txt").write_text("The Halberd bridge is 440 metres long.\n", encoding="utf-8")
    asked.index()
    recalled = asked.ask("What was your answer about the bridge?", thread_id="t")
    assert "220 metres" in recalled.text
    assert recalled.left_out == ("bridge.txt has changed since that answer",)
    stale = {found.turn: found for found in asked.threads.stale("t")}
    assert set(stale) == {4, 36}
    assert "440 metres" in asked.ask(stale[36].answer.query).text


# --- the last answer, and the conversation whole -----------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    """A small model, which is never asked, over two documents."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "shop.txt").write_text("Maria Vos founded the shop in 1899.\n", encoding="utf-8")
    (tmp_path / "docs" / "pets.txt").write_text("Clause 7 forbids pets.\n", encoding="utf-8")
    embeddings = CountEmbeddings(["founded", "shop", "maria", "clause", "forbid", "pets"])
    with RagAgent(tmp_path / "docs", model=Small(replies=[]), embeddings=embeddings, home=":memory:") as agent:
        assert agent.ask("Who founded the shop?", thread_id="t").citations
        yield agent


class Small(ScriptedChat):
    @property
    def weights(self) -> Any:
        return self

    def parameters(self) -> int:
        return 135_000_000


@pytest.mark.parametrize("doubt", ["Are you sure?", "Which document says that?", "Bist du sicher?", "Quel document dit cela ?"])
def test_doubt_is_answered_with_the_file_and_the_quote(shop: RagAgent, doubt: str) -> None:
    answer = shop.ask(doubt, thread_id="t")
    assert answer.kind == "transformed"
    assert "shop.txt: “Maria Vos founded the shop in 1899.” [1]" in answer.text
    assert [citation.file for citation in answer.citations] == ["shop.txt"]


def test_a_why_that_nothing_answers_gets_the_sources(shop: RagAgent) -> None:
    answer = shop.ask("why?", thread_id="t")
    assert not answer.refused and "Maria Vos founded the shop in 1899." in answer.text


def test_doubt_about_a_refusal_has_no_source(shop: RagAgent) -> None:
    assert shop.ask("What is the colour of dragons?", thread_id="t").refused
    assert shop.ask("Are you sure?", thread_id="t").text == prompts.NO_SOURCE


def test_the_conversation_is_told_whole_with_all_sources(shop: RagAgent) -> None:
    for question in ("thanks!", "What does clause 7 forbid?", "Are you sure?", "What is the colour of dragons?"):
        shop.ask(question, thread_id="t")
    answer = shop.ask("Summarise our conversation", thread_id="t")
    assert answer.text.splitlines()[1:] == [
        "1. “Who founded the shop?” – Maria Vos founded the shop in 1899. [1]",
        "3. “What does clause 7 forbid?” – Clause 7 forbids pets. [2]",
        "5. “What is the colour of dragons?” – not answered",
    ]
    assert [citation.file for citation in answer.citations] == ["shop.txt", "pets.txt"]


def test_plain_chat_tells_its_conversation_without_the_model() -> None:
    with RagAgent(model=Small(replies=["Hello Tess.", "Nice."]), home=":memory:") as agent:
        agent.ask("My name is Tess.", thread_id="t")
        agent.ask("I live in Gouda.", thread_id="t")
        first = agent.ask("What did I say first?", thread_id="t")
        assert (first.kind, first.text) == ("chat", "In turn 1 you said: “My name is Tess.” The reply was: Hello Tess.")
        whole = agent.ask("Summarise our conversation", thread_id="t")
        assert "Tess" in whole.text and "Gouda" in whole.text
