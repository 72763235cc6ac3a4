"""Slips of the keyboard are mended by the words of the documents, and told; real words and names are left alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rag_agent import RagAgent, Settings
from rag_agent.testing import CountEmbeddings, ScriptedChat

TEXT = """# Deployment

The dashboard shows the temperature of every reactor.
Restart the scheduler after a migration.
Anna Lindqvist wrote the original documentation.
The parameter shared_buffers is measured in megabytes.
"""


@pytest.fixture
def agent(tmp_path: Path) -> Callable[..., RagAgent]:
    def agent(text: str = TEXT, **settings: object) -> RagAgent:
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "a.md").write_text(text, encoding="utf-8")
        loaded = Settings.load(**{"home": ":memory:", "answer": "quote", **settings})
        return RagAgent(tmp_path / "docs", model=ScriptedChat([]), embeddings=CountEmbeddings(["dash", "sched"]), settings=loaded)

    return agent


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("What does the dashbord show?", ("dashbord", "dashboard")),  # a letter too few
        ("What does the dashboardd show?", ("dashboardd", "dashboard")),  # too many
        ("What does the dashbaord show?", ("dashbaord", "dashboard")),  # swapped
        ("What does the dashvoard show?", ("dashvoard", "dashboard")),  # wrong
        ("How is the temprature shown?", ("temprature", "temperature")),
        ("When do I restart the shceduler?", ("shceduler", "scheduler")),
        ("Shceduler restart?", ("Shceduler", "scheduler")),  # at the beginning a capital is no name
    ],
)
def test_a_slip_is_mended_and_told(agent: Callable[..., RagAgent], typed: str, read: tuple[str, str]) -> None:
    with agent() as asked:
        answer = asked.ask(typed)
    assert f"read “{read[0]}” as “{read[1]}”" in answer.left_out
    assert read[1] in answer.query and read[0] not in answer.query
    assert answer.question == typed


@pytest.mark.parametrize(
    "question",
    [
        "What does the dashboard show?",  # right
        "Where is the creator of the reactor?",  # another word, one letter off
        "What is a mitigation?",
        "Who is Lindquist?",  # a name
        "What is shared_bufers?",  # an identifier: told as missing, not guessed
        "What is in dashbord.md?",  # a file
        "Wht is it?",  # too short to tell
        "What do you think?",
    ],
)
def test_what_may_be_meant_as_it_stands_is_left_alone(agent: Callable[..., RagAgent], question: str) -> None:
    with agent() as asked:
        answer = asked.ask(question)
    assert not any(note.startswith("read ") for note in answer.left_out)
    assert answer.query == question


def test_a_word_of_the_questions_own_language_is_no_slip(agent: Callable[..., RagAgent]) -> None:
    with agent(
        "De dienst stuurt elke avond een bericht naar de beheerder van het systeem. De wagen staat in de straat."
    ) as asked:
        answer = asked.ask("Wanneer gaan wij naar de markt met het paard en de wagens?")
    assert not any(note.startswith("read ") for note in answer.left_out)


def test_a_search_without_the_agents_question_is_taken_as_typed(agent: Callable[..., RagAgent]) -> None:
    with agent() as asked:
        assert asked.search("dashbord", k=1), "search returns what is nearest, mended or not"


def test_the_nearest_name_is_told_as_the_documents_write_it(agent: Callable[..., RagAgent]) -> None:
    with agent() as asked:
        answer = asked.ask("How large is Shared_Bufers in megabytes?")
    assert answer.refused and "“Shared_Bufers” does not occur" in answer.text and "“shared_buffers” does" in answer.text


def test_the_plainest_spelling_of_a_word_is_the_one_that_is_told(agent: Callable[..., RagAgent]) -> None:
    answer = agent("Pass --no-password for none.\n\nThe password of a user is kept by the dashboard.\n").ask(
        "Who keeps the pasword of a user?"
    )
    assert "read “pasword” as “password”" in answer.left_out
