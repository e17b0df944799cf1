"""Enterprises, as far as notifier needs to know them."""

from asyncpg import Record
from pydantic import TypeAdapter

from chassis.database import Transaction
from notifier.domain.notifications import Enterprise

_ENTERPRISE = TypeAdapter(Enterprise)


def _enterprise(row: Record | None) -> Enterprise | None:
    if row is None:
        return None
    known = {name: value for name, value in row.items() if value is not None}
    return _ENTERPRISE.validate_python(known)


async def find_or_expect_enterprise(tx: Transaction, enterprise_id: str) -> Enterprise:
    """What is known of it. Where that is nothing, its row is locked until the end, so that a registration that is
    being recorded at the same moment sees whatever this transaction leaves waiting for it.
    """
    find = "SELECT enterprise_id, name, language, contact_email FROM enterprises WHERE enterprise_id = $1"
    found = _enterprise(await tx.fetchrow(find, enterprise_id))
    if found is not None and found.is_known:
        return found
    await tx.execute(
        "INSERT INTO enterprises (enterprise_id) VALUES ($1) ON CONFLICT DO NOTHING", enterprise_id
    )
    return _enterprise(await tx.fetchrow(f"{find} FOR SHARE", enterprise_id)) or Enterprise(enterprise_id)


async def save_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    await tx.execute(
        "INSERT INTO enterprises (enterprise_id, name, language, contact_email, caused_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name,"
        " language = excluded.language, contact_email = excluded.contact_email, caused_by = excluded.caused_by",
        enterprise.enterprise_id, enterprise.name, enterprise.language, enterprise.contact_email, tx.caused_by,
    )  # fmt: skip
