"""The rows of draws of titles, and the batches that they are drawn of."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from casework.case import Kept
from casework.inspection import SampleRow
from casework.store import Reader
from chassis.database import Transaction
from chassis.rows import insert

_COLUMNS = (
    "draw_id", "pool", "pool_hash", "seed", "seed_hash", "beacon", "committed_by", "committed_at", "revealed_by",
    "revealed_at",
)  # fmt: skip
_DRAW = f"SELECT {', '.join(_COLUMNS)} FROM inspection_draws"  # noqa: S608 - constants
_ADD = insert("inspection_draws", _COLUMNS)
# Titles that are held on the day and in no draw of this inspection.
_BATCH = (
    "SELECT c.case_id, c.edition, c.edition_hash, c.applied_on FROM titles t JOIN cases c USING (case_id)"
    " WHERE t.programme = $1 AND t.level IS NOT DISTINCT FROM $2 AND t.revoked_on IS NULL AND t.valid_until >= $3"
    " AND NOT EXISTS (SELECT FROM inspection_draw_cases d WHERE d.case_id = c.case_id AND d.inspection = $4)"
)
_OF_ROUND = f"{_BATCH} AND c.round_id = $6 ORDER BY c.case_id LIMIT $5"
_OF_YEAR = f"{_BATCH} AND c.round_id IS NULL AND t.granted_on BETWEEN $6 AND $7 ORDER BY c.case_id LIMIT $5"


class DrawnBefore(Exception):
    """One of the cases is in a draw of this inspection already."""


class Whole(NamedTuple):
    """A whole batch: the titles of a round, or those of a `year` whose applications went into none."""

    programme: str
    level: str | None
    round_id: UUID | None = None
    year: int | None = None


class Entry(Kept):
    """The case of one title of a batch, with the edition that it rests on."""

    case_id: UUID
    edition: date
    edition_hash: str
    applied_on: date


async def list_batch(
    reader: Reader, whole: Whole, inspection: str, today: date, *, limit: int
) -> list[Entry]:
    """The first of the batch, in the order in which the cases were drafted."""
    asked: list[object] = [whole.programme, whole.level, today, inspection, limit]
    if whole.round_id is not None:
        rows = await reader.fetch(_OF_ROUND, *asked, whole.round_id)
    else:
        year = whole.year or today.year
        rows = await reader.fetch(_OF_YEAR, *asked, date(year, 1, 1), date(year, 12, 31))
    return [Entry.model_validate(dict(row)) for row in rows]


async def add_sample(tx: Transaction, row: SampleRow) -> None:
    """Raises DrawnBefore."""
    entry = row.model_dump() | {"pool": row.pool.model_dump(mode="json")}
    await tx.execute(_ADD, *[entry[name] for name in _COLUMNS])
    try:
        async with tx.savepoint():
            await tx.executemany(
                "INSERT INTO inspection_draw_cases (case_id, inspection, draw_id) VALUES ($1, $2, $3)",
                [(case_id, row.pool.inspection, row.draw_id) for case_id in row.pool.cases],
            )
    except asyncpg.UniqueViolationError as error:
        raise DrawnBefore from error


async def find_sample(reader: Reader, draw_id: UUID) -> SampleRow | None:
    row = await reader.fetchrow(f"{_DRAW} WHERE draw_id = $1", draw_id)
    return None if row is None else SampleRow.model_validate(dict(row))


async def lock_sample(tx: Transaction, draw_id: UUID) -> SampleRow | None:
    row = await tx.fetchrow(f"{_DRAW} WHERE draw_id = $1 FOR UPDATE", draw_id)
    return None if row is None else SampleRow.model_validate(dict(row))


async def reveal(tx: Transaction, draw_id: UUID, beacon: str | None) -> None:
    await tx.execute(
        "UPDATE inspection_draws SET beacon = $2, revealed_by = $3, revealed_at = $4 WHERE draw_id = $1",
        draw_id, beacon, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def list_held(reader: Reader, case_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the cases whose titles were not taken away, in the order of locks."""
    rows = await reader.fetch(
        "SELECT case_id FROM titles WHERE case_id = ANY($1) AND revoked_on IS NULL ORDER BY case_id", case_ids
    )
    return [row["case_id"] for row in rows]
