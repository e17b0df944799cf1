"""How duties other than yearly reports are kept: a grace after a warning, an assessment, an application."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from casework import store
from casework.case import Case, Duty, Title
from casework.duty_store import list_duties
from casework.edition import Edition
from casework.revocation_store import list_revocations
from casework.use_cases.duties import Planned, plan_duties
from casework.use_cases.refusals import DutyNotOwed, UnknownResult
from casework_way import APPLICANT, OFFICER, RULEBOOKS, USCC, Way
from chassis.clock import FixedClock
from chassis.errors import Forbidden
from chassis.identity import SYSTEM

CENTRE = ("etrc", date(2022, 12, 15), "provincial")
ASSESSED: dict[str, Any] = {"duty": "assessment", "year": 2029, "reasons": ["seen on the spot"]}
REVIEW_PAPERS = ("application_form", "rd_audit", "rd_activity_report", "high_tech_revenue_audit")


def at(clock: FixedClock, day: date) -> None:
    """The first instant of the day in China."""
    clock.set(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8))


async def granted(way: Way, edition: Edition, day: date) -> Title:
    """A title of that day, granted on a first application that nobody needs to see."""
    clock = way.db.clock
    assert isinstance(clock, FixedClock)
    at(clock, day)
    case = Case(
        case_id=uuid4(), enterprise_id=USCC, programme=edition.programme, level=edition.level, case_type="first",
        state="granted", applied_on=day, edition=edition.in_force_from, edition_hash=edition.hash, drafted_at=clock.now(),
        changed_at=clock.now(),
    )  # fmt: skip
    title = Title(
        title_id=uuid4(), case_id=case.case_id, enterprise_id=USCC, enterprise_name=None, programme=case.programme,
        level=case.level, number="N-1", granted_on=day, valid_until=edition.validity.valid_until(day),
        edition=edition.in_force_from, edition_hash=edition.hash,
    )  # fmt: skip
    async with way.db.transaction(SYSTEM) as tx:
        await store.add_case(tx, case)
        await store.add_titles(tx, [title])
        await plan_duties(tx, [Planned(edition, title, case.case_type)])
    return title


@pytest.fixture
async def centre(way: Way) -> Title:
    """Granted on 27 January 2024, valid until 27 January 2029."""
    return await granted(way, way.work.rulebooks.edition(*CENTRE), date(2024, 1, 27))


async def play(way: Way, day: date) -> list[str]:
    before = len(await way.said())
    assert isinstance(way.db.clock, FixedClock)
    at(way.db.clock, day)
    while await way.meet_deadlines():
        pass
    return (await way.said())[before:]


async def first_duty(way: Way, title_id: UUID, rule: str) -> Duty:
    return next(duty for duty in await list_duties(way.db, title_id) if duty.rule == rule)


async def test_a_centre_is_warned_and_has_thirty_days_from_then(way: Way, centre: Title) -> None:
    assert await play(way, date(2024, 5, 31)) == ["duty-due"]
    assert await play(way, date(2024, 7, 3)) == ["duty-due"]
    assert (await first_duty(way, centre.title_id, "annual_report")).grace_until == date(2024, 8, 2)
    assert await play(way, date(2024, 8, 2)) == []
    assert await play(way, date(2024, 8, 3)) == ["duty-missed", "revocation-proposed"]
    [proposed] = await list_revocations(way.db, centre.title_id)
    assert (proposed.ground, proposed.conduct_on) == ("not_reported", date(2024, 8, 3))


async def test_a_report_on_the_last_day_of_the_grace_is_late_and_not_missed(
    way: Way, centre: Title, clock: FixedClock
) -> None:
    await play(way, date(2024, 5, 31))
    await play(way, date(2024, 7, 1))
    at(clock, date(2024, 7, 31))
    report = {"duty": "annual_report", "year": 2023, "contents": {"projects": 3}}
    assert (await way.step("report_duty", APPLICANT, centre.number, **report)).is_late
    assert await play(way, date(2024, 8, 1)) == []
    assert (await first_duty(way, centre.title_id, "annual_report")).missed_on is None


async def test_a_failed_assessment_is_proposed_by_the_officer_who_notes_it(way: Way, centre: Title) -> None:
    kept = await way.step("assess_title", OFFICER, centre.number, **ASSESSED, result="failed")
    assert kept.result == "failed"
    [proposed] = await list_revocations(way.db, centre.title_id)
    assert (proposed.ground, proposed.proposed_by) == ("assessment_failed", str(OFFICER))
    assert (await way.said())[-2:] == ["duty-done", "revocation-proposed"]


async def test_a_middling_result_leaves_a_year_to_mend_and_its_reminder_comes_in_time(
    way: Way, centre: Title, clock: FixedClock
) -> None:
    for year in range(2023, 2027):
        at(clock, date(year + 1, 5, 1))
        report = {"duty": "annual_report", "year": year, "contents": {"projects": 3}}
        await way.step("report_duty", APPLICANT, centre.number, **report)
    at(clock, date(2027, 8, 2))
    async with way.db.transaction(SYSTEM) as tx:  # as if nothing came before the expiry
        await tx.execute("UPDATE work SET due_at = '2029-01-28'")
    await way.step("assess_title", OFFICER, centre.number, **ASSESSED, result="basic")
    assert (await way.said())[-1] == "duty-done"
    assert await play(way, date(2028, 6, 1)) == ["duty-due"]
    assert await play(way, date(2028, 7, 3)) == ["duty-due"] * 2
    again = await way.step("assess_title", OFFICER, centre.number, **ASSESSED | {"year": 2028}, result="good")
    assert (again.opens_on, again.due_on) == (date(2027, 8, 3), date(2028, 8, 2))


async def test_an_assessment_has_a_result_of_the_edition_and_is_noted_by_officers(
    way: Way, centre: Title
) -> None:
    with pytest.raises(UnknownResult) as unknown:
        await way.step("assess_title", OFFICER, centre.number, **ASSESSED, result="splendid")
    assert unknown.value.fields["known"] == "excellent, good, basic, failed"
    with pytest.raises(Forbidden):
        await way.step("assess_title", APPLICANT, centre.number, **ASSESSED, result="good")
    with pytest.raises(DutyNotOwed):
        await way.step("assess_title", OFFICER, centre.number, **ASSESSED | {"year": 2024}, result="good")


async def test_the_review_is_kept_by_an_application_for_it_within_its_three_months(
    way: Way, clock: FixedClock
) -> None:
    edition = way.work.rulebooks.edition("hnte", date(2008, 1, 1), None)
    title = await granted(way, edition, date(2010, 9, 26))
    way.case_type = "review_2008"
    assert await play(way, date(2013, 8, 27)) == ["duty-due"]
    case = await way.drafted(REVIEW_PAPERS)
    await way.step("submit_case", APPLICANT, case.case_id)
    review = await first_duty(way, title.title_id, "review")
    assert (review.opens_on, review.done_on) == (date(2013, 6, 26), date(2013, 8, 27))
    assert await play(way, date(2013, 9, 27)) == ["title-expired"]


def edition_without_renewals(way: Way, folder: Path) -> Edition:
    """HNTE of 2008, as it would be if a title that still lasts kept no application waiting."""
    text = (RULEBOOKS / "hnte/2008-01-01.yaml").read_text(encoding="utf-8")
    (folder / "hnte").mkdir()
    (folder / "hnte/2008-01-01.yaml").write_text(text.partition("renewals:")[0], encoding="utf-8")
    return way.work.load(folder).edition("hnte", date(2008, 1, 1), None)


async def test_an_application_before_the_three_months_does_not_keep_the_review(
    way: Way, clock: FixedClock, tmp_path: Path
) -> None:
    edition = edition_without_renewals(way, tmp_path)
    title = await granted(way, edition, date(2010, 9, 26))
    way.case_type = "review_2008"
    at(clock, date(2013, 6, 25))
    case = await way.drafted(REVIEW_PAPERS)
    await way.step("submit_case", APPLICANT, case.case_id)
    assert (await first_duty(way, title.title_id, "review")).done_on is None


async def test_an_application_of_another_type_does_not_keep_the_review(
    way: Way, clock: FixedClock, tmp_path: Path
) -> None:
    edition = edition_without_renewals(way, tmp_path)
    await granted(way, edition, date(2010, 9, 26))
    await play(way, date(2013, 8, 27))
    papers = [p.id for p in edition.papers_for("re_recognition")]
    way.case_type = "re_recognition"
    case = await way.drafted(papers)
    await way.step("submit_case", APPLICANT, case.case_id)
    assert await play(way, date(2013, 9, 27)) == ["duty-missed", "title-expired"]
