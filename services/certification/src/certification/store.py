"""The rows of certification's own: the register, the facts, the assets, the imports, the invitations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from casework.store import Reader
from certification.domain import Asset, Enterprise, Invitation, Use
from chassis.database import Transaction
from chassis.listing import Listing
from chassis.rows import insert

_ENTERPRISE = (
    "SELECT enterprise_id, name, region, established_on, mainland_resident, language, contact_email, version"
    " FROM enterprises"
)
_ENTERPRISES = Listing(_ENTERPRISE, order="enterprise_id", after="enterprise_id > {}")
_INVITATION_COLUMNS = (
    "invitation_id", "enterprise_id", "kind", "until", "code_hash", "invited_by", "invited_at", "expires_at", "accepted_by",
    "accepted_at", "cancelled_by", "cancelled_at",
)  # fmt: skip
_INVITATION = f"SELECT {', '.join(_INVITATION_COLUMNS)} FROM invitations"  # noqa: S608 - constants
_ADD_INVITATION = insert("invitations", _INVITATION_COLUMNS)
_INVITATIONS = Listing(
    _INVITATION, order="invitation_id", enterprise_id="enterprise_id = {}", after="invitation_id > {}"
)
# The rights that carried the enterprise's titles are its uses.
_KNOWN = """
SELECT e.enterprise_id, e.name, e.region, e.established_on, e.mainland_resident, e.language, e.contact_email, e.version,
       f.facts,
       (SELECT coalesce(jsonb_agg(to_jsonb(a) - 'caused_by' ORDER BY a.asset_id), '[]') FROM assets a
        WHERE a.enterprise_id = e.enterprise_id) AS assets,
       (SELECT coalesce(jsonb_agg(u ORDER BY u.year, u.programme, u.asset_id), '[]') FROM (
            SELECT DISTINCT r ->> 'id' AS asset_id, c.programme, extract(year FROM c.applied_on)::int AS year
            FROM cases c JOIN titles t USING (case_id)
                 CROSS JOIN LATERAL jsonb_array_elements(coalesce(c.facts -> 'ip', '[]')) AS r
            WHERE c.enterprise_id = e.enterprise_id AND r @> '{"in_force": true, "owned": true, "related": true}'
        ) AS u) AS uses
FROM enterprises e LEFT JOIN enterprise_facts f USING (enterprise_id) WHERE e.enterprise_id = $1
"""


async def lock_register(tx: Transaction, enterprise_id: str) -> None:
    """Two who register the same enterprise at once follow each other, although no row is there to lock yet."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('enterprises'), hashtext($1))", enterprise_id)


async def find_enterprise(reader: Reader, enterprise_id: str) -> Enterprise | None:
    row = await reader.fetchrow(f"{_ENTERPRISE} WHERE enterprise_id = $1", enterprise_id)
    return None if row is None else Enterprise.model_validate(dict(row))


async def list_enterprises(reader: Reader, *, after: str | None, limit: int) -> list[Enterprise]:
    rows = await _ENTERPRISES.rows(reader, limit, after=after)
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


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of an enterprise, as one statement saw it."""

    enterprise: Enterprise
    given: dict[str, Any]
    assets: list[Asset]
    uses: list[Use]


async def find_known(reader: Reader, enterprise_id: str) -> Known | None:
    row = await reader.fetchrow(_KNOWN, enterprise_id)
    if row is None:
        return None
    content = dict(row)
    given, assets, uses = content.pop("facts"), content.pop("assets"), content.pop("uses")
    return Known(
        Enterprise.model_validate(content),
        given or {},
        [Asset.model_validate(asset) for asset in assets],
        [Use.model_validate(use) for use in uses],
    )


async def save_facts(tx: Transaction, enterprise_id: str, facts: Mapping[str, Any], version: int) -> None:
    await tx.execute(
        "INSERT INTO enterprise_facts (enterprise_id, facts, version, changed_by, changed_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (enterprise_id) DO UPDATE SET facts = excluded.facts,"
        " version = excluded.version, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        enterprise_id, dict(facts), version, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


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


async def add_import(
    tx: Transaction, import_id: UUID, sha256: str, rows: Mapping[str, int], counts: tuple[int, int]
) -> None:
    """`counts`: enterprises registered, enterprises changed."""
    await tx.execute(
        "INSERT INTO imports (import_id, sha256, rows, registered, changed, imported_by, imported_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        import_id, sha256, dict(rows), *counts, str(tx.actor), tx.clock.now(),
    )  # fmt: skip


async def add_invitation(tx: Transaction, invitation: Invitation) -> None:
    await tx.execute(_ADD_INVITATION, *(getattr(invitation, name) for name in _INVITATION_COLUMNS))


async def lock_invitation(tx: Transaction, invitation_id: UUID) -> Invitation | None:
    row = await tx.fetchrow(f"{_INVITATION} WHERE invitation_id = $1 FOR UPDATE", invitation_id)
    return None if row is None else Invitation.model_validate(dict(row))


async def save_invitation_end(tx: Transaction, invitation: Invitation) -> None:
    await tx.execute(
        "UPDATE invitations SET accepted_by = $2, accepted_at = $3, cancelled_by = $4, cancelled_at = $5"
        " WHERE invitation_id = $1",
        invitation.invitation_id, invitation.accepted_by, invitation.accepted_at, invitation.cancelled_by,
        invitation.cancelled_at,
    )  # fmt: skip


async def cancel_invitations_of(
    tx: Transaction, enterprise_id: str, invited_by: str, cancelled_by: str
) -> None:
    """Those that the person gave for this enterprise and nobody has accepted."""
    await tx.execute(
        "UPDATE invitations SET cancelled_by = $3, cancelled_at = $4"
        " WHERE enterprise_id = $1 AND invited_by = $2 AND accepted_at IS NULL AND cancelled_at IS NULL",
        enterprise_id, invited_by, cancelled_by, tx.clock.now(),
    )  # fmt: skip


async def list_invitations(
    reader: Reader, *, enterprise_id: str, after: UUID | None, limit: int
) -> list[Invitation]:
    """In the order in which they were given, from the one after `after`."""
    rows = await _INVITATIONS.rows(reader, limit, enterprise_id=enterprise_id, after=after)
    return [Invitation.model_validate(dict(row)) for row in rows]
