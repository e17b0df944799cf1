"""A list as a file: CSV for programs, a workbook for people. Rows come in batches and are not held."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from casework.export import Column, Format
from chassis.clock import SHANGHAI

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell

MEDIA_TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ROWS: Final = 1_048_575  # of a sheet, its headings not counted
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]


class WorkbookFull(Exception):
    """A sheet holds MOST_ROWS."""


class ListFile(Protocol):
    def add(self, rows: Iterable[Row]) -> None: ...
    def finish(self) -> None: ...


def list_file(
    kind: Format, columns: Sequence[Column], file: IO[bytes], sheet: str = "名单", above: Sequence[str] = ()
) -> ListFile:
    """Writes into `file`, which stays open and holds the whole once `finish` was called.

    A workbook's `sheet` has the lines `above` its headings.
    """
    return CsvFile(columns, file) if kind == "csv" else XlsxFile(columns, file, sheet, above)


class CsvFile:
    """RFC 4180 in UTF-8, with the mark by which Excel knows it. No text of it is taken for a formula."""

    def __init__(self, columns: Sequence[Column], file: IO[bytes]) -> None:
        self._columns = columns
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow([column.heading for column in columns])

    def add(self, rows: Iterable[Row]) -> None:
        self._writer.writerows([_written(column.of(row)) for column in self._columns] for row in rows)

    def finish(self) -> None:
        self._text.detach()  # flushes, and leaves the file open


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = "" if value is None else str(value)
    is_dangerous = isinstance(value, str) and text.startswith(_BEGINS_A_FORMULA)
    return f"'{text}" if is_dangerous else text


class XlsxFile:
    """A sheet of the list with its headings frozen, and one that tells the API's name of each column."""

    def __init__(self, columns: Sequence[Column], file: IO[bytes], sheet: str, above: Sequence[str]) -> None:
        from openpyxl import Workbook  # noqa: PLC0415 - a service may never be asked for a workbook
        from openpyxl.utils import get_column_letter  # noqa: PLC0415

        self._columns, self._file, self._left = columns, file, MOST_ROWS - len(above)
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(sheet)
        self._sheet.freeze_panes = f"A{len(above) + 2}"
        for place, column in enumerate(columns, 1):
            self._sheet.column_dimensions[get_column_letter(place)].width = column.width
        for line in above:
            self._sheet.append([as_cell(self._sheet, line)])
        self._sheet.append([as_cell(self._sheet, column.heading) for column in columns])

    def add(self, rows: Iterable[Row]) -> None:
        """Raises WorkbookFull."""
        for row in rows:
            if not self._left:
                raise WorkbookFull
            self._left -= 1
            self._sheet.append([as_cell(self._sheet, column.of(row)) for column in self._columns])

    def finish(self) -> None:
        names = self._book.create_sheet("字段")
        for line in (("列", "字段"), *((column.heading, column.name) for column in self._columns)):
            names.append([as_cell(names, text) for text in line])
        self._book.save(self._file)


def as_cell(sheet: Any, value: object) -> "Cell | object":
    """Texts as texts, whatever they begin with; times as Shanghai reads them."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).replace(tzinfo=None)
    if not isinstance(value, str | UUID):
        return value
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", str(value)))
    cell.data_type = "s"
    return cell
