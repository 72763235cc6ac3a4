"""Turns in the light of those before them, without a model: `tests/followups.jsonl`, a turn a line, and what holds of all."""

import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_agent.language import LANGUAGES, Talk, language
from rag_agent.memory.followups import Turn, understand, usable_rewriting, word_limit

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("followups.jsonl").read_text(encoding="utf-8").splitlines()
]
SHOP = (
    Turn("Who founded the shop?", "Maria Vos founded the shop in 1899 in Utrecht."),
    Turn("How long is the warranty on tablets?", "The warranty on tablets is two years."),
)


def holds(case: dict[str, Any]) -> bool:
    """Whether a turn is understood as its line in the file says."""
    found = understand(case["ask"], [Turn(*turn) for turn in case["history"]])
    query, first = found.query.casefold(), (found.queries[0][0] if found.queries else found.query).casefold()
    return (
        found.kind in case.get("kind", found.kind)
        and first == case.get("searches", first).casefold()
        and all(text.casefold() in query for text in case.get("holds", []))
        and not any(text.casefold() in query for text in case.get("lacks", []))
        and not any(text.casefold() in first for text in case.get("first lacks", []))
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["ask"] or "nothing")
def test_a_turn_is_understood(case: dict[str, Any]) -> None:
    assert holds(case), understand(case["ask"], [Turn(*turn) for turn in case["history"]])


# --- what leaves no trace ------------------------------------------------------------------------------------------

REMARKS = [
    "thanks",
    "Are you sure?",
    "Which document says that?",
    "yes",
    "why?",
    "Great answer!",
    "Shorten it",
    "What did I ask first?",
]


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("question", ["And on phones?", "When did her nephew join?", "What does it cost?", "No, I meant phones"])
def test_a_remark_changes_nothing_of_what_follows(remark: str, question: str) -> None:
    after = (*SHOP, Turn(remark, "The last answer stands on this: shop.txt: “The warranty on tablets is two years.”"))
    assert understand(question, after).query == understand(question, SHOP).query


@pytest.mark.parametrize(
    "question", ["And on phones?", "When did her nephew join?", "How long is it?", "What are the conditions?"]
)
def test_a_refused_turn_changes_nothing_of_what_follows(question: str) -> None:
    after = (*SHOP, Turn("Who is Peter Hall?", "", refused=True), Turn("What does the drone weigh?", "", refused=True))
    found, before = understand(question, after), understand(question, SHOP)
    assert (found.query, found.queries) == (before.query, before.queries)


def test_a_refused_turn_can_be_corrected() -> None:
    after = (*SHOP, Turn("When was Peter Hull born?", "", refused=True))
    assert understand("No, I meant Peter Hall", after).query == "When was Peter Hall born?"


# --- what is searched ----------------------------------------------------------------------------------------------


def test_a_follow_up_is_searched_in_full_with_the_questions_and_the_answer_before_it() -> None:
    found = understand("And on phones?", SHOP)
    said = "How long is the warranty on phones?"
    assert (found.kind, found.query) == ("followup", said)
    assert [text for text, _ in found.queries] == [
        said,
        f"{SHOP[0].question} {SHOP[1].question} {said} {said} {said}",
        f"{said} {said} {SHOP[1].answer}",
    ]


def test_what_may_stand_alone_is_searched_as_typed_first() -> None:
    found = understand("How fast is delivery?", SHOP)
    assert found.queries[0] == ("How fast is delivery?", 1.0)
    assert any("tablets" in text for text, _ in found.queries[1:])


def test_without_a_conversation_everything_stands_alone() -> None:
    for question in ("When was he born?", "why?", "shorten it", "the second one", "And Collins?", "Are you sure?"):
        found = understand(question)
        assert (found.kind, found.query, found.queries) == ("standalone", question, ((question, 1.0),))


@pytest.mark.parametrize(
    ("question", "limit"),
    [
        ("in twenty words", 20),
        ("Vat samen in 15 woorden", 15),
        ("en diez palabras", 10),
        ("in 20 Wörtern", 20),
        ("shorten", None),
    ],
)
def test_a_number_of_words(question: str, limit: int | None) -> None:
    assert word_limit(question) == limit


# --- the model's words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "reply", "used"),
    [
        ("No, I meant Collins", "When was Collins born?", True),
        ("No, I meant Collins", "When was Aldrin born?", False),
        ("And to the Netherlands?", "What does shipping cost to the Netherlands?", False),  # nobody spoke of shipping
        ("And on phones?", "How long is the warranty on phones?", True),
        ("And on phones?", "How long is the warranty on tablets in Utrecht?", False),
    ],
)
def test_a_model_keeps_the_words_of_the_turn(turn: str, reply: str, used: bool) -> None:
    history = [*SHOP, Turn("When was Armstrong born?", "In 1930."), Turn("And Aldrin?", "Aldrin was born in 1930.")]
    assert (usable_rewriting(reply, turn, history) is not None) == used


# --- the languages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_all_words_of_conversation(code: str) -> None:
    known = language(code)
    assert known is not None
    empty = [field.name for field in fields(Talk) if not getattr(known.talk, field.name)]
    assert set(empty) <= {"clitic"}  # English has none
    assert len(known.talk.nth) == 10
    inner = {word for words in known.talk.opener for word in words} | set(known.talk.nth)
    assert all("-" not in word and "'" not in word for word in inner)


# --- any input -----------------------------------------------------------------------------------------------------

TEXT = st.text(st.sampled_from("aItheyWho  \n\t.,:?!'-–“é的 1"), max_size=80)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT)
def test_any_turn_is_understood_in_some_way(history: list[tuple[str, str]], question: str) -> None:
    found = understand(question, [Turn(*turn) for turn in history])
    assert found.kind in ("standalone", "followup", "why", "transform", "source", "chat")
    assert bool(found.queries) == (found.kind in ("standalone", "followup", "why"))


@pytest.mark.parametrize(
    "piece", [" ", "please ", "thanks ", "not ", "and ", ", ", "it ", "A, B and ", "No, I meant ", "the second ", "'s", "Who "]
)
def test_time_grows_with_the_length_and_not_faster(piece: str) -> None:
    def seconds(times: int) -> float:
        question = piece * (times // len(piece))
        begin = time.process_time()
        understand(question, (*SHOP, Turn(question, question)))
        return time.process_time() - begin

    assert min(seconds(8000) for _ in range(3)) < 0.05 + 8 * min(seconds(2000) for _ in range(3))
