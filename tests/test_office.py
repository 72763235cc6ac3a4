"""Presentations, OpenDocument, books, Rich Text; and damaged files of every office format."""

import io
import random
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from fpdf import FPDF

from rag_agent.documents import Reader, Unreadable
from rag_agent.documents.formats import extract
from rag_agent.documents.reading import Reading


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [
        (block.kind, reading.text[block.start : block.end]) for block in reading.blocks if block.kind not in ("list", "table")
    ]


def zipped(parts: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


# --- presentations ------------------------------------------------------------------------------------------------------


def deck() -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Winter plan"
    frame = slide.placeholders[1].text_frame
    frame.text = "Salt all roads by 1 November"
    for text, level in (("Main roads first", 1), ("Then bicycle paths", 1), ("Hire two drivers", 0)):
        added = frame.add_paragraph()
        added.text, added.level = text, level
    slide.notes_slide.notes_text_frame.text = "Ask Mrs. Dahl for the budget of 40,000 euros."
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Numbers"
    table = slide.shapes.add_table(3, 3, 0, 0, 10, 10).table
    for row, texts in enumerate([("Road", "Length", "Salt"), ("A1", "12 km", "3 t"), ("", "7 km", "2 t")]):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    slide.shapes.add_textbox(0, 0, 10, 10).text_frame.text = "The salt store opens at five."
    made.slides.add_slide(made.slide_layouts[5])._element.set("show", "0")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_each_slide_is_an_article_with_its_title_lists_tables_and_notes() -> None:
    found = extract(".pptx", deck())
    assert [section.page for section in found.sections or ()] == [1, 2]
    assert found.text == (
        "Winter plan\n\n- Salt all roads by 1 November\n- Main roads first\n- Then bicycle paths\n- Hire two drivers\n\n"
        "Ask Mrs. Dahl for the budget of 40,000 euros.\n\nNumbers\n\nRoad | Length | Salt\nRoad: A1; Length: 12 km; Salt: 3 t\n"
        "Road: A1; Length: 7 km; Salt: 2 t\n\nThe salt store opens at five."
    )
    assert [block.level for block in found.blocks if block.kind == "list"] == [0, 1]
    assert (found.title, found.told) == ("Winter plan", ("1 hidden slide",))


# --- OpenDocument -------------------------------------------------------------------------------------------------------

OPEN = (
    " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "style", "drawing", "meta")
    )
    + ' xmlns:draw="urn:draw" xmlns:xml="http://www.w3.org/XML/1998/namespace" xmlns:presentation="urn:presentation"'
)


def open_document(kind: str, body: str, styles: str = "", looks: str = "") -> bytes:
    return zipped(
        {
            "content.xml": f"<office:document-content {OPEN}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {OPEN}>{looks}</office:document-styles>",
            "META-INF/manifest.xml": "<manifest/>",
        }
    )


NUMBERED = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
    '<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/></text:list-style>'
)


def text_document() -> bytes:
    body = (
        '<text:h text:outline-level="1">Pumps</text:h>'
        "<text:p>The pump<text:s text:c='1'/>is blue.<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>Since 2020.</text:p></text:note-body></text:note><office:annotation><text:p>sure?</text:p>"
        "</office:annotation></text:p>"
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region>"
        "</text:tracked-changes>"
        '<text:list text:style-name="L1"><text:list-item><text:p>Open</text:p><text:list><text:list-item><text:p>slowly</text:p>'
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>Close</text:p></text:list-item></text:list>"
        "<text:p>Then:</text:p>"
        '<text:list text:style-name="L1" text:continue-numbering="true"><text:list-item><text:p>Rinse</text:p></text:list-item></text:list>'
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Depot</text:p></table:table-cell>"
        "<table:table-cell><text:p>City</text:p></table:table-cell></table:table-row></table:table-header-rows><table:table-row>"
        "<table:table-cell><text:p>North</text:p></table:table-cell><table:table-cell><text:p>Oslo</text:p></table:table-cell>"
        "</table:table-row></table:table>"
        "<text:p><draw:frame><draw:text-box><text:p>At most 630 kilograms.</text:p></draw:text-box></draw:frame></text:p>"
    )
    looks = (
        "<office:master-styles><style:master-page><style:header><text:p>Document QA-7731, revision 4</text:p></style:header>"
        "<style:footer><text:p><text:page-number>1</text:page-number></text:p></style:footer></style:master-page></office:master-styles>"
    )
    return open_document("text", body, NUMBERED, looks)


def test_an_open_document_text_is_read_like_one_of_word() -> None:
    found = extract(".odt", text_document())
    assert blocks(found) == [
        ("paragraph", "Document QA-7731, revision 4"), ("heading", "Pumps"), ("paragraph", "The pump is blue."), ("paragraph", "Since 2020."),
        ("item", "1. Open\na) slowly"), ("paragraph", "1. Open"), ("item", "a) slowly"), ("item", "2. Close"), ("paragraph", "Then:"),
        ("item", "3. Rinse"), ("names", "Depot | City"), ("row", "Depot: North; City: Oslo"), ("paragraph", "At most 630 kilograms."),
        ("furniture", "1"),
    ]  # fmt: skip
    assert found.told == ("1 comment",)


def spreadsheet() -> bytes:
    def row(*cells: str) -> str:
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

    rest = '<table:table-cell table:number-columns-repeated="1000000"/>'
    body = (
        '<table:table table:name="Stock">'
        + row(cell("Country"), cell("Depot"), cell("Stock"), rest)
        + row(cell("Norway", 'table:number-rows-spanned="2"'), cell("Bergen"), cell("1,200.50 €"))
        + row("<table:covered-table-cell/>", cell("Tromso"), cell("25%"))
        + '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row></table:table>'
        + f'<table:table table:name="Old" table:style-name="gone">{row(cell("x"))}</table:table>'
    )
    styles = '<style:style style:name="gone" style:family="table"><style:table-properties table:display="false"/></style:style>'
    return open_document("spreadsheet", body, styles)


def test_an_open_document_sheet_is_read_as_it_is_shown() -> None:
    found = extract(".ods", spreadsheet())
    assert found.text.split("\n")[2:] == [
        "Country | Depot | Stock", "Country: Norway; Depot: Bergen; Stock: 1,200.50 €", "Country: Norway; Depot: Tromso; Stock: 25%",
    ]  # fmt: skip
    assert found.told == ("1 hidden sheet",)


def show() -> bytes:
    def frame(kind: str, text: str) -> str:
        return f'<draw:frame presentation:class="{kind}"><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>'

    notes = f"<presentation:notes>{frame('notes', 'Ask Mrs. Dahl.')}</presentation:notes>"
    return open_document(
        "presentation", f"<draw:page>{frame('outline', 'Salt all roads.')}{frame('title', 'Plan')}{notes}</draw:page>"
    )


def test_an_open_document_presentation_has_titles_and_notes() -> None:
    assert blocks(extract(".odp", show())) == [
        ("heading", "Plan"),
        ("paragraph", "Salt all roads."),
        ("paragraph", "Ask Mrs. Dahl."),
    ]


def test_a_protected_open_document_says_so() -> None:
    data = zipped({"content.xml": "\0noise", "META-INF/manifest.xml": "<manifest:encryption-data/>"})
    with pytest.raises(Unreadable, match="protected by a password"):
        extract(".odt", data)


# --- books --------------------------------------------------------------------------------------------------------------


def book(*chapters: str) -> bytes:
    items = "".join(
        f'<item id="c{n}" href="text/c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in reversed(range(len(chapters))))
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The pump</dc:title></metadata>'
            f'<manifest>{items}</manifest><spine>{spine}<itemref idref="lost"/></spine></package>',
            **{
                f"OEBPS/text/c {n}.xhtml": f"<?xml version='1.0'?><html><body>{one}</body></html>"
                for n, one in enumerate(chapters)
            },
        }
    )


def test_the_parts_of_a_book_are_read_in_its_order() -> None:
    found = extract(".epub", book("<h1>End</h1><p>It is blue.</p>", "<h1>Start</h1><ul><li>Open it.</li><li>Close it.</li></ul>"))
    assert [found.text[section.start : section.end].split("\n")[0] for section in found.sections or ()] == ["Start", "End"]
    assert [block.kind for block in found.blocks] == ["heading", "list", "item", "item", "heading", "paragraph"]
    assert (found.title, found.told) == ("The pump", ("1 part that is no text",))


# --- Rich Text ----------------------------------------------------------------------------------------------------------

RICH = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}{\colortbl;\red0\green0\blue0;}"
    rb"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}{\info{\title Guide}{\author me}}"
    rb"{\header\pard Document QA-7731, revision 4\par}{\footer\pard {\field{\*\fldinst PAGE}{\fldrslt 1}}\par}"
    rb"\pard\s1 Caf\'e9 rules\par\pard\plain Wifi is \uc1\u8220?Tanger\u305?n\u8221? \endash  {\f1\'cc\'e8\'f0}."
    rb"{\super\chftn}{\footnote\pard Since 2020.\par}{\*\annotation hm}{\v secret}{\deleted old}\par"
    rb"\pard{\listtext 1.\tab}\li720 Open\par\pard{\listtext 2.\tab}\li720 Close\par"
    rb"\trowd\cellx1\cellx2\cellx3\intbl Item\cell Price\cell Shelf\cell\row\intbl Pipe\cell 17.80\cell 4\cell\row"
    rb"\intbl Bolt\cell 0.20\cell 7\cell\row\pard{\*\unknown nothing}{\pict\wmetafile8 0102}The end.\par}"
)


def test_rich_text_is_read_with_its_structure_in_every_alphabet() -> None:
    found = extract(".rtf", RICH)
    assert blocks(found) == [
        ("paragraph", "Document QA-7731, revision 4"), ("heading", "Café rules"), ("paragraph", "Wifi is “Tangerın” – Мир."),
        ("paragraph", "Since 2020."), ("item", "1. Open"), ("item", "2. Close"), ("names", "Item | Price | Shelf"),
        ("row", "Item: Pipe; Price: 17.80; Shelf: 4"), ("row", "Item: Bolt; Price: 0.20; Shelf: 7"), ("paragraph", "The end."),
        ("furniture", "1"),
    ]  # fmt: skip
    assert found.title == "Guide"
    assert sorted(found.told) == ["1 comment", "1 deletion", "1 picture", "1 piece of hidden text"]


# --- damage -------------------------------------------------------------------------------------------------------------


def saved(made: object) -> bytes:
    out = io.BytesIO()
    made.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def workbook() -> bytes:
    made = openpyxl.Workbook()
    for row in (["Title"], [], ["Item", "Stock"], ["Pipe", 320]):
        made.active.append(row)
    made.active.merge_cells("A1:B1")
    return saved(made)


def word() -> bytes:
    made = docx.Document()
    made.add_heading("Pumps", 1)
    made.add_paragraph("Open it.", style="List Number")
    made.add_table(2, 2).cell(0, 0).text = "Depot"
    made.sections[0].header.paragraphs[0].text = "Head"
    return saved(made)


def pages() -> bytes:
    pdf = FPDF()
    for _ in range(2):
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, 8, "The ferry sails at seven and the museum is closed. " * 9)
        with pdf.table() as table:
            table.row(["Model", "Voltage"])
            table.row(["TX-1", "230"])
    return bytes(pdf.output())


SEEDS: dict[str, Callable[[], bytes]] = {
    ".pptx": deck, ".odt": text_document, ".ods": spreadsheet, ".odp": show, ".rtf": lambda: RICH, ".pdf": pages, ".docx": word,
    ".xlsx": workbook, ".xls": workbook, ".epub": lambda: book("<h1>One</h1><p>Two.</p>", "<table><tr><td>x<td>y</table>"),
}  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes with some changed, cut, doubled or made up."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(len(out)) if out else 0
        way = chance.randrange(4)
        if way == 0 and out:
            out[at] = chance.randrange(256)
        elif way == 1:
            del out[at : at + chance.randrange(60)]
        elif way == 2:
            out[at:at] = out[at : at + chance.randrange(300)]
        elif chance.random() < 0.2:
            del out[at:]
    return bytes(out)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """An archive that is whole, with a part that is not: numbers out of range, elements doubled, dropped and misplaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        hit = chance.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            if name == hit:
                marks = [at for at, byte in enumerate(part) if byte in b'<"0123456789']
                for _ in range(chance.choice((1, 4, 10))):
                    at = chance.choice(marks or [0])
                    more = chance.choice([b"-1", b"99999999999", b"<p/>", b"", b"x", b"0"])
                    part = part[:at] + more + part[at + chance.randrange(2) :]
                if chance.random() < 0.2:
                    continue
            new.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize("suffix", SEEDS)
def test_a_damaged_file_is_read_or_refused_with_a_reason(tmp_path: Path, suffix: str) -> None:
    seed = SEEDS[suffix]()
    chance = random.Random(suffix)
    with Reader(seconds=20) as reader:
        for number in range(60):
            inside = seed.startswith(b"PK") and number % 2
            path = tmp_path / f"{number}{suffix}"
            path.write_bytes(damaged_inside(seed, chance) if inside else damaged(seed, chance))
            try:
                found = reader.read(path)
            except Unreadable as reason:
                assert str(reason)
                assert "\n" not in str(reason)
                assert "longer than" not in str(reason)
                assert "crashed" not in str(reason)
                continue
            found.text.encode()
            for block in found.blocks:
                assert found.text[block.start : block.end].strip()


@pytest.mark.parametrize("suffix", [".docx", ".pptx", ".odt", ".epub"])
def test_xml_that_doubles_itself_or_lies_thousands_deep_is_refused(suffix: str) -> None:
    main = {".docx": "word/document.xml", ".pptx": "ppt/presentation.xml", ".odt": "content.xml", ".epub": "OEBPS/book.opf"}[
        suffix
    ]
    doubling = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, 40))
    for bad in (f'<!DOCTYPE d [<!ENTITY a0 "ha">{doubling}]><document><body><p>&a39;</p></body></document>', "<a>" * 100_000):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(SEEDS[suffix]())) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                new.writestr(name, bad if name == main else old.read(name))
        with pytest.raises(Unreadable):
            extract(suffix, out.getvalue())
