"""The list with which the recognition authority decides a round, read cell by cell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from casework.form import DecisionForm, Given
from casework.sheets import (
    Cell,
    Column,
    NotAWorkbook,
    Reason,
    Record,
    Refusal,
    Table,
    read_single,
    read_table,
)
from casework.sheets.refusals import BLANK
from casework.sheets.values import NotReadable, Reader, choice, day, text, uscc

REPEATED_ENTERPRISE = Reason(
    "repeated-enterprise", "Row {other} already decides the enterprise {enterprise}."
)
REPEATED_NUMBER = Reason("repeated-number", "Row {other} already has the number {number}.")
OF_A_REFUSAL = Reason("of-a-refusal", "{value} does not belong to an application that is refused.")
UNPRINTABLE = Reason("unprintable", "The text holds a character that cannot be printed.")

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OF_A_TITLE: tuple[Given, ...] = ("number", "granted_on", "valid_until")


@dataclass(frozen=True, slots=True)
class DecisionList:
    """`records`: the rows as they could be read, `refusals`: what could not."""

    records: Sequence[Record] = ()
    refusals: Sequence[Refusal] = ()

    def texts(self, name: Given) -> list[str]:
        return [str(record.values[name]) for record in self.records if name in record.values]


def read_decisions(content: bytes, form: DecisionForm) -> DecisionList:
    """An .xlsx or a CSV (UTF-8 or GBK) with the form's columns, in any order."""
    table = _table_of(form)
    try:
        grid = read_single(content, table)
    except NotAWorkbook as error:
        return DecisionList(refusals=error.refusals)
    records, found = read_table(grid, table)
    for record in records:
        found += _incomplete(record)
    found += _repeated(records, "enterprise_id", REPEATED_ENTERPRISE, "enterprise")
    found += _repeated(records, "number", REPEATED_NUMBER, "number")
    return DecisionList(records, found)


def _table_of(form: DecisionForm) -> Table:
    readers: Mapping[Given, Reader] = {
        "enterprise_name": text, "enterprise_id": uscc, "result": choice(form.results), "number": text,
        "granted_on": day, "valid_until": day, "reason": _said,
    }  # fmt: skip
    columns = [
        Column(
            one.field, one.heading, readers[one.field], one.synonyms,
            compulsory=one.field not in ("valid_until", "reason"),
            filled=one.field in ("enterprise_name", "enterprise_id", "result"),
        )
        for one in form.columns
    ]  # fmt: skip
    columns += [Column(f"ignored {heading}", heading, _unread, compulsory=False) for heading in form.ignored]
    return Table(form.sheet, tuple(columns), form.synonyms)


def _said(cell: Cell) -> str:
    """A text that an event can carry."""
    said = text(cell)
    if _UNPRINTABLE.search(said):
        raise NotReadable(UNPRINTABLE)
    return said


def _unread(_cell: Cell) -> None:
    return None


def _incomplete(record: Record) -> Iterator[Refusal]:
    match record.values.get("result"):
        case "grant":
            needed: tuple[Given, ...] = ("number", "granted_on")
        case "refuse":
            needed = ("reason",)
            for name in _OF_A_TITLE:
                if name in record.values:
                    yield record.refuse(name, OF_A_REFUSAL, value=str(record.values[name]))
        case _:
            return
    for name in needed:
        if name not in record.values and name not in record.faulty:
            record.faulty.add(name)
            yield record.refuse(name, BLANK)


def _repeated(records: Sequence[Record], name: Given, reason: Reason, said: str) -> Iterator[Refusal]:
    seen: dict[object, int] = {}
    for record in records:
        value = record.values.get(name)
        if value is not None and (other := seen.setdefault(value, record.row)) != record.row:
            yield record.refuse(name, reason, other=str(other), **{said: str(value)})
