"""Inspections of the site: what must be looked at does not go on notice before somebody looked and it passed."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casework.expert_store import find_tie
from casework.lifecycle import WrongState
from casework.store import list_decisions
from casework.unusable import UnusableInput
from casework.use_cases import Casework, declare_interest
from casework.use_cases.refusals import InspectionFailed, InspectorTied, NotInspected, TiedToEnterprise
from casework_way import (
    APPLICANT,
    OFFICER,
    RULEBOOKS,
    USCC,
    Door,
    casework_door,
    documents,
    kept_in,
    state_of,
)
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.errors import Forbidden, NotFound, PreconditionFailed
from chassis.identity import Actor
from chassis.storage import Storage
from contracts import certification as events
from inspection_way import FEW, SPARED, Register, SmeWay, look

ZHAO = Actor("zhao", "officer")
AUDITOR = Actor("sun", "auditor")


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def work(register: Register) -> Casework:
    bound = Casework(events=events, facts_of=register.of)
    bound.load(RULEBOOKS)
    return bound


@pytest.fixture
def way(db: Database, work: Casework, tmp_path: Path, clock: FixedClock) -> SmeWay:
    clock.set(datetime(2026, 7, 1, 2, 0, tzinfo=UTC))
    return SmeWay(db, work, Storage(kept_in(tmp_path)))


@pytest.fixture
def door(db: Database, tmp_path: Path, work: Casework) -> Door:
    return casework_door(db, tmp_path, work)


async def test_what_must_be_looked_at_goes_on_notice_only_once_it_has_passed(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.proposed()
    with pytest.raises(NotInspected) as refused:
        await way.step("open_notice", OFFICER, case.case_id)
    assert (refused.value.rule, refused.value.source) == (
        "inspections.site_check",
        "工企业函〔2026〕160号 实地核查",
    )
    assert "公示前实地核查" in refused.value.fields["title"]
    assert refused.value.fields["because"] == "case_type first"
    assert (await way.looked(case.case_id)).state == "proposed"
    assert (await way.step("open_notice", OFFICER, case.case_id)).state == "on_notice"
    said = [one for one in await way.said() if one.startswith("inspection")]
    assert said == ["inspection-due", "inspection-held"]


async def test_a_firm_that_meets_every_bound_goes_on_without_a_look(way: SmeWay) -> None:
    case = await way.proposed()
    assert (await way.step("open_notice", OFFICER, case.case_id)).state == "on_notice"
    assert await way.rows(case.case_id) == []
    with pytest.raises(NotFound):
        await way.looked(case.case_id)


async def test_the_bound_that_is_not_met_is_named(way: SmeWay, register: Register) -> None:
    register.facts |= FEW
    case = await way.proposed()
    with pytest.raises(NotInspected, match="职工总数"):
        await way.step("open_notice", OFFICER, case.case_id)


async def test_a_failed_look_keeps_the_case_from_its_notice_until_a_second_one_passes(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.proposed()
    await way.looked(case.case_id, outcome="failed")
    with pytest.raises(InspectionFailed, match="2026-07-01"):
        await way.step("open_notice", OFFICER, case.case_id)
    await way.looked(case.case_id, findings="第二次核查：研发场地已查实。")
    assert (await way.step("open_notice", OFFICER, case.case_id)).state == "on_notice"
    history = [one.reasons for one in await list_decisions(way.db, case.case_id) if one.verb == "inspect"]
    assert history == [("公示前实地核查（2026-07-01）：未通过",), ("公示前实地核查（2026-07-01）：通过",)]
    for statement in ("UPDATE inspection_outcomes SET outcome = 'passed'", "DELETE FROM inspection_outcomes"):
        with pytest.raises(asyncpg.RaiseError, match="stays as it was recorded"):
            async with way.db.transaction() as tx:
                await tx.execute(statement)


async def test_a_later_failure_counts_against_an_earlier_pass(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.proposed()
    await way.looked(case.case_id)
    await way.looked(case.case_id, outcome="failed")
    with pytest.raises(InspectionFailed):
        await way.step("open_notice", OFFICER, case.case_id)


async def test_an_officer_refuses_a_case_whose_look_was_failed(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.in_review()
    await way.looked(case.case_id, outcome="failed")
    await way.step("propose_case", OFFICER, case.case_id, proposal="refuse", reasons=["no such workshop"])
    await way.step("refuse_case", OFFICER, case.case_id, reasons=["no such workshop"])
    assert await state_of(way.db, case.case_id) == "refused"
    assert [row.state for row in await way.rows(case.case_id)] == ["failed"]


@pytest.mark.parametrize("gone", ["withdrawn", "refused"])
async def test_it_is_due_from_the_submission_on_until_the_case_is_gone(way: SmeWay, gone: str) -> None:
    way.case_type = "first"
    case = await way.submitted()
    assert [(row.inspection, row.state) for row in await way.rows(case.case_id)] == [("site_check", "due")]
    if gone == "withdrawn":
        await way.step("withdraw_case", APPLICANT, case.case_id)
    else:
        await way.step("accept_case", OFFICER, case.case_id)
        await way.step("start_review", OFFICER, case.case_id)
        await way.step("propose_case", OFFICER, case.case_id, proposal="refuse", reasons=["too late"])
        await way.step("refuse_case", OFFICER, case.case_id, reasons=["too late"])
    assert await state_of(way.db, case.case_id) == gone
    assert [row.state for row in await way.rows(case.case_id)] == ["lapsed"]


async def test_what_is_mended_so_that_it_is_spared_is_not_due_any_more(
    way: SmeWay, register: Register
) -> None:
    register.facts |= FEW
    case = await way.submitted()
    states = [[row.state for row in await way.rows(case.case_id)]]
    for facts in (SPARED, FEW):
        await way.step("return_case", OFFICER, case.case_id, defects=["staff"])
        register.facts |= {"years": facts["years"]}
        await way.step("submit_case", APPLICANT, case.case_id)
        states.append([row.state for row in await way.rows(case.case_id)])
    assert states == [["due"], ["lapsed"], ["due"]]
    assert (await way.said()).count("inspection-due") == 1


async def test_a_judgement_may_make_it_due(way: SmeWay) -> None:
    case = await way.in_review()
    given = {"accounts_audited": True, "withdrawn_in_three_years": True}
    await way.step("judge_case", OFFICER, case.case_id, judgements=given)
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    assert [row.state for row in await way.rows(case.case_id)] == ["due"]
    with pytest.raises(NotInspected, match="近三年被撤销登记编号"):
        await way.step("open_notice", OFFICER, case.case_id)


async def test_who_is_tied_to_the_enterprise_neither_records_nor_goes(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.submitted()
    async with way.db.transaction(ZHAO) as tx:
        await declare_interest(tx, enterprise_id=USCC, ground="declared")
    assert await find_tie(way.db, "officer:zhao", USCC) == "declared"
    with pytest.raises(TiedToEnterprise):
        await way.step("record_inspection", ZHAO, case.case_id, inspection="site_check", look=look())
    with pytest.raises(InspectorTied, match="zhao"):
        await way.looked(case.case_id)
    assert (await way.looked(case.case_id, officers=["li"])).state == "submitted"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"held_on": date(2026, 7, 2)}, "in_the_future"),
        ({"held_on": date(2026, 6, 30)}, "before_application"),
        ({"documents": documents(["site_record"]) * 2}, "doubled_id"),
    ],
)
async def test_a_look_lies_between_the_application_and_today_and_names_each_document_once(
    way: SmeWay, changes: dict[str, Any], rule: str
) -> None:
    way.case_type = "first"
    case = await way.submitted()
    with pytest.raises(UnusableInput) as refused:
        await way.looked(case.case_id, **changes)
    assert refused.value.rule_id == rule


async def test_a_look_is_recorded_by_officers_while_the_notice_is_to_come(way: SmeWay) -> None:
    way.case_type = "first"
    case = await way.proposed()
    with pytest.raises(Forbidden):
        await way.step("record_inspection", AUDITOR, case.case_id, inspection="site_check", look=look())
    with pytest.raises(PreconditionFailed):
        await way.step(
            "record_inspection", OFFICER, case.case_id, inspection="site_check", look=look(), expected=1
        )
    await way.looked(case.case_id)
    await way.step("open_notice", OFFICER, case.case_id)
    with pytest.raises(WrongState):
        await way.looked(case.case_id)


async def test_the_case_says_what_its_notice_waits_for_and_what_was_found(way: SmeWay, door: Door) -> None:
    way.case_type = "first"
    case = await way.proposed()
    address, body = f"/v1/cases/{case.case_id}", look().model_dump(mode="json")
    async with door.client(OFFICER) as client:
        steps = {one["verb"]: one["waits_for"] for one in (await client.get(address)).json()["next"]}
        assert (steps["open_notice"], steps["refuse"]) == (["site_check"], [])
        [due] = (await client.get(f"{address}/inspections")).json()
        assert (due["state"], due["always"], due["before"], due["outcomes"]) == (
            "due",
            True,
            "open_notice",
            [],
        )
        tag = (await client.get(address)).headers["ETag"]
        path = f"{address}/inspections/site_check/outcomes"
        done = await client.post(path, json=body, headers={"If-Match": tag})
        assert (done.status_code, done.json()["version"]) == (201, case.version + 1)
        steps = {one["verb"]: one["waits_for"] for one in (await client.get(address)).json()["next"]}
        assert steps["open_notice"] == []
    async with door.client(APPLICANT) as client:
        [held] = (await client.get(f"{address}/inspections")).json()
        assert (held["state"], [one["officers"] for one in held["outcomes"]]) == ("passed", [["li", "zhao"]])
        assert (await client.get("/v1/inspections")).status_code == 403


async def test_the_list_of_what_is_due_is_narrowed_and_paged(way: SmeWay, door: Door) -> None:
    way.case_type = "first"
    first, second = await way.submitted(), await way.submitted()
    await way.looked(second.case_id)
    async with door.client(AUDITOR) as client:

        async def asked(**narrowed: Any) -> list[str]:
            found = await client.get("/v1/inspections", params=narrowed)
            return [one["case_id"] for one in found.json()["items"]]

        assert await asked(state="due") == [str(first.case_id)]
        assert await asked(programme="sme", state="passed") == [str(second.case_id)]
        assert await asked(programme="hnte") == []
        page = (await client.get("/v1/inspections", params={"limit": 1})).json()
        assert await asked(cursor=page["cursor"]) == [str(second.case_id)]
