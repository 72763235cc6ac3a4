"""Markdown: what its blocks are, and what of them is shown."""

from rag_agent.documents import Block
from rag_agent.documents.markdown import structure
from rag_agent.documents.shown import shown


def blocks(text: str, *kinds: str) -> list[tuple[str, str]]:
    """Kind and verbatim text of each block, of some kinds or of all that is not furniture."""
    found = structure(text).blocks
    return [(b.kind, text[b.start : b.end]) for b in found if (b.kind in kinds if kinds else b.kind != "furniture")]


def clean(text: str, kind: str = "paragraph") -> list[str]:
    return [shown(text, block, ".md") for block in structure(text).blocks if block.kind == kind]


def test_headings_of_both_forms_have_their_levels() -> None:
    found = structure("Top\n===\n\nSub\n---\n\n### Deep ###\n\ntext").blocks
    assert [(b.kind, b.level) for b in found] == [("heading", 1), ("heading", 2), ("heading", 3), ("paragraph", 0)]
    assert clean("Top\n===\n\n### Deep ###\n", "heading") == ["Top", "Deep"]


def test_a_list_holds_its_items_and_the_lists_in_them() -> None:
    text = "- one\n  - two\n  - three\n- four\n\n  second paragraph\n"
    assert [(b.kind, b.level, text[b.start : b.end].split("\n")[0]) for b in structure(text).blocks] == [
        ("list", 0, "- one"), ("item", 0, "- one"), ("paragraph", 0, "one"), ("list", 1, "- two"), ("item", 1, "- two"),
        ("item", 1, "- three"), ("item", 0, "- four"), ("paragraph", 0, "four"), ("paragraph", 0, "second paragraph"),
    ]  # fmt: skip


def test_numbered_items_are_shown_with_their_numbers_and_bullets_without() -> None:
    assert clean("1. Empty *the* tank.\n2. Pour.\n", "item") == ["1. Empty the tank.", "2. Pour."]
    assert clean("* **a**\n* `b`\n", "item") == ["a", "b"]
    assert clean("* **a**\n* `b`\n", "list") == ["- a\n- b"]


def test_code_is_what_stands_between_the_fences() -> None:
    assert blocks("```sh\nrun --now\n\n  more\n```\n") == [("code", "run --now\n\n  more")]
    assert blocks("~~~\nnever closed") == [("code", "never closed")]
    assert blocks("text\n\n    indented\n    code") == [("paragraph", "text"), ("code", "indented\n    code")]
    assert clean("text\n\n    indented\n    code", "code") == ["indented\ncode"]
    assert blocks("```\n# no heading\n---\n| no | table |\n```") == [("code", "# no heading\n---\n| no | table |")]


def test_rows_of_a_table_know_their_columns() -> None:
    text = "| **Level** | What |\n|---|---|\n| 0 | `off` |\n| 1 | a \\| b |\n| 2 |\n"
    found = [b for b in structure(text).blocks if b.kind == "row"]
    assert [b.names for b in found] == [("Level", "What")] * 3
    assert [shown(text, b, ".md") for b in found] == ["Level: 0; What: off", "Level: 1; What: a | b", "Level: 2"]
    assert clean(text, "names") == ["Level | What"]
    assert blocks("a|b\n-|-\n1|2", "table", "row") == [("table", "a|b\n-|-\n1|2"), ("row", "1|2")]


def test_a_quotation_holds_its_paragraphs_and_is_shown_without_its_marks() -> None:
    text = "> one\n> goes on\n>\n> - two\n"
    assert blocks(text) == [
        ("quotation", "> one\n> goes on\n>\n> - two"), ("paragraph", "one\n> goes on"), ("list", "- two"), ("item", "- two"),
    ]  # fmt: skip
    assert clean(text) == ["one goes on"]
    assert clean("> [!NOTE]\n> Do not run dry.\n", "quotation") == ["Note: Do not run dry."]


def test_front_matter_is_pairs_and_gives_the_title() -> None:
    text = "---\ntitle: 'The Plan'\ntags:\n  - a\n  - b\nowner: Priya Nair\n---\n\n# Other\n\nBody\n"
    assert structure(text).title == "The Plan"
    assert clean(text, "pair") == ["title: 'The Plan'", "tags: a, b", "owner: Priya Nair"]
    toml = "+++\ntitle = 'Hugo'\n+++\nBody"
    assert (structure(toml).title, clean(toml)) == ("Hugo", ["Body"])


def test_the_first_heading_of_the_first_level_is_the_title() -> None:
    assert structure("# The *Plan*\n\ntext").title == "The Plan"
    assert structure("text").title == ""


def test_what_only_decorates_or_navigates_is_furniture() -> None:
    for text in (
        "[![npm](https://x/y.svg)](https://z)\n[![build](b.png)](c)",
        "![logo](logo.png)",
        '<p align="center"><img src="a.png"></p>',
        "<!-- a remark -->",
        "[name]: https://example.org",
        "- [One](#one)\n- [Two](#two)\n  - [Three](#three)",
        "***",
        '<div hidden>a secret</div>',
        "&nbsp;",
    ):  # fmt: skip
        assert blocks(text) == [], text


def test_links_that_lead_elsewhere_and_single_ones_are_content() -> None:
    assert clean("- [Docs](https://x)\n- [Shop](https://y)", "item") == ["Docs", "Shop"]
    assert clean("See [the *guide*](#guide) and ![OK](ok.png).") == ["See the guide and OK."]


def test_html_is_read_as_it_is_seen() -> None:
    text = "<details><summary>Should I?</summary>\n\nNo.\n\n</details>\n\n<table><tr><th>Branch<th>Phone</tr>\n<tr><td>Hill<td>5</tr></table>"
    assert clean(text, "heading") == ["Should I?"]
    assert clean(text) == ["No."]
    assert clean(text, "row") == ["Branch: Hill; Phone: 5"]
    assert clean('<h2 align="center">The <b>pump</b></h2>', "heading") == ["The pump"]
    assert clean("A <kbd>key</kbd><br>and <b>more</b>") == ["A key and more"]


def test_bold_lines_are_headings_and_those_that_ask_are_questions() -> None:
    assert blocks("**Opening hours**\n\nFrom nine.") == [("heading", "**Opening hours**"), ("paragraph", "From nine.")]
    assert blocks("**Do not open.**\n\nFrom nine.")[0][0] == "paragraph"
    assert blocks("**Note:** text")[0][0] == "pair"
    text = "**Can I?**\n\nYes.\n\n**How?**\n\nSo:\n\n- a\n- b\n\n# Next\n\nOther"
    assert [(kind, said.split("\n")[0]) for kind, said in blocks(text)] == [
        ("question", "**Can I?**"), ("answer", "Yes."), ("question", "**How?**"), ("answer", "So:"), ("paragraph", "So:"),
        ("list", "- a"), ("item", "- a"), ("item", "- b"), ("heading", "# Next"), ("paragraph", "Other"),
    ]  # fmt: skip
    assert clean(text, "question") == ["Can I?", "How?"]


def test_labelled_questions_and_pairs_are_told_from_prose() -> None:
    assert blocks("Q: Why?\nA: So.") == [("question", "Why?"), ("answer", "So.")]
    assert blocks("**Default:** `utf8`") == [("pair", "**Default:** `utf8`")]
    assert clean("**Default:** `utf8`", "pair") == ["Default: utf8"]
    assert blocks("Note: it is off. It stays off.")[0][0] == "paragraph"


def test_footnotes_and_definitions_are_content() -> None:
    assert clean("Text.[^1]\n\n[^1]: The note.\n") == ["Text.", "The note."]
    assert clean("Pump\n: Moves water.\n", "pair") == ["Pump: Moves water."]
    assert [kind for kind, _ in blocks("Pump\n: Moves water.\n\n    And oil.\n")] == ["heading", "paragraph", "paragraph"]


def test_lines_that_make_a_note_of_a_paragraph_are_no_part_of_it() -> None:
    assert clean("!!! warning\n    Do not run dry.\n") == ["Do not run dry."]
    assert clean(":::tip\nDo not run dry.\n:::\n") == ["Do not run dry."]


def test_a_sentence_can_be_shown_alone() -> None:
    text = "It is **off. By default** it stays `off`."
    [block] = structure(text).blocks
    assert shown(text, block._replace(end=12), ".md") == "It is off."
    assert shown(text, Block("paragraph", 13, len(text)), ".md") == "By default it stays off."


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = "# A\n\n- b\n  c\n\n| d | e |\n|---|---|\n| f | g |\n"
    other = "\ufeff" + text.replace("\n", "\r\n")
    assert [(k, t.replace("\r", "")) for k, t in blocks(other)] == blocks(text)
    assert clean(other, "item") == ["b c"]
