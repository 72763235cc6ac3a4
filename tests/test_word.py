"""Word documents: what a reader of the document sees is read, in its order; what is not read is told."""

import io
import zipfile
from collections.abc import Mapping

import docx

from rag_agent.documents.formats import extract
from rag_agent.documents.reading import Reading

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SPACES = (
    f'xmlns:w="{W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def package(body: str, parts: Mapping[str, str] = {}) -> bytes:
    """A Word document with a body, and further parts by the kind of their relation."""
    out = io.BytesIO()
    relations = "".join(f'<Relationship Id="{kind}" Type="{TYPES}{kind}" Target="{kind}.xml"/>' for kind in parts)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r" Type="{TYPES}officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        )
        archive.writestr("word/document.xml", f"<w:document {SPACES}><w:body>{body}</w:body></w:document>")
        for kind, content in parts.items():
            archive.writestr(f"word/{kind}.xml", content.replace(">", f" {SPACES}>", 1))
    return out.getvalue()


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content: str, properties: str = "") -> str:
    inside = "".join(one if one.startswith("<") else run(one) for one in content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def read(body: str, parts: Mapping[str, str] = {}) -> Reading:
    return extract(".docx", package(body, parts))


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end]) for block in reading.blocks]


def test_changes_count_as_accepted() -> None:
    body = (
        paragraph(
            "The notice period is ",
            f"<w:del>{run('four weeks').replace('w:t', 'w:delText')}</w:del>",
            f"<w:ins>{run('three months')}</w:ins>",
            f"<w:moveFrom>{run(' for all')}</w:moveFrom>",
            ".",
        )
        + paragraph("The end of this paragraph ", properties="<w:rPr><w:del/></w:rPr>")
        + paragraph("was deleted.")
        + f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph('gone')}</w:tc></w:tr></w:tbl>"
    )
    assert read(body).text == "The notice period is three months.\n\nThe end of this paragraph was deleted."


def test_content_controls_and_hyperlinks_are_text() -> None:
    body = (
        f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('The client is Norrland Timber.')}</w:sdtContent></w:sdt>"
        + paragraph("It is worth ", f"<w:sdt><w:sdtContent>{run('84,500')}</w:sdtContent></w:sdt>", " euros; see ",
                    f"<w:hyperlink>{run('the site')}</w:hyperlink>", ".")
    )  # fmt: skip
    assert read(body).text == "The client is Norrland Timber.\n\nIt is worth 84,500 euros; see the site."


def field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def test_a_field_is_its_result() -> None:
    body = paragraph(
        "See page ", field("begin"), "<w:r><w:instrText>PAGEREF _Toc1 \\h</w:instrText></w:r>", run("hidden"), field("separate"),
        "12", field("end"), ". Agreed: ",
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>',
        field("end"), "yes",
    )  # fmt: skip
    assert read(body).text == "See page 12. Agreed: ☒ yes"


STYLES = (
    '<w:styles><w:style w:type="paragraph" w:default="1" w:styleId="Standaard"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Kop1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Eigen"><w:name w:val="Own"/><w:basedOn w:val="Kop1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style></w:styles>'
)


def style(name: str) -> str:
    return f'<w:pStyle w:val="{name}"/>'


def test_headings_are_known_by_style_in_any_language_of_word_and_by_outline_level() -> None:
    body = (
        paragraph("Onderhoud", properties=style("Kop1"))
        + paragraph("Pompen", properties='<w:outlineLvl w:val="1"/>')
        + paragraph("Eigen kop", properties=style("Eigen"))
        + paragraph("Gewoon.")
    )
    found = read(body, {"styles": STYLES})
    assert [(block.kind, block.level) for block in found.blocks] == [
        ("heading", 1),
        ("heading", 2),
        ("heading", 1),
        ("paragraph", 0),
    ]
    titled = read(paragraph("Handboek", properties=style("Titel")) + body, {"styles": STYLES})
    assert titled.title == "Handboek"
    assert [block.level for block in titled.blocks] == [1, 2, 3, 2, 0]


def test_a_bold_line_above_plain_text_is_a_heading_and_a_bold_paragraph_is_not() -> None:
    bold = "<w:b/>"
    body = (
        paragraph(run("Opening hours", bold))
        + paragraph("We open at nine.")
        + paragraph(run("Closed in July.", bold))
        + paragraph("x")
    )
    assert [kind for kind, _ in blocks(read(body))] == ["heading", "paragraph", "paragraph", "paragraph"]


NUMBERS = (
    '<w:numbering><w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>'
    '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="&#61623;"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    "</w:numbering>"
)


def item(text: str, num: int, level: int = 0) -> str:
    return paragraph(text, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{num}"/></w:numPr>')


def test_lists_show_their_numbers_nest_and_go_on_behind_what_stands_between() -> None:
    body = (
        item("Open the valve", 1) + item("Check the gauge", 1, 1) + item("Note the value", 1, 1) + paragraph("Wear gloves.")
        + item("Close it", 1) + paragraph("Meanwhile:") + item("lamps", 2) + item("wipers", 2) + paragraph("Again.") + item("First", 3)
        + item("Second", 3)
    )  # fmt: skip
    found = read(body, {"numbering": NUMBERS})
    assert found.text == (
        "1. Open the valve\n1.a) Check the gauge\n1.b) Note the value\nWear gloves.\n2. Close it\n\nMeanwhile:\n\n- lamps\n- wipers"
        "\n\nAgain.\n\n1. First\n2. Second"
    )
    assert [(block.level, found.text[block.start : block.end].count("\n")) for block in found.blocks if block.kind == "list"] == [
        (0, 4), (1, 2), (0, 1), (0, 1)
    ]  # fmt: skip


def test_marks_that_somebody_typed_make_a_list_too() -> None:
    found = read(paragraph("Not covered:") + paragraph("• wear parts") + paragraph("•\tbatteries") + paragraph("The end."))
    assert [kind for kind, _ in blocks(found)] == ["paragraph", "list", "item", "item", "paragraph"]
    assert "- batteries" in found.text


def test_notes_stand_behind_the_paragraph_that_bears_them() -> None:
    body = paragraph("The pump is guaranteed.", '<w:r><w:footnoteReference w:id="2"/></w:r>') + paragraph(
        "It is blue.", '<w:r><w:endnoteReference w:id="2"/></w:r>'
    )
    parts = {
        "footnotes": '<w:footnotes><w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
        f'<w:footnote w:id="2">{paragraph("Not after salt water.")}</w:footnote></w:footnotes>',
        "endnotes": f'<w:endnotes><w:endnote w:id="2">{paragraph("Other colours on request.")}</w:endnote></w:endnotes>',
    }
    assert read(body, parts).text.split("\n\n") == [
        "The pump is guaranteed.", "Not after salt water.", "It is blue.", "Other colours on request.",
    ]  # fmt: skip


def test_text_boxes_are_read_once_in_whichever_form_they_are_kept() -> None:
    inside = f"<w:txbxContent>{paragraph('At most 630 kilograms.')}</w:txbxContent>"
    both = (
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{inside}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict>"
        f"<v:textbox>{inside}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    old = f"<w:r><w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape></w:pict></w:r>"
    for box in (both, old):
        assert read(paragraph("The lift.", box)).text == "The lift.\n\nAt most 630 kilograms."


def test_headers_and_footers_are_read_once_and_page_numbers_are_furniture() -> None:
    made = docx.Document()
    made.add_paragraph("The boiler must be cleaned every spring.")
    for _ in range(2):
        made.add_section().header.is_linked_to_previous = False
    for section in made.sections:
        section.header.paragraphs[0].text = "Document QA-7731, revision 4"
        section.footer.paragraphs[0].text = "Approved by Ingrid Solheim\t3"
    out = io.BytesIO()
    made.save(out)
    found = extract(".docx", out.getvalue())
    assert found.text.count("QA-7731") == found.text.count("Ingrid Solheim") == 1
    assert ("paragraph", "Approved by Ingrid Solheim") in blocks(found)
    assert ("furniture", "3") in blocks(found)


def test_nested_and_merged_tables_keep_every_cell_once() -> None:
    made = docx.Document()
    table = made.add_table(4, 3)
    for row, texts in enumerate(
        [["Country", "Depot", "Hours"], ["Norway", "Bergen", "8-17"], ["", "Tromso", "9-12"], ["", "", ""]]
    ):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0)).text = "Norway"
    table.cell(3, 0).merge(table.cell(3, 2)).text = "Closed on Sundays"
    inner = made.add_table(1, 2)
    inner.cell(0, 0).text = "Terms"
    nested = inner.cell(0, 1).add_table(3, 2)
    for row, texts in enumerate([["Item", "Price"], ["Pipe", "17.80 euros"], ["Bolt", "0.20 euros"]]):
        for column, text in enumerate(texts):
            nested.cell(row, column).text = text
    out = io.BytesIO()
    made.save(out)
    assert extract(".docx", out.getvalue()).text == (
        "Country | Depot | Hours\nCountry: Norway; Depot: Bergen; Hours: 8-17\nCountry: Norway; Depot: Tromso; Hours: 9-12\n"
        "Closed on Sundays\n\nTerms\n\nItem | Price\nItem: Pipe; Price: 17.80 euros\nItem: Bolt; Price: 0.20 euros"
    )


def test_a_frame_of_one_cell_is_no_table() -> None:
    body = f"<w:tbl><w:tr><w:tc>{paragraph('First thought.')}{paragraph('Second thought.')}</w:tc></w:tr></w:tbl>"
    assert blocks(read(body)) == [("paragraph", "First thought."), ("paragraph", "Second thought.")]


def test_a_table_of_contents_is_furniture() -> None:
    body = (
        paragraph(field("begin"), "<w:r><w:instrText>TOC \\o</w:instrText></w:r>", field("separate"), "Pumps\t3")
        + paragraph("Valves\t4")
        + paragraph(field("end"))
        + paragraph("Pumps are blue.")
    )
    assert [kind for kind, _ in blocks(read(body))][-1] == "paragraph"
    assert ("furniture", "Valves\t4") in blocks(read(body))


def test_what_is_not_read_is_told() -> None:
    body = paragraph("Seen.", run("unseen", "<w:vanish/>"), "<w:r><w:drawing><a:blip/></w:drawing></w:r>")
    found = read(body, {"comments": f"<w:comments><w:comment>{paragraph('why?')}</w:comment><w:comment/></w:comments>"})
    assert found.text == "Seen."
    assert sorted(found.told) == ["1 picture", "1 piece of hidden text", "2 comments"]


def test_the_strict_edition_of_the_format_reads_the_same() -> None:
    data = package(paragraph("The same.", properties=style("Kop1")), {"styles": STYLES})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(W.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main")
            new.writestr(
                name,
                content.replace(
                    b"http://schemas.openxmlformats.org/officeDocument", b"http://purl.oclc.org/ooxml/officeDocument"
                ),
            )
    assert blocks(extract(".docx", out.getvalue())) == [("heading", "The same.")]


def test_pairs_and_questions_are_told_from_prose() -> None:
    found = read(
        paragraph("Policy number: PN-448-221") + paragraph("Q: Is breakfast included?") + paragraph("A: No, it costs 14 euros.")
    )
    assert [kind for kind, _ in blocks(found)] == ["pair", "question", "answer"]
