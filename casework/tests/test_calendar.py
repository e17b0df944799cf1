"""Working days are those of the official calendar, and nothing is guessed beyond it."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from casework.calendar import CalendarUnknown, add_working_days, is_working_day, known_years


def test_every_day_of_the_known_years_agrees_with_an_independent_calendar() -> None:
    first, last = known_years()
    assert first <= 2008
    assert last >= 2026
    day, wrong = date(2008, 1, 1), []
    while day <= date(2026, 12, 31):
        if is_working_day(day) != chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


@pytest.mark.parametrize(
    ("opened", "days", "ends"),
    [
        (date(2016, 9, 14), 10, date(2016, 9, 29)),  # Mid-Autumn 15-17 September, Sunday the 18th made up
        (date(2016, 9, 29), 10, date(2016, 10, 18)),  # the National Day week; 8 and 9 October are worked
        (date(2009, 9, 25), 15, date(2009, 10, 22)),
        (date(2016, 8, 1), 1, date(2016, 8, 2)),
        (date(2016, 8, 5), 1, date(2016, 8, 8)),
        (date(2016, 8, 6), 0, date(2016, 8, 6)),
    ],
)
def test_working_days_are_counted_from_the_day_after(opened: date, days: int, ends: date) -> None:
    counted = [opened + timedelta(days=n) for n in range(1, (ends - opened).days + 1)]
    assert sum(chinese_calendar.is_workday(day) for day in counted) == days
    assert add_working_days(opened, days) == ends


def test_beyond_the_last_known_year_is_refused() -> None:
    _, last = known_years()
    with pytest.raises(CalendarUnknown) as refused:
        add_working_days(date(last, 12, 25), 10)
    assert refused.value.fields == {"year": last + 1}
    with pytest.raises(CalendarUnknown):
        is_working_day(date(2007, 12, 31))


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(date(2016, 8, 1), -1)
