"""The rows of inspections and of what they found."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from casework.inspection import InspectionRow, InspectionState, Look, Outcome
from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import insert

_COLUMNS = (
    "inspection_id", "case_id", "enterprise_id", "enterprise_name", "programme", "level", "round_id", "inspection",
    "kind", "draw_id", "due_on", "overdue_on", "state", "added_at",
)  # fmt: skip
_INSPECTION = f"SELECT {', '.join(_COLUMNS)} FROM inspections"  # noqa: S608 - constants
_ADD = f"{insert('inspections', _COLUMNS)} ON CONFLICT (case_id, inspection) DO NOTHING RETURNING true"
_INSPECTIONS = Listing(
    _INSPECTION, order="inspection_id", programme="programme = {}", round_id="round_id = {}", state="state = {}",
    after="inspection_id > {}",
)  # fmt: skip
_FOUND = (
    "inspection_id", "number", "outcome", "held_on", "officers", "findings", "documents", "recorded_by", "recorded_at",
)  # fmt: skip
_ADD_OUTCOME = insert("inspection_outcomes", _FOUND)
_OUTCOMES = (
    f"SELECT {', '.join(_FOUND)} FROM inspection_outcomes"  # noqa: S608 - constants
    " WHERE inspection_id = ANY($1) ORDER BY inspection_id, number"
)
_STATE = "UPDATE inspections SET state = $2 WHERE inspection_id = $1"
# Of those that nobody has looked at, the needed ones are due and the others are not.
_SETTLE = (
    "UPDATE inspections SET state = CASE WHEN inspection = ANY($2) THEN 'due' ELSE 'lapsed' END"
    " WHERE case_id = $1 AND kind = 'site'"
    " AND state = CASE WHEN inspection = ANY($2) THEN 'lapsed' ELSE 'due' END"
)


async def add_inspection(tx: Transaction, row: InspectionRow) -> bool:
    """Whether it is a new one: a case is inspected once under one rule, however often it is looked at."""
    return await tx.fetchval(_ADD, *[getattr(row, name) for name in _COLUMNS]) is not None


async def settle_site(tx: Transaction, case_id: UUID, needed: Sequence[str]) -> None:
    """Lets go the inspections of the site that the case needs no more, and calls back those that it needs again."""
    await tx.execute(_SETTLE, case_id, needed)


async def lapse_inspections(tx: Transaction, case_ids: Sequence[UUID]) -> None:
    """Ends those of cases or titles that are no more, where nobody has looked."""
    await tx.execute(
        "UPDATE inspections SET state = 'lapsed' WHERE case_id = ANY($1) AND state = 'due'", case_ids
    )


async def list_of_case(reader: Reader, case_id: UUID) -> list[InspectionRow]:
    rows = await reader.fetch(f"{_INSPECTION} WHERE case_id = $1 ORDER BY inspection_id", case_id)
    return [InspectionRow.model_validate(dict(row)) for row in rows]


async def lock_inspection(tx: Transaction, inspection_id: UUID) -> InspectionRow | None:
    row = await tx.fetchrow(f"{_INSPECTION} WHERE inspection_id = $1 FOR UPDATE", inspection_id)
    return None if row is None else InspectionRow.model_validate(dict(row))


async def save_overdue(tx: Transaction, inspection_id: UUID, on: date) -> None:
    await tx.execute("UPDATE inspections SET overdue_on = $2 WHERE inspection_id = $1", inspection_id, on)


async def add_outcome(tx: Transaction, row: InspectionRow, look: Look, before: int) -> None:
    """Records the look after `before` others, and makes it the one that counts. The case's row lock orders them."""
    await tx.execute(
        _ADD_OUTCOME, row.inspection_id, before + 1, look.outcome, look.held_on, list(look.officers), look.findings,
        [document.model_dump() for document in look.documents], str(tx.actor), tx.clock.now(),
    )  # fmt: skip
    await tx.execute(_STATE, row.inspection_id, look.outcome)


async def list_outcomes(reader: Reader, inspection_ids: Sequence[UUID]) -> list[Outcome]:
    """What was found, in the order in which it was recorded."""
    rows = await reader.fetch(_OUTCOMES, inspection_ids)
    return [Outcome.model_validate(dict(row)) for row in rows]


async def list_inspections(
    reader: Reader,
    *,
    programme: str | None = None,
    round_id: UUID | None = None,
    state: InspectionState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[InspectionRow]:
    """In the order in which they fell due, from the one after `after`."""
    rows = await _INSPECTIONS.rows(
        reader, limit, programme=programme, round_id=round_id, state=state, after=after
    )
    return [InspectionRow.model_validate(dict(row)) for row in rows]
