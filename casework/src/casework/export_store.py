"""The rows of exports, and the lists that they hold, each read in one snapshot."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from casework.export import Export, Filters, ListName, as_number
from casework.ranking import Entry, rank
from casework.round_store import ENTRY, STANDING
from casework.store import Reader
from chassis.database import Database, Transaction
from chassis.listing import Listing
from chassis.storage import Stored

_COLUMNS = (
    "export_id", "list", "format", "filters", "asked_by", "asked_at", "attempts", "state", "reason", "file_key", "rows",
    "bytes", "sha256", "as_of", "done_at", "removed_at",
)  # fmt: skip
_EXPORT = f"SELECT {', '.join(_COLUMNS)} FROM exports"  # noqa: S608 - constants
_EXPORTS = Listing(_EXPORT, order="export_id", after="export_id > {}")
# An attempt whose lease was lost may begin after the one that took its place.
_BEGIN = (
    "UPDATE exports SET attempts = greatest(attempts, $2)"  # noqa: S608
    f" WHERE export_id = $1 AND state = 'waiting' AND removed_at IS NULL RETURNING {', '.join(_COLUMNS)}"
)

# Whole lists are read from end to end, so a condition needs no index here.
_CASE_ROWS: Final = Listing(
    "SELECT case_id, enterprise_name, enterprise_id, facts->'enterprise'->>'region' AS region, programme, level, case_type,"
    " state, applied_on, edition, round_id, verdict, proposal, drafted_at, changed_at FROM cases",
    order="case_id", programme="programme = {}", level="level = {}", state="state = {}", round_id="round_id = {}",
    region="starts_with(facts->'enterprise'->>'region', {})",
)  # fmt: skip
_TITLE_ROWS: Final = Listing(
    "SELECT t.number, t.enterprise_name, t.enterprise_id, c.facts->'enterprise'->>'region' AS region, t.programme, t.level,"
    " t.granted_on, t.valid_until, t.revoked_on, t.edition, t.title_id, t.case_id"
    " FROM titles t JOIN cases c USING (case_id)",
    order="t.title_id", programme="t.programme = {}", level="t.level = {}",
    region="starts_with(c.facts->'enterprise'->>'region', {})",
    valid_on="t.valid_until >= {} AND t.granted_on <= {} AND (t.revoked_on IS NULL OR t.revoked_on > {})",
)  # fmt: skip
# The field for which the panel of a case was drawn.
_FIELD: Final = (
    "SELECT one->>'field' FROM draw_cases JOIN draws USING (draw_id), jsonb_array_elements(pool->'cases') AS one"
    " WHERE draw_cases.case_id = c.case_id AND one->>'case_id' = c.case_id::text"
)
_ENTRY_ROWS: Final = Listing(
    f"SELECT {ENTRY}, proposal, case_type, reasons, edition_hash, facts->'enterprise'->>'region' AS region,"  # noqa: S608
    f" answer->'score'->'items' AS items, ({_FIELD}) AS field FROM cases c",
    order="case_id", round_id="round_id = {}", states="state = ANY({})",
)  # fmt: skip

Rows = AsyncGenerator[Mapping[str, Any], None]


async def add_export(tx: Transaction, export: Export) -> None:
    await tx.execute(
        "INSERT INTO exports (export_id, list, format, filters, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5, $6)",
        export.export_id, export.list, export.format, export.filters.model_dump(mode="json", exclude_none=True),
        export.asked_by, export.asked_at,
    )  # fmt: skip


async def find_export(reader: Reader, export_id: UUID) -> Export | None:
    row = await reader.fetchrow(f"{_EXPORT} WHERE export_id = $1", export_id)
    return None if row is None else Export.model_validate(dict(row))


async def list_exports(reader: Reader, *, after: UUID | None = None, limit: int = 50) -> list[Export]:
    """In the order in which they were asked for, from the one after `after`."""
    return [Export.model_validate(dict(row)) for row in await _EXPORTS.rows(reader, limit, after=after)]


async def begin_attempt(tx: Transaction, export_id: UUID, attempt: int) -> Export | None:
    """The export, if it still waits for its file."""
    row = await tx.fetchrow(_BEGIN, export_id, attempt)
    return None if row is None else Export.model_validate(dict(row))


async def save_file(tx: Transaction, export_id: UUID, stored: Stored, rows: int, as_of: datetime) -> bool:
    """Whether this is the file now; another attempt may have been faster."""
    is_first = await tx.fetchval(
        "UPDATE exports SET state = 'done', file_key = $2, bytes = $3, sha256 = $4, rows = $5, as_of = $6, done_at = $7"
        " WHERE export_id = $1 AND state = 'waiting' AND removed_at IS NULL RETURNING true",
        export_id, stored.key, stored.bytes, stored.sha256, rows, as_of, tx.clock.now(),
    )  # fmt: skip
    return is_first is True


async def save_failure(tx: Transaction, export_id: UUID, reason: str) -> None:
    await tx.execute(
        "UPDATE exports SET state = 'failed', reason = $2, done_at = $3 WHERE export_id = $1 AND state = 'waiting'",
        export_id, reason, tx.clock.now(),
    )  # fmt: skip


async def save_removal(tx: Transaction, export_id: UUID) -> None:
    await tx.execute("UPDATE exports SET removed_at = $2 WHERE export_id = $1", export_id, tx.clock.now())


def read_list(db: Database, name: ListName, filters: Filters) -> Rows:
    """The whole list as it stands when the first row is asked for, in the names of its columns."""
    given = filters.given()
    if name == "recommendation":
        return _recommended(db, filters)
    if name == "cases":
        return _CASE_ROWS.each_row(db, **given)
    day = given.pop("valid_on", None)
    return _TITLE_ROWS.each_row(db, **given, valid_on=None if day is None else (day, day, day))


async def _recommended(db: Database, filters: Filters) -> Rows:
    """What is proposed to be granted, in the order and with the places of the whole round."""
    found = _ENTRY_ROWS.each_row(db, round_id=filters.round_id, states=list(STANDING))
    rows = {row["case_id"]: row async for row in found}
    entries = [
        Entry.model_validate({name: row[name] for name in Entry.model_fields}) for row in rows.values()
    ]
    written = 0
    for ranked in rank(entries, quota=None):
        row = rows[ranked.case_id]
        if row["proposal"] == "grant" and (row["region"] or "").startswith(filters.region or ""):
            written += 1
            reasons = "；".join(row["reasons"]) or None
            yield {
                **row,
                "row": written,
                "place": ranked.place,
                "score": as_number(ranked.score),
                "reasons": reasons,
            }
