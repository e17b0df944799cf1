"""The draw of panels: committed to, revealed, and the recusal of a drawn expert."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
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
from casework.use_cases.casework import Casework
from casework.use_cases.permitting import Desk
from casework.use_cases.refusals import (
    BeaconMismatch,
    DrawnAlready,
    DrawRevealedBefore,
    NotDrawable,
    OtherEdition,
    SheetsOpened,
)
from casework.use_cases.steps import check_no_tie, given_reasons, keep, look_at, take
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
    left = await panel_store.list_left(tx, fields)
    return tuple(
        PoolCase(
            case_id=case.case_id,
            field=fields[case.case_id],
            barred=tuple(
                sorted({e for enterprise, e in ties if enterprise == case.enterprise_id} | left[case.case_id])
            ),
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
            **about_draw(row),
            edition_hash=row.edition_hash,
            pool_hash=row.pool_hash,
            seed_hash=row.seed_hash,
            cases=[case.case_id for case in pool.cases],
        )
    )
    return draw


def about_draw(row: DrawRow) -> dict[str, Any]:
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
    tx.publish(work.events.DrawRevealed(**about_draw(row), seed=row.seed.hex(), beacon=beacon))
    going = {
        case.case_id: case
        for case in await store.lock_cases(tx, [case.case_id for case in row.pool.cases])
        if case.state in DRAWABLE
    }
    seats = Counter[UUID]()
    for ranking in draw.panels:
        if ranking.case_id in going:
            await _seat(work, tx, row, going[ranking.case_id], ranking)
            seats.update(place.expert_id for place in ranking.seated)
    await _call(work, tx, row, seats)
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
            **about_draw(row),
            case_id=case.case_id,
            experts=[place.expert_id for place in seated],
            head=ranking.head,
        )
    )


async def _call(
    work: Casework, tx: Transaction, row: DrawRow, seats: Mapping[UUID, int], *, steps_in: bool = False
) -> None:
    """Says to each expert how many seats it has, by how it signs in: an id of the directory is no address."""
    subjects = await expert_store.find_subjects(tx, seats)
    tx.publish(
        *(
            work.events.ExpertCalled(
                **about_draw(row),
                expert_id=expert_id,
                subject=subjects[expert_id],
                seats=count,
                steps_in=steps_in,
            )
            for expert_id, count in seats.items()
        )
    )


def release(work: Casework, tx: Transaction, row: DrawRow, seats: Iterable[Seat]) -> None:
    """Says to each of these experts that the seat is theirs no more."""
    tx.publish(
        *(
            work.events.ExpertReleased(**about_draw(row), expert_id=seat.expert_id, subject=seat.subject)
            for seat in seats
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


class Leaving(NamedTuple):
    """An expert about to leave a panel: all seats of the panel, the expert's own, the draw, and who is gone then."""

    seats: list[Seat]
    seat: Seat
    row: DrawRow
    gone: set[UUID]
    reason: str


async def leaving(tx: Transaction, case: Case, expert_id: UUID, reason: str) -> Leaving:
    """Raises NotFound, also where an expert names another; ReasonsNeeded, SheetsOpened."""
    seats = await panel_store.list_seats(tx, case.case_id)
    seat = next((one for one in seats if one.expert_id == expert_id and one.recused_at is None), None)
    if seat is None or (tx.actor.role == "expert" and str(tx.actor) != seat.person):
        raise NotFound(thing="seat")
    (said,) = given_reasons([reason], "panel.recusal")
    if seat.opened_at is not None or case.state not in DRAWABLE:
        raise SheetsOpened(rule="panel.recusal")
    row = await panel_store.find_draw(tx, seat.draw_id)
    assert row is not None
    gone = {one.expert_id for one in seats if one.recused_at is not None} | {expert_id}
    return Leaving(seats, seat, row, gone, said)


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
    seats, seat, row, gone, said = await leaving(tx, case, expert_id, reason)
    ranking = drawn(row.pool, case_id, row.seed, row.beacon, gone)
    comes = next(p for p in ranking.seated if all(p.expert_id != one.expert_id for one in seats))
    await panel_store.recuse(tx, case_id, expert_id, said)
    await panel_store.add_seats(tx, [(case_id, comes.expert_id, comes.kind, False, comes.rank)])
    await panel_store.seat_head(tx, case_id, ranking.head)
    await keep(tx, case, "recuse", [said])
    tx.publish(
        work.events.ExpertRecused(
            **about_draw(row),
            case_id=case_id,
            expert_id=expert_id,
            successor=comes.expert_id,
            head=ranking.head,
        )
    )
    release(work, tx, row, [seat])
    await _call(work, tx, row, {comes.expert_id: 1}, steps_in=True)
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
