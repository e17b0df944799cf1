"""Sheets: bands prefilled, sealed until all are in, means exact, outliers named, and the verdict that follows."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from casework import store
from casework.expert import Seat
from casework.lifecycle import WrongState
from casework.unusable import UnusableInput
from casework.use_cases import declare_interest, read_sheet
from casework.use_cases.refusals import (
    NotOnYourSheet,
    SheetHandedIn,
    SheetIncomplete,
    SheetNeeded,
    SheetsOpened,
    SheetsSealed,
    TiedToEnterprise,
)
from casework_way import EXPERT, OFFICER, USCC
from chassis.errors import Forbidden, NotFound, PreconditionFailed
from chassis.identity import Actor
from panel_way import Bureau, actor_of, given_by, of_kind

AUDITOR = Actor("sun", "auditor")


async def test_a_sheet_shows_each_line_with_the_band_that_the_facts_reach(
    bureau: Bureau, seats: list[Seat]
) -> None:
    async with bureau.way.db.transaction(actor_of(of_kind(seats, "financial")[0])) as tx:
        financial = await read_sheet(bureau.way.work, tx, tx.actor, seats[0].case_id)
    lines = {line.name: line for line in financial.lines}
    assert list(lines) == ["growth_net_assets", "growth_sales"]
    growth = lines["growth_sales"]
    assert (growth.band, growth.lo, growth.hi, growth.value) == ("B", "7", "8", "31/96")
    assert growth.prefilled is None
    assert financial.sheet.version == 0


async def test_where_the_law_leaves_one_number_it_stands_there_already(bureau: Bureau) -> None:
    """Net assets that shrink give grade F, which is 0 points and nothing else."""
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    facts = json.loads(json.dumps(case.facts))
    for year, amount in zip(facts["years"], ("9000000", "8000000", "7000000"), strict=True):
        year["net_assets"] = amount
    async with way.db.transaction() as tx:
        await tx.execute("UPDATE cases SET facts = $2 WHERE case_id = $1", case.case_id, facts)
    financial = of_kind(await bureau.drawn(case), "financial")[0]
    form = await bureau.act("fill_sheet", actor_of(financial), case.case_id, {"growth_sales": 8})
    assert [line.prefilled for line in form.lines] == ["0", None]
    done = await bureau.act("hand_in_sheet", actor_of(financial), case.case_id)
    assert dict(done.sheet.given) == {"growth_net_assets": "0", "growth_sales": "8"}


@pytest.mark.parametrize(
    ("kind", "given", "refusal"),
    [
        ("technical", {"conversion": 25}, "judgement_outside_band"),
        ("technical", {"ip_advancement": 9}, "judgement_outside"),
        ("technical", {"ip_advancement": Decimal("6.5")}, "judgement_not_whole"),
        ("technical", {"in_supported_field": 3}, "judgement_not_boolean"),
        ("financial", {"growth_sales": 9}, "judgement_outside_band"),
        ("financial", {"ip_advancement": 7}, None),
        ("financial", {"in_supported_field": True}, None),
        ("technical", {"growth_sales": 8}, None),
        ("technical", {"no_such_item": 8}, None),
    ],
)
async def test_what_is_outside_the_band_or_on_another_sheet_is_refused_and_not_kept(
    bureau: Bureau, seats: list[Seat], kind: str, given: dict[str, Any], refusal: str | None
) -> None:
    seat = of_kind(seats, kind)[0]
    with pytest.raises((UnusableInput, NotOnYourSheet)) as refused:
        await bureau.act("fill_sheet", actor_of(seat), seat.case_id, given)
    assert getattr(refused.value, "rule_id", None) == refusal
    assert await bureau.way.db.fetchval("SELECT count(*) FROM score_sheets") == 0


async def test_sheets_are_sealed_until_the_last_is_in(bureau: Bureau, seats: list[Seat]) -> None:
    """Neither the head nor an officer nor another expert learns anything of a sheet before that."""
    way, case_id = bureau.way, seats[0].case_id
    head = next(seat for seat in seats if seat.head)
    for at, seat in enumerate(seats):
        case = await store.find_case(way.db, case_id)
        assert case is not None
        assert (case.verdict, await store.list_judgements(way.db, case_id)) == ("unknown", [])
        for actor in (actor_of(head), OFFICER, AUDITOR):
            with pytest.raises(SheetsSealed) as sealed:
                await bureau.scores(actor, case_id)
            assert (sealed.value.fields["in_count"], sealed.value.fields["seats"]) == (at, 5)
        await bureau.hand_in(seat)
    scores = await bureau.scores(actor_of(head), case_id)
    assert [row.expert_id for row in scores.sheets] == [seat.expert_id for seat in seats]
    case = await store.find_case(way.db, case_id)
    assert case is not None
    assert case.verdict == "pass"
    judges = {judgement.judge for judgement in await store.list_judgements(way.db, case_id)}
    assert judges == {seat.person for seat in seats}
    assert (await way.said()).count("case-judged") == 1
    for seat in seats:
        if not seat.head:
            with pytest.raises(NotFound):
                await bureau.scores(actor_of(seat), case_id)


async def test_an_unfinished_sheet_is_not_taken_and_a_finished_one_stays(
    bureau: Bureau, seats: list[Seat]
) -> None:
    seat = of_kind(seats, "technical")[0]
    whole = given_by("technical")
    await bureau.act(
        "fill_sheet", actor_of(seat), seat.case_id, {n: v for n, v in whole.items() if n != "rd_body"}
    )
    with pytest.raises(SheetIncomplete) as refused:
        await bureau.act("hand_in_sheet", actor_of(seat), seat.case_id)
    assert refused.value.fields["names"] == ["rd_body"]
    with pytest.raises(PreconditionFailed):
        await bureau.act("fill_sheet", actor_of(seat), seat.case_id, whole, expected=0)
    await bureau.act("fill_sheet", actor_of(seat), seat.case_id, whole, expected=1)
    await bureau.act("hand_in_sheet", actor_of(seat), seat.case_id, expected=2)
    for verb, *what in (("fill_sheet", whole), ("hand_in_sheet",)):
        with pytest.raises(SheetHandedIn):
            await bureau.act(verb, actor_of(seat), seat.case_id, *what)
    with pytest.raises(asyncpg.RaiseError, match="stays as it is"):
        async with bureau.way.db.transaction() as tx:
            await tx.execute("UPDATE score_sheets SET given = '{}'")


async def test_only_the_seated_fill_a_sheet_and_nobody_judges_beside_it(
    bureau: Bureau, seats: list[Seat]
) -> None:
    case_id, whole = seats[0].case_id, given_by("technical")
    for verb, *what in (("fill_sheet", whole), ("hand_in_sheet",)):
        with pytest.raises(NotFound):
            await bureau.act(verb, EXPERT, case_id, *what)
        with pytest.raises(Forbidden):
            await bureau.act(verb, OFFICER, case_id, *what)
    with pytest.raises(SheetNeeded):
        await bureau.way.step("judge_case", actor_of(seats[0]), case_id, judgements={"ip_advancement": 7})


async def test_an_expert_who_turns_out_to_be_tied_hands_in_nothing_and_makes_room(
    bureau: Bureau, seats: list[Seat]
) -> None:
    seat = seats[1]
    async with bureau.way.db.transaction(actor_of(seat)) as tx:
        await declare_interest(tx, USCC, "declared")
    with pytest.raises(TiedToEnterprise):
        await bureau.act("fill_sheet", actor_of(seat), seat.case_id, given_by(seat.kind))
    await bureau.act(
        "recuse_expert", actor_of(seat), seat.case_id, seat.expert_id, reason="my brother works there"
    )
    assert seat.expert_id not in {other.expert_id for other in await bureau.seats(seat.case_id)}
    for other in await bureau.seats(seat.case_id):
        await bureau.hand_in(other)
    case = await store.find_case(bureau.way.db, seat.case_id)
    assert case is not None
    assert case.verdict == "pass"
    with pytest.raises(SheetsOpened):
        await bureau.act("recuse_expert", OFFICER, seat.case_id, seats[0].expert_id, reason="too late")


async def test_the_sheet_of_a_recused_expert_does_not_count(bureau: Bureau, seats: list[Seat]) -> None:
    leaves = of_kind(seats, "technical")[-1]
    await bureau.hand_in(leaves, ip_advancement=0)
    await bureau.act("recuse_expert", OFFICER, leaves.case_id, leaves.expert_id, reason="a complaint")
    for seat in await bureau.seats(leaves.case_id):
        await bureau.hand_in(seat)
    scores = await bureau.scores(OFFICER, leaves.case_id)
    assert leaves.expert_id not in {row.expert_id for row in scores.sheets}
    assert {row.mean for row in scores.items if row.name == "ip_advancement"} == {"7"}


async def test_the_last_two_who_hand_in_at_once_open_the_sheets_once(
    bureau: Bureau, seats: list[Seat]
) -> None:
    for seat in seats[:3]:
        await bureau.hand_in(seat)
    for seat in seats[3:]:
        await bureau.act("fill_sheet", actor_of(seat), seat.case_id, given_by(seat.kind))
    await asyncio.gather(*(bureau.act("hand_in_sheet", actor_of(seat), seat.case_id) for seat in seats[3:]))
    assert (await bureau.way.said()).count("case-judged") == 1
    assert len((await bureau.scores(OFFICER, seats[0].case_id)).sheets) == 5


async def test_no_sheet_is_filled_once_the_case_has_left_the_review(
    bureau: Bureau, seats: list[Seat]
) -> None:
    await bureau.way.step("propose_case", OFFICER, seats[0].case_id, proposal="refuse", reasons=["late"])
    with pytest.raises(WrongState):
        await bureau.act("fill_sheet", actor_of(seats[0]), seats[0].case_id, given_by(seats[0].kind))
