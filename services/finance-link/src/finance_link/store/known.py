"""Local copies of what certification and ip-enterprise said."""

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


async def find_enterprise(tx: Transaction, enterprise_id: str) -> Enterprise | None:
    row = await tx.fetchrow("SELECT * FROM enterprises WHERE enterprise_id = $1", enterprise_id)
    return Enterprise.model_validate(dict(row)) if row else None


async def add_title(tx: Transaction, title: Title) -> bool:
    """False when the title is known already."""
    added = await tx.fetchval(
        "INSERT INTO titles (title_id, enterprise_id, programme, level, number, granted_on, valid_until, caused_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING true",
        title.title_id, title.enterprise_id, title.programme, title.level, title.number,
        title.granted_on, title.valid_until, tx.caused_by,
    )  # fmt: skip
    return bool(added)


async def list_titles(tx: Transaction, enterprise_id: str) -> list[Title]:
    rows = await tx.fetch("SELECT * FROM titles WHERE enterprise_id = $1 ORDER BY granted_on", enterprise_id)
    return [Title.model_validate(dict(row)) for row in rows]


async def find_title(tx: Transaction, title_id: UUID) -> Title | None:
    row = await tx.fetchrow("SELECT * FROM titles WHERE title_id = $1", title_id)
    return Title.model_validate(dict(row)) if row else None
