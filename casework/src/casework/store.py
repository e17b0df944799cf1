"""The rows of casework. Every object comes out of its rows by validation."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from casework.case import Case, Decision, Document, Judgement, Notice, NoticeOutcome, Title
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import insert


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
    "applied_on", "edition", "edition_hash", "once_in_year", "round_id", "facts", "answer", "verdict", "proposal", "defects",
    "reasons", "drafted_at", "changed_at",
)  # fmt: skip
CASE = f"SELECT {', '.join(_COLUMNS)} FROM cases"  # noqa: S608 - constants
_ADD = insert("cases", _COLUMNS)
_LISTED = [name for name in _COLUMNS if name not in ("facts", "answer")]
_CASES = Listing(
    f"SELECT {', '.join(_LISTED)} FROM cases",  # noqa: S608
    order="case_id", enterprise_id="enterprise_id = {}", programme="programme = {}", state="state = {}",
    round_id="round_id = {}",
    after="case_id > {}",
)  # fmt: skip
_DECIDED = ("version", "verb", "actor", "from_state", "to_state", "reasons", "at")
_DECIDE = f"INSERT INTO decisions (case_id, {', '.join(_DECIDED)})"
_SAVE = (
    f"WITH decided AS ({_DECIDE} VALUES ($1, "  # noqa: S608
    f"{', '.join(f'${place}' for place in range(len(_COLUMNS) + 1, len(_COLUMNS) + 1 + len(_DECIDED)))}))"
    f" UPDATE cases SET {', '.join(f'{name} = ${place}' for place, name in enumerate(_COLUMNS[1:], 2))}"
    " WHERE case_id = $1"
)


def _arguments(case: Case) -> list[Any]:
    return [getattr(case, name) for name in _COLUMNS]


def _decided(decision: Decision) -> list[Any]:
    return [getattr(decision, name) for name in _DECIDED]


async def add_case(tx: Transaction, case: Case) -> None:
    await tx.execute(_ADD, *_arguments(case))


async def save_cases(tx: Transaction, saved: Iterable[tuple[Case, Decision]]) -> None:
    """Saves each case with the decision that made it so.

    Raises AppliedBefore when the edition allows one application a year and another stands: the transaction is lost then.
    """
    try:
        await tx.executemany(_SAVE, [[*_arguments(case), *_decided(decision)] for case, decision in saved])
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "cases_once_a_year":
            raise
        raise AppliedBefore from error


async def lock_case(tx: Transaction, case_id: UUID) -> Case | None:
    row = await tx.fetchrow(f"{CASE} WHERE case_id = $1 FOR UPDATE", case_id)
    return None if row is None else Case.model_validate(dict(row))


async def lock_cases(tx: Transaction, case_ids: Sequence[UUID]) -> list[Case]:
    """Those of the cases that exist, locked in the same order by everybody."""
    rows = await tx.fetch(f"{CASE} WHERE case_id = ANY($1) ORDER BY case_id FOR UPDATE", case_ids)
    return [Case.model_validate(dict(row)) for row in rows]


async def find_case(reader: Reader, case_id: UUID) -> Case | None:
    row = await reader.fetchrow(f"{CASE} WHERE case_id = $1", case_id)
    return None if row is None else Case.model_validate(dict(row))


async def list_cases(
    reader: Reader,
    *,
    enterprise_id: str | None = None,
    programme: str | None = None,
    state: str | None = None,
    round_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Case]:
    """In the order in which the cases were drafted, from the one after `after`; without their facts and answers."""
    rows = await _CASES.rows(
        reader, limit, enterprise_id=enterprise_id, programme=programme, state=state, round_id=round_id, after=after
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
    await tx.execute(f"{_DECIDE} VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", case_id, *_decided(decision))


async def list_decisions(reader: Reader, case_id: UUID) -> list[Decision]:
    rows = await reader.fetch(
        "SELECT version, verb, actor, from_state, to_state, reasons, at FROM decisions WHERE case_id = $1"
        " ORDER BY version",
        case_id,
    )
    return [Decision.model_validate(dict(row)) for row in rows]


async def add_notice(tx: Transaction, case: Case, opens_on: date, ends_on: date) -> None:
    """The case's notice; after a re-examination it takes the place of the one before."""
    await tx.execute(
        "INSERT INTO notices (case_id, enterprise_id, enterprise_name, programme, level, opens_on, ends_on)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (case_id) DO UPDATE SET opens_on = excluded.opens_on,"
        " ends_on = excluded.ends_on, suspended_on = NULL, closed_at = NULL, outcome = NULL",
        case.case_id, case.enterprise_id, case.enterprise_name, case.programme, case.level, opens_on, ends_on,
    )  # fmt: skip


async def close_notices(
    tx: Transaction, case_ids: Sequence[UUID], outcome: NoticeOutcome, at: datetime
) -> None:
    await tx.execute(
        "UPDATE notices SET closed_at = $3, outcome = $2, suspended_on = NULL"
        " WHERE case_id = ANY($1) AND closed_at IS NULL",
        case_ids, outcome, at,
    )  # fmt: skip


NOTICE = (
    "SELECT case_id, enterprise_id, enterprise_name, programme, level, opens_on, ends_on, suspended_on, closed_at,"
    " outcome FROM notices"
)
_NOTICES = Listing(
    NOTICE, order="case_id", programme="programme = {}", open_only="closed_at IS NULL", after="case_id > {}"
)  # fmt: skip


async def find_notice(reader: Reader, case_id: UUID) -> Notice | None:
    row = await reader.fetchrow(f"{NOTICE} WHERE case_id = $1", case_id)
    return None if row is None else Notice.model_validate(dict(row))


async def list_notices(
    reader: Reader,
    *,
    programme: str | None = None,
    open_only: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Notice]:
    rows = await _NOTICES.rows(reader, limit, programme=programme, open_only=open_only, after=after)
    return [Notice.model_validate(dict(row)) for row in rows]


async def next_in_series(tx: Transaction, series: str) -> int:
    """The next number of the series, from 1 without a gap; others of the series wait for this transaction's end."""
    number: int = await tx.fetchval(
        "INSERT INTO title_series (series, sequence) VALUES ($1, 1)"
        " ON CONFLICT (series) DO UPDATE SET sequence = title_series.sequence + 1 RETURNING sequence",
        series,
    )
    return number


TITLE = (
    "SELECT title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on, valid_until,"
    " edition, edition_hash, revoked_on, expired_at FROM titles"
)


_TITLES = Listing(
    TITLE, order="title_id", programme="programme = {}", level="level = {}", enterprise_id="enterprise_id = {}",
    after="title_id > {}",
)  # fmt: skip
_VALID_TITLES = Listing(
    TITLE, order="valid_until, title_id", programme="programme = {}", level="level = {}",
    enterprise_id="enterprise_id = {}", from_day="valid_until >= {}", to_day="granted_on <= {}",
    unless_revoked_by="(revoked_on IS NULL OR revoked_on > {})",
    after="(valid_until, title_id) > ({}, {})",
)  # fmt: skip


async def add_titles(tx: Transaction, titles: Iterable[Title]) -> None:
    at = tx.clock.now()
    await tx.executemany(
        "INSERT INTO titles (title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on,"
        " valid_until, edition, edition_hash, granted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        [
            (
                one.title_id, one.case_id, one.enterprise_id, one.enterprise_name, one.programme, one.level,
                one.number, one.granted_on, one.valid_until, one.edition, one.edition_hash, at,
            )
            for one in titles
        ],
    )  # fmt: skip


async def find_title(reader: Reader, number: str) -> Title | None:
    row = await reader.fetchrow(f"{TITLE} WHERE number = $1", number)
    return None if row is None else Title.model_validate(dict(row))


async def find_title_of_case(reader: Reader, case_id: UUID) -> Title | None:
    row = await reader.fetchrow(f"{TITLE} WHERE case_id = $1", case_id)
    return None if row is None else Title.model_validate(dict(row))


async def list_titles(
    reader: Reader,
    *,
    programme: str | None = None,
    level: str | None = None,
    enterprise_id: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Title]:
    """In the order in which they were granted, from the one after `after`."""
    rows = await _TITLES.rows(
        reader, limit, programme=programme, level=level, enterprise_id=enterprise_id, after=after
    )
    return [Title.model_validate(dict(row)) for row in rows]


async def list_valid_titles(
    reader: Reader,
    valid_on: date,
    *,
    programme: str | None = None,
    level: str | None = None,
    enterprise_id: str | None = None,
    after: tuple[date, UUID] | None = None,
    limit: int = 50,
) -> list[Title]:
    """Those held on that day, by their last day: what ran out before it is never looked at. `after` is (last day, id)."""
    rows = await _VALID_TITLES.rows(
        reader, limit, programme=programme, level=level, enterprise_id=enterprise_id, from_day=valid_on, to_day=valid_on,
        unless_revoked_by=valid_on, after=after,
    )  # fmt: skip
    return [Title.model_validate(dict(row)) for row in rows]
