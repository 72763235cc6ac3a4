"""Workbooks: each sheet an article, each table with its names, values as they are shown; what is not read is told."""

import datetime
import io
from collections.abc import Sequence

import openpyxl
import pytest
from openpyxl.comments import Comment

from rag_agent.documents.amounts import shown
from rag_agent.documents.formats import extract
from rag_agent.documents.reading import Reading, Unreadable


def read(book: openpyxl.Workbook, suffix: str = ".xlsx") -> Reading:
    out = io.BytesIO()
    book.save(out)
    return extract(suffix, out.getvalue())


def sheet(*rows: Sequence[object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "Stock"
    for row in rows:
        book.active.append(list(row))
    return book


def test_a_title_above_a_table_names_it_and_not_its_columns() -> None:
    found = read(sheet(["Stock of the southern store"], [], ["Item", "Stock"], ["Pipe", 320], ["Bolt", 1150]))
    assert found.text == "Stock\n\nStock of the southern store\n\nItem | Stock\nItem: Pipe; Stock: 320\nItem: Bolt; Stock: 1150"
    assert [(block.kind, block.level) for block in found.blocks[:2]] == [("heading", 1), ("heading", 2)]


def test_several_tables_of_a_sheet_are_told_apart() -> None:
    below = read(sheet(["Item", "Stock"], ["Pipe", 320], [], [], ["Staff"], ["Name", "Age"], ["Anna", 31], ["Bo", 40]))
    assert below.text.endswith("Item: Pipe; Stock: 320\n\nStaff\n\nName | Age\nName: Anna; Age: 31\nName: Bo; Age: 40")
    beside = read(
        sheet(["Item", "Stock", None, "Shop", "City"], ["Pipe", 320, None, "Hill", "Oslo"], ["Bolt", 7, None, "Quay", "Bergen"])
    )
    assert "Item: Bolt; Stock: 7" in beside.text
    assert "Shop: Quay; City: Bergen" in beside.text


def test_an_empty_row_inside_a_table_does_not_end_it() -> None:
    assert read(sheet(["Item", "Stock"], ["Pipe", 320], [], ["Bolt", 7])).text.endswith("Item: Bolt; Stock: 7")


def test_merged_cells_count_for_every_row_and_once_in_a_row() -> None:
    book = sheet(
        ["Country", "Depot", "Manager"], ["Norway", "Bergen", "Liv"], [None, "Tromso", "Per"], ["All are closed on Sundays"]
    )
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("A4:C4")
    assert read(book).text.split("\n")[3:] == [
        "Country: Norway; Depot: Bergen; Manager: Liv", "Country: Norway; Depot: Tromso; Manager: Per",
        "All are closed on Sundays",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.25, "0%", "25%"),
        (0.1234, "0.0%", "12.3%"),
        (1200.5, '#,##0.00 "€"', "1,200.50 €"),
        (1200.5, "[$€-2] #,##0.00", "€ 1,200.50"),
        (-3, "#,##0;(#,##0)", "(3)"),
        (0, '0;-0;"none"', "none"),
        (1234, "00000", "01234"),
        (12, '0" kg"', "12 kg"),
        (2.5, "0.##", "2.5"),
        (1500000, '0.0,,"m"', "1.5m"),
        (0.1 + 0.2, "General", "0.3"),
        (3.0, "General", "3"),
        (10**12, "General", "1000000000000"),
        (True, "General", "TRUE"),
        (datetime.date(2024, 3, 1), "mm-dd-yy", "2024-03-01"),
        (datetime.datetime(2024, 3, 1), "d mmmm yyyy", "1 March 2024"),
        (datetime.datetime(2024, 6, 30), "dd/mm/yyyy", "30/06/2024"),
        (datetime.datetime(2024, 6, 30, 15, 5), "yyyy-mm-dd hh:mm", "2024-06-30 15:05"),
        (datetime.datetime(2024, 6, 30, 15, 5), "h:mm AM/PM", "3:05 PM"),
        (datetime.datetime(2024, 6, 30, 15, 5), "General", "2024-06-30 15:05:00"),
        (datetime.time(8, 30), "h:mm", "8:30"),
        (datetime.timedelta(hours=26, minutes=30), "[h]:mm", "26:30"),
        ("text", "@", "text"),
        (None, "0%", ""),
    ],
)
def test_values_are_shown_as_the_sheet_shows_them(value: object, style: str, text: str) -> None:
    assert shown(value, style) == text


def test_what_is_not_read_is_told() -> None:
    book = sheet(["Item", "Stock"], ["Pipe", 320], ["Sum", "=SUM(B2:B2)"], ["Bolt", 3])
    book.active["A2"].comment = Comment("really?", "me")
    book.active.row_dimensions[4].hidden = True
    book.create_sheet("Old").append(["x", 1])
    book["Old"].sheet_state = "hidden"
    book.create_sheet("Empty")
    found = read(book)
    assert "Bolt" not in found.text
    assert "Old" not in found.text
    assert "Empty" not in found.text
    assert sorted(found.told) == [
        "1 comment", "1 formula without a value: open it in a spreadsheet program and save it", "1 hidden row", "1 hidden sheet",
    ]  # fmt: skip


def test_a_form_becomes_pairs() -> None:
    found = read(sheet(["Client:", "Norrland Timber"], ["Start", datetime.date(2024, 3, 1)], ["Active", True], ["Value", 84500]))
    assert [block.kind for block in found.blocks][2:] == ["pair"] * 4
    assert "Start: 2024-03-01" in found.text


def test_older_workbooks_are_read_by_what_they_hold() -> None:
    book = sheet(["Country", "Depot", "Stock"], ["Norway", "Bergen", 320], [None, "Tromso", 7])
    book.active.merge_cells("A2:A3")
    assert read(book, ".xls").text.endswith("Country: Norway; Depot: Tromso; Stock: 7")
    with pytest.raises(Unreadable, match="not a .xls file"):
        extract(".xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing")
