"""What single cells cannot show: rows that contradict each other, the enterprise they belong to, or themselves."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from casework.sheets import Reason, Record, Refusal
from casework.sheets.refusals import BEFORE_FOUNDING
from certification.intake_tables import ASSETS, CONVERSIONS, ENTERPRISES, INCIDENTS, RD_ITEMS, YEARS

REPEATED_ROW = Reason("repeated-row", "Row {other} already holds {what}.")
UNKNOWN_ENTERPRISE = Reason("unknown-enterprise", "The enterprise {enterprise} is not in the sheet {sheet}.")
YEARS_APART = Reason("years-apart", "The year {year} is missing between {before} and {after}.")
YEAR_WITHOUT_ROW = Reason("year-without-row", "The sheet {sheet} has no row for the year {year}.")
SPEND_GIVEN_TWICE = Reason(
    "spend-given-twice", "R&D spend of {year} is given as a sum and as items; give one of the two."
)
PART_EXCEEDS_WHOLE = Reason("part-exceeds-whole", "{value} is more than {whole} ({whole_value}).")

# part, whole
PARTS = (
    ("high_tech_revenue", "total_revenue"),
    ("rd_spend_domestic", "rd_spend"),
    ("staff.st", "staff.total"),
    ("staff.college", "staff.total"),
    ("staff.rd", "staff.total"),
)
KEYS = {
    ENTERPRISES.sheet: ("enterprise_id",),
    YEARS.sheet: ("enterprise_id", "year"),
    RD_ITEMS.sheet: ("enterprise_id", "year"),
    ASSETS.sheet: ("enterprise_id", "id"),
    CONVERSIONS.sheet: ("enterprise_id", "result", "year"),
    INCIDENTS.sheet: ("enterprise_id", "kind", "on"),
}

Records = dict[str, list[Record]]


def check(records: Records) -> list[Refusal]:
    """Every contradiction between rows; `records` by the sheets' own names, absent where a sheet is absent."""
    found: list[Refusal] = []
    for sheet, rows in records.items():
        found += _repeated(rows, KEYS[sheet])
    enterprises = records.get(ENTERPRISES.sheet, [])
    if ENTERPRISES.sheet in records:
        for sheet, rows in records.items():
            if sheet != ENTERPRISES.sheet:
                found += _strangers(rows, enterprises)
    years = records.get(YEARS.sheet, [])
    found += _apart(years)
    found += _spend(years, records.get(RD_ITEMS.sheet, []))
    for record in years:
        found += _parts(record)
    found += _too_early(records, enterprises)
    return found


def _repeated(rows: list[Record], key: tuple[str, ...]) -> Iterator[Refusal]:
    seen: dict[tuple[object, ...], Record] = {}
    for record in rows:
        if not all(name in record.values for name in key):
            continue
        found = tuple(record.values[name] for name in key)
        if first := seen.setdefault(found, record):
            if first is record:
                continue
            what = " ".join(str(part) for part in found)
            yield record.refuse(key[-1], REPEATED_ROW, other=str(first.row), what=what)


def _strangers(rows: list[Record], enterprises: list[Record]) -> Iterator[Refusal]:
    known = {record.values.get("enterprise_id") for record in enterprises}
    for record in rows:
        owner = record.values.get("enterprise_id")
        if owner is not None and owner not in known:
            yield record.refuse(
                "enterprise_id", UNKNOWN_ENTERPRISE, enterprise=str(owner), sheet=ENTERPRISES.sheet
            )


def _keyed_by_year(rows: list[Record]) -> dict[tuple[str, int], Record]:
    return {
        (str(record.values["enterprise_id"]), year): record
        for record in rows
        if isinstance(year := record.values.get("year"), int) and "enterprise_id" in record.values
    }


def _apart(years: list[Record]) -> Iterator[Refusal]:
    if any("year" in record.faulty for record in years):
        return
    keyed = _keyed_by_year(years)
    ordered = sorted(keyed)
    for (owner, before), (other, after) in pairwise(ordered):
        if owner == other and after > before + 1:
            yield keyed[other, after].refuse(
                "year", YEARS_APART, year=str(before + 1), before=str(before), after=str(after)
            )


def _spend(years: list[Record], items: list[Record]) -> Iterator[Refusal]:
    keyed = _keyed_by_year(years)
    for key, record in _keyed_by_year(items).items():
        year = keyed.get(key)
        if year is None:
            yield record.refuse("year", YEAR_WITHOUT_ROW, sheet=YEARS.sheet, year=str(key[1]))
        elif {"rd_spend", "rd_spend_domestic"} & year.values.keys():
            yield record.refuse("year", SPEND_GIVEN_TWICE, year=str(key[1]))


def _parts(record: Record) -> Iterator[Refusal]:
    for part, whole in PARTS:
        value, whole_value = record.values.get(part), record.values.get(whole)
        if value is None or whole_value is None or Decimal(str(value)) <= Decimal(str(whole_value)):
            continue
        yield record.refuse(
            part,
            PART_EXCEEDS_WHOLE,
            value=str(value),
            whole=record.places[whole].heading,
            whole_value=str(whole_value),
        )


def _too_early(records: Records, enterprises: list[Record]) -> Iterator[Refusal]:
    founded = {
        record.values.get("enterprise_id"): record.values.get("established_on") for record in enterprises
    }
    for sheet, name in ((YEARS, "year"), (ASSETS, "granted_on"), (CONVERSIONS, "year"), (INCIDENTS, "on")):
        for record in records.get(sheet.sheet, []):
            value, start = record.values.get(name), founded.get(record.values.get("enterprise_id"))
            if isinstance(start, date) and _is_before(value, start) and not _came_from_others(record):
                yield record.refuse(name, BEFORE_FOUNDING, value=str(value), founded=start.isoformat())


def _is_before(value: object, start: date) -> bool:
    return (value < start) if isinstance(value, date) else isinstance(value, int) and value < start.year


def _came_from_others(record: Record) -> bool:
    """A right that was transferred in may be older than its new owner."""
    return record.values.get("acquired", "self") != "self"
