"""The rows of the directory of experts and of ties to enterprises."""

from collections.abc import Collection, Iterable
from uuid import UUID

import asyncpg

from casework.expert import Expert, Interest
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import upsert

_COLUMNS = (
    "expert_id", "subject", "name", "kind", "fields", "employer_id", "employer_name", "holdings", "available_from",
    "available_until", "active", "version", "changed_at",
)  # fmt: skip
_EXPERT = f"SELECT {', '.join(_COLUMNS)} FROM experts"  # noqa: S608 - constants
_SAVE_EXPERT = upsert("experts", _COLUMNS)
_EXPERTS = Listing(
    _EXPERT,
    order="expert_id",
    kind="kind = {}",
    active="active",
    inactive="NOT active",
    after="expert_id > {}",
)


class KnownSubject(Exception):
    """Another expert of the directory signs in as this subject."""


async def save_expert(tx: Transaction, expert: Expert) -> None:
    """Adds or replaces the entry, and keeps this version of it. Raises KnownSubject."""
    entry = expert.model_dump()
    try:
        async with tx.savepoint():
            await tx.execute(_SAVE_EXPERT, *[entry[name] for name in _COLUMNS])
    except asyncpg.UniqueViolationError as error:
        raise KnownSubject from error
    await tx.execute(
        "INSERT INTO expert_versions (expert_id, version, entry, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)",
        expert.expert_id, expert.version, expert.model_dump(mode="json"), str(tx.actor), expert.changed_at,
    )  # fmt: skip


async def lock_expert(tx: Transaction, expert_id: UUID) -> Expert | None:
    row = await tx.fetchrow(f"{_EXPERT} WHERE expert_id = $1 FOR UPDATE", expert_id)
    return None if row is None else Expert.model_validate(dict(row))


async def find_expert(reader: Reader, expert_id: UUID) -> Expert | None:
    row = await reader.fetchrow(f"{_EXPERT} WHERE expert_id = $1", expert_id)
    return None if row is None else Expert.model_validate(dict(row))


async def list_experts(
    reader: Reader,
    *,
    kind: str | None = None,
    active: bool | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Expert]:
    """In the order in which they were added."""
    rows = await _EXPERTS.rows(reader, limit, kind=kind, active=active, inactive=active is False, after=after)
    return [Expert.model_validate(dict(row)) for row in rows]


async def list_every_expert(tx: Reader) -> list[Expert]:
    rows = await tx.fetch(f"{_EXPERT} ORDER BY expert_id")
    return [Expert.model_validate(dict(row)) for row in rows]


_INTEREST = "SELECT interest_id, person, enterprise_id, ground, note, declared_by, declared_at, ended_by, ended_at FROM interests"
_INTERESTS = Listing(
    _INTEREST,
    order="interest_id",
    person="person = {}",
    enterprise_id="enterprise_id = {}",
    after="interest_id > {}",
)


async def add_interest(tx: Transaction, interest: Interest) -> Interest:
    """The tie as it is kept: declared again while it lasts, the earlier declaration stands."""
    await tx.execute(
        "INSERT INTO interests (interest_id, person, enterprise_id, ground, note, declared_by, declared_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (person, enterprise_id, ground) WHERE ended_at IS NULL DO NOTHING",
        interest.interest_id, interest.person, interest.enterprise_id, interest.ground, interest.note,
        interest.declared_by, interest.declared_at,
    )  # fmt: skip
    row = await tx.fetchrow(
        f"{_INTEREST} WHERE person = $1 AND enterprise_id = $2 AND ground = $3 AND ended_at IS NULL",
        interest.person, interest.enterprise_id, interest.ground,
    )  # fmt: skip
    return Interest.model_validate(dict(row or {}))


async def find_subjects(reader: Reader, experts: Collection[UUID]) -> dict[UUID, str]:
    """How each of the experts signs in."""
    rows = await reader.fetch(
        "SELECT expert_id, subject FROM experts WHERE expert_id = ANY($1)", list(experts)
    )
    return {row["expert_id"]: row["subject"] for row in rows}


async def lock_interest(tx: Transaction, interest_id: UUID) -> Interest | None:
    row = await tx.fetchrow(f"{_INTEREST} WHERE interest_id = $1 FOR UPDATE", interest_id)
    return None if row is None else Interest.model_validate(dict(row))


async def end_interest(tx: Transaction, interest: Interest) -> None:
    await tx.execute(
        "UPDATE interests SET ended_by = $2, ended_at = $3 WHERE interest_id = $1",
        interest.interest_id, interest.ended_by, interest.ended_at,
    )  # fmt: skip


async def list_interests(
    reader: Reader,
    *,
    person: str | None = None,
    enterprise_id: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Interest]:
    rows = await _INTERESTS.rows(reader, limit, person=person, enterprise_id=enterprise_id, after=after)
    return [Interest.model_validate(dict(row)) for row in rows]


async def find_tie(reader: Reader, person: str, enterprise_id: str) -> str | None:
    """The ground on which the person (`expert:chen`) is tied to the enterprise, None without one."""
    row = await reader.fetchrow(
        "SELECT ground FROM interests WHERE person = $1 AND enterprise_id = $2 AND ended_at IS NULL"
        " UNION ALL SELECT CASE WHEN employer_id = $2 THEN 'employer' ELSE 'holding' END FROM experts"
        " WHERE 'expert:' || subject = $1 AND (employer_id = $2 OR holdings ? $2) LIMIT 1",
        person, enterprise_id,
    )  # fmt: skip
    return None if row is None else str(row["ground"])


async def list_ties(reader: Reader, enterprise_ids: Iterable[str]) -> list[tuple[str, UUID]]:
    """Each pair of an enterprise and an expert tied to it."""
    rows = await reader.fetch(
        "SELECT i.enterprise_id, e.expert_id FROM experts e JOIN interests i ON i.person = 'expert:' || e.subject"
        " WHERE i.ended_at IS NULL AND i.enterprise_id = ANY($1)"
        " UNION SELECT t.enterprise_id, e.expert_id FROM unnest($1::text[]) AS t(enterprise_id)"
        " JOIN experts e ON e.employer_id = t.enterprise_id OR e.holdings ? t.enterprise_id",
        list(set(enterprise_ids)),
    )
    return [(row["enterprise_id"], row["expert_id"]) for row in rows]
