"""Random inspections: titles are drawn as panels are, looked at by a day, and a failed look takes nothing away by itself."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from casework.case import Revocation
from casework.draw_file import verify
from casework.round import Call, Round
from casework.sample_store import Whole
from casework.unusable import UnusableInput
from casework.use_cases import Casework, call_round, read_sample
from casework.use_cases.refusals import BatchDrawn, BeaconMismatch, DrawRevealedBefore
from casework_way import OFFICER, RULEBOOKS, STRANGER, Door, casework_door, kept_in
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.storage import Storage
from contracts import certification as events
from inspection_way import Register, SmeWay

ZHAO = Actor("zhao", "officer")
REVOKE = {"ground": "sampling", "conduct_on": date(2026, 8, 20), "reasons": ["no R&D was found on the spot"]}


@pytest.fixture
def work() -> Casework:
    bound = Casework(events=events, facts_of=Register().of)
    bound.load(RULEBOOKS)
    return bound


@pytest.fixture
def way(db: Database, work: Casework, tmp_path: Path, clock: FixedClock) -> SmeWay:
    clock.set(datetime(2026, 7, 1, 2, 0, tzinfo=UTC))
    return SmeWay(db, work, Storage(kept_in(tmp_path)))


@pytest.fixture
def door(db: Database, tmp_path: Path, work: Casework) -> Door:
    return casework_door(db, tmp_path, work)


async def test_titles_are_drawn_by_commitment_and_reveal_and_the_draw_can_be_repeated(way: SmeWay) -> None:
    titles = await way.two_granted()
    committed = await way.committed()
    assert set(committed.pool.cases) == {title.case_id for title in titles}
    assert (committed.seed, (await read_sample(way.db, committed.pool.draw_id)).drawn) == (None, ())
    assert sum([len(await way.rows(title.case_id)) for title in titles]) == 0
    await way.revealed(committed)
    shown = await read_sample(way.db, committed.pool.draw_id)
    hashes = {"pool_hash": committed.pool_hash, "seed_hash": committed.seed_hash}
    assert verify(shown.model_dump_json(), **hashes) == shown
    [drawn] = shown.drawn
    [row] = await way.rows(drawn)
    assert (row.kind, row.state, row.draw_id, row.due_on) == (
        "random", "due", committed.pool.draw_id, date(2026, 12, 15),
    )  # fmt: skip
    assert (await way.said())[-3:] == ["draw-committed", "draw-revealed", "inspection-due"]


async def test_a_title_is_in_one_draw_and_one_granted_later_in_the_next(way: SmeWay) -> None:
    first = await way.granted()
    assert (await way.committed()).pool.cases == (first.case_id,)
    with pytest.raises(BatchDrawn):
        await way.committed()
    way.applicant = STRANGER
    second = await way.granted()
    assert (await way.committed()).pool.cases == (second.case_id,)
    with pytest.raises(BatchDrawn):
        await way.committed()


async def test_two_officers_who_commit_at_once_make_one_draw(way: SmeWay) -> None:
    await way.two_granted()
    done = await asyncio.gather(way.committed(), way.committed(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["BatchDrawn", "Sample"]
    assert await way.db.fetchval("SELECT count(*) FROM inspection_draws") == 1


async def test_a_draw_is_revealed_once_with_the_beacon_that_was_named(way: SmeWay) -> None:
    await way.granted()
    committed = await way.committed(beacon_named="双色球 2026090")
    with pytest.raises(BeaconMismatch):
        await way.revealed(committed)
    verify((await way.revealed(committed, beacon="07 11 19")).model_dump_json())
    with pytest.raises(DrawRevealedBefore):
        await way.revealed(committed, beacon="07 11 19")
    with pytest.raises(asyncpg.RaiseError, match="only ever revealed"):
        async with way.db.transaction() as tx:
            await tx.execute("DELETE FROM inspection_draws")


async def test_the_titles_of_a_round_are_a_batch_of_their_own(way: SmeWay) -> None:
    way.applicant = STRANGER
    outside = await way.granted()
    days = {"opens_on": date(2026, 7, 21), "closes_on": date(2026, 8, 31), "forwards_on": date(2026, 9, 30)}
    async with way.db.transaction(OFFICER) as tx:
        called: Round = await call_round(
            way.work, tx, Call(programme="sme", name="2026年第三批", source="粤科函", **days)
        )
    way.applicant = SmeWay.applicant
    inside = await way.granted()
    assert (await way.committed()).pool.cases == (outside.case_id,)
    assert (await way.committed(Whole("sme", None, called.round_id))).pool.cases == (inside.case_id,)
    with pytest.raises(NotFound):
        await way.committed(Whole("hnte", None, called.round_id))


async def revoked(way: SmeWay, number: str, **said: Any) -> Revocation:
    await way.step("propose_revocation", OFFICER, number, **REVOKE | said)
    decided: Revocation = await way.step(
        "decide_revocation", ZHAO, number, decision="revoke", reasons=["so it is"]
    )
    return decided


async def test_a_revoked_title_is_neither_inspected_nor_drawn_of(way: SmeWay, clock: FixedClock) -> None:
    title = await way.granted()
    committed = await way.committed()
    clock.set(datetime(2026, 8, 20, 2, 0, tzinfo=UTC))
    await revoked(way, title.number)
    assert (await way.revealed(committed)).drawn == (title.case_id,)
    assert await way.rows(title.case_id) == []
    way.applicant = STRANGER
    await revoked(way, (await way.granted()).number)
    with pytest.raises(BatchDrawn):
        await way.committed()


@pytest.mark.parametrize(
    ("applied", "drawn"),
    [(datetime(2026, 5, 20, tzinfo=UTC), None), (datetime(2026, 7, 1, tzinfo=UTC), 2027)],
)
async def test_what_is_of_another_time_is_not_drawn_of(
    way: SmeWay, clock: FixedClock, applied: datetime, drawn: int | None
) -> None:
    clock.set(applied)
    await way.granted()
    if drawn is not None:
        clock.set(datetime(drawn, 1, 4, tzinfo=UTC))
    with pytest.raises(BatchDrawn):
        await way.committed()


async def drawn_title(way: SmeWay) -> tuple[str, UUID]:
    title = await way.granted()
    await way.revealed(await way.committed())
    return title.number, title.case_id


async def test_that_nobody_looked_by_the_last_day_is_told_once(way: SmeWay, clock: FixedClock) -> None:
    _, case_id = await drawn_title(way)
    clock.set(datetime(2026, 12, 15, 15, 59, 59, tzinfo=UTC))
    await way.meet_deadlines()
    assert "inspection-overdue" not in await way.said()
    clock.advance(timedelta(seconds=1))
    while await way.meet_deadlines():
        pass
    assert (await way.said()).count("inspection-overdue") == 1
    [row] = await way.rows(case_id)
    assert (row.state, row.overdue_on) == ("due", date(2026, 12, 16))
    assert (await way.looked(case_id, "random_check", held_on=date(2026, 12, 16))).state == "granted"


async def test_what_was_looked_at_in_time_is_not_overdue(way: SmeWay, clock: FixedClock) -> None:
    _, case_id = await drawn_title(way)
    with pytest.raises(UnusableInput) as refused:
        await way.looked(case_id, "random_check", held_on=clock.today() - timedelta(days=1))
    assert refused.value.rule_id == "before_draw"
    await way.looked(case_id, "random_check", held_on=clock.today())
    clock.set(datetime(2026, 12, 16, 2, 0, tzinfo=UTC))
    while await way.meet_deadlines():
        pass
    assert "inspection-overdue" not in await way.said()


async def test_a_failed_check_names_the_ground_and_leaves_the_revocation_to_two_officers(
    way: SmeWay, door: Door, clock: FixedClock
) -> None:
    number, case_id = await drawn_title(way)
    clock.set(datetime(2026, 8, 20, 2, 0, tzinfo=UTC))
    await way.looked(case_id, "random_check", outcome="failed", held_on=date(2026, 8, 20))
    assert not [one for one in await way.said() if "revo" in one]
    async with door.client(OFFICER) as client:
        [shown] = (await client.get(f"/v1/cases/{case_id}/inspections")).json()
        assert (shown["state"], shown["ground"]) == ("failed", "sampling")
        proposed = REVOKE | {"ground": shown["ground"], "conduct_on": "2026-08-20"}
        answer = await client.post(f"/v1/titles/{number}/revocation", json=proposed)
        assert answer.status_code == 201, answer.text
    decided = await way.step("decide_revocation", ZHAO, number, decision="revoke", reasons=["so it is"])
    assert decided.barred_until == date(2026, 12, 31)


async def test_a_revocation_ends_an_inspection_that_nobody_held(way: SmeWay, clock: FixedClock) -> None:
    number, case_id = await drawn_title(way)
    clock.set(datetime(2026, 8, 20, 2, 0, tzinfo=UTC))
    await revoked(way, number, ground="fraud")
    assert [row.state for row in await way.rows(case_id)] == ["lapsed"]


ASKED = {"programme": "sme", "inspection": "random_check", "year": 2026}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 409),
        ({"inspection": "site_check"}, 422),
        ({"programme": "no-such"}, 422),
        ({"year": None}, 422),
        ({"round_id": str(UUID(int=1))}, 422),
        ({"year": None, "round_id": str(UUID(int=1))}, 404),
    ],
)
async def test_a_draw_of_no_batch_is_refused(
    way: SmeWay, door: Door, changes: dict[str, Any], status: int
) -> None:
    async with door.client(OFFICER) as client:
        answer = await client.post("/v1/inspection-draws", json=ASKED | changes)
        assert answer.status_code == status, answer.text
        assert (await client.get(f"/v1/inspection-draws/{UUID(int=1)}")).status_code == 404


async def test_anybody_reads_the_published_draw(way: SmeWay, door: Door) -> None:
    title = await way.granted()
    async with door.client(OFFICER) as client:
        made = await client.post("/v1/inspection-draws", json=ASKED)
        assert made.status_code == 201, made.text
        address = f"/v1/inspection-draws/{made.json()['pool']['draw_id']}"
        assert (await client.post(f"{address}/reveal", json={})).json()["drawn"] == [str(title.case_id)]
    async with door.client() as client:
        verify((await client.get(address)).content)
