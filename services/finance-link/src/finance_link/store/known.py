"""Local copies of what certification and ip-enterprise said."""

from datetime import date
from uuid import UUID

from chassis.database import Transaction
from finance_link.domain.scope import Enterprise, Title


async def save_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    """The event holds the whole state, so the newest one replaces the row."""
    await tx.execute(
        "INSERT INTO enterprises (enterprise_id, name, region, established_on, language, contact_email, caused_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name,"
        " region = excluded.region, established_on = excluded.established_on, language = excluded.language,"
        " contact_email = excluded.contact_email, caused_by = excluded.caused_by",
        enterprise.enterprise_id, enterprise.name, enterprise.region, enterprise.established_on, enterprise.language,
        enterprise.contact_email, tx.caused_by,
    )  # fmt: skip


async def save_revoked(tx: Transaction, title_id: UUID, revoked_on: date) -> Title | None:
    """The title as it is now; None when it was revoked before."""
    row = await tx.fetchrow(
        "UPDATE titles SET revoked_on = $2 WHERE title_id = $1 AND revoked_on IS NULL RETURNING *",
        title_id,
        revoked_on,
    )
    return Title.model_validate(dict(row)) if row else None


async def add_title(tx: Transaction, title: Title) -> bool:
    """False when the title is known already."""
    added = await tx.fetchval(
        "INSERT INTO titles (title_id, enterprise_id, programme, level, number, granted_on, valid_until, caused_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING true",
        title.title_id, title.enterprise_id, title.programme, title.level, title.number,
        title.granted_on, title.valid_until, tx.caused_by,
    )  # fmt: skip
    return bool(added)
