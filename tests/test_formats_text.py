"""Files of text in one form or another that are read by a parser: each kind made here, read, and found again."""

import json
import random
from pathlib import Path

import pytest

from rag_agent.documents import Reader, Reading, Unreadable
from rag_agent.documents.folder import list_sources
from rag_agent.documents.formats import extract, suffix_of
from rag_agent.documents.shown import shown


def blocks(found: Reading, *kinds: str) -> list[tuple[str, str]]:
    return [(b.kind, found.text[b.start : b.end]) for b in found.blocks if (b.kind in kinds if kinds else b.kind != "furniture")]


def texts(found: Reading, kind: str) -> list[str]:
    return [said for _, said in blocks(found, kind)]


def read(path: Path) -> Reading:
    with Reader() as reader:
        return reader.read(path)


def page(source: str) -> Reading:
    return extract(".html", source.encode())


# --- web pages ----------------------------------------------------------------------------------------------------------


def test_a_page_has_headings_paragraphs_lists_and_code() -> None:
    found = page(
        "<title>The Moon</title><h1>Landing</h1><p>They <b>landed</b>\n on it.</p><ul><li>Neil<li><p>Edwin</p><ol start=3><li>x</ol></ul>"
        "<pre>  a\n    b</pre><blockquote>One step.</blockquote>Loose<br>text<div>more</div>"
    )
    assert found.title == "The Moon"
    assert blocks(found) == [
        ("heading", "Landing"), ("paragraph", "They landed on it."), ("list", "- Neil\n- Edwin\n3. x"), ("item", "- Neil"),
        ("item", "- Edwin\n3. x"), ("paragraph", "- Edwin"), ("list", "3. x"), ("item", "3. x"), ("code", "a\n    b"),
        ("quotation", "One step."), ("paragraph", "Loose\ntext"), ("paragraph", "more"),
    ]  # fmt: skip


def test_tables_of_a_page_name_their_columns_through_spans() -> None:
    found = page(
        "<table><caption>Depots</caption><thead><tr><th>Country<th>Town</tr></thead><tr><td rowspan=2>Norway<td>Oslo</tr>"
        "<tr><td>Tromso</tr></table>"
    )
    assert texts(found, "row") == ["Country: Norway; Town: Oslo", "Country: Norway; Town: Tromso"]
    assert texts(page("<table><tr><td>one</tr><tr><td>two</tr></table>"), "item") == ["- one", "- two"]
    layout = page("<table><tr><td><h2>Left</h2><p>Text</td><td><table><tr><td>a<td>b</tr></table></td></tr></table>")
    assert texts(layout, "heading") == ["Left"]


def test_terms_are_pairs_with_short_definitions_and_headings_of_long_ones() -> None:
    assert texts(page("<dl><dt>Voltage<dd>230 V<dt>Weight:<dd>3 kg</dl>"), "pair") == ["Voltage: 230 V", "Weight: 3 kg"]
    found = page(
        "<h2>Settings</h2><dl><dt><code>max_size</code> (integer)</dt><dd><p>How large.</p><p>The default is 1 GB.</p></dd></dl>"
    )
    assert [(b.kind, b.level) for b in found.blocks] == [("heading", 2), ("heading", 3), ("paragraph", 0), ("paragraph", 0)]
    assert texts(found, "heading") == ["Settings", "max_size (integer)"]


@pytest.mark.parametrize(
    "furniture",
    [
        "<nav><a href=/>Home</a> <a href=/x>Shop</a></nav>",
        "<header><a href=/>Home</a> | <a href=/x>Shop</a></header>",
        "<header class=nav><nav><a href=/>Home</a></nav> <a href=/x>Shop</a> and more</header>",
        "<footer>© 2024 The Firm. All rights reserved.</footer>",
        "<div class=navheader><table><tr><td><a href=a>Prev</a><td>Up<td><a href=b>Next</a></table></div>",
        "<div id=cookie-banner><p>We use cookies.</p><button>OK</button></div>",
        "<ul><li><a href=#a>One</a><li><a href=#b>Two</a></ul>",
        "<div class=toc><dl><dt><a href=#a>1. One</a></dt></dl></div>",
    ],
)
def test_furniture_of_a_page_is_told_from_what_it_says(furniture: str) -> None:
    assert blocks(page(f"{furniture}<p>The pump moves water.</p>{furniture}")) == [("paragraph", "The pump moves water.")]


def test_what_only_stands_where_furniture_does_is_content() -> None:
    assert texts(page("<footer><p>Phone: 555 0132</p></footer><p>x"), "pair") == ["Phone: 555 0132"]
    assert texts(page("<body><header><h1>Branches</h1></header><p>x"), "heading") == ["Branches"]
    assert texts(page("<p>Planets are:</p><ul><li><a href=m>Mars</a><li><a href=v>Venus</a></ul>"), "item") == [
        "- Mars",
        "- Venus",
    ]
    assert texts(page("<div class=menu><h2>Menu</h2><p>Soup, 5 euros.</p></div>"), "paragraph") == ["Soup, 5 euros."]


def test_what_is_hidden_is_not_read_and_counted() -> None:
    found = page(
        "<p>seen</p><p hidden>a</p><div style='color:red; display : none'><p>b</div><i aria-hidden=true>c</i>"
        "<p style='visibility:hidden'>d</p><iframe src=x></iframe><script>e</script>"
    )
    assert (found.text, found.told) == ("seen", ("4 hidden elements", "1 frame of another page"))


def test_questions_of_a_page_have_their_answers() -> None:
    found = page("<details><summary>Can I?</summary><p>Yes.</p></details><p><b>How?</b></p><p>So.</p><p>Q: Why?<br>A: Thus.</p>")
    assert blocks(found) == [
        ("question", "Can I?"), ("answer", "Yes."), ("question", "How?"), ("answer", "So."), ("question", "Why?"), ("answer", "Thus."),
    ]  # fmt: skip


def test_xhtml_may_close_any_element_itself() -> None:
    source = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><script src="a"/><title>T</title></head><body><p>x</p></body></html>'
    found = extract(".xhtml", source.encode())
    assert (found.text, found.title) == ("x", "T")


def test_the_encoding_of_a_page_is_the_one_it_declares() -> None:
    assert extract(".htm", "<meta charset='iso-8859-1'><p>café".encode("latin-1")).text == "café"
    assert extract(".htm", "<meta charset=nonsense><p>café".encode()).text == "café"


# --- cells --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("a,b\n1,2\n\n3,\n", ["a: 1; b: 2", "a: 3"]),
        ("Name;Price\nPump;1,50\nPipe;2,75\n", ["Name: Pump; Price: 1,50", "Name: Pipe; Price: 2,75"]),
        ("name\tnote\nx\ta, b, c\n", ["name: x; note: a, b, c"]),
        ("a|b\n1|2\n", ["a: 1; b: 2"]),
        ('sep=;\nName;Note\nx;"two\nlines"\n', ["Name: x; Note: two lines"]),
        ("Sales of 2024\n\nName,Price\nPump,5\nPipe,6\n", ["Name: Pump; Price: 5", "Name: Pipe; Price: 6"]),
    ],
)  # fmt: skip
def test_cells_of_any_delimiter(data: str, rows: list[str]) -> None:
    assert texts(extract(".csv", data.encode()), "row") == rows


# --- records ------------------------------------------------------------------------------------------------------------


def as_json(value: object) -> Reading:
    return extract(".json", json.dumps(value).encode())


def test_what_belongs_to_one_object_stays_together() -> None:
    found = as_json(
        {"site": "Ridge", "contact": {"name": "Ola"}, "turbines": [{"id": "T1", "at": {"x": 1}}, {"id": "T2", "height_m": 112}]}
    )
    assert blocks(found) == [
        ("pair", "site: Ridge"), ("pair", "contact.name: Ola"), ("table", "turbines: id: T1; at.x: 1\nturbines: id: T2; height_m: 112"),
        ("row", "turbines: id: T1; at.x: 1"), ("row", "turbines: id: T2; height_m: 112"),
    ]  # fmt: skip


def test_lists_of_values_stay_whole() -> None:
    assert texts(as_json({"tags": ["a", "b"]}), "pair") == ["tags: a, b"]
    steps = ["Empty the water tank and put it aside.", "Pour in half a litre of descaler.", "Press both buttons."]
    assert blocks(as_json({"steps": steps}), "paragraph", "item") == [
        ("paragraph", "steps:"),
        *(("item", f"- {step}") for step in steps),
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"question": "How long?", "answers": ["Three years."]},
        {"q": "How long?", "a": "Three years."},
        {"@type": "Question", "name": "How long?", "acceptedAnswer": {"@type": "Answer", "text": "Three years."}},
    ],
)
def test_an_faq_is_questions_and_answers(record: dict[str, object]) -> None:
    other = {**record, "tag": "x"}
    assert blocks(as_json([record, other])) == [
        ("question", "How long?"), ("answer", "Three years."), ("question", "How long?"), ("answer", "Three years."), ("pair", "tag: x"),
    ]  # fmt: skip


def test_long_texts_of_records_are_read_by_their_layout_below_their_name() -> None:
    text = "It lasts two years.\n\nNot covered are:\n- wear\n- lightning"
    found = as_json([{"title": "Warranty", "body": text, "by": "Anna"}, {"title": "Other", "body": "x" * 500}])
    assert [kind for kind, _ in blocks(found)][:8] == [
        "heading",
        "pair",
        "heading",
        "paragraph",
        "paragraph",
        "list",
        "item",
        "item",
    ]
    assert [found.text[s.start : s.start + 8] for s in found.sections or ()] == ["Warranty", "Other\n\nb"]


def test_lines_that_are_no_json_are_counted() -> None:
    found = extract(".jsonl", b'{"a": "x"}\nnonsense\n{"a": "y"}\n{"a"')
    assert (found.text, found.told) == ("a: x\na: y", ("2 lines that are no JSON",))
    assert extract(".json", b'{"a": 1}\n{"a": 2}').text == "a: 1\na: 2"
    with pytest.raises(Unreadable, match="no line of it is JSON"):
        extract(".ndjson", b"nonsense")


@pytest.mark.parametrize(
    ("record", "is_read"),
    [
        ({"question": "Who?", "answers": ["x"], "file": "a.txt"}, False),
        ({"turns": [{"question": "Who?"}]}, False),
        ({"question": "Who?"}, False),
        ({"question": "Who?", "answers": ["x"]}, True),
        ({"question": "Who?", "answers": ["x"], "file": "a.txt", "topic": "people"}, True),
    ],
)
def test_only_questions_that_say_where_their_answer_stands_are_no_document(record: object, is_read: bool) -> None:
    data = json.dumps(record).encode()
    if is_read:
        assert extract(".jsonl", data).text
    else:
        with pytest.raises(Unreadable, match="questions for an evaluation"):
            extract(".jsonl", data)


# --- notebooks, mail, XML, subtitles ---------------------------------------------------------------------------------------


def test_a_notebook_is_its_cells_and_their_text() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Sales\n", "\n", "They *rose*.\n"]},
        {
            "cell_type": "code", "source": "total = 4.8",
            "outputs": [{"text": ["4.8\n"]}, {"data": {"image/png": "x", "text/plain": ["<Figure>"]}}],
        },
    ]  # fmt: skip
    found = extract(".ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode())
    assert blocks(found) == [("heading", "# Sales"), ("paragraph", "They *rose*."), ("code", "total = 4.8"), ("code", "4.8")]
    assert (found.title, found.told) == ("Sales", ("1 output that is no text",))


MAIL = b"""From: Anna Berg <anna@example.org>
To: louis@example.org
Subject: =?utf-8?q?Caf=C3=A9?= opens
Date: Mon, 4 Mar 2024 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

The caf=E9 opens on 12 March.
Bring:
- the key
- the form

Louis wrote:
> When does it open?
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="form.pdf"

x
--b--
"""


def test_a_message_has_its_headers_its_body_and_what_is_attached() -> None:
    found = extract(".eml", MAIL)
    assert blocks(found) == [
        ("heading", "Café opens"), ("pair", "From: Anna Berg <anna@example.org>"), ("pair", "To: louis@example.org"),
        ("pair", "Date: Mon, 04 Mar 2024 10:00:00 +0100"), ("paragraph", "The café opens on 12 March.\nBring:"),
        ("list", "- the key\n- the form"), ("item", "- the key"), ("item", "- the form"), ("paragraph", "Louis wrote:"),
        ("quotation", "> When does it open?"),
    ]  # fmt: skip
    assert found.told == ("attached and not read: form.pdf",)
    html = b"Subject: x\nContent-Type: text/html; charset=utf-8\n\n<h1>Caf\xc3\xa9</h1><p>It opens."
    assert texts(extract(".eml", html), "paragraph") == ["It opens."]


def test_xml_is_read_by_its_elements() -> None:
    found = extract(
        ".xml",
        b"<?xml version='1.0' encoding='iso-8859-1'?><stock><title>Dep\xf4t</title><item id='7'><name>Pump</name><price>5</price></item>"
        b"<item id='8'><name>Pipe</name></item><note>All <b>new</b> since May.</note></stock>",
    )
    assert blocks(found, "heading", "row", "paragraph") == [
        ("heading", "Depôt"), ("row", "item: id: 7; name: Pump; price: 5"), ("row", "item: id: 8; name: Pipe"),
        ("paragraph", "All new since May."),
    ]  # fmt: skip
    doubling = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, 40))
    bomb = f'<!DOCTYPE d [<!ENTITY a0 "ha">{doubling}]><d><p>x</p><p>&a39;</p></d>'
    assert len(extract(".xml", bomb.encode()).text) < 100


def test_subtitles_are_sentences_with_their_time_and_speaker() -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Anna>The pump\n\n00:02.000 --> 00:03.000\n<v Anna>moves <i>water</i>.\n\n00:04.000 --> 00:05.000\n<v Bo>Good.\n"
    assert blocks(extract(".vtt", vtt.encode())) == [("paragraph", "Anna: The pump moves water."), ("paragraph", "Bo: Good.")]
    srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\nThe pump\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nmoves.\r\n"
    assert texts(extract(".srt", srt.encode()), "paragraph") == ["The pump moves."]


# --- files whose text is their own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("a.py", '# How pumps work.\nimport os\n\n\ndef run():\n    """Move water\n    uphill."""\n    return 1\n', [
            ("paragraph", "How pumps work."), ("code", "import os"), ("code", "def run():"), ("paragraph", "Move water uphill."),
            ("code", "return 1"),
        ]),
        ("a.js", "// Moves water.\nrun()\n/* And\n * oil. */\nstop()", [
            ("paragraph", "Moves water."), ("code", "run()"), ("paragraph", "And oil."), ("code", "stop()"),
        ]),
        ("a.sql", "-- All pumps.\nSELECT 1;", [("paragraph", "All pumps."), ("code", "SELECT 1;")]),
        ("a.yaml", "server:\n  port: 80\nusers:\n  - name: anna\n    role: admin\n", [
            ("heading", "server"), ("pair", "port: 80"), ("heading", "users"), ("item", "name: anna; role: admin"),
        ]),
        ("a.ini", "; The server\n[server]\nport = 80\n", [("paragraph", "The server"), ("heading", "[server]"), ("pair", "port = 80")]),
        ("a.log", "10:00 start\n10:01 fault\n  at pump\n", [("row", "10:00 start"), ("row", "10:01 fault at pump")]),
        ("a.rst", "Title\n=====\n\n:By: Anna\n\nRun ``x``::\n\n    x --now\n\n.. note:: Be *quick*.\n", [
            ("heading", "Title"), ("pair", "By: Anna"), ("paragraph", "Run x:"), ("code", "x --now"), ("paragraph", "Be quick."),
        ]),
        ("a.org", "* TODO Pump\nIt /moves/ water.\n#+BEGIN_SRC sh\nrun\n#+END_SRC\n- a\n- b", [
            ("heading", "TODO Pump"), ("paragraph", "It moves water."), ("code", "run"), ("list", "- a\n- b"), ("item", "a"), ("item", "b"),
        ]),
        ("a.tex", "\\documentclass{a}\n\\begin{document}\n\\section{Pumps}\nThey \\emph{move} water.\n\\end{document}", [
            ("heading", "Pumps"), ("paragraph", "They move water."),
        ]),
        ("LICENSE", "You may copy this.", [("paragraph", "You may copy this.")]),
    ],
)  # fmt: skip
def test_texts_of_many_kinds(tmp_path: Path, name: str, text: str, wanted: list[tuple[str, str]]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    [source] = list_sources(tmp_path).sources
    found = read(source.path)
    assert found.text == text
    assert [(b.kind, shown(text, b, suffix_of(name))) for b in found.blocks if b.kind != "furniture"] == wanted


def test_damaged_bytes_of_a_text_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    data = "Der Schlüssel liegt im Büro. ".encode() + b"\xff" + "Die Tür ist grün.".encode()
    (tmp_path / "a.txt").write_bytes(data)
    found = read(tmp_path / "a.txt")
    assert found.text == "Der Schlüssel liegt im Büro. \ufffdDie Tür ist grün."
    assert found.told == ("1 damaged byte (no valid UTF-8)",)
    assert data.decode(*found.encoding.split(":")) == found.text


def test_names_tell_what_has_no_suffix() -> None:
    assert [suffix_of(name) for name in ("README", "Makefile", "a.MD", "photo", "a.xyz")] == [".txt", ".mk", ".md", "", ""]


# --- damaged files ------------------------------------------------------------------------------------------------------

SEEDS: dict[str, bytes] = {
    ".html": b"<title>x</title><h1>The Moon</h1><p>They <b>landed</b>.<ul><li>a<li>b</ul><table><tr><th>a<th>b<tr><td>1<td>2</table>",
    ".csv": b'a;b\n1;"x\ny"\n', ".json": b'[{"question": "Who?", "answers": ["x"]}, {"a": [{"b": 1}]}]', ".jsonl": b'{"a": 1}\n{"a": 2}\n',
    ".ipynb": b'{"cells": [{"cell_type": "code", "source": ["x"], "outputs": [{"text": "y"}]}]}', ".eml": MAIL,
    ".xml": b"<a><b c='d'>text</b><b>more</b><p>mixed <i>text</i></p></a>", ".vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>Hi.\n",
}  # fmt: skip


@pytest.mark.parametrize("suffix", SEEDS)
def test_damaged_files_are_read_or_refused_with_a_reason(suffix: str) -> None:
    chance = random.Random(suffix)
    for _ in range(150):
        data = bytearray(SEEDS[suffix])
        for _ in range(chance.choice((1, 3, 30))):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(3)) + bytes(
                data[at : at + 9]
            ) * chance.randrange(2)
        try:
            found = extract(suffix, bytes(data))
        except Unreadable as reason:
            assert str(reason) and "\n" not in str(reason)
            continue
        assert all(found.text[b.start : b.end].strip() for b in found.blocks)
        assert not [b for b in found.blocks if found.text[b.start : b.end] != found.text[b.start : b.end].strip()]


# --- real files ---------------------------------------------------------------------------------------------------------


def installed(pattern: str, *roots: str) -> Path:
    """A file of a package or of the system, else the test is skipped."""
    for root in (*roots, *(str(folder) for folder in Path(pytest.__file__).parents if folder.name == "site-packages")):
        if Path(root).is_dir() and (found := next(iter(sorted(Path(root).glob(pattern))), None)):
            return found
    pytest.skip(f"no {pattern} is installed here")


@pytest.mark.parametrize(
    ("pattern", "roots", "kinds"),
    [
        ("*.dist-info/**/*.md", (), {"paragraph"}),
        ("*.dist-info/**/LICENCE.rst", (), {"paragraph"}),
        ("numpy/random/tests/data/*.csv", (), {"row"}),
        ("markdown_it/port.yaml", (), {"item"}),
        ("**/*.html", ("/usr/share/doc",), {"paragraph"}),
        ("docx/templates/**/theme1.xml", (), {"row"}),
        ("GPL-3", ("/usr/share/common-licenses",), {"heading", "paragraph", "list", "item"}),
        ("pytest/__init__.py", (), {"code", "paragraph"}),
    ],
)  # fmt: skip
def test_real_files_are_read(pattern: str, roots: tuple[str, ...], kinds: set[str]) -> None:
    path = installed(pattern, *roots)
    suffix = suffix_of(path.name) or ".txt"
    if path.name == "GPL-3":
        found = read_as(path, ".txt")
    else:
        found = read(path)
    assert found.text.strip(), (path, suffix)
    assert kinds <= {block.kind for block in found.blocks}


def read_as(path: Path, suffix: str) -> Reading:
    from rag_agent.documents.structures import structure

    text = path.read_text(encoding="utf-8")
    shape = structure(suffix, text)
    return Reading(text, "utf-8", shape.sections, shape.blocks, shape.title)
