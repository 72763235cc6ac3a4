"""Plain text: its blocks by its layout."""

import pytest

from rag_agent.documents.plain import structure
from rag_agent.documents.shown import shown


def blocks(text: str, *kinds: str) -> list[tuple[str, str]]:
    found = structure(text).blocks
    return [(b.kind, shown(text, b, ".txt")) for b in found if (b.kind in kinds if kinds else b.kind != "furniture")]


def texts(text: str, kind: str) -> list[str]:
    return [said for _, said in blocks(text, kind)]


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    assert blocks("The pump moves forty litres of\nwater a minute. It is\nguaranteed.") == [
        ("paragraph", "The pump moves forty litres of water a minute. It is guaranteed.")
    ]


def test_long_lines_are_paragraphs_of_their_own() -> None:
    line = f"{'The pump moves water. ' * 10}It stops."
    assert len(blocks(f"{line}\n{line}")) == 2


def test_words_cut_at_the_end_of_a_line_are_put_together_and_real_hyphens_stay() -> None:
    assert texts("The craft was wait-\ning there.", "paragraph") == ["The craft was waiting there."]
    assert texts("It is well-known. Yes, well-\nknown.", "paragraph") == ["It is well-known. Yes, well-known."]


@pytest.mark.parametrize(
    ("text", "heading", "level"),
    [
        ("Warranty\n\nThe warranty lasts two years.", "Warranty", 1),
        ("Start.\n\nOpening hours\n\nWe open at nine. We close at five.", "Opening hours", 3),
        ("Start.\n\nRetries\n=======\nIt tries five times.", "Retries", 1),
        ("Start.\n\nRetries\n-------\nIt tries five times.", "Retries", 1),
        ("Start.\n\n4.2 Late departure\n\nAsk the desk.", "4.2 Late departure", 3),
        ("Start.\n\nCHAPTER 3\n\nHe went on.", "CHAPTER 3", 2),
        ("Start.\n\nArtikel 5\n\nDe huur is 950 euro.", "Artikel 5", 2),
        ("Start.\n\n## Use\n\nTurn it on.", "Use", 2),
        ("Start.\n\nMEN ON THE MOON\nThe dream has come true.", "MEN ON THE MOON", 2),
        ("Start.\n\n9. Acceptance Not Required for Copies.\n\nYou need not accept.", "9. Acceptance Not Required for Copies.", 2),
    ],
)  # fmt: skip
def test_headings_are_found(text: str, heading: str, level: int) -> None:
    assert [(shown(text, b, ".txt"), b.level) for b in structure(text).blocks if b.kind == "heading"] == [(heading, level)]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith resigned.\n\nThe board met.",
        "Start.\n\nMonday to Friday 9-17\n\nSaturday 10-14",
        "Start.\n\nTangerine42",
        "Start.\n\nwear parts\n\nThey are not covered.",
        "Start.\n\nIN NO EVENT WILL ANY\nHOLDER BE LIABLE FOR ANY LOSS.",
        "1. Empty the water tank.\n\nUse both hands.\n\n2. Pour.",
        "Wifi password: Tangerine42\n\nThe network is slow.",
        "We open at nine and we close at five, every\nday.",
    ],
)
def test_what_says_something_is_no_heading(text: str) -> None:
    assert texts(text, "heading") == []


def test_the_first_line_is_the_title() -> None:
    assert structure("Travel policy\n\nStaff may book economy class only.").title == "Travel policy"
    assert structure("Staff may book economy class only.").title == ""


@pytest.mark.parametrize("mark", ["-", "*", "•", "–", "o", "a)|b)", "1.|2.", "(i)|(ii)", "Step 1:|Step 2:"])
def test_lists_have_items_of_several_lines_and_their_introduction_stays_a_paragraph(mark: str) -> None:
    one, two = mark.split("|") if "|" in mark else (mark, mark)
    text = f"Not covered are:\n{one} wear parts\n  and seals\n{two} batteries\n\nAll else is."
    found = blocks(text, "paragraph", "item", "list")
    assert [kind for kind, _ in found] == ["paragraph", "list", "item", "item", "paragraph"]
    shows = "" if mark in "-*•–o" else f"{one} "
    assert found[2][1] == f"{shows}wear parts and seals".removeprefix("o " if mark == "o" else "")


def test_lists_nest_by_their_indentation_and_go_on_over_empty_lines() -> None:
    text = "- one\n  - two\n  - three\n\n- four\n\n  more of four\n\nend"
    assert [(b.kind, b.level) for b in structure(text).blocks] == [
        ("list", 0), ("item", 0), ("paragraph", 0), ("list", 1), ("item", 1), ("item", 1), ("item", 0), ("paragraph", 0),
        ("paragraph", 0), ("paragraph", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["J. Smith\nfollowed him.", "He was born in\n1969. The war was over.", "— Hello, said he."])
def test_initials_years_and_dashes_begin_no_list(text: str) -> None:
    assert texts(text, "list") == []


def test_pairs_are_told_from_prose_with_a_colon() -> None:
    assert texts("Name: Anna Berg\nAddress: Quay 12,\n   Harbour", "pair") == ["Name: Anna Berg", "Address: Quay 12, Harbour"]
    assert texts("Wifi password: Tangerine42", "pair") == ["Wifi password: Tangerine42"]
    assert texts("There were two reasons for closing the office last year: cost and time.", "pair") == []
    assert texts("Note: it is off. It stays off until spring.", "pair") == []
    assert texts("See http://example.org: it says so.\nAnd more.", "pair") == []


@pytest.mark.parametrize(
    ("ask", "say"),
    [
        ("Q:", "A:"), ("Q1:", "A1:"), ("Question:", "Answer:"), ("Question 3:", "Answer 3:"), ("V:", "A:"), ("Vraag:", "Antwoord:"),
        ("F:", "A:"), ("Frage:", "Antwort:"), ("P:", "R:"), ("Question :", "Réponse :"), ("D:", "R:"), ("Вопрос:", "Ответ:"),
        ("**Q:**", "**A:**"), ("Q.", "A."), ("1. Q:", "A:"), ("问：", "答："),
    ],
)  # fmt: skip
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_labelled_questions_and_answers(ask: str, say: str, between: str) -> None:
    text = f"{ask} Can I bring my dog?{between}{say} Yes, on a lead.\n\n{ask} And a cat?{between}{say} No."
    assert blocks(text) == [
        ("question", "Can I bring my dog?"), ("answer", "Yes, on a lead."), ("question", "And a cat?"), ("answer", "No."),
    ]  # fmt: skip


def test_an_answer_reaches_to_the_next_question() -> None:
    text = "Q: What may I bring?\nA: These:\n- a towel\n- soap\n\nQ: Why?\nA: So.\n\nThe office is closed."
    assert [kind for kind, _ in blocks(text)] == [
        "question", "answer", "paragraph", "list", "item", "item", "question", "answer", "paragraph",
    ]  # fmt: skip


def test_lines_that_ask_are_questions_where_there_are_several() -> None:
    assert blocks("Can I park?\nYes.\n\nIs there a lift?\n\nIt carries 630 kg.") == [
        ("question", "Can I park?"), ("answer", "Yes."), ("question", "Is there a lift?"), ("answer", "It carries 630 kg."),
    ]  # fmt: skip
    assert texts("He came late. Why did he?\nNobody knows.", "question") == []


def test_tables_of_columns_bars_and_tabs() -> None:
    spaced = "Item            Price   Unit\nRoom            90      night\nParking         12      day"
    assert texts(spaced, "row") == ["Item: Room; Price: 90; Unit: night", "Item: Parking; Price: 12; Unit: day"]
    ruled = "Name     City\n-------  -------\nVos      Haag\nLaine    Oulu"
    assert texts(ruled, "row") == ["Name: Vos; City: Haag", "Name: Laine; City: Oulu"]
    assert texts("TX-300 | 690\nTX-400 | 710", "row") == ["TX-300 | 690", "TX-400 | 710"]
    assert texts("Type\tVolt\nTX\t690", "row") == ["Type: TX; Volt: 690"]
    assert texts("Name  Price\nBolt   1.50\nNut   12.00\nPin", "row") == ["Name: Bolt; Price: 1.50", "Name: Nut; Price: 12.00"]


def test_an_empty_cell_does_not_shift_the_names() -> None:
    text = "Item      Price   Unit\nRoom      90      night\nGarden            day"
    assert texts(text, "row") == ["Item: Room; Price: 90; Unit: night", "Item: Garden; Unit: day"]


def test_prose_with_wide_spaces_is_no_table() -> None:
    assert texts("He came  late and she\nwent home.  They met\nagain in  spring.", "row") == []


def test_what_others_wrote_is_a_quotation() -> None:
    assert blocks("Yes.\n\nOn Monday Anna wrote:\n> When?\n> And where?") == [
        ("paragraph", "Yes."), ("paragraph", "On Monday Anna wrote:"), ("quotation", "> When?\n> And where?"),
    ]  # fmt: skip


def test_code_between_fences_and_rules() -> None:
    assert blocks("Run:\n```\nx --now\n```\n\n=====\n\nend") == [("paragraph", "Run:"), ("code", "x --now"), ("paragraph", "end")]


def test_a_short_numbered_line_right_over_its_text_is_a_heading() -> None:
    text = "2. Leave\n2.1 Annual leave\nEvery employee has 28 days of leave.\n2.2 Sick leave\nA certificate is needed from day four.\n"
    assert texts(text, "heading") == ["2. Leave", "2.1 Annual leave", "2.2 Sick leave"]
    assert texts(text, "paragraph") == ["Every employee has 28 days of leave.", "A certificate is needed from day four."]


def test_short_numbered_lines_one_after_another_stay_a_list() -> None:
    assert texts("1. Open the lid\n2. Rinse the filter\n3. Close the lid\n", "heading") == []
    assert texts("1. Unplug the pump, wait until it is cold\nand open the lid.\n2. Rinse it.\n", "heading") == []
