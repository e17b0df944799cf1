"""The rows of duties and reports."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from casework.case import Document, Duty, Report, Title
from casework.duties import Owed
from casework.store import TITLE, Reader
from chassis.database import Transaction

_COLUMNS = "duty_id, title_id, rule, year, kept_by, opens_on, due_on, reminded_on, grace_until, done_on, result, missed_on"
_DUTY = f"SELECT {_COLUMNS} FROM duties"  # noqa: S608 - constants
_ADD = (
    "INSERT INTO duties (title_id, enterprise_id, programme, duty_id, rule, year, kept_by, opens_on, due_on)"  # noqa: S608
    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::int[], $7::text[], $8::date[],"
    " $9::date[])"
    f" ON CONFLICT (title_id, rule, opens_on) DO NOTHING RETURNING {_COLUMNS}"
)
_AWAITING = (
    "SELECT DISTINCT title_id FROM duties WHERE enterprise_id = $1 AND programme = $2 AND kept_by = 'application'"
    " AND done_on IS NULL AND missed_on IS NULL ORDER BY title_id"
)


async def lock_title(tx: Transaction, title_id: UUID) -> Title | None:
    row = await tx.fetchrow(f"{TITLE} WHERE title_id = $1 FOR UPDATE", title_id)
    return None if row is None else Title.model_validate(dict(row))


async def save_expired(tx: Transaction, title: Title) -> None:
    await tx.execute(
        "UPDATE titles SET expired_at = $2 WHERE title_id = $1", title.title_id, title.expired_at
    )


async def add_duties(tx: Transaction, owed: Sequence[tuple[Title, Owed]]) -> list[Duty]:
    """Adds what is not there yet of each title and rule, and returns that."""
    if not owed:
        return []
    rows = await tx.fetch(
        _ADD, [title.title_id for title, _ in owed], [title.enterprise_id for title, _ in owed],
        [title.programme for title, _ in owed], [uuid7() for _ in owed], [one.rule.id for _, one in owed],
        [one.year for _, one in owed], [one.rule.kept_by for _, one in owed], [one.opens_on for _, one in owed],
        [one.due_on for _, one in owed],
    )  # fmt: skip
    return [Duty.model_validate(dict(row)) for row in rows]


async def save_duty(tx: Transaction, duty: Duty) -> None:
    await tx.execute(
        "UPDATE duties SET reminded_on = $2, grace_until = $3, done_on = $4, result = $5, missed_on = $6"
        " WHERE duty_id = $1",
        duty.duty_id, duty.reminded_on, duty.grace_until, duty.done_on, duty.result, duty.missed_on,
    )  # fmt: skip


async def list_duties(reader: Reader, title_id: UUID) -> Sequence[Duty]:
    """All of a title, by the day on which they are due."""
    rows = await reader.fetch(f"{_DUTY} WHERE title_id = $1 ORDER BY due_on, rule, year", title_id)
    return [Duty.model_validate(dict(row)) for row in rows]


async def list_open_duties(reader: Reader, title_id: UUID) -> Sequence[Duty]:
    """Those neither done nor missed."""
    rows = await reader.fetch(
        f"{_DUTY} WHERE title_id = $1 AND done_on IS NULL AND missed_on IS NULL ORDER BY due_on, rule, year",
        title_id,
    )
    return [Duty.model_validate(dict(row)) for row in rows]


async def list_titles_awaiting_application(
    reader: Reader, enterprise_id: str, programme: str
) -> Sequence[UUID]:
    """The enterprise's titles with an open duty that an application for the programme may keep, in the order of locks."""
    rows = await reader.fetch(_AWAITING, enterprise_id, programme)
    return [row["title_id"] for row in rows]


async def list_missed_years(reader: Reader, title_id: UUID, rule: str) -> list[int]:
    rows = await reader.fetch(
        "SELECT year FROM duties WHERE title_id = $1 AND rule = $2 AND missed_on IS NOT NULL ORDER BY year",
        title_id,
        rule,
    )
    return [row["year"] for row in rows]


async def add_report(
    tx: Transaction, duty_id: UUID, contents: Mapping[str, Any], documents: Sequence[Document]
) -> None:
    await tx.execute(
        "INSERT INTO reports (duty_id, contents, documents, handed_in_by, handed_in_at) VALUES ($1, $2, $3, $4, $5)",
        duty_id, dict(contents), [document.model_dump() for document in documents], str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def list_reports(reader: Reader, title_id: UUID) -> Sequence[tuple[Duty, Report]]:
    rows = await reader.fetch(
        "SELECT r.duty_id, r.contents, r.documents, r.handed_in_by, r.handed_in_at FROM reports r"
        " JOIN duties d USING (duty_id) WHERE d.title_id = $1 ORDER BY r.handed_in_at, r.duty_id",
        title_id,
    )
    kept = {duty.duty_id: duty for duty in await list_duties(reader, title_id)}
    return [(kept[row["duty_id"]], Report.model_validate(dict(row))) for row in rows]
