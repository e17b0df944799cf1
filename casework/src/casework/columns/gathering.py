"""Gathers facts documents, one by one, into the columns of a Table."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from casework.columns import plain
from casework.columns.plain import Document, Odd
from casework.columns.table import ABSENT, AMOUNTS, SCALE, Incidents, Rights, Table, Years
from casework.facts import Facts, facts_from
from casework.figures import RD_ITEMS, STAFF_KINDS
from casework.unusable import UnusableInput

_NOTHING: Document = {}
_WINDOW = 3
_NAMES = (
    *sorted(plain.CASE_TYPES), *sorted(plain.IP_KINDS), *sorted(plain.ACQUIRED), *sorted(plain.INCIDENT_KINDS),
)  # fmt: skip
_UNREADABLE = (Odd, TypeError, ValueError, AttributeError, KeyError)
_NO_YEAR = [ABSENT] * len(AMOUNTS)


class Gathering:
    """Rows to come. A document that is not plain is read by casework.facts, whose word holds."""

    def __init__(self) -> None:
        self._size = 0
        self._codes = {name: code for code, name in enumerate(dict.fromkeys(_NAMES))}
        self._rows: list[int] = []
        self._amounts: list[int] = []
        self._flags: list[bool] = []
        self._staff: list[int] = []
        self._items: list[tuple[int, int, list[int]]] = []
        self._rights: list[int] = []
        self._uses: list[int] = []
        self._incidents: list[int] = []
        self._judged: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
        self._odd: dict[int, Facts | UnusableInput] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, document: Document, exactly: Callable[[], Document] | None = None) -> None:
        """Takes plain or stored facts, as their JSON says them.

        `exactly` reads the same document anew where a quick reader may have lost something; it may raise UnusableInput.
        """
        try:
            self._take(document)
        except _UNREADABLE:
            self.add_odd(exactly or (lambda: document))

    def add_odd(self, read: Callable[[], Document]) -> None:
        """Takes what casework.facts makes of the document, or of the failure to read it."""
        try:
            facts = facts_from(dict(read()))
        except UnusableInput as refusal:
            self._set_aside(refusal)
            return
        try:
            self._take(facts.model_dump(mode="json", exclude_none=True, exclude_unset=True))
        except _UNREADABLE:
            self._set_aside(facts)

    def _set_aside(self, facts: Facts | UnusableInput) -> None:
        self._odd[self._size] = facts
        self._take(_NOTHING)

    def _take(self, document: Document) -> None:
        plain.top(document)
        plain.choices(document)
        applied = plain.day(document.get("applied_on"))
        established, resident = plain.enterprise(document)
        year = _year_of(applied)
        wanted = (year - 3, year - 2, year - 1) if applied else ()
        found = {given.year: given for given in plain.years(document)}
        judgements = plain.judgements(document)
        converted = plain.conversions(document, wanted)
        rights = plain.rights(document)
        held = [self._right(right) for right in rights or ()]
        happened = [self._incident(incident) for incident in plain.incidents(document)]
        # From here on nothing can fail, so that a row is there as a whole or not at all.
        self._add_years([found.get(one) for one in wanted], wanted, _year_of(established))
        low, high = converted or (0, 0)
        self._rows += (
            self._code(document.get("case_type")), applied, year, established, resident,
            rights is not None, converted is not None, low, high,
        )  # fmt: skip
        first = len(self._rights) // 7
        for right, uses in held:
            self._rights += right
            for programme, used_in in uses:
                self._uses += (first, self._code(programme), used_in)
            first += 1
        for incident in happened:
            self._incidents += incident
        rows, numbers = self._judged.setdefault(tuple(judgements), ([], []))
        rows.append(self._size)
        numbers += judgements.values()
        self._size += 1

    def _add_years(self, window: "list[plain.Year | None]", wanted: tuple[int, ...], founded: int) -> None:
        given = [year is not None for year in window] or [False] * _WINDOW
        absent = [year is None and one >= founded for year, one in zip(window, wanted, strict=True)]
        lists = [year is not None and year.items is not None for year in window]
        self._flags += (*given, *(absent or given), *(lists or given))
        for place in range(_WINDOW):
            year = window[place] if window else None
            self._amounts += _NO_YEAR if year is None else year.amounts
            if year is not None and year.items is not None:
                self._items.append((self._size, place, year.items))
        latest = window[2] if window else None
        self._staff += (*latest.staff, latest.staff_over) if latest else (*_NO_YEAR[:4], SCALE)

    def _right(self, right: Document) -> tuple[tuple[int, ...], list[tuple[str, int]]]:
        get = right.get
        return (
            self._size, self._code(right["kind"]), self._code(get("acquired")), plain.day(get("granted_on")),
            plain.answer(get("in_force")), plain.answer(get("owned")), plain.answer(get("related")),
        ), plain.uses(right)  # fmt: skip

    def _incident(self, incident: Document) -> tuple[int, ...]:
        get = incident.get
        return self._size, self._code(get("kind")), plain.day(get("on")), plain.answer(get("major"))

    def _code(self, name: Any) -> int:
        return -1 if name is None else self._codes.setdefault(name, len(self._codes))

    def table(self) -> Table:
        """All rows so far."""
        rows = _columns(self._rows, 9)
        staff = _columns(self._staff, len(STAFF_KINDS) + 1)
        return Table(
            size=self._size,
            names=tuple(self._codes),
            case_type=rows[0].astype(np.int16),
            applied=rows[1],
            year=rows[2],
            established=rows[3],
            resident=rows[4].astype(np.int8),
            years=self._years(),
            staff=dict(zip(STAFF_KINDS, staff, strict=False)),
            staff_over=staff[-1],
            has_rights=rows[5] == 1,
            rights=self._rights_of_all(),
            has_conversions=rows[6] == 1,
            conversions=(rows[7], rows[8]),
            incidents=self._incidents_of_all(),
            judgements=self._judgements(),
            odd=self._odd,
        )

    def _years(self) -> Years:
        amounts = _columns(self._amounts, _WINDOW * len(AMOUNTS)).reshape(_WINDOW, len(AMOUNTS), -1)
        flags = np.array(self._flags, np.bool_).reshape(-1, 3, _WINDOW).transpose(1, 2, 0)
        given, absent, lists = (np.ascontiguousarray(flag) for flag in flags)
        items = {}
        if self._items:
            columns = np.full((len(RD_ITEMS), _WINDOW, self._size), ABSENT, np.int64)
            for row, place, listed in self._items:
                columns[:, place, row] = listed
            items = dict(zip(RD_ITEMS, columns, strict=True))
        by_name = {name: np.ascontiguousarray(amounts[:, at]) for at, name in enumerate(AMOUNTS)}
        return Years(by_name, given, absent, lists, items)

    def _rights_of_all(self) -> Rights:
        row, kind, acquired, granted, in_force, owned, related = _columns(self._rights, 7)
        used, used_for, used_year = _columns(self._uses, 3)
        kind, acquired, used_for = (codes.astype(np.int16) for codes in (kind, acquired, used_for))
        in_force, owned, related = (answers.astype(np.int8) for answers in (in_force, owned, related))
        return Rights(row, kind, acquired, granted, in_force, owned, related, used, used_for, used_year)

    def _incidents_of_all(self) -> Incidents:
        row, kind, on, major = _columns(self._incidents, 4)
        return Incidents(row, kind.astype(np.int16), on, major.astype(np.int8))

    def _judgements(self) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for names, (rows, numbers) in self._judged.items():
            given = np.array(numbers, np.int64).reshape(len(rows), len(names))
            for at, name in enumerate(names):
                column = columns.get(name)
                if column is None:
                    column = columns[name] = np.full(self._size, ABSENT, np.int64)
                column[rows] = given[:, at]
        return columns


@lru_cache(maxsize=65_536)
def _year_of(ordinal: int) -> int:
    return date.fromordinal(ordinal).year if ordinal else 0


def _columns(flat: list[int], width: int) -> Any:
    """The columns of rows that were laid end to end."""
    return np.ascontiguousarray(np.array(flat, np.int64).reshape(-1, width).T)
