from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework import use_cases
from casework.calendar import CalendarUnknown
from casework.lifecycle import WrongState
from casework.use_cases.refusals import (
    NothingProposed,
    ReasonsNeeded,
)
from casework_way import APPLICANT, OFFICER, RULEBOOKS, STRANGER, Way, state_of
from chassis.clock import FixedClock


async def test_a_notice_beyond_the_known_calendar_is_refused(way: Way, clock: FixedClock) -> None:
    case = await way.judged()
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    clock.set(datetime(2026, 12, 25, 2, 0, tzinfo=UTC))
    with pytest.raises(CalendarUnknown, match="2027"):
        await way.step("open_notice", OFFICER, case.case_id)
    assert await state_of(way.db, case.case_id) == "proposed"


async def test_a_proposal_to_refuse_does_not_go_on_notice_but_ends_with_reasons(way: Way) -> None:
    case = await way.in_review()
    with pytest.raises(ReasonsNeeded):
        await way.step("propose_case", OFFICER, case.case_id, proposal="refuse", reasons=[" "])
    await way.step("propose_case", OFFICER, case.case_id, proposal="refuse", reasons=["no core IP"])
    with pytest.raises(NothingProposed):
        await way.step("open_notice", OFFICER, case.case_id)
    with pytest.raises(ReasonsNeeded):
        await way.step("refuse_case", OFFICER, case.case_id, reasons=[])
    refused = await way.step("refuse_case", OFFICER, case.case_id, reasons=["no core IP"])
    assert (refused.state, refused.reasons) == ("refused", ("no core IP",))
    assert (await way.said())[-1] == "case-refused"


async def test_a_withdrawn_case_ends_its_notice_and_frees_the_year(way: Way, clock: FixedClock) -> None:
    case = await way.on_notice()
    assert (await way.step("withdraw_case", APPLICANT, case.case_id)).state == "withdrawn"
    clock.advance(timedelta(days=60))
    assert await way.meet_deadlines() == 0
    assert (await way.submitted()).state == "submitted"


async def test_titles_of_a_series_are_numbered_without_a_gap_also_after_a_rollback(
    way: Way, clock: FixedClock
) -> None:
    numbers = []
    for applicant in (APPLICANT, STRANGER):
        way.applicant = applicant
        clock.set(datetime(2016, 8, 1, tzinfo=UTC))
        case = await way.on_notice()
        clock.advance(timedelta(days=30))
        await way.meet_deadlines()
        with pytest.raises(RuntimeError):
            async with way.db.transaction(OFFICER) as tx:
                await use_cases.grant_case(way.work, tx, case.case_id)
                raise RuntimeError("the machine dies")
        numbers.append((await way.step("grant_case", OFFICER, case.case_id)).number)
    assert numbers == ["GR201644000001", "GR201644000002"]


async def test_a_title_is_not_granted_while_the_notice_is_open_nor_twice(way: Way, clock: FixedClock) -> None:
    case = await way.on_notice()
    with pytest.raises(WrongState):
        await way.step("grant_case", OFFICER, case.case_id)
    clock.advance(timedelta(days=30))
    await way.meet_deadlines()
    await way.step("grant_case", OFFICER, case.case_id)
    with pytest.raises(WrongState):
        await way.step("grant_case", OFFICER, case.case_id)


async def test_where_the_edition_leaves_the_grant_to_nobody_it_follows_the_notice_by_itself(
    way: Way, clock: FixedClock, tmp_path: Path
) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    (tmp_path / "hnte").mkdir()
    by_system = text.replace("to: granted, by: [officer]", "to: granted, by: [system]")
    (tmp_path / "hnte/2016-01-01.yaml").write_text(by_system, encoding="utf-8")
    way.work.load(tmp_path)
    await way.on_notice()
    clock.advance(timedelta(days=30))
    assert await way.meet_deadlines() == 1
    assert (await way.said())[-1] == "title-granted"


async def test_an_end_of_notice_that_comes_early_waits_again(way: Way, clock: FixedClock) -> None:
    case = await way.on_notice()
    async with way.db.transaction() as tx:
        await tx.execute("UPDATE work SET due_at = $1", clock.now())
    assert await way.meet_deadlines() == 1
    assert await state_of(way.db, case.case_id) == "on_notice"
    clock.set(datetime(2016, 8, 15, 16, 0, tzinfo=UTC))
    assert await way.meet_deadlines() == 1
    assert await state_of(way.db, case.case_id) == "recorded"
