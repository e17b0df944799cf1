"""The rows of revocations."""

from collections.abc import Sequence
from uuid import UUID

from casework.case import Revocation, Title
from casework.store import TITLE, Reader
from chassis.database import Transaction
from chassis.rows import insert

_PROPOSED = (
    "revocation_id", "title_id", "ground", "conduct_on", "reasons", "state", "proposed_by", "proposed_at",
)  # fmt: skip
_ADD = insert("revocations", (*_PROPOSED, "enterprise_id", "programme"))
_REVOCATION = f"SELECT {', '.join(_PROPOSED)}, decided_by, decided_at, decision_reasons, revoked_on, barred_until FROM revocations"  # noqa: S608 - constants


async def lock_title(tx: Transaction, number: str) -> Title | None:
    row = await tx.fetchrow(f"{TITLE} WHERE number = $1 FOR UPDATE", number)
    return None if row is None else Title.model_validate(dict(row))


async def add_proposal(tx: Transaction, title: Title, proposed: Revocation) -> None:
    given = (getattr(proposed, name) for name in _PROPOSED)
    await tx.execute(_ADD, *given, title.enterprise_id, title.programme)


async def lock_proposal(tx: Transaction, title_id: UUID) -> Revocation | None:
    """The proposal that nobody has decided yet."""
    row = await tx.fetchrow(f"{_REVOCATION} WHERE title_id = $1 AND state = 'proposed' FOR UPDATE", title_id)
    return None if row is None else Revocation.model_validate(dict(row))


async def save_decision(tx: Transaction, decided: Revocation) -> None:
    await tx.execute(
        "UPDATE revocations SET state = $2, decided_by = $3, decided_at = $4, decision_reasons = $5, revoked_on = $6,"
        " barred_until = $7 WHERE revocation_id = $1",
        decided.revocation_id, decided.state, decided.decided_by, decided.decided_at, decided.decision_reasons,
        decided.revoked_on, decided.barred_until,
    )  # fmt: skip
    if decided.revoked_on is not None:
        await tx.execute(
            "UPDATE titles SET revoked_on = $2 WHERE title_id = $1", decided.title_id, decided.revoked_on
        )


async def list_revocations(reader: Reader, title_id: UUID) -> Sequence[Revocation]:
    """All that were ever proposed, in their order."""
    rows = await reader.fetch(f"{_REVOCATION} WHERE title_id = $1 ORDER BY revocation_id", title_id)
    return [Revocation.model_validate(dict(row)) for row in rows]
