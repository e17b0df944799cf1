"""The rows of draws, seats and score sheets."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import asyncpg

from casework.draw_file import Recusal
from casework.expert import Answer, DrawRow, Seat, Sheet
from casework.score_sheets import Filled
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing


class DrawnBefore(Exception):
    """One of the cases is in a draw already."""


async def add_draw(tx: Transaction, draw: DrawRow) -> None:
    """Raises DrawnBefore."""
    await tx.execute(
        "INSERT INTO draws (draw_id, programme, edition, edition_hash, pool, pool_hash, seed, seed_hash, committed_by,"
        " committed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        draw.draw_id, draw.programme, draw.edition, draw.edition_hash, draw.pool.model_dump(mode="json"),
        draw.pool_hash, draw.seed, draw.seed_hash, draw.committed_by, draw.committed_at,
    )  # fmt: skip
    rows = [(case.case_id, draw.draw_id) for case in draw.pool.cases]
    try:
        async with tx.savepoint():
            await tx.executemany("INSERT INTO draw_cases (case_id, draw_id) VALUES ($1, $2)", rows)
    except asyncpg.UniqueViolationError as error:
        raise DrawnBefore from error


_DRAW = (
    "SELECT draw_id, programme, edition, edition_hash, pool, pool_hash, seed, seed_hash, beacon, committed_by,"
    " committed_at, revealed_by, revealed_at FROM draws"
)
_DRAWS = Listing(
    "SELECT draw_id, programme, edition, pool_hash, seed_hash, committed_at, revealed_at,"
    " jsonb_array_length(pool->'experts') AS experts, jsonb_array_length(pool->'cases') AS cases FROM draws",
    order="draw_id", programme="programme = {}", after="draw_id > {}",
)  # fmt: skip


async def find_draw(reader: Reader, draw_id: UUID) -> DrawRow | None:
    row = await reader.fetchrow(f"{_DRAW} WHERE draw_id = $1", draw_id)
    return None if row is None else DrawRow.model_validate(dict(row))


async def lock_draw(tx: Transaction, draw_id: UUID) -> DrawRow | None:
    row = await tx.fetchrow(f"{_DRAW} WHERE draw_id = $1 FOR UPDATE", draw_id)
    return None if row is None else DrawRow.model_validate(dict(row))


async def reveal(tx: Transaction, draw_id: UUID, beacon: str | None) -> None:
    await tx.execute(
        "UPDATE draws SET beacon = $2, revealed_by = $3, revealed_at = $4 WHERE draw_id = $1",
        draw_id, beacon, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def list_draws(
    reader: Reader, *, programme: str | None = None, after: UUID | None = None, limit: int
) -> list[asyncpg.Record]:
    """What is short to say of each: ids, hashes, times and counts, never the seed."""
    return await _DRAWS.rows(reader, limit, programme=programme, after=after)


async def draw_of(reader: Reader, case_id: UUID) -> UUID | None:
    """The draw that the case is in; where its panel has ended and no other draw was committed to, the one it was in."""
    row = await reader.fetchrow(
        "SELECT draw_id FROM draw_cases WHERE case_id = $1"
        " UNION ALL (SELECT draw_id FROM ended_panels WHERE case_id = $1 ORDER BY ended_at DESC LIMIT 1) LIMIT 1",
        case_id,
    )
    return None if row is None else UUID(str(row["draw_id"]))


async def list_recusals(reader: Reader, draw_id: UUID) -> list[Recusal]:
    rows = await reader.fetch(
        "SELECT s.case_id, s.expert_id FROM seats s JOIN draw_cases d USING (case_id)"
        " WHERE d.draw_id = $1 AND s.recused_at IS NOT NULL"
        " UNION ALL SELECT case_id, expert_id FROM ended_seats WHERE draw_id = $1 AND recused_at IS NOT NULL"
        " ORDER BY case_id, expert_id",
        draw_id,
    )
    return [Recusal.model_validate(dict(row)) for row in rows]


async def add_seats(tx: Transaction, rows: Iterable[tuple[UUID, UUID, str, bool, int]]) -> None:
    """Case, expert, kind, head, rank."""
    await tx.executemany(
        "INSERT INTO seats (case_id, expert_id, kind, head, rank, seated_at) VALUES ($1, $2, $3, $4, $5, $6)",
        [(*row, tx.clock.now()) for row in rows],
    )


_SEAT = (
    "SELECT s.case_id, d.draw_id, s.expert_id, e.subject, e.name, s.kind, s.head, s.rank, s.seated_at, s.recused_at,"
    " s.recused_by, s.reason, h.handed_in_at, d.opened_at FROM seats s JOIN draw_cases d USING (case_id)"
    " JOIN experts e USING (expert_id) LEFT JOIN score_sheets h USING (case_id, expert_id)"
)
_SEATS = Listing(
    _SEAT, order="s.case_id", subject="e.subject = {} AND s.recused_at IS NULL", after="s.case_id > {}"
)


async def list_seats(reader: Reader, case_id: UUID) -> list[Seat]:
    """Also the seats of those who were recused, in the order of the ranking."""
    rows = await reader.fetch(f"{_SEAT} WHERE s.case_id = $1 ORDER BY s.rank", case_id)
    return [Seat.model_validate(dict(row)) for row in rows]


async def list_seats_of(reader: Reader, subject: str, *, after: UUID | None = None, limit: int) -> list[Seat]:
    """Where the person sits now."""
    rows = await _SEATS.rows(reader, limit, subject=subject, after=after)
    return [Seat.model_validate(dict(row)) for row in rows]


async def recuse(tx: Transaction, case_id: UUID, expert_id: UUID, reason: str) -> None:
    await tx.execute(
        "UPDATE seats SET recused_at = $3, recused_by = $4, reason = $5, head = false"
        " WHERE case_id = $1 AND expert_id = $2",
        case_id, expert_id, tx.clock.now(), str(tx.actor), reason,
    )  # fmt: skip


async def seat_head(tx: Transaction, case_id: UUID, expert_id: UUID) -> None:
    await tx.execute("UPDATE seats SET head = true WHERE case_id = $1 AND expert_id = $2", case_id, expert_id)


async def end_panel(tx: Transaction, draw_id: UUID, case_id: UUID, expert_id: UUID, reason: str) -> None:
    """Keeps the seats and the sheets apart and takes the case out of its draw. No sheet may have been opened."""
    await tx.execute(
        "INSERT INTO ended_panels (case_id, draw_id, expert_id, reason, ended_by, ended_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        case_id, draw_id, expert_id, reason, str(tx.actor), tx.clock.now(),
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO ended_seats (case_id, draw_id, expert_id, kind, head, rank, seated_at, recused_at, recused_by,"
        " reason, given, handed_in_at) SELECT case_id, $2, expert_id, kind, head, rank, seated_at, recused_at,"
        " recused_by, reason, given, handed_in_at FROM seats LEFT JOIN score_sheets USING (case_id, expert_id)"
        " WHERE case_id = $1",
        case_id, draw_id,
    )  # fmt: skip
    await tx.execute("DELETE FROM score_sheets WHERE case_id = $1", case_id)
    await tx.execute("DELETE FROM seats WHERE case_id = $1", case_id)
    await tx.execute("DELETE FROM draw_cases WHERE case_id = $1", case_id)


async def list_left(reader: Reader, cases: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Who had to leave a panel of each case that has ended."""
    rows = await reader.fetch(
        "SELECT case_id, expert_id FROM ended_panels WHERE case_id = ANY($1)"
        " UNION SELECT case_id, expert_id FROM ended_seats WHERE case_id = ANY($1) AND recused_at IS NOT NULL",
        list(cases),
    )
    left: dict[UUID, set[UUID]] = {case_id: set() for case_id in cases}
    for row in rows:
        left[row["case_id"]].add(row["expert_id"])
    return left


_SHEET = "SELECT case_id, expert_id, version, given, changed_at, handed_in_at FROM score_sheets"


async def find_sheet(reader: Reader, case_id: UUID, expert_id: UUID) -> Sheet:
    """The expert's own sheet, an empty one of version 0 before anything was written on it."""
    row = await reader.fetchrow(f"{_SHEET} WHERE case_id = $1 AND expert_id = $2", case_id, expert_id)
    return Sheet(case_id=case_id, expert_id=expert_id) if row is None else Sheet.model_validate(dict(row))


async def save_sheet(
    tx: Transaction,
    case_id: UUID,
    expert_id: UUID,
    version: int,
    given: Mapping[str, Answer],
    *,
    handed_in: bool,
) -> None:
    now = tx.clock.now()
    await tx.execute(
        "INSERT INTO score_sheets (case_id, expert_id, version, given, changed_at, handed_in_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (case_id, expert_id) DO UPDATE SET version = excluded.version,"
        " given = excluded.given, changed_at = excluded.changed_at, handed_in_at = excluded.handed_in_at",
        case_id, expert_id, version, dict(given), now, now if handed_in else None,
    )  # fmt: skip


async def open_sheets(tx: Transaction, case_id: UUID) -> None:
    await tx.execute("UPDATE draw_cases SET opened_at = $2 WHERE case_id = $1", case_id, tx.clock.now())


async def list_opened_sheets(reader: Reader, case_id: UUID) -> list[Filled]:
    """Those of the seated, in the order of the ranking; none while one of them is still out."""
    rows = await reader.fetch(
        "SELECT expert_id, kind, given FROM draw_cases d JOIN seats s USING (case_id)"
        " JOIN score_sheets h USING (case_id, expert_id)"
        " WHERE case_id = $1 AND d.opened_at IS NOT NULL AND s.recused_at IS NULL ORDER BY s.rank",
        case_id,
    )
    return [Filled(row["expert_id"], row["kind"], row["given"]) for row in rows]
