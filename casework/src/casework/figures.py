"""Facts as scaled whole numbers: every amount times one power of ten, every mean as numerator and denominator.

Computed once per facts, so that a judgement multiplies and compares whole numbers only.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from casework.facts import Facts, FiscalYear, IpRight

_AMOUNTS = (
    "sales_revenue", "total_revenue", "high_tech_revenue", "costs", "net_assets", "total_assets",
    "rd_spend", "rd_spend_domestic",
)  # fmt: skip
RD_ITEMS = (
    "personnel", "direct_input", "depreciation", "amortisation", "design", "commissioning",
    "entrusted_domestic", "entrusted_abroad", "other",
)  # fmt: skip
STAFF_KINDS = ("total", "st", "college", "rd")
Pair = tuple[int, int]


class YearFigures(NamedTuple):
    """One fiscal year. Amounts are yuan times the scale; staff means are (numerator, denominator)."""

    year: int
    amounts: dict[str, int]
    rd_items: dict[str, int] | None
    staff: dict[str, Pair]
    monthly: bool


class RightFigures(NamedTuple):
    """One IP right. `unknown`: which of in_force, granted_on, acquired are not known; None when not in force.

    `plain`: everything is known, it is in force, owned and related, and was never used before.
    """

    kind: str
    acquired: str | None
    granted_on: date | None
    owned: bool | None
    related: bool | None
    unknown: tuple[str, ...] | None
    uses: tuple[tuple[str, int], ...]
    plain: bool


class Figures(NamedTuple):
    """`window`: the given years among the three before the application; `absent`: those not given in which the
    enterprise operated or may have operated; `operating_unknown`: establishment would have to be known first.
    """

    scale: int
    applied_on: date | None
    window: tuple[YearFigures, ...]
    absent: tuple[int, ...]
    operating_unknown: bool
    latest: YearFigures | None
    latest_year: int | None
    days: int | None
    conversions: tuple[int, int] | None
    rights: tuple[RightFigures, ...] | None
    collects: bool
    series: dict[str, tuple[int, ...]]
    sums: dict[str, int]
    judgements: dict[str, bool | int | Decimal | Fraction]


def figures_of(facts: "Facts") -> Figures:
    """Prepares the facts. Years outside the three before the application year have no part in it."""
    scale = _scale(facts.years)
    applied, established = facts.applied_on, facts.enterprise.established_on
    last = None if applied is None else applied.year - 1
    wanted = () if last is None else (last - 2, last - 1, last)
    window = tuple(_year(year, scale) for year in facts.years if year.year in wanted)
    given = {year.year for year in window}
    absent = tuple(y for y in wanted if y not in given and (established is None or y >= established.year))
    series = {} if absent or applied is None else _series(window)
    return Figures(
        scale=scale,
        applied_on=applied,
        window=window,
        absent=absent,
        operating_unknown=bool(absent) and established is None,
        latest=window[-1] if window and window[-1].year == last else None,
        latest_year=last,
        days=None if applied is None or established is None else (applied - established).days,
        conversions=_conversions(facts, wanted),
        rights=None if facts.ip is None else tuple(_right(right) for right in facts.ip),
        collects=any(year.rd_items is not None for year in window),
        series=series,
        sums={name: sum(values) for name, values in series.items()},
        judgements={name: _plain(value) for name, value in facts.judgements.items()},
    )


def _series(window: tuple[YearFigures, ...]) -> dict[str, tuple[int, ...]]:
    """Year by year over the window, each amount that is known in all of its years."""
    known = [name for name in _AMOUNTS if all(name in year.amounts for year in window)]
    return {name: tuple(year.amounts[name] for year in window) for name in known}


def _plain(value: bool | Decimal) -> bool | int | Decimal:
    if isinstance(value, bool) or value != value.to_integral_value():
        return value
    return int(value)


def _right(right: "IpRight") -> RightFigures:
    names = ("in_force", "granted_on", "acquired")
    unknown = (
        None if right.in_force is False else tuple(name for name in names if getattr(right, name) is None)
    )
    uses = tuple((use.programme, use.year) for use in right.used_for or ())
    plain = unknown == () and not uses and right.owned is True and right.related is True
    return RightFigures(
        right.kind, right.acquired, right.granted_on, right.owned, right.related, unknown, uses, plain
    )


def _scale(years: "tuple[FiscalYear, ...]") -> int:
    places = 0
    for year in years:
        values = [getattr(year, name) for name in _AMOUNTS]
        if year.rd_items is not None:
            values += [getattr(year.rd_items, name) for name in RD_ITEMS]
        places = max([places, *(_places(value) for value in values if value is not None)])
    return int(10**places)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _whole(number: Decimal, scale: int) -> int:
    numerator, denominator = number.as_integer_ratio()
    return numerator * scale // denominator


def _year(year: "FiscalYear", scale: int) -> YearFigures:
    given = ((name, getattr(year, name)) for name in _AMOUNTS)
    items = year.rd_items
    return YearFigures(
        year=year.year,
        amounts={name: _whole(value, scale) for name, value in given if value is not None},
        rd_items=None if items is None else _items(items, scale),
        staff=staff_means(year),
        monthly=year.staff_monthly is not None,
    )


def _items(items: object, scale: int) -> dict[str, int]:
    given = ((name, getattr(items, name)) for name in RD_ITEMS)
    return {name: _whole(value, scale) for name, value in given if value is not None}


def staff_means(year: "FiscalYear") -> dict[str, Pair]:
    if year.staff is not None:
        means = ((kind, getattr(year.staff, kind)) for kind in STAFF_KINDS)
        return {kind: mean.as_integer_ratio() for kind, mean in means if mean is not None}
    if year.staff_monthly is None:
        return {}
    months = ((kind, getattr(year.staff_monthly, kind)) for kind in STAFF_KINDS)
    return {kind: _mean(listed) for kind, listed in months if listed is not None}


def _mean(months: tuple[tuple[Decimal, Decimal], ...]) -> Pair:
    """Sum of the month means (start + end) / 2 over the months of operation (195号 part 3(4))."""
    numerator, denominator = sum((start + end for start, end in months), Decimal(0)).as_integer_ratio()
    return numerator, denominator * 2 * len(months)


def _conversions(facts: "Facts", wanted: tuple[int, ...]) -> tuple[int, int] | None:
    """Distinct results converted in the wanted years: at least, at most."""
    if facts.conversions is None:
        return None
    certain = {c.result for c in facts.conversions if c.year is not None and c.year in wanted}
    possible = certain | {c.result for c in facts.conversions if c.year is None}
    return len(certain), len(possible)
