"""PDF: what a reader sees on the pages, in the order of reading, whole over lines, columns and pages."""

import random
from collections.abc import Callable, Sequence

import pytest
from fpdf import FPDF

from rag_agent.documents import ocr
from rag_agent.documents.formats import extract
from rag_agent.documents.reading import Reading, Unreadable

Spot = tuple[float, float, str]


def made(*pages: Sequence[Spot], draw: Callable[[FPDF], None] | None = None) -> bytes:
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    for page in pages:
        pdf.add_page()
        pdf.set_font("Helvetica", size=11)
        for x, y, text in page:
            pdf.text(x, y, text)
    if draw:
        draw(pdf)
    return bytes(pdf.output())


def down(x: float, texts: Sequence[str], *, y: float = 100, step: float = 14) -> list[Spot]:
    return [(x, y + step * number, text) for number, text in enumerate(texts)]


def read(*pages: Sequence[Spot], draw: Callable[[FPDF], None] | None = None) -> Reading:
    return extract(".pdf", made(*pages, draw=draw))


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [
        (block.kind, reading.text[block.start : block.end]) for block in reading.blocks if block.kind not in ("table", "list")
    ]


LEFT = ["The ferry to the island sails at", "seven on weekdays and at nine on", "Sundays. Dogs travel free."]
RIGHT = ["The museum is closed on Mondays.", "Guided tours must be booked two", "days ahead by telephone only."]


@pytest.mark.parametrize("seed", range(4))
def test_columns_are_read_one_after_the_other_in_whatever_order_they_are_drawn(seed: int) -> None:
    spots = down(60, LEFT) + down(320, RIGHT)
    random.Random(seed).shuffle(spots)
    assert read(spots).text == " ".join(LEFT) + "\n\n" + " ".join(RIGHT)


def test_a_sentence_goes_on_from_one_column_to_the_next() -> None:
    words = (
        "The harbour master asks all owners of small boats to keep the eastern channel clear while the new ferry turns, and to "
        "moor at the western quay until the old pier has been mended by the men from the yard in the bay."
    ).split()
    lines = [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]
    half = len(lines) // 2
    assert read(down(60, lines[:half]) + down(320, lines[half:])).text == " ".join(words)


@pytest.mark.parametrize("order", ["rows", "columns"])
def test_a_table_without_rules_keeps_its_empty_cells_apart(order: str) -> None:
    rows = [("Model", "Weight (kg)", "Voltage (V)"), ("TX-1", "12.5", "230"), ("TX-2", "18.0", "400"), ("TX-3", "", "690")]
    spots = [(60.0 + 120 * x, 100.0 + 18 * y, text) for y, row in enumerate(rows) for x, text in enumerate(row) if text]
    if order == "columns":
        spots.sort()
    assert blocks(read(spots)) == [
        ("names", "Model | Weight (kg) | Voltage (V)"), ("row", "Model: TX-1; Weight (kg): 12.5; Voltage (V): 230"),
        ("row", "Model: TX-2; Weight (kg): 18.0; Voltage (V): 400"), ("row", "Model: TX-3; Voltage (V): 690"),
    ]  # fmt: skip


def test_a_cell_of_several_lines_is_one_value() -> None:
    spots = [(60.0, 100.0, "Position"), (160.0, 100.0, "Duties"), (400.0, 100.0, "Salary")]
    y = 121.0
    for name, duties, salary in [
        ("Director", ["leads the company and", "speaks for it"], "9,000"),
        ("Clerk", ["files the letters"], "2,100"),
    ]:
        spots += [(60.0, y, name), (400.0, y, salary), *down(160, duties, y=y, step=13)]
        y += 13 * len(duties) + 8
    assert read(spots).text.split("\n")[1] == "Position: Director; Duties: leads the company and speaks for it; Salary: 9,000"


def test_a_table_with_rules_keeps_merged_cells_and_lines_of_a_cell_together() -> None:
    def draw(pdf: FPDF) -> None:
        pdf.add_page()
        pdf.set_font("Helvetica", size=11)
        with pdf.table(width=400, text_align="LEFT") as table:
            for cells in (
                ["Depot", "Hours", "Phone"],
                ["Gouda", "08:00-17:00 on weekdays, on Saturdays until noon only", "555 010"],
            ):
                row = table.row()
                for cell in cells:
                    row.cell(cell)
            table.row().cell("All depots are closed on Sundays", colspan=3)

    assert read(draw=draw).text == (
        "Depot | Hours | Phone\nDepot: Gouda; Hours: 08:00-17:00 on weekdays, on Saturdays until noon only; Phone: 555 010\n"
        "All depots are closed on Sundays"
    )


def test_names_of_columns_go_on_over_a_page() -> None:
    first = [("Depot", "City", "Phone"), ("North", "Oslo", "555 0101"), ("South", "Bergen", "555 0102")]
    second = [("East", "Hamar", "555 0103"), ("West", "Voss", "555 0104")]
    pages = [
        [(60.0 + 150 * x, top + 16 * y, t) for y, r in enumerate(rows) for x, t in enumerate(r)]
        for rows, top in ((first, 640), (second, 120))
    ]
    assert "Depot: West; City: Voss; Phone: 555 0104" in read(*pages).text


def test_names_that_stand_alone_at_the_end_of_a_page_name_the_rows_on_the_next() -> None:
    def draw(pdf: FPDF) -> None:
        for y, rows in ((760, [("Grade", "Days", "Notice")]), (60, [("Clerk", "20", "1 month"), ("Cook", "22", "2 months")])):
            pdf.add_page()
            pdf.set_font("Helvetica", size=11)
            pdf.set_y(y)
            with pdf.table(width=400, text_align="LEFT", first_row_as_headings=False) as table:
                for cells in rows:
                    row = table.row()
                    for cell in cells:
                        row.cell(cell)

    assert read(draw=draw).text.endswith("Grade: Clerk; Days: 20; Notice: 1 month\nGrade: Cook; Days: 22; Notice: 2 months")


def test_a_sentence_goes_on_over_a_page_and_what_stands_between_is_furniture() -> None:
    found = read(
        [(60, 42, "Handbook 2024"), (60, 720, "In case of an alarm the night guard has to call the"), (300, 810, "1")],
        [(60, 42, "Handbook 2024"), (60, 82, "regional dispatcher before he enters."), (60, 140, "He waits."), (300, 810, "2")],
    )
    whole = "In case of an alarm the night guard has to call the regional dispatcher before he enters."
    assert blocks(found) == [
        ("furniture", "Handbook 2024"), ("paragraph", whole), ("furniture", "1"), ("furniture", "Handbook 2024"),
        ("paragraph", "He waits."), ("furniture", "2"),
    ]  # fmt: skip
    assert [section.page for section in found.sections or ()] == [1, 2]


def test_a_running_head_that_says_something_is_text_once() -> None:
    head = "Approved by Ingrid Solheim on 3 March 2024"
    found = read(*([(60, 42, head), (60, 200, f"Page {word} speaks of pumps.")] for word in ("one", "two", "three")))
    assert [kind for kind, text in blocks(found) if text == head] == ["paragraph", "furniture", "furniture"]


def test_hyphens_at_the_end_of_a_line_go_and_real_ones_stay() -> None:
    lines = [
        "The well-known engineer wrote the infor-", "mation sheet of the year 2023-", "2024 for the Anglo-", "Saxon branch; it is well-",
        "known too.",
    ]  # fmt: skip
    assert read(down(60, lines)).text == (
        "The well-known engineer wrote the information sheet of the year 2023-2024 for the Anglo-Saxon branch; it is well-known too."
    )


def test_headings_are_known_by_their_type() -> None:
    def draw(pdf: FPDF) -> None:
        pdf.add_page()
        for style, size, y, text in (
            ("B", 20, 60, "Harbour guide"), ("B", 14, 100, "Ferries"), ("", 11, 130, "The ferry sails at seven in the morning."),
            ("B", 11, 160, "Dogs"), ("", 11, 180, "Dogs travel free on all ferries."),
        ):  # fmt: skip
            pdf.set_font("Helvetica", style, size)
            pdf.text(60, y, text)

    assert [(block.kind, block.level) for block in read(draw=draw).blocks] == [
        ("heading", 1), ("heading", 2), ("paragraph", 0), ("heading", 3), ("paragraph", 0),
    ]  # fmt: skip


def test_lists_are_lists_with_items_of_several_lines() -> None:
    spots = [(60.0, 100.0, "To start the pump:"), (70.0, 116.0, "1."), (86.0, 116.0, "Open the valve that lies behind the"),
             (86.0, 130.0, "green door."), (70.0, 146.0, "2."), (86.0, 146.0, "Press the button.")]  # fmt: skip
    found = read(spots)
    assert [block.kind for block in found.blocks] == ["paragraph", "list", "item", "item"]
    assert found.text.endswith("1. Open the valve that lies behind the green door.\n2. Press the button.")


def test_powers_stay_powers() -> None:
    def draw(pdf: FPDF) -> None:
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.text(60, 100, "The lake holds 10")
        pdf.set_font("Helvetica", size=7)
        pdf.text(60 + 91.4, 95, "6")
        pdf.set_font("Helvetica", size=12)
        pdf.text(60 + 99, 100, "litres.")

    assert "10⁶ litres" in read(draw=draw).text


def form(*fields: tuple[str, str, float, str], text: Sequence[Spot] = (), kind: str = "/Tx") -> bytes:
    """A form whose values stand in its fields alone: name, value, height, and further entries of each."""
    kids = " ".join(f"{number} 0 R" for number in range(6, 6 + len(fields)))
    content = "".join(f"BT /F1 12 Tf {x} {y} Td ({what}) Tj ET " for x, y, what in text)
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{kids}] /DA (/Helv 12 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [{kids}] >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *(
            f"<< /Type /Annot /Subtype /Widget /FT {kind} /T ({name}) {more} /V {value} /Rect [220 {y} 420 {y + 20}] /P 3 0 R "
            "/DA (/Helv 12 Tf 0 g) >>"
            for name, value, y, more in fields
        ),
    ]
    out, places = "%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    start = len(out)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return (out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").encode("latin-1")


def test_values_of_a_form_stand_beside_their_labels() -> None:
    data = form(
        ("a", "(Margot Lindqvist)", 692, ""), ("b", "(PN-448-221)", 652, ""), ("c", "(12 May)", 600, ""), ("d", "()", 560, ""),
        ("telephone", "(555 0132)", 400, ""), text=[(60, 700, "Name:"), (60, 660, "Policy number"), (220, 625, "Date of birth"), (60, 565, "Fax:")],
    )  # fmt: skip
    found = extract(".pdf", data)
    assert [text for kind, text in blocks(found) if kind == "pair"] == [
        "Name: Margot Lindqvist", "Policy number: PN-448-221", "Date of birth: 12 May", "telephone: 555 0132",
    ]  # fmt: skip
    assert ("paragraph", "Fax:") in blocks(found)


def test_a_scan_is_told_where_nothing_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.setattr(ocr, "languages", tuple)

    def draw(pdf: FPDF) -> None:
        for _ in range(3):
            pdf.add_page()
            pdf.image(Image.new("L", (100, 140), 200), 0, 0, 595, 842)

    told = "3 scanned pages: install the extra `ocr` and the program tesseract"
    assert read([(60, 100, "The cover of the report.")], draw=draw).told == (told,)
    with pytest.raises(Unreadable, match=f"no text in it; {told}"):
        read(draw=draw)


def test_a_protected_file_says_so() -> None:
    def draw(pdf: FPDF) -> None:
        pdf.set_encryption(owner_password="owner", user_password="user")

    with pytest.raises(Unreadable, match="protected by a password"):
        read([(60, 100, "secret")], draw=draw)


def test_what_hangs_on_a_page_is_told() -> None:
    def draw(pdf: FPDF) -> None:
        pdf.text_annotation(60, 60, "is this right?")
        pdf.embed_file(bytes=b"x", basename="x.csv")
        pdf.set_title("Guide to the harbour")

    found = read([(60, 100, "The ferry sails at seven.")], draw=draw)
    assert found.title == "Guide to the harbour"
    assert found.told == ("1 comment", "1 attached file")


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_page_that_is_printed_sideways_reads_like_an_upright_one(angle: int) -> None:
    spots = down(160, LEFT, y=200) + down(420, RIGHT, y=200)

    def draw(pdf: FPDF) -> None:
        pdf.add_page(orientation="landscape" if angle == 180 else "portrait")
        pdf.set_font("Helvetica", size=11)
        with pdf.rotation(angle, 300, 300):
            for x, y, text in spots:
                pdf.text(x, y, text)

    assert read(draw=draw).text == read(spots).text
