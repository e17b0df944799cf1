"""Rows of referrals and outcomes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.database import Database, Transaction
from chassis.listing import Listing
from finance_link.domain.referrals import OPEN, Missing, Referral, State

_REFERRALS = Listing(
    "SELECT * FROM referrals", order="referral_id", enterprise_id="enterprise_id = {}", bank_id="bank_id = {}",
    product_id="product_id = {}", state="state = {}", only_sent="sent_at IS NOT NULL", after="referral_id > {}",
)  # fmt: skip


def _read(row: Any) -> Referral:
    return Referral.model_validate(dict(row))


async def add_referral(tx: Transaction, referral: Referral) -> bool:
    """False when the event that causes it has caused one for this bank and purpose before."""
    added = await tx.fetchval(
        "INSERT INTO referrals (referral_id, enterprise_id, bank_id, product_id, purpose, title_id, amount,"
        " term_months, loan_use, state, missing, consent_id, fields_sent, sent_at, created_at, caused_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " ON CONFLICT (caused_by, bank_id, purpose) DO NOTHING RETURNING true",
        referral.referral_id, referral.enterprise_id, referral.bank_id, referral.product_id,
        referral.purpose, referral.title_id, referral.amount, referral.term_months, referral.loan_use,
        referral.state, referral.missing, referral.consent_id, referral.fields_sent, referral.sent_at,
        referral.created_at, referral.caused_by,
    )  # fmt: skip
    return bool(added)


async def lock_referral(tx: Transaction, referral_id: UUID) -> Referral | None:
    row = await tx.fetchrow("SELECT * FROM referrals WHERE referral_id = $1 FOR UPDATE", referral_id)
    return _read(row) if row else None


async def find_referral(reader: Database | Transaction, referral_id: UUID) -> Referral | None:
    row = await reader.fetchrow("SELECT * FROM referrals WHERE referral_id = $1", referral_id)
    return _read(row) if row else None


async def lock_open(tx: Transaction, enterprise_id: str, bank_id: str, purpose: str) -> list[Referral]:
    rows = await tx.fetch(
        "SELECT * FROM referrals WHERE enterprise_id = $1 AND bank_id = $2 AND purpose = $3 AND state = ANY($4)"
        " ORDER BY referral_id FOR UPDATE",
        enterprise_id, bank_id, purpose, list(OPEN),
    )  # fmt: skip
    return [_read(row) for row in rows]


async def lock_open_of(tx: Transaction, enterprise_id: str) -> list[Referral]:
    rows = await tx.fetch(
        "SELECT * FROM referrals WHERE enterprise_id = $1 AND state = ANY($2) ORDER BY referral_id FOR UPDATE",
        enterprise_id, list(OPEN),
    )  # fmt: skip
    return [_read(row) for row in rows]


async def list_drafts(tx: Transaction, enterprise_id: str) -> list[Referral]:
    rows = await tx.fetch(
        "SELECT * FROM referrals WHERE enterprise_id = $1 AND state = 'draft' ORDER BY referral_id",
        enterprise_id,
    )
    return [_read(row) for row in rows]


async def find_open_for_product(
    tx: Transaction, enterprise_id: str, bank_id: str, product_id: str, purpose: str
) -> UUID | None:
    found: UUID | None = await tx.fetchval(
        "SELECT referral_id FROM referrals WHERE enterprise_id = $1 AND bank_id = $2 AND product_id = $3"
        " AND purpose = $4 AND state = ANY($5) LIMIT 1",
        enterprise_id, bank_id, product_id, purpose, list(OPEN),
    )  # fmt: skip
    return found


async def save_missing(tx: Transaction, referral_id: UUID, missing: Sequence[Missing]) -> None:
    await tx.execute("UPDATE referrals SET missing = $2 WHERE referral_id = $1", referral_id, list(missing))


async def save_sent(tx: Transaction, sent: Referral) -> None:
    await tx.execute(
        "UPDATE referrals SET state = $2, missing = $3, consent_id = $4, fields_sent = $5, sent_at = $6, reason = $7"
        " WHERE referral_id = $1",
        sent.referral_id, sent.state, sent.missing, sent.consent_id, sent.fields_sent, sent.sent_at, sent.reason,
    )  # fmt: skip


async def save_state(
    tx: Transaction,
    referral_id: UUID,
    state: State,
    *,
    reason: str | None = None,
    next_on: date | None = None,
) -> None:
    await tx.execute(
        "UPDATE referrals SET state = $2, reason = $3, next_application_on = $4, missing = '{}' WHERE referral_id = $1",
        referral_id, state, reason, next_on,
    )  # fmt: skip


async def save_need(tx: Transaction, referral: Referral) -> None:
    await tx.execute(
        "UPDATE referrals SET amount = $2, term_months = $3, loan_use = $4 WHERE referral_id = $1",
        referral.referral_id, referral.amount, referral.term_months, referral.loan_use,
    )  # fmt: skip


async def save_amounts(tx: Transaction, referral: Referral) -> None:
    await tx.execute(
        "UPDATE referrals SET approved_amount = $2, disbursed_amount = $3 WHERE referral_id = $1",
        referral.referral_id, referral.approved_amount, referral.disbursed_amount,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    enterprise_id: str | None = None
    bank_id: str | None = None
    product_id: str | None = None
    state: State | None = None
    only_sent: bool = False


async def page_referrals(
    db: Database, chosen: Filter, *, after: UUID | None, limit: int
) -> Sequence[Referral]:
    """In the order of their creation, `limit + 1` at most."""
    rows = await _REFERRALS.rows(db, limit + 1, **asdict(chosen), after=after)
    return [_read(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bank reported. `details` is the report in wire form, compared when the reference comes again."""

    outcome_id: UUID
    referral_id: UUID
    bank_id: str
    bank_reference: str
    kind: str
    details: dict[str, Any]
    state_after: str
    recorded_at: datetime


async def find_outcome(tx: Transaction, bank_id: str, bank_reference: str) -> Outcome | None:
    row = await tx.fetchrow(
        "SELECT * FROM outcomes WHERE bank_id = $1 AND bank_reference = $2", bank_id, bank_reference
    )
    return Outcome(**row) if row else None


async def add_outcome(tx: Transaction, outcome: Outcome) -> bool:
    """False when another transaction used the bank's reference first."""
    added = await tx.fetchval(
        "INSERT INTO outcomes (outcome_id, referral_id, bank_id, bank_reference, kind, details, state_after,"
        " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (bank_id, bank_reference) DO NOTHING RETURNING true",
        outcome.outcome_id, outcome.referral_id, outcome.bank_id, outcome.bank_reference, outcome.kind,
        outcome.details, outcome.state_after, outcome.recorded_at,
    )  # fmt: skip
    return bool(added)


async def list_outcomes(db: Database, referral_id: UUID) -> list[Outcome]:
    rows = await db.fetch("SELECT * FROM outcomes WHERE referral_id = $1 ORDER BY outcome_id", referral_id)
    return [Outcome(**row) for row in rows]
