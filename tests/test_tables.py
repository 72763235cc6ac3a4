"""Tables of every format become rows in which each value is named, and nothing is named that has no name."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_agent.documents.builder import Builder
from rag_agent.documents.tables import Cell, add_table

Rows = Sequence[Sequence[str | Cell]]


def lines(rows: Rows, *, records: bool = False, title_level: int = 0) -> list[tuple[str, str]]:
    builder = Builder()
    add_table(builder, rows, records=records, title_level=title_level)
    reading = builder.reading("test")
    return [(block.kind, reading.text[block.start : block.end]) for block in reading.blocks if block.kind != "table"]


def texts(rows: Rows, *, records: bool = False) -> list[str]:
    return [text for _, text in lines(rows, records=records)]


def test_each_value_is_named_and_an_empty_cell_says_nothing() -> None:
    assert lines([["Model", "Weight (kg)", "Voltage (V)"], ["TX-100", "12.5", "230"], ["TX-300", "", "690"]]) == [
        ("names", "Model | Weight (kg) | Voltage (V)"),
        ("row", "Model: TX-100; Weight (kg): 12.5; Voltage (V): 230"),
        ("row", "Model: TX-300; Voltage (V): 690"),
    ]


@pytest.mark.parametrize(
    "names",
    [
        "User,Laptop,Room", "Country,2021,2022", "Region,Q1,Q2", "Region,1st quarter,2nd quarter", "Jan,Feb,Mar",
        "id,CO2 (g/km),name",
        "Name,Phone 1,Phone 2", "Produkt,Gewicht in kg,Preis", "Position,E-mail,Phone", "Имя,Город,Год",
    ],
)  # fmt: skip
def test_names_are_told_from_values_in_any_language(names: str) -> None:
    first = names.split(",")
    for below in (["anna.berg", "4", "204"], ["x y", "17", "3,000"]), (["TX-1", "12.5", "230"], ["TX-2", "7", "85"]):
        found = lines([first, *below], records=True)
        assert found[0] == ("names", " | ".join(first))
        assert found[1][1] == "; ".join(f"{name}: {value}" for name, value in zip(first, below[0], strict=True))


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "2"], ["3", "4"]],
        [["TX-100", "12.5", "230"], ["TX-300", "18.0", "690"]],
        [["Petra Vos", "Den Haag", "2019"], ["Timo Laine", "Oulu", "2021"]],
        [["anna@x.example", "Anna", "204"], ["louis@x.example", "Louis", "117"]],
        [["Norway", "Bergen", "Liv"], ["Norway", "Oslo", "Per"]],
        [["2019-04-01", "rent", "950"], ["2019-05-01", "heating", "80"]],
        [["The plant makes 8,000 tons of water a day.", "8000"]],
    ],
)
def test_a_table_without_names_gets_none(rows: Rows) -> None:
    assert lines(rows, records=True) == [("row", " | ".join(map(str, row))) for row in rows]


def test_titles_stand_above_the_table() -> None:
    rows = [
        ["Stock list of the southern store"],
        ["Printed on 3 March 2024, without tax."],
        [],
        ["Item", "Stock"],
        ["Pipe", "320"],
    ]
    assert lines(rows, records=True, title_level=2)[:3] == [
        ("heading", "Stock list of the southern store"), ("paragraph", "Printed on 3 March 2024, without tax."),
        ("names", "Item | Stock"),
    ]  # fmt: skip
    assert lines(rows, records=True)[0] == ("paragraph", "Stock list of the southern store")


def test_two_rows_of_names_are_joined() -> None:
    spanned: Rows = [
        [Cell("Region", down=2), Cell("2023", across=2), Cell("2024", across=2)],
        ["Sales", "Costs", "Sales", "Costs"],
        ["North", "1", "2", "3", "4"],
    ]
    blank: Rows = [["", "2023", "", "2024", ""], ["Region", "Sales", "Costs", "Sales", "Costs"], ["North", "1", "2", "3", "4"]]
    for rows in (spanned, blank):
        assert texts(rows) == [
            "Region | 2023 Sales | 2023 Costs | 2024 Sales | 2024 Costs",
            "Region: North; 2023 Sales: 1; 2023 Costs: 2; 2024 Sales: 3; 2024 Costs: 4",
        ]


def test_a_value_over_several_rows_stands_in_each_and_one_over_several_columns_once() -> None:
    names = ["Country", "Depot", "Manager"]
    assert texts([names, [Cell("Norway", down=2), "Bergen", "Liv"], ["Tromso", "Per"], ["Finland", "Oulu", "Aino"]])[1:] == [
        "Country: Norway; Depot: Bergen; Manager: Liv",
        "Country: Norway; Depot: Tromso; Manager: Per",
        "Country: Finland; Depot: Oulu; Manager: Aino",
    ]
    assert texts([names, [Cell("All depots are closed on Sundays", across=3)], ["Norway", Cell("none", across=2)]])[1:] == [
        "All depots are closed on Sundays",
        "Country: Norway; Depot, Manager: none",
    ]


KEYS = [("Client", "Norrland Timber AB"), ("Contact", "Ola Nord"), ("Value", "84,500 euros")]
FORMS: list[Rows] = [
    KEYS,
    [(f"{key}:", value) for key, value in KEYS],
    [(Cell(key, head=True), value) for key, value in KEYS],
    [("Client:", "Norrland Timber AB", "Contact:", "Ola Nord"), ("Value:", "84,500 euros")],
]


@pytest.mark.parametrize("rows", FORMS)
def test_keys_and_values_become_pairs(rows: Rows) -> None:
    assert lines(rows) == [("pair", f"{key}: {value}") for key, value in KEYS]


def test_names_at_the_left_name_their_row() -> None:
    days = [Cell(text, head=True) for text in ("", "Mon", "Tue")]
    assert texts([days, [Cell("Morning", head=True), "Yoga", "Pilates"], [Cell("Evening", head=True), "Boxing", ""]])[1:] == [
        "Morning; Mon: Yoga; Tue: Pilates",
        "Evening; Mon: Boxing",
    ]


def test_what_the_file_sets_off_names_the_columns_whatever_it_is() -> None:
    rows: Rows = [[Cell(text, head=True) for text in ("TX-100", "TX-200", "12")], ["TX-300", "TX-400", "13"]]
    assert lines(rows)[1] == ("row", "TX-100: TX-300; TX-200: TX-400; 12: 13")


def test_names_that_are_repeated_on_a_new_page_are_no_row() -> None:
    names = ["Model", "Voltage", "Price"]
    assert texts([names, ["TX-1", "230", "9"], names, ["TX-2", "400", "8"]]) == [
        "Model | Voltage | Price", "Model: TX-1; Voltage: 230; Price: 9", "Model: TX-2; Voltage: 400; Price: 8",
    ]  # fmt: skip


def test_a_note_below_the_table_is_no_value_of_the_first_column() -> None:
    rows = [["Model", "Voltage", "Price"], ["TX-1", "230", "9"], ["TX-2", "400", "8"], ["Prices without tax and delivery."]]
    assert texts(rows)[-1] == "Prices without tax and delivery."


def test_a_row_with_a_value_too_many_is_not_named_wrongly() -> None:
    assert (
        texts([["Name", "Age"], ["Anna", "31"], ["Bo", "32"], ["Smith", "John", "33"]], records=True)[-1] == "Smith | John | 33"
    )


CELLS = st.text(st.characters(categories=["L", "N", "Zs", "Po", "Sc"]), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=12), st.booleans())
def test_no_cell_is_ever_lost(rows: list[list[str]], records: bool) -> None:
    said = " ".join(texts(rows, records=records))
    for row in rows:
        for cell in row:
            assert " ".join(cell.split()).rstrip(" :") in said


@given(st.lists(st.lists(st.integers(1, 9).map(str), min_size=3, max_size=3), min_size=1, max_size=8))
def test_numbers_alone_name_nothing(rows: list[list[str]]) -> None:
    assert lines(rows, records=True) == [("row", " | ".join(row)) for row in rows]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.lists(st.builds(Cell, CELLS, st.sampled_from([1, 2, 10**9]), st.integers(1, 9), st.booleans()), max_size=4), max_size=6
    )
)
def test_spans_are_never_more_than_can_be_held(rows: list[list[Cell]]) -> None:
    for _, text in lines(rows):
        assert len(text) < 300_000
