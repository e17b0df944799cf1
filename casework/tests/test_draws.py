"""The draw on real tables: frozen, revealed once, explained, and nobody tied to an enterprise acts on its case."""

import asyncio
import json
from uuid import uuid4

import asyncpg
import pytest

from casework.draw_file import Differs, Draw, verify
from casework.expert import Entry
from casework.panel import NobodyLeft, PanelTooSmall, PoolTooSmall
from casework.use_cases import add_expert, change_expert, read_draw
from casework.use_cases.refusals import (
    BeaconMismatch,
    DrawnAlready,
    DrawRevealedBefore,
    NotDrawable,
    ReasonsNeeded,
)
from casework_way import APPLICANT, EXPERT, OFFICER, USCC
from chassis.errors import Forbidden, NotFound
from chassis.identity import Actor
from panel_way import Bureau, entry

ZHAO = Actor("zhao", "officer")


async def test_a_panel_follows_from_the_published_draw(bureau: Bureau) -> None:
    way = bureau.way
    experts = await bureau.directory()
    case = await way.in_review()
    sealed = await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    shown = await read_draw(way.db, sealed.pool.draw_id)
    assert (shown.seed, shown.panels) == (None, ())
    assert {expert.expert_id for expert in sealed.pool.experts} == {expert.expert_id for expert in experts}
    await bureau.act("reveal_draw", OFFICER, sealed.pool.draw_id)
    shown = await read_draw(way.db, sealed.pool.draw_id)
    verified = verify(shown.model_dump_json(), pool_hash=sealed.pool_hash, seed_hash=sealed.seed_hash)
    assert isinstance(verified, Draw)
    seats = await bureau.seats(case.case_id)
    assert [(s.expert_id, s.head) for s in seats] == [
        (p.expert_id, p.head) for p in verified.panels[0].seated
    ]
    assert sum(seat.kind == "technical" for seat in seats) >= 3
    assert sum(seat.kind == "financial" for seat in seats) >= 1
    assert [seat.kind for seat in seats if seat.head] == ["technical"]


async def test_a_draw_says_ids_alone_and_the_commitment_before_the_seed(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    seats = await bureau.drawn(case)
    rows = await way.db.fetch(
        "SELECT type, key, payload FROM events WHERE topic = 'certification.draws' ORDER BY id"
    )
    assert [row["type"].split(".")[3] for row in rows] == ["draw-committed", "draw-revealed", "panel-drawn"]
    said = [json.loads(row["payload"]) for row in rows]
    assert {row["key"] for row in rows} == {str(seats[0].draw_id)}
    assert "seed" not in said[0]
    assert said[0]["cases"] == [str(case.case_id)]
    assert said[2]["experts"] == [str(seat.expert_id) for seat in seats]
    text = json.dumps(said, ensure_ascii=False)
    assert "专家" not in text
    assert "expert0" not in text


async def test_each_expert_is_called_once_by_how_it_signs_in_and_told_when_it_leaves(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    seats = await bureau.drawn(case)
    after = await bureau.act("recuse_expert", OFFICER, case.case_id, seats[0].expert_id, reason="ill")
    rows = await way.db.fetch(
        "SELECT type, key, payload FROM events WHERE topic = 'certification.seats' ORDER BY id"
    )
    said = [(row["type"].split(".")[3], json.loads(row["payload"])) for row in rows]
    assert [fact for fact, _ in said] == ["expert-called"] * 5 + ["expert-released", "expert-called"]
    called = {one["expert_id"]: (one["subject"], one["seats"], one["steps_in"]) for _, one in said[:5]}
    assert called == {str(seat.expert_id): (seat.subject, 1, False) for seat in seats}
    comes = next(seat for seat in after if seat.expert_id not in {seat.expert_id for seat in seats})
    assert (said[5][1]["subject"], said[6][1]["subject"]) == (seats[0].subject, comes.subject)
    assert said[6][1]["steps_in"] is True
    assert [row["key"] for row in rows] == [one["expert_id"] for _, one in said]
    assert "专家" not in json.dumps([one for _, one in said], ensure_ascii=False)
    assert all("case_id" not in one for _, one in said)


async def test_between_commitment_and_reveal_nobody_changes_the_pool(bureau: Bureau) -> None:
    """The directory goes on living; the draw has its own copy, which the database lets nobody touch."""
    way = bureau.way
    experts = await bureau.directory()
    case = await way.in_review()
    sealed = await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    async with way.db.transaction(OFFICER) as tx:
        for place, expert in enumerate(experts, 1):
            await change_expert(tx, expert.expert_id, Entry.model_validate(entry(place, active=False)))
    for statement in (
        'UPDATE draws SET pool = pool || \'{"programme": "sme"}\'',
        "UPDATE draws SET seed = decode(repeat('00', 32), 'hex'), seed_hash = encode(sha256(decode(repeat('00', 32), 'hex')), 'hex')",
        "UPDATE draws SET pool_hash = repeat('0', 64)",
        "DELETE FROM draws",
    ):
        with pytest.raises(asyncpg.RaiseError, match="only ever revealed"):
            async with way.db.transaction() as tx:
                await tx.execute(statement)
    revealed = await bureau.act("reveal_draw", OFFICER, sealed.pool.draw_id)
    assert (revealed.pool_hash, revealed.pool.hash()) == (sealed.pool_hash, sealed.pool_hash)
    assert len(await bureau.seats(case.case_id)) == 5
    with pytest.raises(asyncpg.RaiseError, match="only ever revealed"):
        async with way.db.transaction() as tx:
            await tx.execute("UPDATE draws SET beacon = 'another'")


async def test_a_pool_changed_below_the_service_no_longer_has_its_hash(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    seats = await bureau.drawn(case)
    async with way.db.transaction() as tx:
        await tx.execute("ALTER TABLE draws DISABLE TRIGGER committed")
        await tx.execute("UPDATE draws SET pool = jsonb_set(pool, '{experts,0,kind}', '\"management\"')")
    with pytest.raises(Differs, match="pool_hash"):
        verify((await read_draw(way.db, seats[0].draw_id)).model_dump_json())


async def test_a_draw_is_revealed_once_and_a_case_is_drawn_once(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    [seat, *_] = await bureau.drawn(case)
    with pytest.raises(DrawRevealedBefore):
        await bureau.act("reveal_draw", OFFICER, seat.draw_id)
    with pytest.raises(DrawnAlready):
        await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    assert (await way.said()).count("draw-committed") == 1


async def test_two_officers_who_commit_at_once_make_one_draw(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    done = await asyncio.gather(
        *(bureau.act("commit_draw", who, {case.case_id: None}) for who in (OFFICER, ZHAO)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["Draw", "DrawnAlready"]
    assert await way.db.fetchval("SELECT count(*) FROM draws") == 1


async def test_a_beacon_that_was_named_is_needed_and_mixed_in(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    sealed = await bureau.act("commit_draw", OFFICER, {case.case_id: None}, beacon_named="双色球 2016090")
    with pytest.raises(BeaconMismatch):
        await bureau.act("reveal_draw", OFFICER, sealed.pool.draw_id)
    draw = await bureau.act("reveal_draw", OFFICER, sealed.pool.draw_id, beacon="07 11 19 22 30 33 + 05")
    verify(draw.model_dump_json())
    with pytest.raises(Differs, match="panels"):
        verify(draw.model_copy(update={"beacon": "08 11 19 22 30 33 + 05"}).model_dump_json())


async def test_a_pool_too_small_is_refused_with_the_rule_and_its_source(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory(14)
    case = await way.in_review()
    with pytest.raises(PoolTooSmall) as refused:
        await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    assert (refused.value.rule, refused.value.source) == (
        "panel.pool_multiple",
        "国科发火〔2016〕195号 一(五)、二(四)",
    )
    async with way.db.transaction(OFFICER) as tx:
        await add_expert(tx, Entry.model_validate(entry(15, employer_id=USCC)))
    with pytest.raises(PoolTooSmall, match="14 experts"):
        await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    with pytest.raises(PanelTooSmall):
        await bureau.act("commit_draw", OFFICER, {case.case_id: None}, size=4)
    assert await way.db.fetchval("SELECT count(*) FROM draws") == 0


async def test_a_recusal_seats_the_next_one_of_the_same_ranking(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    before = await bureau.drawn(case)
    head = next(seat for seat in before if seat.head)
    with pytest.raises(NotFound):
        await bureau.act(
            "recuse_expert", Actor(before[-1].subject, "expert"), case.case_id, head.expert_id, reason="ill"
        )
    with pytest.raises(ReasonsNeeded):
        await bureau.act("recuse_expert", OFFICER, case.case_id, head.expert_id, reason=" ")
    await bureau.act(
        "recuse_expert",
        Actor(head.subject, "expert"),
        case.case_id,
        head.expert_id,
        reason="a former student",
    )
    after = await bureau.seats(case.case_id)
    assert {seat.expert_id for seat in before} - {seat.expert_id for seat in after} == {head.expert_id}
    assert [seat.kind for seat in after if seat.head] == ["technical"]
    published = verify((await read_draw(way.db, head.draw_id)).model_dump_json())
    assert isinstance(published, Draw)
    assert [(s.expert_id, s.head) for s in after] == [
        (p.expert_id, p.head) for p in published.panels[0].seated
    ]
    said = json.loads(await way.db.fetchval("SELECT payload FROM events WHERE type LIKE '%expert-recused%'"))
    assert said["expert_id"] == str(head.expert_id)
    assert "former student" not in json.dumps(said)
    with pytest.raises(NotFound):
        await bureau.act("recuse_expert", OFFICER, case.case_id, head.expert_id, reason="again")


async def test_a_pool_that_is_used_up_refuses_the_recusal(bureau: Bureau) -> None:
    """Two financial experts, and both leave."""
    way = bureau.way
    await bureau.directory(9)
    async with way.db.transaction(OFFICER) as tx:
        for place in range(11, 20):
            given = {**entry(place), "kind": "technical"}
            await add_expert(tx, Entry.model_validate(given))
    case = await way.in_review()
    seats = await bureau.drawn(case)
    for _ in range(2):
        financial = next((seat for seat in seats if seat.kind == "financial"), None)
        if financial is None:
            break
        try:
            await bureau.act("recuse_expert", OFFICER, case.case_id, financial.expert_id, reason="ill")
        except NobodyLeft:
            break
        seats = await bureau.seats(case.case_id)
    with pytest.raises(NobodyLeft):
        last = next(seat for seat in seats if seat.kind == "financial")
        await bureau.act("recuse_expert", OFFICER, case.case_id, last.expert_id, reason="ill")
    assert len(await bureau.seats(case.case_id)) == 5


async def test_cases_that_cannot_be_drawn_are_refused_and_nothing_is_kept(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.submitted()
    with pytest.raises(NotDrawable):
        await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    with pytest.raises(NotFound):
        await bureau.act("commit_draw", OFFICER, {uuid4(): None})
    for who in (EXPERT, APPLICANT):
        with pytest.raises(Forbidden):
            await bureau.act("commit_draw", who, {case.case_id: None})
    assert await way.db.fetchval("SELECT count(*) FROM draws") == 0


async def test_a_case_withdrawn_before_the_reveal_gets_no_panel(bureau: Bureau) -> None:
    way = bureau.way
    await bureau.directory()
    case = await way.in_review()
    draw = await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    await way.step("withdraw_case", APPLICANT, case.case_id)
    revealed = await bureau.act("reveal_draw", OFFICER, draw.pool.draw_id)
    verify(revealed.model_dump_json())
    assert await bureau.seats(case.case_id) == []
    assert "panel-drawn" not in await way.said()
