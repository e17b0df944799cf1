"""Reads one facts document in the plain form in which facts are stored, quickly and for columns only.

Whatever is not plain is Odd: right or wrong, it is for casework.facts to say. So this may be stricter than the facts
are, never more lenient.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

from casework import facts as shapes
from casework.columns.table import ABSENT, AMOUNTS, LARGEST, NO, PLACES, SCALE, YES
from casework.figures import RD_ITEMS, STAFF_KINDS
from casework.uscc import is_uscc

Document = Mapping[str, Any]
ANSWERS: Final = {True: 1, False: 0, None: -1}
_NUMBER: Final = re.compile(rf"(-?)(0|[1-9][0-9]{{0,17}})(?:\.([0-9]{{1,{PLACES}}}))?\Z")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
_REGION: Final = re.compile(r"[0-9]{6}\Z")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
CASE_TYPES: Final = frozenset(get_args(shapes.CaseType))
IP_KINDS: Final = frozenset(get_args(shapes.IpKind))
ACQUIRED: Final = frozenset(get_args(shapes.Acquired))
INCIDENT_KINDS: Final = frozenset(get_args(shapes.IncidentKind))
_TOP: Final = frozenset(
    ("programme", "case_type", "applied_on", "enterprise", "years", "ip", "conversions", "incidents",
     "judgements", "choices")
)  # fmt: skip
_ENTERPRISE: Final = frozenset(("uscc", "name", "region", "established_on", "mainland_resident"))
_YEAR: Final = frozenset((*AMOUNTS, "year", "rd_items", "staff", "staff_monthly"))
_RIGHT: Final = frozenset(
    ("id", "kind", "acquired", "granted_on", "in_force", "owned", "related", "used_for")
)
_ITEMS: Final = frozenset(RD_ITEMS)
_STAFF: Final = frozenset(STAFF_KINDS)


class Odd(Exception):
    """Not plain."""


class Year(NamedTuple):
    """One fiscal year; `staff` over `staff_over` are the means."""

    year: int
    amounts: list[int]
    items: list[int] | None
    staff: list[int]
    staff_over: int


def check(holds: object) -> None:
    if not holds:
        raise Odd


def number(value: Any) -> int:
    """A number times SCALE."""
    kind = type(value)
    if kind is str:
        scaled = _from_text(value)
    elif kind is int:
        scaled = value * SCALE
    elif kind is Decimal:
        scaled = _from_text(str(value))
    else:
        raise Odd
    if -LARGEST <= scaled <= LARGEST:
        return scaled
    raise Odd


def _from_text(text: str) -> int:
    if text.isdecimal() and text.isascii() and len(text) < 18 and (text[0] != "0" or len(text) == 1):
        return int(text) * SCALE
    match = _NUMBER.match(text)
    if match is None:
        raise Odd
    sign, whole, places = match.groups()
    scaled = int(whole) * SCALE + (int(places.ljust(PLACES, "0")) if places else 0)
    return -scaled if sign else scaled


def amount(value: Any) -> int:
    """The same where nothing may be negative; ABSENT for None."""
    if value is None:
        return ABSENT
    scaled = number(value)
    if scaled < 0:
        raise Odd
    return scaled


def judged(value: Any) -> int:
    if value is True:
        return YES
    return NO if value is False else number(value)


@lru_cache(maxsize=65_536)
def _day_of(text: str) -> int:
    check(_DAY.match(text))
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError as error:
        raise Odd from error


def day(value: Any) -> int:
    """Days from year 1; 0 for None."""
    if value is None:
        return 0
    if type(value) is date:
        return value.toordinal()
    check(type(value) is str)
    return _day_of(value)


def answer(value: Any) -> int:
    if value is True:
        return 1
    if value is False:
        return 0
    check(value is None)
    return -1


def text_of(value: Any) -> str:
    # A lone surrogate is no character, and not printable.
    check(type(value) is str and 1 <= len(value) <= 200 and value.isprintable())
    return str(value)


def listed(value: Any) -> Any:
    check(type(value) is list or type(value) is tuple)
    return value


def fiscal_year(value: Any) -> int:
    check(type(value) is int and 1949 <= value <= 2999)
    return int(value)


@lru_cache(maxsize=4096)
def _is_name(text: str) -> bool:
    return _NAME.match(text) is not None


def judgements(document: Document) -> dict[str, int]:
    given: dict[str, Any] = document.get("judgements", {})
    for name in given:
        check(_is_name(name))
    return {name: judged(value) for name, value in given.items()}


def choices(document: Document) -> None:
    for name, value in document.get("choices", {}).items():
        check(_is_name(name))
        text_of(value)


def top(document: Document) -> None:
    check(document.keys() <= _TOP)
    if document.get("programme") is not None:
        text_of(document["programme"])
    case_type = document.get("case_type")
    check(case_type is None or case_type in CASE_TYPES)


def enterprise(document: Document) -> tuple[int, int]:
    """The day of establishment, and the answer to whether it is resident in mainland China."""
    given: Document = document.get("enterprise", {})
    check(given.keys() <= _ENTERPRISE)
    uscc, region = given.get("uscc"), given.get("region")
    check(uscc is None or (type(uscc) is str and is_uscc(uscc)))
    check(region is None or (type(region) is str and _REGION.match(region)))
    if given.get("name") is not None:
        text_of(given["name"])
    return day(given.get("established_on")), answer(given.get("mainland_resident"))


def years(document: Document) -> list[Year]:
    """In order, without gaps or doubles."""
    found = sorted(map(_year, listed(document.get("years", ()))), key=lambda year: year.year)
    for place in range(1, len(found)):
        check(found[place].year == found[place - 1].year + 1)
    return found


def _year(given: Document) -> Year:
    check(given.keys() <= _YEAR)
    get = given.get
    net_assets = get("net_assets")
    amounts = [amount(get(name)) if name != "net_assets" else ABSENT for name in AMOUNTS]
    if net_assets is not None:
        amounts[4] = number(net_assets)
    spend, domestic = amounts[6], amounts[7]
    check(spend == ABSENT or domestic <= spend)
    items = get("rd_items")
    if items is not None:
        check(spend == ABSENT and domestic == ABSENT and items.keys() <= _ITEMS)
        items = [amount(items.get(name)) for name in RD_ITEMS]
    staff, over = _staff(get("staff"), get("staff_monthly"))
    return Year(fiscal_year(given["year"]), amounts, items, staff, over)


def _staff(yearly: Document | None, monthly: Document | None) -> tuple[list[int], int]:
    check(yearly is None or monthly is None)
    over = SCALE
    if monthly is not None:
        check(monthly.keys() <= _STAFF)
        lengths = {len(listed(months)) for months in monthly.values() if months is not None}
        check(len(lengths) < 2 and all(1 <= length <= 12 for length in lengths))
        staff = [_months(monthly.get(kind)) for kind in STAFF_KINDS]
        over = SCALE * 2 * next(iter(lengths), 1)
    elif yearly is not None:
        check(yearly.keys() <= _STAFF)
        staff = [amount(yearly.get(kind)) for kind in STAFF_KINDS]
    else:
        return [ABSENT] * len(STAFF_KINDS), SCALE
    check(staff[0] == ABSENT or max(staff[1:]) <= staff[0])
    return staff, over


def _months(given: Any) -> int:
    if given is None:
        return ABSENT
    total = 0
    for month in given:
        start, end = listed(month)
        check(start is not None and end is not None)
        total += amount(start) + amount(end)
    check(total <= LARGEST)
    return total


def rights(document: Document) -> list[Document] | None:
    given: list[Document] | None = document.get("ip")
    if given is None:
        return None
    listed(given)
    for right in given:
        check(right.keys() <= _RIGHT and right["kind"] in IP_KINDS)
        acquired = right.get("acquired")
        check(acquired is None or acquired in ACQUIRED)
    check(len({text_of(right["id"]) for right in given}) == len(given))
    return given


def uses(right: Document) -> list[tuple[str, int]]:
    given = right.get("used_for")
    if given is None:
        return []
    for use in listed(given):
        check(type(use) is dict and len(use) == 2)
    return [(text_of(use["programme"]), fiscal_year(use["year"])) for use in given]


def conversions(document: Document, wanted: tuple[int, ...]) -> tuple[int, int] | None:
    """Distinct results converted in the wanted years: at least, at most."""
    given = document.get("conversions")
    if given is None:
        return None
    certain, undated = set[str](), set[str]()
    for made in listed(given):
        check(made.keys() <= {"result", "year"})
        result, year = text_of(made["result"]), made.get("year")
        if year is None:
            undated.add(result)
        elif fiscal_year(year) in wanted:
            certain.add(result)
    return len(certain), len(certain | undated)


def incidents(document: Document) -> list[Document]:
    given: list[Document] | None = document.get("incidents")
    if given is None:
        return []
    for incident in listed(given):
        kind = incident.get("kind")
        check(incident.keys() <= {"kind", "on", "major"} and (kind is None or kind in INCIDENT_KINDS))
    return given
