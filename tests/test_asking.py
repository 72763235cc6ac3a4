"""What a question asks for, and whether a sentence gives it."""

import pytest

from rag_agent.grounding.asking import Place, asks_for, gives, place_of, stands_in, wanted, which


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


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("What does section 2.2 say?", Place("2.2")),
        ("What does § 4 say?", Place("4")),
        ("Was steht in Abschnitt 3?", Place("3")),
        ("Wat staat er in artikel 12?", Place("12")),
        ("What is on page 7?", Place("7", page=True)),
        ("Summarise chapter IV.", Place("IV")),
        ("What is the part number of the gasket?", None),
        ("How many sections are there?", None),
    ],
)
def test_a_section_or_page_is_named(question: str, place: Place | None) -> None:
    assert place_of(question) == place


@pytest.mark.parametrize(
    ("place", "headings", "page", "stands"),
    [
        (Place("2.2"), ("Handbook", "2.2 Parental leave"), None, True),
        (Place("2"), ("2.2 Parental leave",), None, False),
        (Place("4"), ("§ 4 Deposit",), None, True),
        (Place("3"), ("Chapter 3: Roses",), None, True),
        (Place("3"), ("30 ways to cook",), None, False),
        (Place("7", page=True), ("7 dwarfs",), 7, True),
        (Place("7", page=True), ("7 dwarfs",), 8, False),
    ],
)
def test_what_stands_in_a_place(place: Place, headings: tuple[str, ...], page: int | None, stands: bool) -> None:
    assert stands_in(place, headings, page) is stands


def test_a_request_is_not_what_is_asked_for() -> None:
    assert wanted("List all spare parts.").strip() == "spare parts."
    assert wanted("Geef mij alle artikelen").strip() == "artikelen"
    assert wanted("Which parts are spare?") == "Which parts are spare?"


def test_a_question_wants_one_of_a_kind() -> None:
    assert which("Which branch repairs tractors?") == "branch"
    assert which("Who repairs tractors?") == ""
