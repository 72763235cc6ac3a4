"""Workbooks: each sheet an article, each table in it with the names of its columns.

Kept: values as they are shown, titles above tables, merged cells, text boxes, print headers. Told: hidden sheets, rows and
columns, formulas without a value (nobody calculated them yet), comments, pictures, charts.
"""

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rag_agent.documents.amounts import shown
from rag_agent.documents.archives import Package, attribute, check_zip, child, count, descendants, local
from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading
from rag_agent.documents.regions import Row, tables
from rag_agent.documents.tables import Cell, add_table

_UNCALCULATED = re.compile(
    rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_PRINTED = re.compile(r"&(?:\"[^\"]*\"|\d+|K[0-9A-F]{6}|\[[^\]]*\]|[A-Z])")


def read(data: bytes) -> Reading:
    """The sheets of an XLSX workbook."""
    from openpyxl import load_workbook

    package = Package(data)
    builder = Builder()
    unread: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that say nothing about the text
        book = load_workbook(io.BytesIO(data), data_only=True)
        parts = _parts(package)
        unread["sheet of a chart"] += len(book.chartsheets)
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                unread["hidden sheet"] += 1
                continue
            part = parts.get(sheet.title, "")
            unread["formula without a value"] += len(_UNCALCULATED.findall(package.data(part)))
            grid = list(_grid(sheet, unread))
            add_sheet(builder, sheet.title, grid, [*_printed(sheet), *_drawn(package, part, unread)])
    return builder.reading("xlsx", title=package.title(), told=_told(unread))


def read_old(data: bytes) -> Reading:
    """The sheets of an XLS or XLSB workbook; numbers as they are stored, since its formats are not read."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    builder = Builder()
    unread: Counter[str] = Counter()
    if data.startswith(b"PK"):
        check_zip(data)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for about in book.sheets_metadata:
        if about.visible != SheetVisibleEnum.Visible or about.typ != SheetTypeEnum.WorkSheet:
            unread["hidden sheet" if about.typ == SheetTypeEnum.WorkSheet else "sheet of a chart"] += 1
            continue
        sheet = book.get_sheet_by_name(about.name)
        grid: list[list[Cell | None]] = [
            [Cell(_stored(value)) for value in row] for row in sheet.to_python(skip_empty_area=False)
        ]
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            _merge(grid, top, left, bottom, right)
        add_sheet(builder, about.name, grid, [])
    return builder.reading("xls", told=_told(unread))


def _stored(value: Any) -> str:
    return shown(int(value) if isinstance(value, float) and value.is_integer() else value)


def add_sheet(builder: Builder, title: str, grid: Sequence[Row], beside: Sequence[str]) -> None:
    """Add a sheet as an article: its tables, and what lies over it; nothing of an empty one."""
    found = tables(grid)
    if not found and not beside:
        return
    builder.article()
    builder.add("heading", title, level=1)
    for rows in found:
        add_table(builder, rows, records=True, title_level=2)
    for text in beside:
        builder.add("paragraph", text)


def _grid(sheet: Any, unread: Counter[str]) -> Iterator[list[Cell | None]]:
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    covered: set[tuple[int, int]] = set()
    for area in sheet.merged_cells.ranges:
        rows = [row for row in range(area.min_row, area.max_row + 1) if not sheet.row_dimensions[row].hidden]
        columns = range(area.min_col, min(area.max_col, sheet.max_column) + 1)
        spans[area.min_row, area.min_col] = (len(columns), max(1, len(rows)))
        covered |= {(row, column) for row in rows[: sheet.max_row] for column in columns} - {(area.min_row, area.min_col)}
    hidden = _hidden_columns(sheet)
    unread["hidden column"] += len([column for column in hidden if column <= sheet.max_column])
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if any(cell.comment for cell in row):
            unread["comment"] += sum(bool(cell.comment) for cell in row)
        if number in sheet.row_dimensions and sheet.row_dimensions[number].hidden:
            unread["hidden row"] += any(cell.value is not None for cell in row)
            continue
        line: list[Cell | None] = []
        for column, cell in enumerate(row, start=1):
            if column in hidden:
                continue
            across, down = spans.get((number, column), (1, 1))
            across = max(1, across - sum(column < one < column + across for one in hidden))
            text = "" if cell.value is None else shown(cell.value, cell.number_format)
            line.append(
                None if (number, column) in covered else Cell(text, across, down, bool(text and cell.font and cell.font.b))
            )
        yield line


def _hidden_columns(sheet: Any) -> set[int]:
    return {
        column
        for about in sheet.column_dimensions.values()
        if about.hidden and about.min and about.max
        for column in range(about.min, min(about.max, sheet.max_column) + 1)
    }


def _merge(grid: list[list[Cell | None]], top: int, left: int, bottom: int, right: int) -> None:
    """Let one cell of a grid cover the others of its area."""
    if top < len(grid) and left < len(grid[top]) and (first := grid[top][left]):
        for row in grid[top : bottom + 1]:
            row[left : right + 1] = [None] * len(row[left : right + 1])
        grid[top][left] = Cell(first.text, right - left + 1, bottom - top + 1)


def _parts(package: Package) -> dict[str, str]:
    """The part of each sheet, by its title."""
    main = package.main("xl/workbook.xml")
    targets = {relation.id: relation.part for relation in package.relations(main)}
    sheets = child(package.xml(main), "sheets")
    found = {}
    for one in [] if sheets is None else sheets:
        ids = [value for key, value in one.attrib.items() if key.endswith("}id")]
        found[attribute(one, "name")] = targets.get(ids[0], "") if ids else ""
    return found


def _printed(sheet: Any) -> Iterator[str]:
    """What is printed above and below the sheet, without the numbers of pages."""
    for line in (sheet.oddHeader, sheet.oddFooter):
        for place in (line.left, line.center, line.right):
            text = _PRINTED.sub("", place.text or "").strip() if not re.search(r"&(\[Page|P|N)", place.text or "") else ""
            if re.search(r"[^\W\d]", text):
                yield text


def _drawn(package: Package, part: str, unread: Counter[str]) -> Iterator[str]:
    """The text of the boxes that lie over a sheet."""
    for drawing in package.related(part, "drawing") if part else ():
        root = package.xml(drawing)
        for one in [] if root is None else descendants(root, "sp", "pic", "graphicFrame"):
            if local(one) != "sp":
                unread["picture" if local(one) == "pic" else "chart"] += 1
                continue
            for paragraph in descendants(one, "p"):
                yield "".join(text.text or "" for text in descendants(paragraph, "t"))


_PLURALS = {"formula without a value": "formulas without a value", "sheet of a chart": "sheets of charts"}
_ADVICE = {"formula without a value": ": open it in a spreadsheet program and save it"}


def _told(unread: Counter[str]) -> list[str]:
    return [line + _ADVICE.get(name, "") for name, many in unread.items() for line in count(many, name, _PLURALS.get(name, ""))]
