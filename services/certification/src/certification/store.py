"""The rows of certification's own: the register, the facts, the assets, the imports."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from casework.store import Reader
from certification.domain import Asset, Enterprise, Use
from chassis.database import Transaction

_ENTERPRISE = (
    "SELECT enterprise_id, name, region, established_on, mainland_resident, language, contact_email, version"
    " FROM enterprises"
)
_ASSET = "SELECT enterprise_id, asset_id, kind, acquired, granted_on, expires_on, in_force, owned, related FROM assets"


async def lock_register(tx: Transaction, enterprise_id: str) -> None:
    """Two who register the same enterprise at once follow each other, although no row is there to lock yet."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('enterprises'), hashtext($1))", enterprise_id)


async def find_enterprise(reader: Reader, enterprise_id: str) -> Enterprise | None:
    row = await reader.fetchrow(f"{_ENTERPRISE} WHERE enterprise_id = $1", enterprise_id)
    return None if row is None else Enterprise.model_validate(dict(row))


async def list_enterprises(reader: Reader, *, after: str | None, limit: int) -> list[Enterprise]:
    rows = await reader.fetch(
        f"{_ENTERPRISE} WHERE ($1::text IS NULL OR enterprise_id > $1) ORDER BY enterprise_id LIMIT $2",
        after,
        limit,
    )
    return [Enterprise.model_validate(dict(row)) for row in rows]


async def save_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    await tx.execute(
        "INSERT INTO enterprises (enterprise_id, name, region, established_on, mainland_resident, language,"
        " contact_email, version, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name, region = excluded.region,"
        " established_on = excluded.established_on, mainland_resident = excluded.mainland_resident,"
        " language = excluded.language, contact_email = excluded.contact_email, version = excluded.version,"
        " changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        enterprise.enterprise_id, enterprise.name, enterprise.region, enterprise.established_on,
        enterprise.mainland_resident, enterprise.language, enterprise.contact_email, enterprise.version,
        str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def find_facts(reader: Reader, enterprise_id: str) -> tuple[dict[str, Any], int]:
    """The facts that were given and their version; nothing and 0 before anything was."""
    row = await reader.fetchrow(
        "SELECT facts, version FROM enterprise_facts WHERE enterprise_id = $1", enterprise_id
    )
    return ({}, 0) if row is None else (row["facts"], row["version"])


async def save_facts(tx: Transaction, enterprise_id: str, facts: Mapping[str, Any], version: int) -> None:
    await tx.execute(
        "INSERT INTO enterprise_facts (enterprise_id, facts, version, changed_by, changed_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (enterprise_id) DO UPDATE SET facts = excluded.facts,"
        " version = excluded.version, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        enterprise_id, dict(facts), version, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def list_assets(reader: Reader, enterprise_id: str) -> list[Asset]:
    rows = await reader.fetch(f"{_ASSET} WHERE enterprise_id = $1 ORDER BY asset_id", enterprise_id)
    return [Asset.model_validate(dict(row)) for row in rows]


async def save_asset(tx: Transaction, asset: Asset) -> None:
    """Inside a consumer only: the row carries the event that caused it."""
    await tx.execute(
        "INSERT INTO assets (enterprise_id, asset_id, kind, acquired, granted_on, expires_on, in_force, owned,"
        " related, caused_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (enterprise_id, asset_id) DO UPDATE SET kind = excluded.kind, acquired = excluded.acquired,"
        " granted_on = excluded.granted_on, expires_on = excluded.expires_on, in_force = excluded.in_force,"
        " owned = excluded.owned, related = excluded.related, caused_by = excluded.caused_by",
        asset.enterprise_id, asset.asset_id, asset.kind, asset.acquired, asset.granted_on, asset.expires_on,
        asset.in_force, asset.owned, asset.related, tx.caused_by,
    )  # fmt: skip


async def expire_asset(tx: Transaction, enterprise_id: str, asset_id: str, expired_on: date) -> bool:
    """Whether such an asset was known."""
    found = await tx.fetchval(
        "UPDATE assets SET in_force = false, expires_on = $3, caused_by = $4"
        " WHERE enterprise_id = $1 AND asset_id = $2 RETURNING true",
        enterprise_id, asset_id, expired_on, tx.caused_by,
    )  # fmt: skip
    return found is True


async def list_uses(reader: Reader, enterprise_id: str) -> list[Use]:
    """The rights that carried the enterprise's titles."""
    rows = await reader.fetch(
        "SELECT DISTINCT r ->> 'id' AS asset_id, c.programme, extract(year FROM c.applied_on)::int AS year"
        " FROM cases c JOIN titles t USING (case_id)"
        " CROSS JOIN LATERAL jsonb_array_elements(coalesce(c.facts -> 'ip', '[]')) AS r"
        ' WHERE c.enterprise_id = $1 AND r @> \'{"in_force": true, "owned": true, "related": true}\''
        " ORDER BY 3, 2, 1",
        enterprise_id,
    )
    return [Use.model_validate(dict(row)) for row in rows]


async def add_import(
    tx: Transaction, import_id: UUID, sha256: str, rows: Mapping[str, int], counts: tuple[int, int]
) -> None:
    """`counts`: enterprises registered, enterprises changed."""
    await tx.execute(
        "INSERT INTO imports (import_id, sha256, rows, registered, changed, imported_by, imported_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        import_id, sha256, dict(rows), *counts, str(tx.actor), tx.clock.now(),
    )  # fmt: skip
