"""The years of a title by the clock: reports, misses, what is proposed on them and decided by people, and the expiry."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from casework.case import Duty, Title
from casework.duty_store import list_duties, list_reports
from casework.revocation_store import list_revocations
from casework.store import casework_sql, find_title
from casework.unusable import UnusableInput
from casework.use_cases import TITLE_DUTIES
from casework.use_cases.refusals import DutyNotOwed, ReportedAlready, TitleNotHeld, TooEarly
from casework_way import APPLICANT, OFFICER, STRANGER, Way, documents
from chassis.clock import FixedClock
from chassis.errors import Forbidden, NotFound
from chassis.identity import SYSTEM, Actor

REPORT: dict[str, Any] = {"duty": "annual_report", "contents": {"sales_revenue": "42000000.00"}}
DROP: dict[str, Any] = {"decision": "drop", "reasons": ["the platform was down"]}
REVOKE: dict[str, Any] = {"decision": "revoke", "reasons": ["two years are missing"]}


def last_instant(clock: FixedClock, day: date) -> None:
    clock.set(datetime(day.year, day.month, day.day, 15, 59, 59, tzinfo=UTC))


async def play(way: Way, day: date) -> list[str]:
    """Moves the clock to the first instant of the day in China and returns what was said of titles since."""
    before = len(await way.said())
    clock = way.db.clock
    assert isinstance(clock, FixedClock)
    last_instant(clock, day - timedelta(days=1))
    clock.advance(timedelta(seconds=1))
    while await way.meet_deadlines():
        pass
    return (await way.said())[before:]


async def run(way: Way, *statements: str) -> None:
    async with way.db.transaction(SYSTEM) as tx:
        for statement in statements:
            await tx.execute(statement)


async def report(way: Way, title: Title, year: int, actor: Actor = APPLICANT, **changes: Any) -> Duty:
    kept: Duty = await way.step("report_duty", actor, title.number, **REPORT | {"year": year} | changes)
    return kept


async def duties(way: Way, title: Title) -> dict[int, Duty]:
    return {duty.year: duty for duty in await list_duties(way.db, title.title_id)}


async def test_three_years_pass_in_seconds_with_every_report_in_time(way: Way, title: Title) -> None:
    assert await play(way, date(2017, 4, 30)) == []
    for year in (2016, 2017, 2018):
        assert await play(way, date(year + 1, 5, 1)) == ["duty-due"]
        assert not (await report(way, title, year)).is_late
        assert await play(way, date(year + 1, 6, 2)) == []
    assert await play(way, date(2019, 8, 31)) == []
    assert await play(way, date(2019, 9, 1)) == ["title-expired"]
    assert await way.db.fetchval("SELECT count(*) FROM work WHERE state = 'due'") == 0
    assert (await way.said()).count("duty-done") == 3


async def test_a_report_on_the_last_instant_of_its_day_is_in_time_and_the_next_instant_is_late(
    way: Way, title: Title, clock: FixedClock
) -> None:
    last_instant(clock, date(2017, 5, 31))
    assert (await report(way, title, 2016)).is_late is False
    last_instant(clock, date(2018, 5, 31))
    clock.advance(timedelta(seconds=1))
    assert (await report(way, title, 2017)).is_late is True


async def test_one_miss_is_told_and_nothing_else_follows(way: Way, title: Title) -> None:
    assert await play(way, date(2017, 5, 31)) == ["duty-due"]
    assert await play(way, date(2017, 6, 1)) == ["duty-missed"]
    assert await play(way, date(2018, 4, 30)) == []
    assert (await duties(way, title))[2016].missed_on == date(2017, 6, 1)
    assert await list_revocations(way.db, title.title_id) == []


async def test_a_second_miss_is_proposed_by_the_office_and_an_officer_revokes(way: Way, title: Title) -> None:
    await play(way, date(2017, 6, 1))
    assert await play(way, date(2018, 6, 1)) == ["duty-missed", "revocation-proposed"]
    [proposed] = await list_revocations(way.db, title.title_id)
    assert (proposed.state, proposed.ground, proposed.conduct_on, proposed.proposed_by) == (
        "proposed", "not_reported", date(2018, 6, 1), str(SYSTEM),
    )  # fmt: skip
    assert "2016、2017" in proposed.reasons[0]
    held = await find_title(way.db, title.number)
    assert held is not None
    assert held.holds_on(date(2018, 6, 1))
    await way.step("decide_revocation", OFFICER, title.number, **REVOKE)
    assert await play(way, date(2019, 9, 2)) == []
    with pytest.raises(TitleNotHeld):
        await report(way, title, 2017)


async def test_the_office_does_not_decide_its_own_proposal(way: Way, title: Title) -> None:
    await play(way, date(2017, 6, 1))
    await play(way, date(2018, 6, 1))
    with pytest.raises(Forbidden):
        await way.step("decide_revocation", SYSTEM, title.number, **REVOKE)


async def test_a_dropped_proposal_leaves_the_title_and_the_next_miss_is_proposed_again(
    way: Way, title: Title
) -> None:
    await play(way, date(2017, 6, 1))
    await play(way, date(2018, 6, 1))
    await way.step("decide_revocation", OFFICER, title.number, **DROP)
    assert await play(way, date(2019, 6, 1)) == ["duty-missed", "revocation-proposed"]
    assert await play(way, date(2019, 9, 1)) == ["title-expired"]


async def test_what_fell_due_while_the_service_was_down_is_played_in_order(way: Way, title: Title) -> None:
    assert await play(way, date(2019, 8, 30)) == [
        "duty-missed", "duty-missed", "revocation-proposed", "duty-missed",
    ]  # fmt: skip
    missed = [duty.missed_on for duty in (await duties(way, title)).values()]
    assert missed == [date(2017, 6, 1), date(2018, 6, 1), date(2019, 6, 1)]


async def test_after_the_title_has_run_out_misses_are_noted_and_not_proposed(way: Way, title: Title) -> None:
    assert await play(way, date(2020, 1, 1)) == ["duty-missed"] * 3 + ["title-expired"]


async def test_a_late_report_is_taken_marked_late_and_stays_missed(way: Way, title: Title) -> None:
    await play(way, date(2017, 6, 10))
    kept = await report(way, title, 2016, documents=documents(["financial_statements"]))
    assert (kept.is_late, kept.missed_on) == (True, date(2017, 6, 1))
    [(_, handed_in)] = await list_reports(way.db, title.title_id)
    assert (dict(handed_in.contents), handed_in.handed_in_by) == (REPORT["contents"], str(APPLICANT))
    assert await play(way, date(2018, 6, 1)) == ["duty-missed", "revocation-proposed"]


async def test_a_report_is_given_once_in_its_time_and_only_if_it_is_owed(
    way: Way, title: Title, clock: FixedClock
) -> None:
    with pytest.raises(TooEarly) as early:
        await report(way, title, 2016)
    assert early.value.fields["opens_on"] == date(2017, 1, 1)
    clock.set(datetime(2017, 1, 3, tzinfo=UTC))
    with pytest.raises(DutyNotOwed) as not_owed:
        await report(way, title, 2019)
    assert not_owed.value.fields["owed"] == "annual_report 2016, annual_report 2017, annual_report 2018"
    with pytest.raises(UnusableInput):
        await report(way, title, 2016, documents=documents(["rd_audit", "rd_audit"]))
    await report(way, title, 2016)
    with pytest.raises(ReportedAlready):
        await report(way, title, 2016)


@pytest.mark.parametrize(("actor", "refusal"), [(STRANGER, NotFound), (OFFICER, Forbidden)])
async def test_only_the_enterprise_itself_reports(
    way: Way, title: Title, actor: Actor, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await report(way, title, 2016, actor)


async def test_a_deadline_that_comes_early_by_a_clock_set_back_waits_again(way: Way, title: Title) -> None:
    await run(way, f"UPDATE work SET due_at = '2016-08-31' WHERE kind = '{TITLE_DUTIES}'")
    assert await play(way, date(2016, 9, 2)) == []
    assert await play(way, date(2017, 5, 1)) == ["duty-due"]


async def test_titles_from_before_there_were_duties_get_those_still_to_come(way: Way, title: Title) -> None:
    await run(way, "DELETE FROM work", "DELETE FROM duties", "UPDATE titles SET valid_until = '2999-08-31'")
    [migration] = casework_sql().glob("*_duties_of_older_titles.sql")
    text = migration.read_text(encoding="utf-8")
    await run(way, text, text, "UPDATE titles SET valid_until = '2019-08-31'")
    assert await play(way, date(2017, 7, 2)) == []
    assert sorted(await duties(way, title)) == [2017, 2018]
    assert await play(way, date(2018, 5, 1)) == ["duty-due"]
