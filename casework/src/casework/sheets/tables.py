"""A sheet as a table: headings matched to columns in any order, each row to named values or refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from casework.sheets import refusals
from casework.sheets.refusals import Reason, Refusal, refuse
from casework.sheets.values import NotReadable, Reader, money, plain, shown, signed_money
from casework.sheets.workbook import Cell, Grid

UNITS = {"元": 1, "人民币元": 1, "千元": 1_000, "万元": 10_000}


@dataclass(frozen=True, slots=True)
class Column:
    """`read` None means money; then the heading must say 元 or 万元.

    `compulsory`: the column must be there. `filled`: and no row may leave it empty.
    """

    name: str
    heading: str
    read: Reader | None = None
    synonyms: tuple[str, ...] = ()
    compulsory: bool = True
    filled: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    sheet: str
    columns: tuple[Column, ...]
    synonyms: tuple[str, ...] = ()
    optional: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(plain(name) for name in (self.sheet, *self.synonyms))


class Place(NamedTuple):
    heading: str
    address: str


@dataclass(slots=True)
class Record:
    """One row: `values` holds what could be read; a blank or refused cell has no entry."""

    sheet: str
    row: int
    values: dict[str, object] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)

    def refuse(self, name: str, reason: Reason, /, **fields: str) -> Refusal:
        """A refusal at this row's cell of the column `name`."""
        place = self.places.get(name)
        return refuse(
            self.sheet,
            reason,
            row=self.row,
            column=place.heading if place else None,
            cell=place.address if place else None,
            **fields,
        )


class _Heading(NamedTuple):
    column: Column
    written: str
    read: Reader


def read_table(grid: Grid, table: Table) -> tuple[list[Record], list[Refusal]]:
    """Every row below the headings; a lone title above the headings is passed over, blank rows are not there."""
    rows = list(grid.rows)
    while rows and sum(cell.value is not None for cell in rows[0]) == 1 and len(rows) > 1:
        rows.pop(0)
    if not rows:
        return [], [refuse(grid.name, refusals.EMPTY_SHEET)]
    headings, found = _match_headings(grid.name, rows[0], table)
    records = []
    for row in rows[1:]:
        record = Record(grid.name, row[0].row)
        found += _read_row(record, row, headings)
        records.append(record)
    return records, found


def _match_headings(
    sheet: str, row: Sequence[Cell], table: Table
) -> tuple[dict[int, _Heading | None], list[Refusal]]:
    known = {plain(word): column for column in table.columns for word in (column.heading, *column.synonyms)}
    headings: dict[int, _Heading | None] = {}
    taken: dict[str, str] = {}
    found: list[Refusal] = []
    for cell in row:
        if cell.blank:
            continue
        headings[cell.column] = None
        matched = _match(cell, known, taken)
        if isinstance(matched, _Heading):
            headings[cell.column] = matched
            taken[matched.column.name] = matched.written
        else:
            reason, fields = matched
            fields = {"known": "、".join(column.heading for column in table.columns), **fields}
            found.append(refuse(sheet, reason, row=cell.row, column=shown(cell), cell=cell.address, **fields))
            taken |= {column.name: shown(cell) for column in [_named(cell, known)] if column}
    found += [
        refuse(sheet, refusals.MISSING_COLUMN, row=row[0].row, heading=column.heading)
        for column in table.columns
        if column.compulsory and column.name not in taken
    ]
    return headings, found


def _match(
    cell: Cell, known: Mapping[str, Column], taken: Mapping[str, str]
) -> _Heading | tuple[Reason, dict[str, str]]:
    if cell.fault:
        return cell.fault
    written = shown(cell)
    column = _named(cell, known)
    if column is None:
        return refusals.UNKNOWN_COLUMN, {"heading": written}
    if column.name in taken:
        return refusals.REPEATED_COLUMN, {"heading": written, "other": taken[column.name]}
    if column.read is not None:
        return _Heading(column, written, column.read)
    factor = UNITS.get(_split(written)[1])
    if factor is None:
        return refusals.NO_UNIT, {"heading": written}
    return _Heading(column, written, signed_money(factor) if column.signed else money(factor))


def _named(cell: Cell, known: Mapping[str, Column]) -> Column | None:
    written = shown(cell)
    return known.get(plain(written)) or known.get(_split(written)[0])


def _split(heading: str) -> tuple[str, str]:
    """A heading's name and the unit in its closing brackets, "" for none."""
    words = plain(heading)
    name, bracket, unit = words.rpartition("(")
    return (
        (name, unit.removesuffix(")").removeprefix("单位:"))
        if bracket and words.endswith(")")
        else (words, "")
    )


def _read_row(record: Record, row: Sequence[Cell], headings: Mapping[int, _Heading | None]) -> list[Refusal]:
    found: list[Refusal] = []
    for cell in row:
        if cell.column not in headings:
            if not cell.blank:
                reason, fields = cell.fault or (refusals.NO_HEADING, {"value": shown(cell)})
                found.append(refuse(record.sheet, reason, row=cell.row, cell=cell.address, **fields))
            continue
        if heading := headings[cell.column]:
            found += _read_cell(record, cell, heading)
    width = row[-1].column
    for column, heading in headings.items():
        if column > width and heading:
            found += _read_cell(record, Cell(record.row, column, None), heading)
    return found


def _read_cell(record: Record, cell: Cell, heading: _Heading) -> list[Refusal]:
    name = heading.column.name
    record.places[name] = Place(heading.written, cell.address)
    fault = cell.fault
    if fault is None and not cell.blank:
        try:
            record.values[name] = heading.read(cell)
        except NotReadable as error:
            fault = error.reason, error.fields
    elif fault is None and heading.column.filled:
        fault = refusals.BLANK, {}
    if fault is None:
        return []
    record.faulty.add(name)
    reason, fields = fault
    return [record.refuse(name, reason, **fields)]
