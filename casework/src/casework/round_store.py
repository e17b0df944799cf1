"""The rows of rounds, and what lets an enterprise apply."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from casework.ranking import Entry
from casework.round import Round
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import upsert

_COLUMNS = (
    "round_id", "programme", "level", "name", "opens_on", "closes_on", "forwards_on", "quota", "source", "version",
    "changed_at",
)  # fmt: skip
_ROUND = f"SELECT {', '.join(_COLUMNS)} FROM rounds"  # noqa: S608 - constants
_SAVE = upsert("rounds", _COLUMNS)
_ROUNDS = Listing(_ROUND, order="round_id", programme="programme = {}", after="round_id > {}")
ENTRY = "case_id, enterprise_id, enterprise_name, state, verdict, answer->'score'->>'lo' AS score"
STANDING = ("in_review", "proposed", "on_notice", "objected", "recorded", "granted")
# The round that is open, else the next one, else one that is over; none at all where the programme knows no rounds.
_ADMISSION = """
SELECT (
    SELECT max(barred_until) FROM revocations
    WHERE enterprise_id = $1 AND programme = $2 AND barred_until IS NOT NULL AND barred_until >= $4
) AS barred_until, (
    SELECT t FROM titles t WHERE t.enterprise_id = $1 AND t.programme = $2 AND t.level IS NOT DISTINCT FROM $3
    AND t.valid_until >= $4 AND t.granted_on <= $4 AND (t.revoked_on IS NULL OR t.revoked_on > $4)
    ORDER BY t.valid_until DESC LIMIT 1
) AS title, (
    SELECT r FROM rounds r WHERE r.programme = $2 AND r.level IS NOT DISTINCT FROM $3
    ORDER BY r.closes_on < $4, r.opens_on LIMIT 1
) AS round
"""


class KnownName(Exception):
    """The programme has another round of this name."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the tables say of an application today.

    `barred_until`: the last day of a bar that holds. `title`: the one that lasts longest. `round`: the one
    that is open, to come or over.
    """

    barred_until: date | None
    title: tuple[str, date] | None  # its number and its last day
    round: Round | None


async def find_admission(
    reader: Reader, enterprise_id: str, programme: str, level: str | None, today: date
) -> Admission:
    row = await reader.fetchrow(_ADMISSION, enterprise_id, programme, level, today)
    assert row is not None  # a SELECT without FROM
    title, found = row["title"], row["round"]
    held = None if title is None else (title["number"], title["valid_until"])
    return Admission(row["barred_until"], held, None if found is None else Round.model_validate(dict(found)))


async def lock_rounds(tx: Transaction, programme: str, level: str | None) -> list[Round]:
    """All of the programme and level; nobody else changes any until the transaction ends."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtext('rounds'), hashtext($1))", f"{programme}/{level or ''}"
    )
    rows = await tx.fetch(
        f"{_ROUND} WHERE programme = $1 AND level IS NOT DISTINCT FROM $2", programme, level
    )
    return [Round.model_validate(dict(row)) for row in rows]


async def save_round(tx: Transaction, saved: Round) -> None:
    """Adds or replaces it, and keeps this version of it. Raises KnownName: the transaction is lost then."""
    entry = saved.model_dump()
    try:
        await tx.execute(_SAVE, *[entry[name] for name in _COLUMNS])
    except asyncpg.UniqueViolationError as error:
        raise KnownName from error
    await tx.execute(
        "INSERT INTO round_versions (round_id, version, entry, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)",
        saved.round_id, saved.version, saved.model_dump(mode="json"), str(tx.actor), saved.changed_at,
    )  # fmt: skip


async def find_round(reader: Reader, round_id: UUID) -> Round | None:
    row = await reader.fetchrow(f"{_ROUND} WHERE round_id = $1", round_id)
    return None if row is None else Round.model_validate(dict(row))


async def lock_quota(tx: Transaction, round_id: UUID) -> Round | None:
    """The round if it has a quota; nobody else proposes in it until the transaction ends."""
    row = await tx.fetchrow(f"{_ROUND} WHERE round_id = $1 AND quota IS NOT NULL FOR UPDATE", round_id)
    return None if row is None else Round.model_validate(dict(row))


async def count_proposed(reader: Reader, round_id: UUID) -> int:
    """How many of the round are proposed to be granted, or were."""
    row = await reader.fetchrow(
        "SELECT count(*) AS proposed FROM cases WHERE round_id = $1 AND proposal = 'grant' AND state <> ALL($2)",
        round_id, ["withdrawn", "refused"],
    )  # fmt: skip
    assert row is not None
    return int(row["proposed"])


async def list_entries(reader: Reader, round_id: UUID) -> list[Entry]:
    """The applications of the round that were taken into review and still stand."""
    rows = await reader.fetch(
        f"SELECT {ENTRY} FROM cases WHERE round_id = $1 AND state = ANY($2)",  # noqa: S608
        round_id,
        STANDING,
    )
    return [Entry.model_validate(dict(row)) for row in rows]


async def list_rounds(
    reader: Reader, *, programme: str | None = None, after: UUID | None = None, limit: int
) -> list[Round]:
    """In the order in which they were called."""
    rows = await _ROUNDS.rows(reader, limit, programme=programme, after=after)
    return [Round.model_validate(dict(row)) for row in rows]
