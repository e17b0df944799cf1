import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from casework import store, use_cases
from casework.lifecycle import WrongState
from casework.unusable import UnusableInput
from casework.use_cases.refusals import (
    AppliedThisYear,
    MissingDocuments,
    NotPassed,
    NotYourJudgement,
    NotYours,
    ReasonsNeeded,
)
from casework_way import (
    APPLICANT,
    EXPERT,
    FIRM,
    JUDGEMENTS,
    OFFICER,
    PAPERS,
    STRANGER,
    USCC,
    Way,
    state_of,
)
from chassis.clock import FixedClock
from chassis.database import Database, Transaction
from chassis.errors import Forbidden, NotFound, PreconditionFailed
from chassis.identity import Actor


async def test_a_case_goes_from_draft_over_the_notice_to_a_title(way: Way, clock: FixedClock) -> None:
    case = await way.on_notice()
    notice = await store.find_notice(way.db, case.case_id)
    assert notice is not None
    assert (notice.opens_on, notice.ends_on) == (date(2016, 8, 1), date(2016, 8, 15))
    clock.set(datetime(2016, 8, 15, 15, 59, 59, tzinfo=UTC))  # the last second of the last day in China
    assert await way.meet_deadlines() == 0
    clock.advance(timedelta(seconds=1))
    assert await way.meet_deadlines() == 1
    assert await state_of(way.db, case.case_id) == "recorded"
    title = await way.step("grant_case", OFFICER, case.case_id)
    assert (title.number, title.granted_on, title.valid_until) == (
        "GR201644000001",
        date(2016, 8, 16),
        date(2019, 8, 16),
    )
    assert await state_of(way.db, case.case_id) == "granted"
    assert await way.said() == [
        "case-submitted",
        "case-judged",
        "case-proposed",
        "notice-opened",
        "title-granted",
    ]
    kept = await store.list_decisions(way.db, case.case_id)
    assert [(d.version, d.verb, d.actor) for d in kept] == [
        (1, "draft", "enterprise:wang"), (2, "submit", "enterprise:wang"), (3, "accept", "officer:li"),
        (4, "start_review", "officer:li"), (5, "judge", "expert:chen"), (6, "propose", "officer:li"),
        (7, "open_notice", "officer:li"), (8, "record", "system:system"), (9, "grant", "officer:li"),
    ]  # fmt: skip


async def test_a_submission_pins_the_edition_of_the_day_by_date_and_hash(way: Way, clock: FixedClock) -> None:
    clock.set(datetime(2015, 12, 31, 15, 59, tzinfo=UTC))
    way.case_type = "review_2008"
    case = await way.drafted(
        papers=["application_form", "rd_audit", "rd_activity_report", "high_tech_revenue_audit"]
    )
    submitted = await way.step("submit_case", APPLICANT, case.case_id)
    edition = way.work.rulebooks.edition("hnte", date(2008, 1, 1))
    assert (submitted.edition, submitted.edition_hash) == (date(2008, 1, 1), edition.hash)
    assert submitted.applied_on == date(2015, 12, 31)
    clock.set(datetime(2016, 3, 1, tzinfo=UTC))
    await way.step("accept_case", OFFICER, case.case_id)
    assert way.work.pinned(submitted) is edition


async def test_missing_documents_are_named_one_by_one(way: Way) -> None:
    case = await way.drafted(papers=[paper for paper in PAPERS if paper not in ("rd_audit", "cit_returns")])
    with pytest.raises(MissingDocuments) as refused:
        await way.step("submit_case", APPLICANT, case.case_id)
    assert refused.value.fields["documents"] == ["rd_audit", "cit_returns"]
    assert "企业所得税年度纳税申报表" in str(refused.value)
    assert "CIT annual returns" in str(refused.value)
    assert refused.value.source == "国科发火〔2016〕32号 第十二条(一)"
    assert await state_of(way.db, case.case_id) == "draft"


async def test_the_facts_that_are_judged_are_those_of_the_submission(way: Way, db: Database) -> None:
    case = await way.submitted()
    assert case.enterprise_name == "示例精密制造有限公司"
    assert case.facts["years"][0]["sales_revenue"] == "24000000"
    assert case.verdict == "unknown"


async def test_what_the_service_knows_prevails_over_what_the_applicant_says(way: Way) -> None:
    case = await way.drafted()
    await way.step("revise_case", APPLICANT, case.case_id, facts={"conversions": [], "choices": {"a": "b"}})
    submitted = await way.step("submit_case", APPLICANT, case.case_id)
    assert len(submitted.facts["conversions"]) == 12
    assert submitted.facts["choices"] == {"a": "b"}


async def test_an_applicant_cannot_judge_itself(way: Way) -> None:
    case = await way.drafted()
    with pytest.raises(NotYours):
        await way.step("revise_case", APPLICANT, case.case_id, facts={"judgements": JUDGEMENTS})


async def test_two_officers_at_once_and_the_slower_one_is_told(way: Way) -> None:
    case = await way.submitted()
    async with way.db.transaction(OFFICER) as faster:
        await use_cases.accept_case(way.work, faster, case.case_id, expected=case.version)
        slower = asyncio.create_task(
            way.step(
                "return_case",
                Actor("zhao", "officer"),
                case.case_id,
                defects=["stamp"],
                expected=case.version,
            )
        )
        await asyncio.wait([slower], timeout=0.3)
    with pytest.raises(PreconditionFailed):
        await slower
    assert [d.verb for d in await store.list_decisions(way.db, case.case_id)] == ["draft", "submit", "accept"]


async def test_a_rollback_publishes_nothing_and_decides_nothing(way: Way) -> None:
    case = await way.drafted()
    with pytest.raises(RuntimeError):
        async with way.db.transaction(APPLICANT) as tx:
            await use_cases.submit_case(way.work, tx, case.case_id)
            raise RuntimeError("the machine dies")
    assert await way.said() == []
    assert await state_of(way.db, case.case_id) == "draft"
    assert await way.db.fetchval("SELECT count(*) FROM decisions") == 1


async def test_a_grant_is_not_proposed_before_the_verdict_is_pass(way: Way) -> None:
    case = await way.in_review()
    with pytest.raises(NotPassed) as refused:
        await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    assert refused.value.fields["verdict"] == "unknown"
    assert "H2" in refused.value.fields["unknown"]
    judged = await way.step(
        "judge_case", EXPERT, case.case_id, judgements={**JUDGEMENTS, "in_supported_field": False}
    )
    assert judged.verdict == "fail"
    with pytest.raises(NotPassed) as refused:
        await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    assert refused.value.fields["failed"] == "H3"


async def test_a_judgement_is_kept_per_person_and_version(way: Way) -> None:
    case = await way.in_review()
    for points in (7, 8):
        await way.step("judge_case", EXPERT, case.case_id, judgements={"ip_advancement": points})
    rows = await way.db.fetch("SELECT judge, version, value FROM judgements ORDER BY version")
    assert [(row["judge"], row["version"], row["value"]) for row in rows] == [
        ("expert:chen", 1, "7"),
        ("expert:chen", 2, "8"),
    ]


async def test_where_two_experts_differ_the_verdict_stays_unknown(way: Way) -> None:
    case = await way.judged()
    assert case.verdict == "pass"
    case = await way.step(
        "judge_case", Actor("sun", "expert"), case.case_id, judgements={"in_supported_field": False}
    )
    assert case.verdict == "unknown"


async def test_a_right_that_is_older_than_the_enterprise_is_refused_at_the_submission(way: Way) -> None:
    async def older(_tx: Transaction, _enterprise_id: str) -> dict[str, Any]:
        return {**FIRM, "ip": [{**FIRM["ip"][0], "granted_on": "2010-03-14"}]}

    case = await way.drafted()
    way.work.facts_of = older
    with pytest.raises(UnusableInput) as refused:
        await way.step("submit_case", APPLICANT, case.case_id)
    assert (refused.value.path, refused.value.rule_id) == ("ip[0].granted_on", "before_founding")


@pytest.mark.parametrize("judgements", [{"ip_advancement": 9}, {"ip_advancement": 6.5}, {"sme_rd": 1}, {}])
async def test_a_judgement_outside_the_law_is_refused_and_nothing_kept(
    way: Way, judgements: dict[str, Any]
) -> None:
    case = await way.in_review()
    with pytest.raises(UnusableInput):
        await way.step("judge_case", EXPERT, case.case_id, judgements=judgements)
    assert await way.db.fetchval("SELECT count(*) FROM judgements") == 0


async def test_an_officer_does_not_fill_an_experts_item(way: Way) -> None:
    case = await way.in_review()
    with pytest.raises(NotYourJudgement):
        await way.step("judge_case", OFFICER, case.case_id, judgements={"ip_advancement": 7})


async def test_nobody_judges_a_case_that_is_not_in_review(way: Way) -> None:
    case = await way.submitted()
    with pytest.raises(WrongState, match="accept, return"):
        await way.step("judge_case", EXPERT, case.case_id, judgements=JUDGEMENTS)


async def test_a_returned_case_is_mended_and_keeps_its_day_and_edition(way: Way, clock: FixedClock) -> None:
    case = await way.submitted()
    with pytest.raises(ReasonsNeeded):
        await way.step("return_case", OFFICER, case.case_id, defects=[])
    returned = await way.step("return_case", OFFICER, case.case_id, defects=["the audit lacks a page"])
    assert returned.defects == ("the audit lacks a page",)
    clock.advance(timedelta(days=9))
    again = await way.step("submit_case", APPLICANT, case.case_id)
    assert (again.state, again.applied_on, again.edition_hash) == (
        "submitted",
        case.applied_on,
        case.edition_hash,
    )
    assert again.defects == ()


async def test_one_application_a_year_where_the_edition_says_so(way: Way, clock: FixedClock) -> None:
    await way.submitted()
    second = await way.drafted()
    with pytest.raises(AppliedThisYear):
        await way.step("submit_case", APPLICANT, second.case_id)
    clock.set(datetime(2017, 2, 1, tzinfo=UTC))
    assert (await way.step("submit_case", APPLICANT, second.case_id)).once_in_year == 2017


async def test_a_case_of_somebody_else_is_not_found_and_a_role_without_the_right_is_forbidden(
    way: Way,
) -> None:
    case = await way.drafted()
    with pytest.raises(NotFound):
        await way.step("submit_case", STRANGER, case.case_id)
    with pytest.raises(Forbidden):
        await way.step("accept_case", EXPERT, case.case_id)
    async with way.db.transaction(STRANGER) as tx:
        with pytest.raises(NotFound):
            await use_cases.draft_case(way.work, tx, enterprise_id=USCC, programme="hnte", case_type="first")


async def test_a_decision_cannot_be_rewritten(way: Way) -> None:
    await way.drafted()
    with pytest.raises(Exception, match="append-only"):
        async with way.db.transaction() as tx:
            await tx.execute("UPDATE decisions SET actor = 'officer:nobody'")
