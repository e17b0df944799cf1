"""The rows of objections, and of the notice that they suspend."""

from datetime import date
from uuid import UUID

from casework.objection import Objection
from casework.store import Reader
from chassis.database import Transaction
from chassis.rows import insert

_COLUMNS = (
    "objection_id", "case_id", "name", "unit", "contact", "statement", "lodged_by", "lodged_at", "state", "decided_by",
    "decided_at", "reasons",
)  # fmt: skip
_OBJECTION = f"SELECT {', '.join(_COLUMNS)} FROM objections"  # noqa: S608 - constants
_ADD = insert("objections", _COLUMNS)


async def add_objection(tx: Transaction, objection: Objection) -> None:
    await tx.execute(_ADD, *[getattr(objection, name) for name in _COLUMNS])


async def save_decision(tx: Transaction, decided: Objection) -> None:
    await tx.execute(
        "UPDATE objections SET state = $2, decided_by = $3, decided_at = $4, reasons = $5 WHERE objection_id = $1",
        decided.objection_id, decided.state, decided.decided_by, decided.decided_at, decided.reasons,
    )  # fmt: skip


async def lapse_objections(tx: Transaction, case_id: UUID) -> None:
    """Ends those of a case that nobody has decided."""
    await tx.execute(
        "UPDATE objections SET state = 'lapsed', decided_at = $2 WHERE case_id = $1 AND state = 'lodged'",
        case_id, tx.clock.now(),
    )  # fmt: skip


async def list_objections(reader: Reader, case_id: UUID) -> list[Objection]:
    """All to this case, in their order."""
    rows = await reader.fetch(f"{_OBJECTION} WHERE case_id = $1 ORDER BY objection_id", case_id)
    return [Objection.model_validate(dict(row)) for row in rows]


async def find_objection(reader: Reader, case_id: UUID, objection_id: UUID) -> Objection | None:
    row = await reader.fetchrow(
        f"{_OBJECTION} WHERE objection_id = $1 AND case_id = $2", objection_id, case_id
    )
    return None if row is None else Objection.model_validate(dict(row))


async def suspend_notice(tx: Transaction, case_id: UUID, on: date) -> None:
    await tx.execute("UPDATE notices SET suspended_on = $2 WHERE case_id = $1", case_id, on)


async def resume_notice(tx: Transaction, case_id: UUID, ends_on: date) -> None:
    await tx.execute(
        "UPDATE notices SET suspended_on = NULL, ends_on = $2 WHERE case_id = $1", case_id, ends_on
    )
