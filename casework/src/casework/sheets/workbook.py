"""Bytes in, grids of cells out. Nothing is guessed: a cell that cannot be trusted carries its fault."""

import csv
import io
import warnings
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from casework.sheets import refusals
from casework.sheets.refusals import Reason, Refusal, refuse

if TYPE_CHECKING:
    from casework.sheets.scan import Scan

MAX_ROWS = 20_000
MAX_COLUMNS = 64
MAX_UNPACKED = 32 * 1024 * 1024
MAX_PARTS = 2_000
MIB = 1024 * 1024

Value = str | Decimal | bool | date | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A number is exact: the shortest decimal that the stored binary number stands for."""

    row: int
    column: int
    value: Value
    fault: tuple[Reason, dict[str, str]] | None = None

    @property
    def address(self) -> str:
        from openpyxl.utils.cell import get_column_letter  # noqa: PLC0415 - with the workbook

        return f"{get_column_letter(self.column)}{self.row}"

    @property
    def blank(self) -> bool:
        return self.value is None and self.fault is None


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet's rows that hold anything, top to bottom, each cell at its place."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]


class NotAWorkbook(Exception):
    """The file as a whole cannot be read; `refusals` says why."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(str(refusal) for refusal in refusals))
        self.refusals = refusals


def read_workbook(content: bytes) -> list[Grid]:
    """Every worksheet of an .xlsx; raises NotAWorkbook when it is none, is too large or is damaged."""
    _check_container(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read_sheets(content)
    except NotAWorkbook:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes it stumble over
        raise NotAWorkbook(refuse("", refusals.UNREADABLE, detail=type(error).__name__)) from error


def read_csv(content: bytes, name: str) -> Grid:
    """A comma- or tab-separated register as one grid; UTF-8 (with or without a mark) or GBK."""
    text = _decode(content)
    dialect = "excel-tab" if "\t" in text.partition("\n")[0] else "excel"
    rows = []
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), dialect, strict=True), start=1
        ):
            _check_extent(name, number, len(row))
            cells = tuple(
                Cell(number, column, cell.strip() or None) for column, cell in enumerate(row, start=1)
            )
            if not all(cell.blank for cell in cells):
                rows.append(cells)
    except csv.Error as error:
        raise NotAWorkbook(refuse(name, refusals.UNREADABLE, detail=str(error))) from error
    return Grid(name, tuple(rows))


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise NotAWorkbook(refuse("", refusals.UNREADABLE_TEXT))


def _check_container(content: bytes) -> None:
    if content.startswith(b"%PDF"):
        raise NotAWorkbook(refuse("", refusals.IS_A_PDF))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotAWorkbook(refuse("", refusals.IS_AN_OLD_WORKBOOK))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NotAWorkbook(refuse("", refusals.NOT_A_WORKBOOK)) from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        size, limit = str(-(-unpacked // MIB)), str(MAX_UNPACKED // MIB)
        raise NotAWorkbook(refuse("", refusals.TOO_LARGE, size=size, limit=limit))
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise NotAWorkbook(refuse("", refusals.NOT_A_WORKBOOK))


def _read_sheets(content: bytes) -> list[Grid]:
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy, and a service may never be given a workbook

    from casework.sheets.scan import scan_sheet  # noqa: PLC0415 - with openpyxl

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        grids = []
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for sheet in book.worksheets:
                with archive.open(_part_of(sheet)) as part:
                    scan = scan_sheet(part)
                _check_extent(sheet.title, scan.rows, scan.columns)
                sheet.reset_dimensions()  # the stored dimension may lie and would cut rows off
                grids.append(Grid(sheet.title.strip(), tuple(_rows(sheet, scan))))
        return grids
    finally:
        book.close()


def _part_of(sheet: Any) -> str:
    return str(sheet._worksheet_path)  # noqa: SLF001 - the scan must see the very part that openpyxl reads


def _check_extent(sheet: str, rows: int, columns: int) -> None:
    if rows > MAX_ROWS:
        raise NotAWorkbook(refuse(sheet, refusals.TOO_MANY_ROWS, limit=str(MAX_ROWS)))
    if columns > MAX_COLUMNS:
        raise NotAWorkbook(refuse(sheet, refusals.TOO_MANY_COLUMNS, limit=str(MAX_COLUMNS)))


def _rows(sheet: Any, scan: "Scan") -> list[tuple[Cell, ...]]:
    if not scan.rows:
        return []
    rows = []
    for number, row in enumerate(sheet.iter_rows(max_row=scan.rows, max_col=scan.columns), start=1):
        cells = tuple(_cell(scan, number, column, cell) for column, cell in enumerate(row, start=1))
        if not all(cell.blank for cell in cells):
            rows.append(cells)
    return rows


def _cell(scan: "Scan", row: int, column: int, cell: Any) -> Cell:
    if merged := scan.merged.get((row, column)):
        return Cell(row, column, _value(cell.value), (refusals.MERGED, {"range": merged}))
    if (row, column) in scan.uncached:
        return Cell(row, column, None, (refusals.NO_CACHED_VALUE, {}))
    if cell.data_type == "e":
        return Cell(row, column, None, (refusals.ERROR_VALUE, {"value": str(cell.value)}))
    return Cell(row, column, _value(cell.value))


def _value(value: object) -> Value:
    match value:
        case None | bool():
            return value
        case int():
            return Decimal(value)
        case float():
            return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))
        case datetime():
            return value.date() if value.time() == time() else value.isoformat(" ")
        case date():
            return value
    return str(value).strip() or None
