"""Rows of consents. Lock order everywhere: relation, consent, referral."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database import Database, Transaction
from chassis.listing import Listing
from finance_link.domain.consents import Consent, EndedBecause

_CONSENTS = Listing(
    "SELECT * FROM consents", order="consent_id", enterprise_id="enterprise_id = {}", bank_id="bank_id = {}",
    after="consent_id > {}",
)  # fmt: skip


def _read(row: Any) -> Consent:
    return Consent.model_validate(dict(row))


async def lock_relation(tx: Transaction, enterprise_id: str, bank_id: str, purpose: str) -> None:
    """Serialises what must be alone for one enterprise, bank and purpose, whether or not a row exists yet."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{enterprise_id}/{bank_id}/{purpose}"
    )


async def add_consent(tx: Transaction, consent: Consent) -> None:
    await tx.execute(
        "INSERT INTO consents (consent_id, enterprise_id, bank_id, purpose, fields, text_version, on_title, given_on,"
        " given_at, given_by, expires_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        consent.consent_id, consent.enterprise_id, consent.bank_id, consent.purpose, consent.fields,
        consent.text_version, consent.on_title, consent.given_on, consent.given_at, consent.given_by,
        consent.expires_on,
    )  # fmt: skip


async def lock_consent(tx: Transaction, consent_id: UUID) -> Consent | None:
    row = await tx.fetchrow("SELECT * FROM consents WHERE consent_id = $1 FOR UPDATE", consent_id)
    return _read(row) if row else None


async def find_consent(db: Database, consent_id: UUID) -> Consent | None:
    row = await db.fetchrow("SELECT * FROM consents WHERE consent_id = $1", consent_id)
    return _read(row) if row else None


async def lock_standing(tx: Transaction, enterprise_id: str, bank_id: str, purpose: str) -> Consent | None:
    """The standing consent, kept from ending until this transaction does.

    FOR SHARE waits for a withdrawal that is under way and then looks again; a later withdrawal waits for us.
    """
    row = await tx.fetchrow(
        "SELECT * FROM consents WHERE enterprise_id = $1 AND bank_id = $2 AND purpose = $3 AND ended_at IS NULL"
        " FOR SHARE",
        enterprise_id, bank_id, purpose,
    )  # fmt: skip
    return _read(row) if row else None


async def lock_standing_on_title(tx: Transaction, enterprise_id: str) -> list[Consent]:
    rows = await tx.fetch(
        "SELECT * FROM consents WHERE enterprise_id = $1 AND on_title AND ended_at IS NULL"
        " ORDER BY consent_id FOR SHARE",
        enterprise_id,
    )
    return [_read(row) for row in rows]


async def end_consent(tx: Transaction, consent_id: UUID, because: EndedBecause) -> datetime:
    """When it ended: now, and never before what was sent under it by a process whose clock is ahead of ours."""
    ended_at: datetime = await tx.fetchval(
        "UPDATE consents SET ended_because = $2, ended_at = greatest($3,"
        " (SELECT max(sent_at) FROM referrals WHERE consent_id = $1)) WHERE consent_id = $1 RETURNING ended_at",
        consent_id, because, tx.clock.now(),
    )  # fmt: skip
    return ended_at


async def end_standing(tx: Transaction, enterprise_id: str, bank_id: str, purpose: str) -> None:
    """Ends the consent that a newer one for the same bank and purpose replaces."""
    row = await tx.fetchrow(
        "SELECT consent_id FROM consents WHERE enterprise_id = $1 AND bank_id = $2 AND purpose = $3"
        " AND ended_at IS NULL FOR UPDATE",
        enterprise_id, bank_id, purpose,
    )  # fmt: skip
    if row:
        await end_consent(tx, row["consent_id"], "replaced")


async def page_consents(
    db: Database, *, after: UUID | None, limit: int, enterprise_id: str | None, bank_id: str | None
) -> Sequence[Consent]:
    """In the order in which they were given, `limit + 1` at most."""
    rows = await _CONSENTS.rows(db, limit + 1, enterprise_id=enterprise_id, bank_id=bank_id, after=after)
    return [_read(row) for row in rows]
