"""The rows of casework. Every object comes out of its rows by validation."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from casework.case import Case, Decision, Document, Judgement, Notice, Title
from chassis.database import Transaction


def casework_sql() -> Path:
    """The migrations of casework's tables; they come before the service's own."""
    return Path(__file__).parent / "sql"


class Reader(Protocol):
    """A database or a transaction: whatever can read."""

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]: ...
    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None: ...


class AppliedBefore(Exception):
    """Another case of this enterprise, programme and year stands."""


_COLUMNS = (
    "case_id", "enterprise_id", "enterprise_name", "programme", "level", "case_type", "state", "version",
    "applied_on", "edition", "edition_hash", "once_in_year", "facts", "answer", "verdict", "proposal", "defects",
    "reasons", "drafted_at", "changed_at",
)  # fmt: skip
_CASE = f"SELECT {', '.join(_COLUMNS)} FROM cases"  # noqa: S608 - constants
_ADD = (
    f"INSERT INTO cases ({', '.join(_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join(f'${place}' for place in range(1, len(_COLUMNS) + 1))})"
)
_SAVE = (
    f"UPDATE cases SET {', '.join(f'{name} = ${place}' for place, name in enumerate(_COLUMNS[1:], 2))}"  # noqa: S608
    " WHERE case_id = $1"
)


def _arguments(case: Case) -> list[Any]:
    content = case.model_dump()
    return [content[name] for name in _COLUMNS]


async def add_case(tx: Transaction, case: Case) -> None:
    await tx.execute(_ADD, *_arguments(case))


async def save_case(tx: Transaction, case: Case) -> None:
    """Raises AppliedBefore when the edition allows one application a year and another stands."""
    try:
        async with tx.savepoint():
            await tx.execute(_SAVE, *_arguments(case))
    except asyncpg.UniqueViolationError as error:
        raise AppliedBefore from error


async def lock_case(tx: Transaction, case_id: UUID) -> Case | None:
    row = await tx.fetchrow(f"{_CASE} WHERE case_id = $1 FOR UPDATE", case_id)
    return None if row is None else Case.model_validate(dict(row))


async def lock_cases(tx: Transaction, case_ids: Sequence[UUID]) -> list[Case]:
    """Those of the cases that exist, locked in the same order by everybody."""
    rows = await tx.fetch(f"{_CASE} WHERE case_id = ANY($1) ORDER BY case_id FOR UPDATE", case_ids)
    return [Case.model_validate(dict(row)) for row in rows]


async def find_case(reader: Reader, case_id: UUID) -> Case | None:
    row = await reader.fetchrow(f"{_CASE} WHERE case_id = $1", case_id)
    return None if row is None else Case.model_validate(dict(row))


async def list_cases(
    reader: Reader,
    *,
    enterprise_id: str | None = None,
    programme: str | None = None,
    state: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Case]:
    """In the order in which the cases were drafted, from the one after `after`."""
    rows = await reader.fetch(
        f"{_CASE} WHERE ($1::text IS NULL OR enterprise_id = $1) AND ($2::text IS NULL OR programme = $2)"
        " AND ($3::text IS NULL OR state = $3) AND ($4::uuid IS NULL OR case_id > $4) ORDER BY case_id LIMIT $5",
        enterprise_id, programme, state, after, limit,
    )  # fmt: skip
    return [Case.model_validate(dict(row)) for row in rows]


async def save_documents(tx: Transaction, case_id: UUID, documents: Sequence[Document], at: datetime) -> None:
    """Replaces the case's documents."""
    await tx.execute("DELETE FROM case_documents WHERE case_id = $1", case_id)
    await tx.executemany(
        "INSERT INTO case_documents (case_id, paper, file_name, media_type, bytes, sha256, added_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(case_id, d.paper, d.file_name, d.media_type, d.bytes, d.sha256, at) for d in documents],
    )


async def list_documents(reader: Reader, case_id: UUID) -> list[Document]:
    rows = await reader.fetch(
        "SELECT paper, file_name, media_type, bytes, sha256 FROM case_documents WHERE case_id = $1 ORDER BY paper",
        case_id,
    )
    return [Document.model_validate(dict(row)) for row in rows]


async def add_judgements(
    tx: Transaction, case_id: UUID, judge: str, values: Mapping[str, bool | str]
) -> None:
    """As the person's next version of each name. The case's row lock orders versions."""
    at = tx.clock.now()
    await tx.executemany(
        "INSERT INTO judgements (case_id, name, judge, version, value, given_at)"
        " SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5 FROM judgements"
        " WHERE case_id = $1 AND name = $2 AND judge = $3",
        [(case_id, name, judge, value, at) for name, value in values.items()],
    )


async def list_judgements(reader: Reader, case_id: UUID) -> list[Judgement]:
    """The latest of each person for each name."""
    rows = await reader.fetch(
        "SELECT DISTINCT ON (name, judge) name, judge, version, value, given_at FROM judgements"
        " WHERE case_id = $1 ORDER BY name, judge, version DESC",
        case_id,
    )
    return [Judgement.model_validate(dict(row)) for row in rows]


async def add_decision(tx: Transaction, case_id: UUID, decision: Decision) -> None:
    await tx.execute(
        "INSERT INTO decisions (case_id, version, verb, actor, from_state, to_state, reasons, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        case_id, decision.version, decision.verb, decision.actor, decision.from_state, decision.to_state,
        list(decision.reasons), decision.at,
    )  # fmt: skip


async def list_decisions(reader: Reader, case_id: UUID) -> list[Decision]:
    rows = await reader.fetch(
        "SELECT version, verb, actor, from_state, to_state, reasons, at FROM decisions WHERE case_id = $1"
        " ORDER BY version",
        case_id,
    )
    return [Decision.model_validate(dict(row)) for row in rows]


async def add_notice(tx: Transaction, case_id: UUID, opens_on: date, ends_on: date) -> None:
    await tx.execute(
        "INSERT INTO notices (case_id, opens_on, ends_on) VALUES ($1, $2, $3)", case_id, opens_on, ends_on
    )


async def close_notice(tx: Transaction, case_id: UUID, outcome: str, at: datetime) -> None:
    await tx.execute(
        "UPDATE notices SET closed_at = $3, outcome = $2 WHERE case_id = $1 AND closed_at IS NULL",
        case_id,
        outcome,
        at,
    )


_NOTICE = (
    "SELECT n.case_id, c.enterprise_id, c.enterprise_name, c.programme, c.level, n.opens_on, n.ends_on, n.closed_at,"
    " n.outcome FROM notices n JOIN cases c USING (case_id)"
)


async def find_notice(reader: Reader, case_id: UUID) -> Notice | None:
    row = await reader.fetchrow(f"{_NOTICE} WHERE n.case_id = $1", case_id)
    return None if row is None else Notice.model_validate(dict(row))


async def list_notices(
    reader: Reader,
    *,
    programme: str | None = None,
    open_only: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Notice]:
    rows = await reader.fetch(
        f"{_NOTICE} WHERE ($1::text IS NULL OR c.programme = $1) AND (NOT $2 OR n.closed_at IS NULL)"
        " AND ($3::uuid IS NULL OR n.case_id > $3) ORDER BY n.case_id LIMIT $4",
        programme, open_only, after, limit,
    )  # fmt: skip
    return [Notice.model_validate(dict(row)) for row in rows]


async def next_in_series(tx: Transaction, series: str) -> int:
    """The next number of the series, from 1 without a gap; others of the series wait for this transaction's end."""
    number: int = await tx.fetchval(
        "INSERT INTO title_series (series, sequence) VALUES ($1, 1)"
        " ON CONFLICT (series) DO UPDATE SET sequence = title_series.sequence + 1 RETURNING sequence",
        series,
    )
    return number


_TITLE = (
    "SELECT title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on, valid_until,"
    " edition, edition_hash FROM titles"
)


async def add_title(tx: Transaction, title: Title) -> None:
    await tx.execute(
        "INSERT INTO titles (title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on,"
        " valid_until, edition, edition_hash, granted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        title.title_id, title.case_id, title.enterprise_id, title.enterprise_name, title.programme, title.level,
        title.number, title.granted_on, title.valid_until, title.edition, title.edition_hash, tx.clock.now(),
    )  # fmt: skip


async def find_title(reader: Reader, number: str) -> Title | None:
    row = await reader.fetchrow(f"{_TITLE} WHERE number = $1", number)
    return None if row is None else Title.model_validate(dict(row))


async def find_title_of_case(reader: Reader, case_id: UUID) -> Title | None:
    row = await reader.fetchrow(f"{_TITLE} WHERE case_id = $1", case_id)
    return None if row is None else Title.model_validate(dict(row))


async def list_titles(
    reader: Reader,
    *,
    programme: str | None = None,
    level: str | None = None,
    enterprise_id: str | None = None,
    valid_on: date | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Title]:
    rows = await reader.fetch(
        f"{_TITLE} WHERE ($1::text IS NULL OR programme = $1) AND ($2::text IS NULL OR level = $2)"
        " AND ($3::text IS NULL OR enterprise_id = $3)"
        " AND ($4::date IS NULL OR $4 BETWEEN granted_on AND valid_until)"
        " AND ($5::uuid IS NULL OR title_id > $5) ORDER BY title_id LIMIT $6",
        programme, level, enterprise_id, valid_on, after, limit,
    )  # fmt: skip
    return [Title.model_validate(dict(row)) for row in rows]
