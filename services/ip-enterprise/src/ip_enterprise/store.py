"""The rows of ip-enterprise's own: the register, the imports, the copy of the enterprises."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from casework.store import Reader
from chassis.database import Transaction
from chassis.listing import Listing
from ip_enterprise.domain import Asset, Enterprise

Key = tuple[str, str]
_COLUMNS = "enterprise_id, asset_id, kind, acquired, granted_on, expires_on, in_force, owned, related"
_ASSET = f"SELECT {_COLUMNS} FROM assets"  # noqa: S608 - constants

_ASSETS = Listing(
    _ASSET, order="enterprise_id, asset_id", enterprise_id="enterprise_id = {}", kind="kind = {}", in_force="in_force",
    ended="NOT in_force", after="(enterprise_id, asset_id) > ({}, {})",
)  # fmt: skip


def key_of(asset: Asset) -> Key:
    return asset.enterprise_id, asset.asset_id


async def lock_register(tx: Transaction) -> None:
    """One import at a time: two that hold the same new right would both find it new."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('assets'))")


async def find_assets(reader: Reader, enterprises: Collection[str]) -> dict[Key, Asset]:
    rows = await reader.fetch(f"{_ASSET} WHERE enterprise_id = ANY($1)", list(enterprises))
    return {key_of(asset): asset for asset in (Asset.model_validate(dict(row)) for row in rows)}


async def find_founded(reader: Reader, enterprises: Collection[str]) -> dict[str, date]:
    """When those of the enterprises that are known here were founded."""
    rows = await reader.fetch(
        "SELECT enterprise_id, established_on FROM enterprises WHERE enterprise_id = ANY($1)",
        list(enterprises),
    )
    return {row["enterprise_id"]: row["established_on"] for row in rows}


async def lock_asset(tx: Transaction, enterprise_id: str, asset_id: str) -> Asset | None:
    row = await tx.fetchrow(
        f"{_ASSET} WHERE enterprise_id = $1 AND asset_id = $2 FOR UPDATE", enterprise_id, asset_id
    )
    return None if row is None else Asset.model_validate(dict(row))


async def list_assets(
    reader: Reader,
    *,
    enterprise_id: str | None = None,
    kind: str | None = None,
    in_force: bool | None = None,
    after: Key | None = None,
    limit: int | None = None,
) -> list[Asset]:
    """By enterprise and number, from the one after `after`; all of them without a limit."""
    rows = await _ASSETS.rows(
        reader, limit, enterprise_id=enterprise_id, kind=kind, in_force=in_force, ended=in_force is False, after=after
    )  # fmt: skip
    return [Asset.model_validate(dict(row)) for row in rows]


async def save_assets(tx: Transaction, assets: Sequence[Asset]) -> None:
    await tx.executemany(
        f"INSERT INTO assets ({_COLUMNS}, changed_by, changed_at)"  # noqa: S608 - constants
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (enterprise_id, asset_id) DO UPDATE SET kind = excluded.kind, acquired = excluded.acquired,"
        " granted_on = excluded.granted_on, expires_on = excluded.expires_on, in_force = excluded.in_force,"
        " owned = excluded.owned, related = excluded.related, changed_by = excluded.changed_by,"
        " changed_at = excluded.changed_at",
        [(*asset.model_dump().values(), str(tx.actor), tx.clock.now()) for asset in assets],
    )


async def add_import(
    tx: Transaction, import_id: UUID, sha256: str, rows: int, counts: tuple[int, int]
) -> None:
    """`counts`: assets recorded, assets changed."""
    await tx.execute(
        "INSERT INTO imports (import_id, sha256, rows, recorded, changed, imported_by, imported_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        import_id, sha256, rows, *counts, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def find_enterprise(reader: Reader, enterprise_id: str) -> Enterprise | None:
    row = await reader.fetchrow(
        "SELECT enterprise_id, name, region, established_on FROM enterprises WHERE enterprise_id = $1",
        enterprise_id,
    )
    return None if row is None else Enterprise.model_validate(dict(row))


async def save_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    """Inside a consumer only: the row carries the event that caused it."""
    await tx.execute(
        "INSERT INTO enterprises (enterprise_id, name, region, established_on, caused_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name,"
        " region = excluded.region, established_on = excluded.established_on, caused_by = excluded.caused_by",
        enterprise.enterprise_id, enterprise.name, enterprise.region, enterprise.established_on, tx.caused_by,
    )  # fmt: skip
