"""The directory of experts, and ties: nobody tied to an enterprise acts on its case."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from casework.expert import Entry
from casework.use_cases import add_expert, change_expert, declare_interest, end_interest
from casework.use_cases.experts import KnownSubject, NotForOthers, OwnTie
from casework.use_cases.refusals import (
    TiedToEnterprise,
)
from casework_way import EXPERT, OFFICER, OTHER, USCC, state_of
from chassis.clock import FixedClock
from chassis.errors import Forbidden, PreconditionFailed
from chassis.identity import Actor
from panel_way import Bureau, entry

ZHAO = Actor("zhao", "officer")


async def test_who_is_away_retired_or_of_another_field_is_not_drawn(
    bureau: Bureau, clock: FixedClock
) -> None:
    way, today = bureau.way, clock.today()
    experts = await bureau.directory(30)
    away: dict[int, dict[str, Any]] = {
        3: {"active": False},
        5: {"available_until": today - timedelta(days=1)},
        6: {"available_from": today + timedelta(days=1)},
        7: {"available_from": today, "available_until": today},
    }
    async with way.db.transaction(OFFICER) as tx:
        for place, expert in enumerate(experts, 1):
            fields = ["新材料"] if place < 26 else ["电子信息"]
            changed = entry(place, fields=fields, **away.get(place, {}))
            await change_expert(tx, expert.expert_id, Entry.model_validate(changed))
    case = await way.in_review()
    draw = await bureau.act("commit_draw", OFFICER, {case.case_id: "新材料"})
    pooled = {expert.expert_id for expert in draw.pool.experts}
    assert {experts[place - 1].expert_id for place in (3, 5, 6)}.isdisjoint(pooled)
    assert experts[6].expert_id in pooled
    await bureau.act("reveal_draw", OFFICER, draw.pool.draw_id)
    others = {expert.expert_id for expert in experts[25:] if expert.kind == "technical"}
    assert not others & {seat.expert_id for seat in await bureau.seats(case.case_id)}


@pytest.mark.parametrize("ground", ["employer", "holding", "declared", "another enterprise", "ended"])
async def test_an_expert_tied_to_the_enterprise_is_barred_from_its_case(bureau: Bureau, ground: str) -> None:
    way = bureau.way
    ties: dict[str, dict[str, Any]] = {
        "employer": {"employer_id": USCC}, "holding": {"holdings": [OTHER, USCC]},
        "another enterprise": {"employer_id": OTHER, "holdings": [OTHER]},
    }  # fmt: skip
    first, *_ = await bureau.directory(**ties.get(ground, {}))
    if ground in ("declared", "ended"):
        async with way.db.transaction(Actor("expert01", "expert")) as tx:
            interest = await declare_interest(tx, USCC, "declared")
    if ground == "ended":
        async with way.db.transaction(OFFICER) as tx:
            await end_interest(tx, interest.interest_id)
    case = await way.in_review()
    draw = await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    barred = ground in ("employer", "holding", "declared")
    assert draw.pool.cases[0].barred == ((first.expert_id,) if barred else ())


@pytest.mark.parametrize("verb", ["accept_case", "return_case", "commit_draw"])
async def test_an_officer_tied_to_the_enterprise_does_not_act_on_its_case(bureau: Bureau, verb: str) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.submitted()
    if verb == "commit_draw":
        await way.step("accept_case", ZHAO, case.case_id)
    async with way.db.transaction(OFFICER) as tx:
        await declare_interest(tx, USCC, "holding", note="2 % of the shares")
    what: Any = {case.case_id: None} if verb == "commit_draw" else case.case_id
    more = {"defects": ["stamp"]} if verb == "return_case" else {}
    with pytest.raises(TiedToEnterprise) as refused:
        await bureau.act(verb, OFFICER, what, **more)
    assert (refused.value.rule, refused.value.fields["reason"]) == ("conflict_of_interest", "holding")
    await bureau.act(verb, ZHAO, what, **more)


async def test_a_tie_is_ended_by_somebody_else_than_the_person_tied(bureau: Bureau) -> None:
    way = bureau.way
    case = await way.submitted()
    async with way.db.transaction(OFFICER) as tx:
        interest = await declare_interest(tx, USCC, "declared")
        again = await declare_interest(tx, USCC, "declared")
        assert again == interest
    with pytest.raises(OwnTie):
        async with way.db.transaction(OFFICER) as tx:
            await end_interest(tx, interest.interest_id)
    with pytest.raises(Forbidden):
        async with way.db.transaction(EXPERT) as tx:
            await end_interest(tx, interest.interest_id)
    with pytest.raises(NotForOthers):
        async with way.db.transaction(EXPERT) as tx:
            await declare_interest(tx, USCC, "declared", person="officer:li")
    async with way.db.transaction(ZHAO) as tx:
        await end_interest(tx, interest.interest_id)
    await way.step("accept_case", OFFICER, case.case_id)
    assert await state_of(way.db, case.case_id) == "accepted"


async def test_the_directory_keeps_every_version_of_an_entry(bureau: Bureau) -> None:
    way = bureau.way
    first, *_ = await bureau.directory(2)
    with pytest.raises(PreconditionFailed):
        async with way.db.transaction(OFFICER) as tx:
            await change_expert(tx, first.expert_id, Entry.model_validate(entry(1)), expected=4)
    with pytest.raises(KnownSubject):
        async with way.db.transaction(OFFICER) as tx:
            await add_expert(tx, Entry.model_validate(entry(2)))
    async with way.db.transaction(ZHAO) as tx:
        await change_expert(
            tx, first.expert_id, Entry.model_validate(entry(1, employer_id=OTHER)), expected=1
        )
    rows = await way.db.fetch(
        "SELECT version, changed_by FROM expert_versions WHERE expert_id = $1 ORDER BY 1", first.expert_id
    )
    assert [tuple(row) for row in rows] == [(1, "officer:li"), (2, "officer:zhao")]
    with pytest.raises(asyncpg.RaiseError):
        async with way.db.transaction() as tx:
            await tx.execute("DELETE FROM expert_versions")
