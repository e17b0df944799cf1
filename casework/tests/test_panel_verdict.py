"""What a panel's sheets come to: exact means, the verdict, outliers, yes and no by majority."""

import json
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework import store
from casework.evaluate import compile_edition
from casework.expert import Seat
from casework.facts import facts_from
from casework.rulebook import load_edition
from casework.score_sheets import Filled, agreed, means_of
from casework.use_cases.refusals import (
    NotPassed,
    PanelNeeded,
)
from casework_way import EXPERT, JUDGEMENTS, OFFICER, RULEBOOKS
from panel_way import Bureau, actor_of, given_by, of_kind

EDITION = load_edition(RULEBOOKS / "hnte/2016-01-01.yaml")


async def test_means_are_exact_and_the_total_follows_from_them(bureau: Bureau, seats: list[Seat]) -> None:
    way, case_id = bureau.way, seats[0].case_id
    technical = of_kind(seats, "technical")
    for at, seat in enumerate(technical):
        await bureau.hand_in(seat, ip_advancement=6 if at == 0 else 7, rd_rules=at % 2)
    for seat in of_kind(seats, "financial"):
        await bureau.hand_in(seat)
    scores = await bureau.scores(OFFICER, case_id)
    n = len(technical)
    means = {row.name: row.mean for row in scores.items}
    assert Fraction(means["ip_advancement"]) == 7 - Fraction(1, n)
    assert Fraction(means["rd_rules"]) == Fraction(n // 2, n)
    # 83 with every expert alike: the IP group holds 28 of 30, so nothing is capped
    total = 83 - Fraction(1, n) - 5 + Fraction(n // 2, n)
    assert [Fraction(edge or 0) for edge in (scores.total_lo, scores.total_hi)] == [total, total]
    case = await store.find_case(way.db, case_id)
    assert case is not None
    assert case.answer is not None
    assert Fraction(case.answer["score"]["lo"]) == total
    said = json.loads(await way.db.fetchval("SELECT payload FROM events WHERE type LIKE '%case-judged%'"))
    assert Fraction(said["score_lo"]) <= total <= Fraction(said["score_hi"])
    assert Fraction(said["score_hi"]) - Fraction(said["score_lo"]) <= Fraction(1, 10**12)


@pytest.mark.parametrize(("lowered", "verdict"), [(0, "pass"), (1, "fail")])
async def test_seventy_is_not_above_seventy_but_the_least_more_is(
    bureau: Bureau, seats: list[Seat], lowered: int, verdict: str
) -> None:
    """Everybody gives 70; of the first technical expert one item is a point higher, or not."""
    way, case_id = bureau.way, seats[0].case_id
    # IP 28 -> 23, R&D organisation 17 -> 9: 83 - 13
    low = {"ip_advancement": 4, "ip_core_support": 6, "ip_acquisition": 4, "rd_rules": 1, "rd_body": 1}
    technical = of_kind(seats, "technical")
    for at, seat in enumerate(technical):
        await bureau.hand_in(seat, **{**low, "rd_rules": 1 + (at == 0) - (lowered and at == 0)})
    for seat in of_kind(seats, "financial"):
        await bureau.hand_in(seat)
    case = await store.find_case(way.db, case_id)
    assert case is not None
    assert case.answer is not None
    assert Fraction(case.answer["score"]["lo"]) == 70 + Fraction(1 - lowered, len(technical))
    assert case.verdict == verdict


async def test_an_expert_far_from_the_median_is_shown_to_the_head(bureau: Bureau, seats: list[Seat]) -> None:
    technical = of_kind(seats, "technical")
    harsh = technical[-1]
    for seat in technical:
        low = {"rd_rules": 0, "rd_body": 0, "conversion_incentives": 0} if seat is harsh else {}
        await bureau.hand_in(seat, **low)
    for seat in of_kind(seats, "financial"):
        await bureau.hand_in(seat)
    scores = await bureau.scores(actor_of(next(seat for seat in seats if seat.head)), harsh.case_id)
    assert {row.expert_id: row.away for row in scores.sheets if row.outlier} == {harsh.expert_id: "13"}
    assert (scores.outlier_points, scores.outlier_verified) == ("10", False)
    spread = {row.name: row.spread for row in scores.items}
    assert (spread["rd_rules"], spread["conversion"]) == ("5", "0")


async def test_without_a_majority_a_yes_or_no_is_open_and_an_officer_answers(
    bureau: Bureau, seats: list[Seat]
) -> None:
    way, case_id = bureau.way, seats[0].case_id
    technical = of_kind(seats, "technical")
    for at, seat in enumerate(technical):
        answers = {"in_supported_field": at % 2 == 0} if len(technical) % 2 == 0 or at < 2 else {}
        filled = {**given_by("technical"), **answers}
        if at >= 2 and len(technical) % 2:
            del filled["in_supported_field"]
        await bureau.act("fill_sheet", actor_of(seat), case_id, filled)
        await bureau.act("hand_in_sheet", actor_of(seat), case_id)
    for seat in of_kind(seats, "financial"):
        await bureau.hand_in(seat)
    case = await store.find_case(way.db, case_id)
    assert case is not None
    assert case.verdict == "unknown"
    judged = await way.step("judge_case", OFFICER, case_id, judgements={"in_supported_field": True})
    assert judged.verdict == "pass"


async def test_what_an_expert_judged_before_the_draw_no_longer_counts(bureau: Bureau) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    judged = await bureau.way.step("judge_case", EXPERT, case.case_id, judgements=JUDGEMENTS)
    assert judged.verdict == "pass"
    await bureau.drawn(judged)
    case = await bureau.way.step("judge_case", OFFICER, case.case_id, judgements={"in_supported_field": True})
    assert case.verdict == "unknown"
    with pytest.raises(NotPassed):
        await bureau.way.step("propose_case", OFFICER, case.case_id, proposal="grant")


async def test_an_edition_may_grant_on_a_panels_sheets_alone(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = bureau.way
    await bureau.directory()
    edition = way.work.rulebooks.edition("hnte", EDITION.in_force_from)
    compulsory = edition.parameters["panel.yes_no"].model_copy(update={"value": True})
    monkeypatch.setitem(
        edition.__dict__, "parameters", {**edition.parameters, "panel.compulsory": compulsory}
    )
    case = await way.judged()
    with pytest.raises(PanelNeeded) as refused:
        await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    assert refused.value.source == "国科发火〔2016〕195号 二(四)"
    for seat in await bureau.drawn(case):
        await bureau.hand_in(seat)
    assert (await way.step("propose_case", OFFICER, case.case_id, proposal="grant")).proposal == "grant"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=9))
def test_a_mean_is_a_fraction_whatever_the_number_of_sheets(points: list[int]) -> None:
    names = [item.id for item in EDITION.score.items if item.by == "technical"] if EDITION.score else []
    sheets = [
        Filled(UUID(int=at), "technical", dict.fromkeys(names, str(one))) for at, one in enumerate(points)
    ]
    means = means_of(EDITION, sheets)
    assert set(means) == set(names)
    assert set(means.values()) == {Fraction(sum(points), len(points))}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), max_size=9))
def test_yes_needs_more_than_half_of_those_who_answer(said: list[bool | None]) -> None:
    sheets = [
        Filled(UUID(int=at), "technical", {} if one is None else {"in_supported_field": one})
        for at, one in enumerate(said)
    ]
    yes, no = said.count(True), said.count(False)
    expected = {} if yes == no else {"in_supported_field": yes > no}
    assert agreed(EDITION, sheets) == expected


@pytest.mark.parametrize("share", [Fraction(1, 3), Fraction(3, 4), Fraction(17, 20), Fraction(1)])
def test_a_mean_stands_where_the_experts_count_differently(share: Fraction) -> None:
    """2008: each sheet is in the band of its own count of checks, the mean need not be in that of the majority."""
    evaluator = compile_edition(load_edition(RULEBOOKS / "hnte/2008-01-01.yaml"))
    facts = facts_from({"judgements": {"rd_checks_met": 4}})
    means = {"rd_organisation": share, "core_ip": Fraction(1, 7)}
    verdict = evaluator.judge(facts, means=means)
    assert verdict.score is not None
    item = next(item for item in verdict.score.items if item.id == "rd_organisation")
    assert item.given == 20 * share
    assert verdict.score.lo <= verdict.score.hi
