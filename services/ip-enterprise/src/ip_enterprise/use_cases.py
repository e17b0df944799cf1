"""The verbs of ip-enterprise's own: import the register, let rights run out, note enterprises and their members."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from uuid_utils.compat import uuid7

from casework import member_store
from casework.member import Member
from casework.policy import Reach
from casework.store import Reader
from casework.use_cases import Casework
from chassis.auth import Policy, allow, authorize
from chassis.clock import SHANGHAI
from chassis.database import Transaction
from chassis.errors import Refused
from chassis.work import Job, add_work, cancel_work
from contracts import ip_enterprise as events
from ip_enterprise import store
from ip_enterprise.domain import Asset, Enterprise, known_facts
from ip_enterprise.intake import Register, held_against

EXPIRE_ASSET: Final = "asset.expire"
POLICY: Policy = {
    "import.run": allow("officer", "operator"),
    "asset.list": allow("enterprise", "officer", "expert", "auditor", "operator", own="enterprise"),
}
ASSETS: Final = Reach(POLICY, reading=frozenset({"asset.list"}))


class NotRegistered(Refused):
    """The enterprise {enterprise_id} is not registered with the bureau; it registers with certification first."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rights a list recorded, changed and left as they were; zeros when it was refused."""

    recorded: int = 0
    changed: int = 0
    unchanged: int = 0


async def held_against_founding(tx: Transaction, register: Register) -> Register:
    """The register, refused where a row contradicts what certification told of its enterprise."""
    authorize(POLICY, tx.actor, "import.run")
    return held_against(
        register, await store.find_founded(tx, {row.enterprise_id for row in register.assets})
    )


async def import_register(tx: Transaction, content: bytes, register: Register) -> Imported:
    """Takes in all that the list holds, in the caller's one transaction; nothing when a cell is refused.

    A right that the list does not name stays as it is: a list may cover a part of the register.
    """
    authorize(POLICY, tx.actor, "import.run")
    if register.refusals:
        return Imported()
    await store.lock_register(tx)
    today = tx.clock.today()
    listed = [Asset.model_validate(asdict(row)).as_of(today) for row in register.assets]
    known = await store.find_assets(tx, {asset.enterprise_id for asset in listed})
    new = [asset for asset in listed if store.key_of(asset) not in known]
    changed = [asset for asset in listed if known.get(store.key_of(asset), asset) != asset]
    for asset in changed:
        await cancel_work(tx, EXPIRE_ASSET, subject_of(asset), "the entry changed")
    await record_assets(tx, new + changed)
    counts = Imported(len(new), len(changed), len(listed) - len(new) - len(changed))
    digest = hashlib.sha256(content).hexdigest()
    await store.add_import(tx, uuid7(), digest, register.rows, (counts.recorded, counts.changed))
    return counts


async def record_assets(tx: Transaction, assets: Sequence[Asset]) -> None:
    """Writes the entries, says so, and sets each one's last day."""
    # Work rows before assets, as when a right runs out: the other order could deadlock with that.
    for asset in assets:
        if asset.in_force and asset.expires_on is not None:
            about = {"enterprise_id": asset.enterprise_id, "asset_id": asset.asset_id}
            await add_work(tx, EXPIRE_ASSET, subject_of(asset), about, day_after(asset.expires_on))
    await store.save_assets(tx, assets)
    tx.publish(*(events.AssetRecorded(**asset.model_dump()) for asset in assets))


def subject_of(asset: Asset) -> str:
    return f"{asset.enterprise_id}/{asset.asset_id}"


def day_after(day: date) -> datetime:
    """The first instant in China on which a right is no longer in force."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


async def expire_asset(job: Job, tx: Transaction) -> None:
    """The deadline `asset.expire`: the right's last day is over. An entry that changed meanwhile is left alone."""
    asset = await store.lock_asset(tx, job.payload["enterprise_id"], job.payload["asset_id"])
    today = tx.clock.today()
    if asset is None or asset.expires_on is None or not (asset.in_force and asset.ran_out(today)):
        return
    await store.save_assets(tx, [asset.as_of(today)])
    tx.publish(
        events.AssetExpired(
            asset_id=asset.asset_id, enterprise_id=asset.enterprise_id, expired_on=asset.expires_on
        )
    )


async def note_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    """Certification tells what it knows of an enterprise; it replaces what was told before."""
    await store.save_enterprise(tx, enterprise)


async def note_member(tx: Transaction, member: Member) -> None:
    """Certification tells who acts for an enterprise, from when to when; it replaces what was told before."""
    await member_store.save_told(tx, member)


async def facts_of(reader: Reader, enterprise_id: str) -> dict[str, Any]:
    """What is known of an applicant: who it is, and its IP rights. Raises NotRegistered."""
    enterprise = await store.find_enterprise(reader, enterprise_id)
    if enterprise is None:
        raise NotRegistered(enterprise_id=enterprise_id)
    return known_facts(enterprise, await store.list_assets(reader, enterprise_id=enterprise_id))


casework = Casework(events=events, facts_of=facts_of)
