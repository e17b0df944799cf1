"""An application as the workbook of its form. The same application gives the same bytes."""

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from casework.export_files import as_cell
from casework.form import ApplicationForm, Blank, Part, Sheet
from casework.form_facts import Known, Value, shape_at, value_at, written
from chassis.clock import SHANGHAI

_FIRST_WIDTH, _WIDTH = 44, 24


class Cell(NamedTuple):
    value: Value
    bold: bool = False
    number_format: str | None = None


Line = list[Cell]


def lines_of(sheet: Sheet, known: Mapping[str, Any], last_year: int) -> Iterator[Line]:
    """The sheet from top to bottom. `last_year`: the fiscal year before the application."""
    yield [Cell(sheet.title, bold=True)]
    for part in sheet.parts:
        yield []
        if part.title is not None:
            yield [Cell(part.title, bold=True)]
        yield from _lines(part, known, last_year)


def _lines(part: Part, known: Mapping[str, Any], last_year: int) -> Iterator[Line]:
    for blank in part.fields:
        yield [Cell(blank.heading), _cell(blank, written(blank, known))]
    if part.by_year:
        years = range(last_year + 1 - (part.years or 1), last_year + 1)
        yield [Cell("项目", bold=True), *(Cell(f"{year}年", bold=True) for year in years)]
    for blank in part.by_year:
        yield [Cell(blank.heading), *(_cell(blank, written(blank, known, year=year)) for year in years)]
    if part.columns:
        yield [Cell("序号", bold=True), *(Cell(blank.heading, bold=True) for blank in part.columns)]
        yield from _rows(part, known)


def _rows(part: Part, known: Mapping[str, Any]) -> Iterator[Line]:
    if part.rows_of is None:
        return
    within = shape_at(f"{part.rows_of}[]", Known)
    for nth, entry in enumerate(value_at(known, part.rows_of) or (), 1):
        yield [Cell(nth), *(_cell(blank, written(blank, entry, within)) for blank in part.columns)]


def _cell(blank: Blank, value: Value) -> Cell:
    return Cell(value, number_format=blank.number_format)


def write_application(
    form: ApplicationForm, known: Mapping[str, Any], last_year: int, as_of: datetime
) -> bytes:
    """The bytes of an .xlsx that was made `as_of`, one sheet for each section."""
    from openpyxl import Workbook  # noqa: PLC0415 - a service may never be asked for a workbook
    from openpyxl.writer.excel import ExcelWriter  # noqa: PLC0415

    book = Workbook(write_only=True)
    for sheet in form.sheets:
        page = book.create_sheet(sheet.name)
        for letter in "ABCDEFGHIJ":
            page.column_dimensions[letter].width = _FIRST_WIDTH if letter == "A" else _WIDTH
        for line in lines_of(sheet, known, last_year):
            page.append([_styled(page, cell) for cell in line])
    at = as_of.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)
    book.properties.created = book.properties.modified = at
    file = io.BytesIO()
    ExcelWriter(book, _Dated(file, at)).save()
    return file.getvalue()


def _styled(page: Any, cell: Cell) -> object:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415

    plain: Any = as_cell(page, cell.value)
    if plain is None or (not cell.bold and cell.number_format is None):
        return plain
    styled: Any = plain if isinstance(cell.value, str) else WriteOnlyCell(page, plain)
    styled.font = Font(bold=cell.bold)
    styled.number_format = cell.number_format or styled.number_format
    return styled


class _Dated(ZipFile):
    """An archive all of whose parts are of one moment."""

    def __init__(self, file: io.BytesIO, at: datetime) -> None:
        super().__init__(file, "w", ZIP_DEFLATED)
        self._at = at

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        part = ZipInfo(zinfo_or_arcname, self._at.timetuple()[:6])
        part.compress_type = ZIP_DEFLATED
        super().writestr(part, data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        self.writestr(arcname, Path(filename).read_bytes())
