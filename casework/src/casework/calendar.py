"""Working days by the official Chinese calendar, kept as data; beyond its last known year every answer is refused."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from casework.reading import read_yaml
from chassis.errors import Refused

_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarUnknown(Refused):
    """The official calendar of {year} is not known here, so no working day of it can be named."""


class _Calendar(NamedTuple):
    years: frozenset[int]
    off: frozenset[date]
    working: frozenset[date]


def is_working_day(day: date) -> bool:
    """Whether offices work that day. Raises CalendarUnknown outside the years of the notices on file."""
    calendar = _calendar()
    if day.year not in calendar.years:
        raise CalendarUnknown(rule="calendar", source="国务院办公厅关于节假日安排的通知", year=day.year)
    if day in calendar.working:
        return True
    return day.weekday() < _SATURDAY and day not in calendar.off


def add_working_days(day: date, count: int) -> date:
    """The `count`-th working day after the day, which itself is not counted; zero gives the day back.

    Raises CalendarUnknown when the way there leaves the known years, ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("working days are counted forwards")
    left = count
    while left:
        day += _DAY
        left -= is_working_day(day)
    return day


def working_days_after(day: date, until: date) -> int:
    """How many working days come after the day, up to `until`, which is counted. Raises CalendarUnknown."""
    return sum(is_working_day(day + n * _DAY) for n in range(1, (until - day).days + 1))


def known_years() -> tuple[int, int]:
    """The first and the last year on file."""
    years = _calendar().years
    return min(years), max(years)


@cache
def _calendar() -> _Calendar:
    content = read_yaml(files("casework").joinpath("calendars/cn.yaml").read_text(encoding="utf-8")).content
    off = [day for year, listed in content.items() for span in listed["off"] for day in _days(year, span)]
    working = [
        day for year, listed in content.items() for span in listed["working"] for day in _days(year, span)
    ]
    return _Calendar(frozenset(int(year) for year in content), frozenset(off), frozenset(working))


def _days(year: str, span: str) -> Iterator[date]:
    first, _, last = span.partition("..")
    day, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last or first}")
    if end < day:
        raise ValueError(f"{year}: {span} runs backwards")
    while day <= end:
        yield day
        day += _DAY
