"""A panel that nobody can fill any more: it ends, its history stays, and its case is drawn for anew. No other does."""

import json
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from casework.case import Case
from casework.draw_file import Draw, verify
from casework.expert import Entry, Seat
from casework.panel import NobodyLeft
from casework.use_cases import add_expert, read_draw
from casework.use_cases.refusals import (
    DrawnAlready,
    ReasonsNeeded,
    ReplacementLeft,
    SheetNeeded,
    SheetsOpened,
)
from casework_way import APPLICANT, EXPERT, OFFICER
from chassis.database import Database
from chassis.errors import Forbidden, NotFound, PreconditionFailed
from panel_way import Bureau, actor_of, entry, given_by, of_kind

REASON = "其近亲属在该企业任职"


async def used_up(bureau: Bureau, case: Case) -> list[Seat]:
    """Every financial expert but the last has left the panel; that one would have to as well. The seats."""
    await bureau.drawn(case)
    while True:
        seats = await bureau.seats(case.case_id)
        try:
            leaves = of_kind(seats, "financial")[0]
            await bureau.act("recuse_expert", OFFICER, case.case_id, leaves.expert_id, reason=REASON)
        except NobodyLeft:
            return seats


async def engage(bureau: Bureau, places: Sequence[int]) -> None:
    async with bureau.way.db.transaction(OFFICER) as tx:
        for place in places:
            await add_expert(tx, Entry.model_validate(entry(place)))


async def ended(bureau: Bureau, case: Case) -> tuple[UUID, list[Seat]]:
    """The draw of the panel that ended, and those who sat on it."""
    seats = await used_up(bureau, case)
    (leaves,) = of_kind(seats, "financial")
    await bureau.act("end_panel", OFFICER, case.case_id, leaves.expert_id, reason=REASON)
    return leaves.draw_id, seats


async def test_a_panel_that_nobody_can_fill_ends_and_its_case_is_drawn_for_anew(bureau: Bureau) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    old, before = await ended(bureau, case)
    assert await bureau.seats(case.case_id) == []
    await engage(bureau, range(21, 33))
    after = await bureau.drawn(case)
    assert (len(after), len({seat.draw_id for seat in after} | {old})) == (5, 2)
    (left,) = of_kind(before, "financial")
    assert left.expert_id not in {seat.expert_id for seat in after}
    for seat in after:
        await bureau.hand_in(seat)
    assert (await bureau.scores(OFFICER, case.case_id)).sheets
    said = await bureau.way.said()
    assert (said.count("panel-drawn"), said.count("panel-ended"), said[-1]) == (2, 1, "case-judged")


async def test_whoever_had_to_leave_is_barred_from_the_next_draw_as_anybody_may_read(bureau: Bureau) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    old, before = await ended(bureau, case)
    recused = {recusal.expert_id for recusal in (await read_draw(bureau.way.db, old)).recusals}
    await engage(bureau, range(21, 33))
    draw = await bureau.act("commit_draw", OFFICER, {case.case_id: None})
    (left,) = of_kind(before, "financial")
    assert set(draw.pool.cases[0].barred) == recused | {left.expert_id}


async def test_the_draw_of_a_panel_that_ended_still_verifies_and_its_seats_are_kept(
    bureau: Bureau, db: Database
) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    seats = await used_up(bureau, case)
    technical = of_kind(seats, "technical")[0]
    await bureau.hand_in(technical)
    (leaves,) = of_kind(seats, "financial")
    await bureau.act("end_panel", OFFICER, case.case_id, leaves.expert_id, reason=f" {REASON} ")
    published = verify((await read_draw(db, leaves.draw_id)).model_dump_json())
    assert isinstance(published, Draw)
    assert {place.expert_id for place in published.panels[0].seated} == {seat.expert_id for seat in seats}
    kept = {row["expert_id"]: row for row in await db.fetch("SELECT * FROM ended_seats")}
    assert len(kept) == len(seats) + len(published.recusals)
    assert kept[technical.expert_id]["given"].keys() == given_by("technical").keys()
    assert kept[technical.expert_id]["handed_in_at"] is not None
    (row,) = await db.fetch("SELECT * FROM ended_panels")
    assert (row["expert_id"], row["reason"], row["ended_by"]) == (leaves.expert_id, REASON, "officer:li")
    assert await db.fetchval("SELECT count(*) FROM score_sheets") == 0


async def test_each_who_sat_is_told_and_the_draw_says_ids_alone(bureau: Bureau, db: Database) -> None:
    await bureau.directory()
    _, seats = await ended(bureau, await bureau.way.in_review())
    rows = await db.fetch(
        "SELECT topic, payload FROM events WHERE split_part(type, '.', 4) IN ('expert-released', 'panel-ended') ORDER BY id"
    )
    told = [json.loads(row["payload"]) for row in rows if row["topic"] == "certification.seats"]
    assert {one["subject"] for one in told} >= {seat.subject for seat in seats}
    (ended_panel,) = (json.loads(row["payload"]) for row in rows if row["topic"] == "certification.draws")
    assert set(ended_panel) == {"draw_id", "programme", "edition", "case_id"}


async def test_a_panel_does_not_end_because_it_does_not_please(bureau: Bureau, seats: list[Seat]) -> None:
    case_id = seats[0].case_id
    with pytest.raises(ReplacementLeft):
        await bureau.act("end_panel", OFFICER, case_id, seats[0].expert_id, reason=REASON)
    with pytest.raises(DrawnAlready):
        await bureau.act("commit_draw", OFFICER, {case_id: None})
    assert len(await bureau.seats(case_id)) == 5


async def test_a_panel_whose_sheets_are_open_does_not_end(bureau: Bureau) -> None:
    await bureau.directory()
    seats = await used_up(bureau, await bureau.way.in_review())
    for seat in seats:
        await bureau.hand_in(seat)
    (leaves,) = of_kind(seats, "financial")
    with pytest.raises(SheetsOpened):
        await bureau.act("end_panel", OFFICER, leaves.case_id, leaves.expert_id, reason=REASON)


async def test_who_ends_a_panel_is_an_officer_says_why_and_has_seen_the_case_as_it_is(bureau: Bureau) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    (leaves,) = of_kind(await used_up(bureau, case), "financial")
    for actor, refused in ((EXPERT, Forbidden), (actor_of(leaves), Forbidden), (APPLICANT, Forbidden)):
        with pytest.raises(refused):
            await bureau.act("end_panel", actor, case.case_id, leaves.expert_id, reason=REASON)
    with pytest.raises(ReasonsNeeded):
        await bureau.act("end_panel", OFFICER, case.case_id, leaves.expert_id, reason=" ")
    with pytest.raises(PreconditionFailed):
        await bureau.act("end_panel", OFFICER, case.case_id, leaves.expert_id, reason=REASON, expected=1)
    with pytest.raises(NotFound):
        await bureau.act("end_panel", OFFICER, case.case_id, case.case_id, reason=REASON)


async def test_between_two_panels_no_expert_judges_without_a_sheet(bureau: Bureau) -> None:
    await bureau.directory()
    case = await bureau.way.in_review()
    await ended(bureau, case)
    with pytest.raises(SheetNeeded):
        await bureau.act("judge_case", EXPERT, case.case_id, judgements={"core_ip_supports": True})


async def test_the_database_lets_no_case_out_of_its_draw_and_no_sheet_go_otherwise(
    bureau: Bureau, seats: list[Seat], db: Database
) -> None:
    await bureau.hand_in(seats[0])
    for statement, said in (
        ("DELETE FROM score_sheets", "stays as it is"),
        ("DELETE FROM draw_cases", "only when its panel has ended"),
    ):
        with pytest.raises(asyncpg.RaiseError, match=said):
            async with db.transaction() as tx:
                await tx.execute("ALTER TABLE seats DROP CONSTRAINT seats_case_id_fkey")
                await tx.execute(statement)


async def test_an_ended_panel_stays_as_it_was(bureau: Bureau, db: Database) -> None:
    await bureau.directory()
    await ended(bureau, await bureau.way.in_review())
    for statement in ("UPDATE ended_panels SET reason = 'x'", "DELETE FROM ended_seats"):
        with pytest.raises(asyncpg.RaiseError):
            async with db.transaction() as tx:
                await tx.execute(statement)
