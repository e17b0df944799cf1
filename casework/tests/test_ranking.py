"""What a quota means: an order, a cut, and no proposal beyond it."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.case import Outcome
from casework.ranking import Cut, Entry, rank
from casework.round import Call, Round
from casework.use_cases import call_round, propose_case, rank_round
from casework.use_cases.refusals import FourEyes, QuotaSpent
from casework_way import APPLICANT, EXPERT, JUDGEMENTS, OFFICER, RULEBOOKS, STRANGER, USCC, Way, state_of
from chassis.errors import Forbidden
from chassis.identity import Actor

CALL: dict[str, Any] = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": date(2016, 8, 1), "closes_on": date(2016, 8, 31),
    "forwards_on": date(2016, 9, 30), "quota": 1, "source": "粤科函高字〔2016〕1号",
}  # fmt: skip
COLLEAGUE = Actor("zhao", "officer")


def entry(score: str | None, verdict: Outcome = "pass") -> Entry:
    return Entry(
        case_id=uuid4(),
        enterprise_id=USCC,
        enterprise_name=None,
        state="in_review",
        verdict=verdict,
        score=score,
    )


@pytest.mark.parametrize(
    ("scores", "quota", "cuts"),
    [
        (["90", "85", "80"], 2, ["listed", "listed", "reserve"]),
        (["90", "85", "85"], 2, ["listed", "tied", "tied"]),
        (["90", "90", "85"], 2, ["listed", "listed", "reserve"]),
        (["90", "85"], None, ["listed", "listed"]),
        (["254/3", "84.67", "84.66"], 1, ["reserve", "listed", "reserve"]),
    ],
)
def test_the_quota_cuts_between_scores_and_leaves_ties_to_people(
    scores: list[str], quota: int | None, cuts: list[Cut]
) -> None:
    entries = [entry(score) for score in scores]
    found = {one.case_id: one.cut for one in rank(entries, quota)}
    assert [found[one.case_id] for one in entries] == cuts


def test_who_has_not_passed_has_no_place_however_high_the_score() -> None:
    ranked = rank([entry("99", "fail"), entry("98", "unknown"), entry("71")], 3)
    assert [(one.place, one.cut) for one in ranked] == [
        (1, "listed"),
        (None, "not_passed"),
        (None, "not_passed"),
    ]


@given(st.lists(st.integers(71, 75)), st.integers(1, 10))
def test_never_more_are_listed_than_the_quota_and_nobody_below_the_cut_stands_above_it(
    scores: list[int], quota: int
) -> None:
    ranked = rank([entry(str(score)) for score in scores], quota)
    listed = [int(one.score or 0) for one in ranked if one.cut == "listed"]
    below = [int(one.score or 0) for one in ranked if one.cut != "listed"]
    assert len(listed) <= quota
    assert not listed or not below or min(listed) > max(below)
    assert len(scores) > quota or len(listed) == len(scores)


async def called(way: Way, **changes: Any) -> Round:
    async with way.db.transaction(OFFICER) as tx:
        return await call_round(way.work, tx, Call.model_validate(CALL | changes))


async def two_judged(way: Way) -> list[UUID]:
    cases = []
    for applicant in (APPLICANT, STRANGER):
        way.applicant = applicant
        cases.append((await way.judged()).case_id)
    return cases


async def test_of_two_officers_who_propose_at_once_one_gets_the_last_place(way: Way) -> None:
    await called(way)
    first, second = await two_judged(way)
    async with way.db.transaction(OFFICER) as tx:
        await propose_case(way.work, tx, first, proposal="grant")
        slower = asyncio.create_task(way.step("propose_case", COLLEAGUE, second, proposal="grant"))
        await asyncio.wait({slower}, timeout=1)
        assert not slower.done()
    with pytest.raises(QuotaSpent):
        await slower
    assert [await state_of(way.db, one) for one in (first, second)] == ["proposed", "in_review"]


async def test_a_place_is_free_again_when_its_case_is_withdrawn(way: Way) -> None:
    await called(way)
    first, second = await two_judged(way)
    await way.step("propose_case", OFFICER, first, proposal="grant")
    with pytest.raises(QuotaSpent, match="2016年第二批 recommends 1"):
        await way.step("propose_case", OFFICER, second, proposal="grant")
    await way.step("withdraw_case", APPLICANT, first)
    assert (await way.step("propose_case", OFFICER, second, proposal="grant")).state == "proposed"


async def test_a_round_is_ranked_for_officers_and_auditors(way: Way) -> None:
    own = await called(way)
    first, second = await two_judged(way)
    await way.step("judge_case", EXPERT, second, judgements=JUDGEMENTS | {"conversion": 24})
    ranked = await rank_round(way.db, OFFICER, own.round_id)
    assert [(one.case_id, one.place, one.cut) for one in ranked] == [
        (second, 1, "listed"),
        (first, 2, "reserve"),
    ]
    with pytest.raises(Forbidden):
        await rank_round(way.db, EXPERT, own.round_id)


async def test_where_the_edition_asks_for_four_eyes_who_proposed_does_not_publish(
    way: Way, tmp_path: Path
) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    (tmp_path / "hnte").mkdir()
    apart = text.replace(
        "to: on_notice, by: [officer], source", "to: on_notice, by: [officer], not_by: [propose], source", 1
    )
    assert apart != text
    (tmp_path / "hnte/2016-01-01.yaml").write_text(apart, encoding="utf-8")
    way.work.load(tmp_path)
    case = await way.judged()
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    with pytest.raises(FourEyes, match="propose"):
        await way.step("open_notice", OFFICER, case.case_id)
    assert (await way.step("open_notice", COLLEAGUE, case.case_id)).state == "on_notice"
