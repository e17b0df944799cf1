"""The rows of changes."""

from collections.abc import Sequence
from uuid import UUID

from casework.case import Change
from casework.store import Reader
from chassis.database import Transaction
from chassis.rows import insert

_REPORTED = (
    "change_id", "title_id", "rule", "changed_on", "reported_on", "late", "description", "new_name", "reported_by",
)  # fmt: skip
_ADD = insert("changes", _REPORTED)
_CHANGE = f"SELECT {', '.join(_REPORTED)}, result, reasons, decided_by, decided_at FROM changes"  # noqa: S608 - constants


async def add_change(tx: Transaction, change: Change) -> None:
    await tx.execute(_ADD, *(getattr(change, name) for name in _REPORTED))


async def lock_change(tx: Transaction, title_id: UUID, change_id: UUID) -> Change | None:
    row = await tx.fetchrow(
        f"{_CHANGE} WHERE change_id = $1 AND title_id = $2 FOR UPDATE", change_id, title_id
    )
    return None if row is None else Change.model_validate(dict(row))


async def save_result(tx: Transaction, decided: Change) -> None:
    await tx.execute(
        "UPDATE changes SET result = $2, reasons = $3, decided_by = $4, decided_at = $5 WHERE change_id = $1",
        decided.change_id, decided.result, decided.reasons, decided.decided_by, decided.decided_at,
    )  # fmt: skip


async def save_name(tx: Transaction, title_id: UUID, name: str) -> None:
    await tx.execute("UPDATE titles SET enterprise_name = $2 WHERE title_id = $1", title_id, name)


async def list_changes(reader: Reader, title_id: UUID) -> Sequence[Change]:
    """In the order in which they were reported."""
    rows = await reader.fetch(f"{_CHANGE} WHERE title_id = $1 ORDER BY change_id", title_id)
    return [Change.model_validate(dict(row)) for row in rows]
