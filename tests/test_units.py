"""What may be quoted: each kind of block gives units that are whole in meaning, under what they stand under."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_agent.documents import Reading
from rag_agent.documents.outline import outline
from rag_agent.documents.structures import structure
from rag_agent.grounding.units import LEAST_CODE, LONGEST_ANSWER, LONGEST_CODE, LONGEST_LIST, Unit, is_title, units


def cut(text: str, suffix: str = ".md", part: str | None = None) -> list[Unit]:
    """The units of a text, or of those that a part of it touches."""
    found = structure(suffix, text)
    start = text.index(part) if part else 0
    span = (start, start + len(part) if part else len(text))
    made = units(outline(Reading(text, "utf-8", found.sections, found.blocks, found.title)), [span], suffix)
    for unit in made:
        assert text[unit.start : unit.end] == unit.quote
    assert [unit.start for unit in made] == sorted(unit.start for unit in made)
    return made


def said(made: list[Unit], kind: str = "") -> list[str]:
    return [unit.text for unit in made if kind in ("", unit.kind)]


# --- prose --------------------------------------------------------------------------------------------------------------


def test_a_sentence_is_a_unit_and_knows_its_neighbours() -> None:
    first, second = cut("The pump is red. Check it daily.")
    assert (first.kind, first.text, first.before, first.after) == ("sentence", "The pump is red.", "", "Check it daily.")
    assert (second.before, second.after) == ("The pump is red.", "")


def test_a_heading_is_what_units_stand_under_and_never_one() -> None:
    made = cut("# Pump\n\n## Care\n\nCheck it daily.\n\n## Valve\n\nTurn it left.")
    assert said(made) == ["Check it daily.", "Turn it left."]
    assert [unit.context for unit in made] == [("Pump", "Care"), ("Pump", "Valve")]
    assert made[0].under == "Pump — Care"


def test_a_heading_of_the_same_level_ends_the_one_before_with_all_below_it() -> None:
    made = cut("# A\n\n## B\n\n### C\n\nOne says this.\n\n## D\n\nTwo says that.")
    assert [unit.context for unit in made] == [("A", "B", "C"), ("A", "D")]


def test_a_span_that_ends_with_a_heading_reaches_what_stands_below() -> None:
    text = "Something else stands here.\n\n# Rolling back\n\nRun the old version again.\n\nMore of it follows here."
    assert "Run the old version again." in said(cut(text, part="# Rolling back"))
    assert "More of it follows here." not in said(cut(text, part="# Rolling back"))


def test_a_question_is_no_unit_and_what_answers_it_stands_under_it() -> None:
    made = cut("Should I commit my .env file?\n\nNo.\n\nIs it large?\n\nIt is small.")
    assert not any(text.endswith("?") for text in said(made))
    assert [(unit.text, unit.context) for unit in made if unit.text == "No."] == [("No.", ("Should I commit my .env file?",))]


def test_an_answer_of_several_sentences_is_a_unit_and_so_is_each_sentence() -> None:
    made = cut("How do I start it?\n\nPress the button. Wait a minute.")
    assert said(made, "answer") == ["Press the button. Wait a minute."]
    assert said(made, "sentence") == ["Press the button.", "Wait a minute."]


def test_a_long_answer_is_quoted_by_its_sentences() -> None:
    long = " ".join(f"The step number {number} is to turn the handle once." for number in range(30))
    assert len(long) > LONGEST_ANSWER
    assert said(cut(f"How do I start it?\n\n{long}"), "answer") == []


def test_a_question_in_the_middle_of_a_paragraph_is_none() -> None:
    assert said(cut("The shop is open. Are you new here? Come in.")) == ["The shop is open.", "Come in."]


@pytest.mark.parametrize(
    ("text", "leaning"),
    [
        ("Maria Vos founded the shop. She was born in Gouda.", True),
        ("The pump is red. It leaks.", True),
        ("Maria Vos founded the shop. Gouda is a town.", False),
        ("Maria Vos stichtte de winkel in het oude dorp. Zij is in Gouda geboren en woont daar nog.", True),
    ],
)
def test_a_sentence_that_begins_with_a_pronoun_stands_under_the_one_before(text: str, leaning: bool) -> None:
    first, second = cut(text)
    assert second.context == ((first.text,) if leaning else ())


def test_a_first_sentence_leans_on_nothing() -> None:
    assert cut("It leaks. The pump is red.")[0].context == ()


def test_what_holds_no_letter_is_no_unit() -> None:
    assert said(cut("One thing is told.\n\n* * *\n\n…\n\nAnother is told.")) == ["One thing is told.", "Another is told."]


def test_a_sentence_goes_on_over_the_marks_of_a_quotation() -> None:
    for text in (
        "> Set a limit. Without one, it can hang\n> for hours.\n",
        ">> Set a limit. Without one, it can hang\n>>for hours.\n",
    ):
        assert "Without one, it can hang for hours." in said(cut(text))


def test_a_short_first_sentence_in_capitals_is_a_title() -> None:
    first, second = cut("Russian Blue. The coat is known as a double coat.")
    assert is_title(first) and not is_title(second)
    assert not is_title(cut("He slept. Then he rose and went out.")[0])


# --- lists --------------------------------------------------------------------------------------------------------------

LIST = "To clean the pump, do this:\n\n1. Unplug it.\n2. Open the lid.\n3. Rinse the filter.\n"


def test_a_list_is_shown_whole_with_what_introduces_it() -> None:
    (whole,) = [unit for unit in cut(LIST) if unit.kind == "list"]
    assert whole.quote == LIST.strip()
    lines = whole.text.splitlines()
    assert lines[0] == "To clean the pump, do this:"
    assert [step for step in ("Unplug it.", "Open the lid.", "Rinse the filter.") if step in whole.text] == [
        "Unplug it.", "Open the lid.", "Rinse the filter.",
    ]  # fmt: skip


def test_an_item_is_a_unit_under_the_introduction() -> None:
    made = [unit for unit in cut(LIST) if unit.kind == "item"]
    assert len(made) == 3
    assert all(unit.context == ("To clean the pump, do this:",) for unit in made)


def test_an_introduction_is_no_unit_but_the_sentences_before_it_are() -> None:
    made = cut("The pump is red. " + LIST)
    assert said(made, "sentence") == ["The pump is red."]


def test_a_list_that_one_item_of_is_found_is_whole() -> None:
    (whole,) = [unit for unit in cut(LIST, part="Rinse the filter.") if unit.kind == "list"]
    assert "Unplug it." in whole.text


def test_a_list_past_all_measure_is_quoted_by_its_items() -> None:
    items = [f"- The item number {number} of this list is here." for number in range(80)]
    made = cut("\n".join(items))
    assert len("\n".join(items)) > LONGEST_LIST
    assert {unit.kind for unit in made} == {"item"} and len(made) == 80


def test_an_item_of_a_nested_list_stands_under_the_one_that_holds_it() -> None:
    made = cut("- Fruit\n  - apples\n  - pears\n- Bread\n  - rye\n")
    (pears,) = [unit for unit in made if unit.kind == "item" and unit.quote.strip("- ") == "pears"]
    assert any("Fruit" in line for line in pears.context) and not any("Bread" in line for line in pears.context)


# --- tables, pairs, code ------------------------------------------------------------------------------------------------


def test_a_row_is_told_with_the_names_of_its_columns() -> None:
    made = cut("# Prices\n\n| Part | Price |\n|---|---|\n| TX-300 | 690 |\n| TX-400 | 790 |\n")
    assert [unit.kind for unit in made] == ["row", "row"], "the line of names is no unit"
    assert made[0].text == "Part: TX-300; Price: 690"
    assert made[0].context == ("Prices",)


def test_a_pair_is_a_unit_and_stands_under_the_first_of_its_record() -> None:
    made = cut("Name: Maria Vos\nBorn: 1870\nTrade: baker\n", ".txt")
    assert [unit.kind for unit in made] == ["pair"] * 3
    assert [unit.context for unit in made] == [(), ("Name: Maria Vos",), ("Name: Maria Vos",)]


def test_code_is_shown_with_the_line_above_it_and_without_its_fence() -> None:
    (code,) = [unit for unit in cut("Then start the server:\n\n```sh\nmake serve\n```\n") if unit.kind == "code"]
    assert code.text == "Then start the server:\nmake serve"


def test_long_code_comes_in_pieces_of_some_length() -> None:
    body = "\n\n".join(f"def part_{number}():\n    return compute(number={number}, other='value')" for number in range(40))
    text = f"```python\n{body}\n```\n"
    assert len(body) > LONGEST_CODE
    made = [unit for unit in cut(text) if unit.kind == "code"]
    assert len(made) > 5
    assert all(len(unit.quote) >= LEAST_CODE for unit in made[:-1])
    assert all(any(f"def part_{number}()" in unit.quote for unit in made) for number in range(40)), "nothing is lost"


def test_page_furniture_is_kept_and_never_a_unit() -> None:
    from rag_agent.documents.formats import extract

    page = b"<html><body><nav><a href='/'>Home</a> <a href='/about'>About us</a></nav><main><p>The pump is red.</p></main>"
    reading = extract(".html", page)
    assert "About us" in reading.text
    made = units(outline(reading), [(0, len(reading.text))], ".html")
    assert said(made) == ["The pump is red."]


def test_every_unit_of_markup_is_told_without_its_marks() -> None:
    made = cut("The **pump** is [red](https://example.org), see `x_y`.\n\n> Quoted *words* stand here.\n")
    assert said(made) == ["The pump is red, see x_y.", "Quoted words stand here."]


# --- for any text -------------------------------------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from("alpha beta gamma delta pump valve red open".split()), min_size=3, max_size=40)


@settings(deadline=None, max_examples=60)
@given(words=WORDS, width=st.integers(12, 60))
def test_wrapping_the_lines_of_a_paragraph_anew_changes_no_unit(words: list[str], width: int) -> None:
    import textwrap

    sentences = [" ".join(words[at : at + 5]).capitalize() + "." for at in range(0, len(words), 5)]
    plain = " ".join(sentences)
    wrapped = "\n".join(textwrap.wrap(plain, width, break_long_words=False))
    told = [re.sub(r"\s+", " ", text) for text in said(cut(wrapped))]
    assert told == said(cut(plain))


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            ["# Head\n", "Text is here. More of it.\n", "- item one\n", "1. step\n", "| a | b |\n|---|---|\n| 1 | 2 |\n", "\n",
             "```\ncode\n\nmore\n```\n", "> quoted words\n", "Why is it?\n", "Key: value\n", "  - deeper\n", "---\n"]
        ),
        max_size=14,
    ).map("".join),
    st.sampled_from([".md", ".txt"]),
)  # fmt: skip
def test_units_of_any_text_are_spans_of_it_in_order_and_none_asks(text: str, suffix: str) -> None:
    for unit in cut(text, suffix):
        assert unit.quote.strip() == unit.quote and unit.quote
        assert unit.kind != "sentence" or not unit.text.endswith("?")
