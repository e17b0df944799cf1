"""The draw of panels: committed to, revealed, and the recusal of a drawn expert."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import expert_store, panel_store, store
from casework.case import Case
from casework.draw_file import Draw, committed, revealed
from casework.expert import DrawRow, Seat
from casework.panel import CaseRanking, Pool, PoolCase, PoolExpert, check_pool, drawn, rules_of
from casework.policy import POLICY
from casework.store import Reader
from casework.unusable import UnusableInput
from casework.use_cases.permitting import Desk
from casework.use_cases.refusals import (
    BeaconMismatch,
    DrawnAlready,
    DrawRevealedBefore,
    NotDrawable,
    OtherEdition,
    ReasonsNeeded,
    SheetsOpened,
)
from casework.use_cases.steps import Casework, check_no_tie, keep, look_at, take
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound
from chassis.identity import Actor

DRAWABLE = ("accepted", "in_review")
MAX_CASES = 500


async def commit_draw(
    work: Casework,
    tx: Transaction,
    cases: Mapping[UUID, str | None],
    *,
    size: int | None = None,
    beacon_named: str | None = None,
) -> Draw:
    """Freezes the pool of experts for these cases (each with the field its technical experts must be of, or None).

    A secret seed is fixed in the same transaction, so that nobody can change the pool knowing it, nor the seed knowing
    the pool. `beacon_named` says which public number of a later day will be mixed in. Raises NotFound, NotDrawable,
    OtherEdition, DrawnAlready, TiedToEnterprise, NoPanel, PanelTooSmall, PoolTooSmall, KindMissing.
    """
    authorize(POLICY, tx.actor, "draw.commit")
    if not 0 < len(cases) <= MAX_CASES:
        raise UnusableInput("cases", "required")
    found = await store.lock_cases(tx, list(cases))
    if len(found) != len(cases):
        raise NotFound(thing="case")
    await _check_cases(tx, found)
    edition = work.pinned(found[0])
    pool = Pool(
        draw_id=uuid7(), programme=edition.programme, edition=edition.in_force_from, edition_hash=edition.hash,
        rules=rules_of(edition, size), experts=await _experts(tx), cases=await _pool_cases(tx, found, cases),
        beacon_named=beacon_named,
    )  # fmt: skip
    check_pool(pool)
    return await _keep_draw(work, tx, pool)


async def _check_cases(tx: Transaction, cases: Sequence[Case]) -> None:
    for case in cases:
        if case.state not in DRAWABLE:
            raise NotDrawable(rule="panel", case_id=case.case_id, state=case.state)
        if case.edition_hash != cases[0].edition_hash:
            raise OtherEdition(rule="panel", case_id=case.case_id, edition=case.edition)
    for enterprise_id in {case.enterprise_id for case in cases}:
        await check_no_tie(tx, enterprise_id)


async def _experts(tx: Transaction) -> tuple[PoolExpert, ...]:
    today = tx.clock.today()
    return tuple(
        PoolExpert(expert_id=expert.expert_id, kind=expert.kind, fields=expert.fields)
        for expert in await expert_store.list_every_expert(tx)
        if expert.may_sit_on(today)
    )


async def _pool_cases(
    tx: Transaction, cases: Iterable[Case], fields: Mapping[UUID, str | None]
) -> tuple[PoolCase, ...]:
    cases = list(cases)
    ties = await expert_store.list_ties(tx, {case.enterprise_id for case in cases})
    return tuple(
        PoolCase(
            case_id=case.case_id,
            field=fields[case.case_id],
            barred=tuple(sorted(expert for enterprise, expert in ties if enterprise == case.enterprise_id)),
        )
        for case in cases
    )


async def _keep_draw(work: Casework, tx: Transaction, pool: Pool) -> Draw:
    seed = secrets.token_bytes(32)
    draw = committed(pool, seed)
    row = DrawRow(
        draw_id=pool.draw_id, programme=pool.programme, edition=pool.edition, edition_hash=pool.edition_hash,
        pool=pool, pool_hash=draw.pool_hash, seed=seed, seed_hash=draw.seed_hash, committed_by=str(tx.actor),
        committed_at=tx.clock.now(),
    )  # fmt: skip
    try:
        await panel_store.add_draw(tx, row)
    except panel_store.DrawnBefore as error:
        raise DrawnAlready(rule="panel") from error
    tx.publish(
        work.events.DrawCommitted(
            **_about(row),
            edition_hash=row.edition_hash,
            pool_hash=row.pool_hash,
            seed_hash=row.seed_hash,
            cases=[case.case_id for case in pool.cases],
        )
    )
    return draw


def _about(row: DrawRow) -> dict[str, Any]:
    return {"draw_id": row.draw_id, "programme": row.programme, "edition": row.edition}


async def reveal_draw(work: Casework, tx: Transaction, draw_id: UUID, *, beacon: str | None = None) -> Draw:
    """Publishes the seed, and seats the experts of every case that is still going.

    Raises NotFound, DrawRevealedBefore, BeaconMismatch unless a beacon is given exactly where one was named.
    """
    authorize(POLICY, tx.actor, "draw.reveal")
    row = await panel_store.lock_draw(tx, draw_id)
    if row is None:
        raise NotFound(thing="draw")
    check_revealable(row.revealed_at, row.pool.beacon_named, beacon, rule="panel.draw")
    await panel_store.reveal(tx, draw_id, beacon)
    draw = revealed(committed(row.pool, row.seed), row.seed, beacon)
    tx.publish(work.events.DrawRevealed(**_about(row), seed=row.seed.hex(), beacon=beacon))
    going = {
        case.case_id: case
        for case in await store.lock_cases(tx, [case.case_id for case in row.pool.cases])
        if case.state in DRAWABLE
    }
    for ranking in draw.panels:
        if ranking.case_id in going:
            await _seat(work, tx, row, going[ranking.case_id], ranking)
    return draw


def check_revealable(
    revealed_at: datetime | None, named: str | None, beacon: str | None, *, rule: str
) -> None:
    """Raises DrawRevealedBefore, BeaconMismatch unless a beacon is given exactly where one was named."""
    if revealed_at is not None:
        raise DrawRevealedBefore(rule=rule)
    if (beacon is None) != (named is None):
        raise BeaconMismatch(rule=rule, named=named or "-")


async def _seat(work: Casework, tx: Transaction, row: DrawRow, case: Case, ranking: CaseRanking) -> None:
    seated = ranking.seated
    await panel_store.add_seats(
        tx, [(case.case_id, place.expert_id, place.kind, place.head, place.rank) for place in seated]
    )
    await keep(tx, case, "draw_panel")
    tx.publish(
        work.events.PanelDrawn(
            **_about(row),
            case_id=case.case_id,
            experts=[place.expert_id for place in seated],
            head=ranking.head,
        )
    )


async def read_draw(reader: Reader, draw_id: UUID) -> Draw:
    """As anybody may read it: without the seed before it is revealed. Raises NotFound."""
    row = await panel_store.find_draw(reader, draw_id)
    if row is None:
        raise NotFound(thing="draw")
    draw = Draw(pool=row.pool, pool_hash=row.pool_hash, seed_hash=row.seed_hash)
    if row.revealed_at is None:
        return draw
    return revealed(draw, row.seed, row.beacon, await panel_store.list_recusals(reader, draw_id))


async def recuse_expert(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    expert_id: UUID,
    *,
    reason: str,
    expected: int | None = None,
) -> list[Seat]:
    """Takes a drawn expert off the panel; the next of the same ranking takes the seat. Returns the panel then.

    An expert recuses itself only. Raises NotFound, ReasonsNeeded, SheetsOpened, NobodyLeft.
    """
    case = await take(tx, case_id, "panel.recuse", expected, even_tied=tx.actor.role == "expert")
    seats = await panel_store.list_seats(tx, case_id)
    leaves = next((s for s in seats if s.expert_id == expert_id and s.recused_at is None), None)
    if leaves is None or (tx.actor.role == "expert" and str(tx.actor) != leaves.person):
        raise NotFound(thing="seat")
    if not reason.strip():
        raise ReasonsNeeded(rule="panel.recusal")
    if leaves.opened_at is not None or case.state not in DRAWABLE:
        raise SheetsOpened(rule="panel.recusal")
    row = await panel_store.find_draw(tx, leaves.draw_id)
    assert row is not None
    gone = {seat.expert_id for seat in seats if seat.recused_at is not None} | {expert_id}
    ranking = drawn(row.pool, case_id, row.seed, row.beacon, gone)
    comes = next(p for p in ranking.seated if all(p.expert_id != seat.expert_id for seat in seats))
    await panel_store.recuse(tx, case_id, expert_id, reason.strip())
    await panel_store.add_seats(tx, [(case_id, comes.expert_id, comes.kind, False, comes.rank)])
    await panel_store.seat_head(tx, case_id, ranking.head)
    await keep(tx, case, "recuse", [reason.strip()])
    tx.publish(
        work.events.ExpertRecused(
            **_about(row), case_id=case_id, expert_id=expert_id, successor=comes.expert_id, head=ranking.head
        )
    )
    return await panel_store.list_seats(tx, case_id)


async def read_panel(reader: Desk, actor: Actor, case_id: UUID) -> tuple[list[Seat], CaseRanking]:
    """The seats with the ranking that explains them, for the bureau and those who sit. Raises NotFound."""
    await look_at(reader, actor, case_id, "panel.read")
    seats = await panel_store.list_seats(reader, case_id)
    sits = any(seat.person == str(actor) and seat.recused_at is None for seat in seats)
    if not seats or (actor.role == "expert" and not sits):
        raise NotFound(thing="panel")
    draw = await read_draw(reader, seats[0].draw_id)
    return seats, next(ranking for ranking in draw.panels if ranking.case_id == case_id)
