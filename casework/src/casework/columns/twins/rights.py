"""IP rights, conversions of results, and incidents."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import NamedTuple

import numpy as np

from casework.columns.amounts import (
    MISSING,
    NO_GRADE,
    SPAN,
    Amounts,
    ColumnMeasure,
    Judging,
    kind_of_rows,
    only,
    twin,
)
from casework.columns.table import ABSENT, NO, Codes, Table
from casework.columns.whole import Mask, Whole
from casework.criteria import Rights as Law
from casework.edition import Edition

_LAW = (
    "source", "verified", "related_only", "classes", "acquired", "held_without_owning", "obtained_within_years",
    "used_once",
)  # fmt: skip


class _Counting(NamedTuple):
    """Which rights count surely, and which perhaps."""

    sure: Mask
    perhaps: Mask


@twin("rights_count")
def rights_count(
    edition: Edition, *, classes: list[str] | None = None, acquired: list[str] | None = None
) -> ColumnMeasure:
    law = edition.rights
    assert law is not None
    only(law, *_LAW)
    kinds_counted = frozenset(
        kind
        for name, members in law.classes.items()
        if classes is None or name in classes
        for kind in members
    )
    ways = None if acquired is None else frozenset(acquired)
    find = partial(_counting, law=law, programme=edition.programme)
    return partial(_count, key=("rights", edition.hash), find=find, of=kinds_counted, ways=ways)


def _count(
    judging: Judging,
    *,
    key: object,
    find: Callable[[Table], _Counting],
    of: frozenset[str],
    ways: frozenset[str] | None,
) -> Amounts:
    table = judging.table
    rights = table.rights
    counting: _Counting = table.once(key, find)
    wanted = _among(table, rights.kind, of)
    perhaps = counting.perhaps & wanted
    if ways is not None:
        wanted &= _among(table, rights.acquired, ways)
        perhaps &= (rights.acquired < 0) | _among(table, rights.acquired, ways)
    low = table.count(rights.row[counting.sure & wanted])
    more = table.count(rights.row[perhaps])
    endless = ~table.has_rights | ~table.applied_known
    return Amounts(
        Whole.of(np.where(endless, 0, low)),
        kind=kind_of_rows(table.size, (endless | (more > 0), SPAN)),
        high=Whole.of(low + more),
        endless=endless,
    )


def _among(table: Table, codes: Codes, names: frozenset[str]) -> Mask:
    """Looked up in a table of all codes, of which the last stands for the unknown -1."""
    among = np.zeros(len(table.names) + 1, np.bool_)
    among[[table.code(name) for name in names if name in table.names]] = True
    return among[codes]


def _counting(table: Table, law: Law, programme: str) -> _Counting:
    rights = table.rights
    kinds_counted = frozenset(kind for members in law.classes.values() for kind in members)
    lent = _among(table, rights.acquired, frozenset(law.held_without_owning))
    way_known = rights.acquired >= 0
    applied = table.applied[rights.row]
    counts = (
        _among(table, rights.kind, kinds_counted)
        & (rights.in_force != 0)
        & ((rights.owned != 0) | lent)
        & (~way_known | _among(table, rights.acquired, frozenset(law.acquired)))
        & (applied != 0)
        & ((rights.granted == 0) | _in_time(table, law.obtained_within_years))
        & ~_used_up(table, law, programme)
    )
    known = (rights.in_force >= 0) & (rights.granted != 0) & way_known & ((rights.owned >= 0) | lent)
    if law.related_only:
        counts &= rights.related != 0
        known &= rights.related >= 0
    return _Counting(counts & known, counts & ~known)


def _in_time(table: Table, years: int | None) -> Mask:
    rights = table.rights
    in_time = rights.granted <= table.applied[rights.row]
    if years is not None:
        days, place = np.unique(table.applied, return_inverse=True)
        earliest = np.array([_years_before(int(day), years) for day in days], np.int64)[place]
        in_time &= rights.granted >= earliest[rights.row]
    return in_time


def _years_before(day: int, years: int) -> int:
    if day == 0:
        return 0
    applied = date.fromordinal(day)
    if (applied.month, applied.day) == (2, 29):
        return date(applied.year - years, 2, 28).toordinal()
    return applied.replace(year=applied.year - years).toordinal()


def _used_up(table: Table, law: Law, programme: str) -> Mask:
    rights = table.rights
    used = np.zeros(len(rights.row), np.bool_)
    if law.used_once and len(rights.used):
        once = frozenset(kind for name in law.used_once for kind in law.classes[name])
        earlier = rights.used_year <= table.year[rights.row[rights.used]]
        used[rights.used[earlier & (rights.used_for == table.code(programme))]] = True
        used &= _among(table, rights.kind, once)
    return used


@twin("core_rights")
def core_rights(edition: Edition, *, judgement: str, required: bool = True) -> ColumnMeasure:
    counted = rights_count(edition)

    def count(judging: Judging) -> Amounts:
        amounts = counted(judging)
        assert amounts.kind is not None
        said = judging.table.judgement(judgement)
        none = (said == NO) | ((amounts.kind != SPAN) & (amounts.numerator.low == 0))
        kind = amounts.kind.copy()
        if required:
            kind[said == ABSENT] = MISSING
        kind[none] = 0
        number = Whole(np.where(none, 0, amounts.numerator.low), None, amounts.numerator.limit)
        return Amounts(number, None, kind, amounts.high, amounts.endless)

    return count


@twin("conversions_mean")
def conversions_mean(_edition: Edition) -> ColumnMeasure:
    def mean(judging: Judging) -> Amounts:
        table = judging.table
        low, high = table.conversions
        years = (table.years.given | table.years.absent).sum(axis=0)
        missing = ~table.applied_known | table.operating_unknown | ~table.has_conversions
        kind = kind_of_rows(table.size, (missing, MISSING), (years == 0, NO_GRADE), (low != high, MISSING))
        return Amounts(Whole.of(low), Whole.of(np.maximum(years, 1)), kind)

    return mean


@twin("recent_incidents")
def recent_incidents(_edition: Edition, *, kinds: list[str], within_days: int) -> ColumnMeasure:
    return partial(_recent, of=frozenset(kinds), within=within_days)


def _recent(judging: Judging, *, of: frozenset[str], within: int) -> Amounts:
    table, incidents = judging.table, judging.table.incidents
    if not len(incidents.row):
        return Amounts(Whole.of(np.zeros(table.size, np.int64), 0))
    applied = table.applied[incidents.row]
    undated, of_no_kind = incidents.on == 0, incidents.kind < 0
    high = (
        (incidents.major != 0)
        & (of_no_kind | _among(table, incidents.kind, of))
        & (undated | ((incidents.on >= applied - within) & (incidents.on <= applied)))
    )
    low = high & ~undated & ~of_no_kind & (incidents.major > 0)
    least, most = table.count(incidents.row[low]), table.count(incidents.row[high])
    missing = (table.count(incidents.row) > 0) & ~table.applied_known
    kind = kind_of_rows(table.size, (missing, MISSING), (least != most, SPAN))
    return Amounts(Whole.of(least), kind=kind, high=Whole.of(most))
