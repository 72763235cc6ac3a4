"""Sources that contradict each other are both quoted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_agent import Answer, RagAgent, Settings
from rag_agent.evaluation.evaluation import stands
from rag_agent.testing import CountEmbeddings, ScriptedChat

WHEN = "When did the bridge open?"


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Answer]:
    def ask(question: str, *texts: str, replies: Any = (), answer: str = "quote") -> Answer:
        docs = tmp_path / "docs"
        docs.mkdir()
        for number, text in enumerate(texts):
            (docs / f"{number}.txt").write_text(text, encoding="utf-8")
        settings = Settings.load(home=":memory:", answer=answer)
        with RagAgent(docs, model=ScriptedChat(replies), embeddings=CountEmbeddings(), settings=settings) as agent:
            events = list(agent.stream(question))
            found = events[-1].answer
            assert found is not None
            assert " ".join(event.text for event in events if event.type == "sentence") == found.text
            for citation in found.citations:
                assert agent.read(citation.file)[citation.start : citation.end] == citation.quote
            return found

    return ask


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (WHEN, "The bridge opened in 1931.", "The bridge opened in 1932."),
        (WHEN, "The bridge opened on 3 May 1931.", "In June 1931 the bridge was opened to carts and carriages."),
        ("How long is the bridge?", "The bridge is 200 metres long.", "At 210 metres the bridge is long for its time."),
        ("Who opened the bridge?", "Anna Lund opened the bridge.", "Peter Berg opened the bridge."),
        ("Where is the bridge?", "The bridge is in the town of Lund.", "The bridge is in the town of Malmo."),
        ("Is the bridge safe for lorries?", "The bridge is safe for lorries.", "The bridge is not safe for lorries."),
    ],
)
def test_both_sides_are_quoted_and_the_answer_says_so(ask: Any, question: str, one: str, other: str) -> None:
    answer = ask(question, one, other)
    assert answer.kind == "quote"
    assert answer.text.startswith("The documents disagree. ")
    assert {citation.quote for citation in answer.citations} == {one, other}
    assert answer.text.count("[") == 2
    assert {sentence.text for sentence in answer.sentences} == {one, other}
    assert all(stands(sentence, answer) for sentence in answer.sentences)


def test_a_model_is_not_left_to_choose_a_side(ask: Any) -> None:
    answer = ask(WHEN, "The bridge opened in 1931.", "The bridge opened in 1932.", answer="generate")
    assert answer.text.startswith("The documents disagree. ")
    assert answer.usage == {}  # no call: the list of replies is empty


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (WHEN, "The bridge opened in 1931.", "The bridge opened in 1931, on a Sunday."),
        (WHEN, "The bridge opened in 1931.", "The bridge opened on 3 May 1931."),  # more exactly
        (WHEN, "The bridge opened in 1931.", "The tunnel opened in 1932."),  # of something else
        (WHEN, "The Moon bridge opened in 1931.", "The Sun bridge opened in 1932."),
        (WHEN, "The bridge opened in 1931.", "The bridge had 1932 visitors when it did open."),
        (WHEN, "The bridge opened in 1931.", "Did the bridge open in 1932?"),  # a question says nothing
        ("How long is the bridge?", "The bridge is 200 metres long.", "The bridge, of 1931, is long and has 4 lanes."),
        ("Who opened the bridge?", "Anna Lund opened the bridge.", "The bridge was opened by a crowd."),
        ("What is the bridge made of?", "The bridge is made of wood.", "The bridge is made of oak wood and of iron."),
    ],
)
def test_sources_that_say_different_things_do_not_disagree(ask: Any, question: str, one: str, other: str) -> None:
    assert "disagree" not in ask(question, one, other).text


def test_one_text_may_say_two_things(ask: Any) -> None:
    answer = ask(WHEN, "The bridge opened in 1931.\nThe bridge opened in 1932.")
    assert "disagree" not in answer.text


def test_two_versions_of_a_text_disagree(ask: Any) -> None:
    others = [
        f"A bridge is open to {who}, {what} and {where} besides."
        for who, what, where in zip(
            "anglers bakers cooks divers elders farmers gardeners hunters".split(),
            "kites lamps mules nets oars plums quilts roses".split(),
            "attics barns cellars docks estuaries fields groves harbours".split(),
            strict=True,
        )
    ]
    version = "The bridge over the sound is a fine sight. It is of iron. The bridge did open to carts in the spring of 1931."
    answer = ask("When did the bridge over the sound open to carts?", version, version.replace("1931", "1932"), *others)
    assert answer.text.startswith("The documents disagree. ")
    assert "spring of 1931. [" in answer.text and "spring of 1932. [" in answer.text


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("Who won the race?", "Anna Lund won the race in 1969.", "Anna Lund won the race in 1970."),
        ("How much was the revenue?", "In 2019 the revenue was 5 million euros.", "In 2020 the revenue was 6 million euros."),
        (
            "Who is the manager of the store?",
            "Anna Lund is manager of the Oslo store.",
            "Anna Lund is manager of the Bergen store.",
        ),
    ],
)
def test_what_differs_and_was_not_asked_for_is_no_dispute(ask: Any, question: str, one: str, other: str) -> None:
    assert "disagree" not in ask(question, one, other).text
