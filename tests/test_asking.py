"""What a question asks for, and whether a sentence gives it."""

import pytest

from rag_agent.grounding.asking import asks_for, gives


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many men landed?", "number"),
        ("When did Eagle land?", "date"),
        ("In what year did it end?", "date"),
        ("Who stayed in orbit?", "person"),
        ("Where did they land?", "place"),
        ("Why is the sky blue?", "reason"),
        ("What is a lander?", ""),
        ("Wanneer landde de Eagle?", "date"),
        ("¿Cuántos hombres?", "number"),
        ("谁在月球上?", "person"),
        ("", ""),
    ],
)
def test_what_is_asked_for_is_named(question: str, kind: str) -> None:
    assert asks_for(question) == kind


def test_the_questions_own_numbers_and_names_answer_nothing() -> None:
    assert not gives("number", "Apollo 11 was a flight.", "How many men flew on Apollo 11?")
    assert gives("number", "Apollo 11 had 3 men.", "How many men flew on Apollo 11?")
    assert not gives("person", "The orbit of Apollo was low.", "Who flew on Apollo?")
    assert gives("person", "The pilot was Collins.", "Who flew on Apollo?")
    assert gives("date", "It ended in 1969.", "When did it end?")


def test_a_script_without_capitals_may_hold_a_name_anywhere() -> None:
    assert gives("person", "他是宇航员", "谁?")
