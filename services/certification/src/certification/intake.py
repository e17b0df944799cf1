"""A bureau's workbook of enterprises and their facts: all of it, or every reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from casework.sheets import Grid, NotAWorkbook, Record, Refusal, Table, read_table
from casework.sheets import read_workbook as read_grids
from casework.sheets.refusals import MISSING_SHEET, REPEATED_SHEET, UNKNOWN_SHEET, refuse
from casework.sheets.values import plain
from certification import intake_checks as checks
from certification.intake_tables import (
    ASSETS,
    CONVERSIONS,
    ENTERPRISES,
    INCIDENTS,
    NOTES,
    RD_ITEMS,
    TABLES,
    YEARS,
)


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """One enterprise; `facts` holds `years`, `ip`, `conversions` and, where the sheet is there, `incidents`.

    Money in `facts` is yuan as a decimal string, dates are ISO strings; an empty cell is an absent fact.
    """

    enterprise_id: str
    name: str
    region: str
    established_on: date
    mainland_resident: bool
    contact_email: str | None
    language: str
    facts: dict[str, list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Intake:
    """`enterprises` is empty as soon as one cell is refused; `rows` counts what each sheet holds."""

    enterprises: tuple[EnterpriseRow, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    rows: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def read_workbook(content: bytes) -> Intake:
    """The bytes of an .xlsx; whatever is wrong with them comes back as refusals, in the order of the sheets."""
    try:
        grids = read_grids(content)
    except NotAWorkbook as error:
        return Intake(refusals=error.refusals)
    tables, found = _match_sheets(grids)
    records: dict[str, list[Record]] = {}
    for table in TABLES:
        if grid := tables.get(table.sheet):
            records[table.sheet], faults = read_table(grid, table)
            found += faults
    found += checks.check(records)
    rows = MappingProxyType({sheet: len(read) for sheet, read in records.items()})
    if found:
        order = [grid.name for grid in grids]
        found.sort(key=lambda refusal: (_place(order, refusal.sheet), refusal.row or 0))
        return Intake(refusals=tuple(found), rows=rows)
    return Intake(enterprises=tuple(_assemble(records)), rows=rows)


def _place(order: list[str], sheet: str) -> int:
    return order.index(sheet) if sheet in order else -1


def _match_sheets(grids: list[Grid]) -> tuple[dict[str, Grid], list[Refusal]]:
    matched: dict[str, Grid] = {}
    found: list[Refusal] = []
    known = "、".join(table.sheet for table in TABLES)
    for grid in grids:
        table = _table_named(grid.name)
        if table is None:
            if grid.rows and plain(grid.name) not in NOTES:
                found.append(refuse(grid.name, UNKNOWN_SHEET, sheet=grid.name, known=known))
        elif other := matched.get(table.sheet):
            found.append(refuse(grid.name, REPEATED_SHEET, sheet=grid.name, other=other.name))
        else:
            matched[table.sheet] = grid
    found += [
        refuse(table.sheet, MISSING_SHEET, sheet=table.sheet)
        for table in TABLES
        if not table.optional and table.sheet not in matched
    ]
    return matched, found


def _table_named(name: str) -> Table | None:
    return next((table for table in TABLES if plain(name) in table.names), None)


def _assemble(records: dict[str, list[Record]]) -> list[EnterpriseRow]:
    rows = {str(record.values["enterprise_id"]): _enterprise(record) for record in records[ENTERPRISES.sheet]}
    spend = {_key(record): _fact(record) for record in records.get(RD_ITEMS.sheet, [])}
    for record in sorted(records[YEARS.sheet], key=_key):
        year = _year(record)
        if items := spend.get(_key(record)):
            year["rd_items"] = {name: value for name, value in items.items() if name != "year"}
        rows[_key(record)[0]].facts["years"].append(year)
    for name, table in (("ip", ASSETS), ("conversions", CONVERSIONS), ("incidents", INCIDENTS)):
        if table.sheet in records:
            for row in rows.values():
                row.facts[name] = []
            for record in records[table.sheet]:
                rows[str(record.values["enterprise_id"])].facts[name].append(_fact(record))
    return list(rows.values())


def _key(record: Record) -> tuple[str, str]:
    return str(record.values["enterprise_id"]), str(record.values["year"])


def _enterprise(record: Record) -> EnterpriseRow:
    values = record.values
    established_on, email = values["established_on"], values.get("contact_email")
    if not isinstance(established_on, date):
        raise TypeError(established_on)
    return EnterpriseRow(
        enterprise_id=str(values["enterprise_id"]),
        name=str(values["name"]),
        region=str(values["region"]),
        established_on=established_on,
        mainland_resident=values["mainland_resident"] is True,
        contact_email=None if email is None else str(email),
        language=str(values.get("language", "zh-CN")),
        facts={"years": []},
    )


def _fact(record: Record) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in record.values.items()
        if name != "enterprise_id"
    }


def _year(record: Record) -> dict[str, object]:
    flat = _fact(record)
    year = {name: value for name, value in flat.items() if not name.startswith("staff.")}
    staff = {name.removeprefix("staff."): value for name, value in flat.items() if name.startswith("staff.")}
    return year | ({"staff": staff} if staff else {})
