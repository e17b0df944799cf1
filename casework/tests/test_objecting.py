from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import objection_store, store, use_cases
from casework.calendar import add_working_days, is_working_day, working_days_after
from casework.case import Case
from casework.lifecycle import WrongState
from casework.objection import Objection, resumed_until
from casework.use_cases.objecting import Answer
from casework.use_cases.refusals import NoticeIsOver, ObjectionAnswered, ReasonsNeeded
from casework_way import APPLICANT, EXPERT, JUDGEMENTS, OFFICER, OTHER, STRANGER, Way, casework_door, state_of
from chassis.clock import FixedClock
from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import PUBLIC, Actor

LETTER: dict[str, Any] = {
    "name": "陈某某", "contact": "0662-1234567", "statement": "所列发明专利的权利人不是该企业。",
}  # fmt: skip
NOT_SO = ["the patent was transferred in 2015"]
AUDITOR = Actor("sun", "auditor")


async def objected(way: Way, actor: Actor = PUBLIC) -> tuple[UUID, Objection]:
    case = await way.on_notice()
    return case.case_id, await way.step("lodge_objection", actor, case.case_id, **LETTER)


async def answered(way: Way, case_id: UUID, objection: Objection, decision: Answer) -> Case:
    async with way.db.transaction(OFFICER) as tx:
        return await use_cases.decide_objection(
            way.work, tx, case_id, objection.objection_id, decision=decision, reasons=NOT_SO
        )


async def last_day(way: Way, case_id: UUID) -> date:
    notice = await store.find_notice(way.db, case_id)
    assert notice is not None
    return notice.ends_on


async def test_an_objection_stops_the_clock_of_its_case_and_of_no_other(way: Way, clock: FixedClock) -> None:
    way.applicant = STRANGER
    other = await way.on_notice()
    way.applicant = APPLICANT
    case_id, _ = await objected(way)
    clock.advance(timedelta(days=60))
    assert await way.meet_deadlines() == 1
    assert (await state_of(way.db, case_id), await state_of(way.db, other.case_id)) == (
        "objected",
        "recorded",
    )
    with pytest.raises(WrongState):
        await way.step("grant_case", OFFICER, case_id)


async def test_a_dismissed_objection_gives_the_notice_the_days_that_were_left(
    way: Way, clock: FixedClock
) -> None:
    case = await way.on_notice()
    opened, planned = clock.today(), await last_day(way, case.case_id)
    clock.set(datetime(2016, 8, 4, 2, tzinfo=UTC))  # the third of ten working days
    objection = await way.step("lodge_objection", PUBLIC, case.case_id, **LETTER)
    clock.set(datetime(2016, 8, 22, 2, tzinfo=UTC))
    assert (await answered(way, case.case_id, objection, "dismiss")).state == "on_notice"
    ends_on = await last_day(way, case.case_id)
    assert (opened, planned, ends_on) == (date(2016, 8, 1), date(2016, 8, 15), date(2016, 8, 31))
    assert await way.meet_deadlines() == 0
    clock.set(datetime(2016, 8, 31, 16, tzinfo=UTC))
    assert await way.meet_deadlines() == 1
    assert await state_of(way.db, case.case_id) == "recorded"
    assert (await way.said())[-2:] == ["objection-lodged", "objection-decided"]


async def test_an_upheld_objection_leads_to_a_second_examination_and_a_notice_of_its_own(
    way: Way, clock: FixedClock
) -> None:
    case_id, objection = await objected(way)
    case = await answered(way, case_id, objection, "uphold")
    assert (case.state, case.proposal) == ("in_review", None)
    await way.step("judge_case", EXPERT, case_id, judgements=JUDGEMENTS | {"conversion": 20})
    await way.step("propose_case", OFFICER, case_id, proposal="grant")
    clock.advance(timedelta(days=7))
    await way.step("open_notice", OFFICER, case_id)
    again = await store.find_notice(way.db, case_id)
    assert again is not None
    assert (again.opens_on, again.closed_at, again.suspended_on) == (clock.today(), None, None)
    clock.advance(timedelta(days=30))
    assert await way.meet_deadlines() == 1
    assert (await way.step("grant_case", OFFICER, case_id)).number


async def test_the_case_goes_on_only_when_every_objection_is_answered(way: Way) -> None:
    case_id, first = await objected(way)
    second = await way.step("lodge_objection", STRANGER, case_id, **LETTER)
    assert (await answered(way, case_id, first, "uphold")).state == "objected"
    with pytest.raises(NoticeIsOver):
        await way.step("lodge_objection", PUBLIC, case_id, **LETTER)
    with pytest.raises(ObjectionAnswered, match="upheld"):
        await answered(way, case_id, first, "dismiss")
    assert (await answered(way, case_id, second, "dismiss")).state == "in_review"
    assert [one.state for one in await objection_store.list_objections(way.db, case_id)] == [
        "upheld",
        "dismissed",
    ]


async def test_an_objection_upheld_before_does_not_count_against_the_second_notice(way: Way) -> None:
    case_id, first = await objected(way)
    await answered(way, case_id, first, "uphold")
    await way.step("propose_case", OFFICER, case_id, proposal="grant")
    await way.step("open_notice", OFFICER, case_id)
    second = await way.step("lodge_objection", PUBLIC, case_id, **LETTER)
    assert (await answered(way, case_id, second, "dismiss")).state == "on_notice"


async def test_no_objection_is_taken_before_the_notice_or_after_its_last_day(
    way: Way, clock: FixedClock
) -> None:
    case = await way.judged()
    with pytest.raises(NotFound):
        await way.step("lodge_objection", PUBLIC, case.case_id, **LETTER)
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    await way.step("open_notice", OFFICER, case.case_id)
    clock.set(datetime(2016, 8, 15, 15, 59, tzinfo=UTC))  # the last minute in China
    objection = await way.step("lodge_objection", PUBLIC, case.case_id, **LETTER)
    clock.advance(timedelta(days=1))
    await answered(way, case.case_id, objection, "dismiss")
    assert await last_day(way, case.case_id) == clock.today()
    clock.advance(timedelta(days=1))
    with pytest.raises(NoticeIsOver, match="2016-08-16"):
        await way.step("lodge_objection", PUBLIC, case.case_id, **LETTER)


async def test_an_answer_needs_reasons_and_the_version_that_was_seen(way: Way) -> None:
    case_id, objection = await objected(way)
    async with way.db.transaction(OFFICER) as tx:
        with pytest.raises(ReasonsNeeded):
            await use_cases.decide_objection(
                way.work, tx, case_id, objection.objection_id, decision="dismiss", reasons=[" "]
            )
        with pytest.raises(PreconditionFailed):
            await use_cases.decide_objection(
                way.work, tx, case_id, objection.objection_id, decision="dismiss", reasons=NOT_SO, expected=1
            )
        with pytest.raises(NotFound):
            await use_cases.decide_objection(
                way.work, tx, case_id, uuid4(), decision="dismiss", reasons=NOT_SO
            )
    assert await state_of(way.db, case_id) == "objected"


async def test_a_withdrawn_case_leaves_no_objection_open(way: Way) -> None:
    case_id, _ = await objected(way)
    assert (await way.step("withdraw_case", APPLICANT, case_id)).state == "withdrawn"
    [lapsed] = await objection_store.list_objections(way.db, case_id)
    assert (lapsed.state, lapsed.decided_by) == ("lapsed", None)


async def test_who_objects_is_told_to_the_bureau_alone(way: Way, tmp_path: Path) -> None:
    door = casework_door(way.db, tmp_path, way.work)
    case = await way.on_notice()
    async with (
        door.client(STRANGER) as rival,
        door.client(APPLICANT) as applicant,
        door.client(AUDITOR) as auditor,
    ):
        lodged = await rival.post(f"/v1/notices/{case.case_id}/objections", json=LETTER)
        assert lodged.status_code == 201
        answers = [
            await applicant.get(f"/v1/cases/{case.case_id}"), await applicant.get(lodged.headers["Location"]),
            await applicant.get("/v1/notices"), lodged,
        ]  # fmt: skip
        for answer in answers:
            assert answer.status_code in (200, 201)
            assert not [secret for secret in (*LETTER.values(), OTHER, "zhou") if secret in answer.text]
        [seen] = (await auditor.get(f"/v1/cases/{case.case_id}/objections")).json()
    assert {name: seen[name] for name in LETTER} == LETTER
    assert seen["lodged_by"] == str(STRANGER)
    payloads = await way.db.fetch("SELECT payload::text AS text FROM events")
    assert not [row for row in payloads if LETTER["name"] in row["text"]]


@pytest.mark.parametrize(
    ("field", "given"), [("name", "x"), ("contact", " "), ("statement", "short"), ("name", "a\nb")]
)
async def test_an_objection_without_a_name_a_contact_or_a_statement_is_refused(
    way: Way, tmp_path: Path, field: str, given: str
) -> None:
    case = await way.on_notice()
    async with casework_door(way.db, tmp_path, way.work).client() as public:
        answer = await public.post(f"/v1/notices/{case.case_id}/objections", json=LETTER | {field: given})
    assert answer.status_code == 422
    assert field in answer.text
    assert await state_of(way.db, case.case_id) == "on_notice"


DAYS = st.dates(date(2009, 1, 1), date(2025, 6, 30))


@given(DAYS, st.integers(1, 30), st.integers(0, 60), st.integers(0, 90))
def test_a_suspended_notice_has_as_many_working_days_as_any(
    opens_on: date, length: int, until_objection: int, suspended_for: int
) -> None:
    ends_on = add_working_days(opens_on, length)
    suspended_on = min(opens_on + timedelta(days=until_objection), ends_on)
    today = suspended_on + timedelta(days=suspended_for)
    resumed = resumed_until(ends_on, suspended_on, today)
    assert working_days_after(opens_on, suspended_on) + working_days_after(today, resumed) == length
    assert resumed == today or is_working_day(resumed)
