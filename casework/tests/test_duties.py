"""What a title owes over time, as its edition lays it down: which days, and what falls due next."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.case import Duty, Title
from casework.duties import Owed, next_step, owed_by
from casework.edition import Edition
from casework.rulebook import load_rulebooks, rulebooks_of
from casework_way import USCC

CITY = load_rulebooks(rulebooks_of("certification"))
HNTE = CITY.edition("hnte", date(2016, 1, 1), None)
HNTE_2008 = CITY.edition("hnte", date(2008, 1, 1), None)
CENTRE = CITY.edition("etrc", date(2022, 12, 15), "provincial")
SME = CITY.edition("sme", date(2017, 5, 3), None)
ADVANTAGE = load_rulebooks(rulebooks_of("ip_enterprise")).editions[0]
DAYS = st.dates(date(2016, 1, 1), date(2090, 12, 31))


def title_of(edition: Edition, granted_on: date) -> Title:
    return Title(
        title_id=UUID(int=1), case_id=UUID(int=2), enterprise_id=USCC, enterprise_name=None,
        programme=edition.programme, level=edition.level, number="N", granted_on=granted_on,
        valid_until=edition.validity.valid_until(granted_on), edition=edition.in_force_from, edition_hash=edition.hash,
    )  # fmt: skip


def owed(edition: Edition, granted_on: date, case_type: str = "first") -> list[Owed]:
    return owed_by(edition, title_of(edition, granted_on), case_type, granted_on)


def duty_of(one: Owed) -> Duty:
    return Duty(
        duty_id=UUID(int=one.year), title_id=UUID(int=1), rule=one.rule.id, year=one.year,
        kept_by=one.rule.kept_by or "report", opens_on=one.opens_on, due_on=one.due_on,
    )  # fmt: skip


@given(DAYS)
def test_whenever_a_title_is_granted_three_years_in_a_row_are_reported_once_each(granted_on: date) -> None:
    title, found = title_of(HNTE, granted_on), owed(HNTE, granted_on)
    years = [one.year for one in found]
    assert years == list(range(years[0], years[0] + 3))
    for one in found:
        assert one.due_on == date(one.year + 1, 5, 31)
        assert title.granted_on < one.due_on <= title.valid_until
        assert title.granted_on <= one.opens_on <= one.due_on
        assert one.opens_on > date(one.year, 12, 31)


def test_a_due_day_on_a_weekend_stays_that_day() -> None:
    [one] = [one for one in owed(HNTE, date(2019, 12, 2)) if one.year == 2019]
    assert (one.due_on, one.due_on.strftime("%A")) == (date(2020, 5, 31), "Sunday")


@pytest.mark.parametrize(
    ("edition", "case_type", "granted_on", "days"),
    [
        (HNTE_2008, "first", date(2010, 9, 26), [("review", 2013, "2013-06-26", "2013-09-26")]),
        (HNTE_2008, "review_2008", date(2010, 9, 26), []),
        (HNTE_2008, "first", date(2013, 9, 26), []),
        (SME, "first", date(2018, 8, 30), [("yearly_update", 2019, "2019-01-01", "2019-03-31")]),
        (ADVANTAGE, "first", date(2016, 2, 29), [("recheck", 2019, "2016-02-29", "2019-02-28")]),
    ],
)
def test_each_programme_owes_what_its_edition_says(
    edition: Edition, case_type: str, granted_on: date, days: list[tuple[object, ...]]
) -> None:
    found = owed(edition, granted_on, case_type)
    assert [(one.rule.id, one.year, str(one.opens_on), str(one.due_on)) for one in found] == days


def test_a_centre_reports_each_year_and_is_assessed_after_five() -> None:
    found = [(one.rule.id, one.year, one.due_on) for one in owed(CENTRE, date(2024, 1, 27))]
    reports = [("annual_report", year, date(year + 1, 6, 30)) for year in range(2023, 2028)]
    assert found == [*reports, ("assessment", 2029, date(2029, 1, 27))]


def test_nothing_is_owed_from_before_the_day_it_is_laid_down() -> None:
    title = title_of(HNTE, date(2016, 11, 30))
    found = owed_by(HNTE, title, "first", date(2018, 5, 31))
    assert [one.due_on for one in found] == [date(2018, 5, 31), date(2019, 5, 31)]


def test_steps_come_in_the_order_of_their_days_and_the_expiry_last() -> None:
    title = title_of(HNTE, date(2016, 5, 31))
    third = duty_of(owed(HNTE, date(2016, 5, 31))[-1])
    assert third.due_on == title.valid_until == date(2019, 5, 31)
    reminder = next_step(HNTE, title, [third], date(2018, 6, 1))
    assert reminder is not None
    assert (reminder.kind, reminder.on) == ("remind", date(2019, 5, 1))
    reminded = third.model_copy(update={"reminded_on": date(2019, 5, 1)})
    for done, kind in ((reminded, "miss"), (None, "expire")):
        step = next_step(HNTE, title, [done] if done else [], date(2019, 5, 2))
        assert step is not None
        assert (step.kind, step.on) == (kind, title.valid_until + timedelta(days=1))


def test_nobody_is_reminded_of_a_day_that_has_passed() -> None:
    title = title_of(HNTE, date(2016, 11, 30))
    first = duty_of(owed(HNTE, date(2016, 11, 30))[0])
    step = next_step(HNTE, title, [first], date(2017, 6, 1))
    assert step is not None
    assert (step.kind, step.on) == ("miss", date(2017, 6, 1))


def test_a_duty_with_a_grace_is_warned_of_before_it_is_missed() -> None:
    title = title_of(CENTRE, date(2024, 1, 27))
    first = duty_of(owed(CENTRE, date(2024, 1, 27))[0]).model_copy(update={"reminded_on": date(2024, 5, 31)})
    warned = first.model_copy(update={"grace_until": date(2024, 8, 4)})
    steps = [next_step(CENTRE, title, [duty], date(2024, 7, 1)) for duty in (first, warned)]
    assert [(step.kind, step.on) for step in steps if step] == [
        ("warn", date(2024, 7, 1)),
        ("miss", date(2024, 8, 5)),
    ]
