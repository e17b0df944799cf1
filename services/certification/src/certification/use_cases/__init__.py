"""The verbs of certification's own: register, keep facts, import, check oneself, note what the IP register tells."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from uuid_utils.compat import uuid7

from casework.facts import Facts, facts_from
from casework.founding import check_founding
from casework.policy import Reach
from casework.self_check import document_of
from casework.self_check import self_check as judge
from casework.store import Reader
from casework.unusable import UnusableInput
from casework.use_cases import Casework
from casework.use_cases.permitting import permit
from certification import store
from certification.domain import SECTIONS, Asset, Enterprise, known_facts
from certification.intake import EnterpriseRow, Intake
from chassis.auth import Policy, allow, authorize
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed, Refused
from contracts import certification as events

POLICY: Policy = {
    "enterprise.write": allow("enterprise", "officer", own="enterprise"),
    "enterprise.facts": allow("enterprise", "officer", own="enterprise"),
    "enterprise.read": allow("enterprise", "officer", "expert", "auditor", "operator", own="enterprise"),
    "enterprise.list": allow("officer", "auditor", "operator"),
    "import.run": allow("officer", "operator"),
    "invitation.write": allow("enterprise", own="enterprise"),
    "invitation.list": allow("enterprise", "officer", "auditor", own="enterprise"),
    "invitation.accept": allow("enterprise"),
    "member.list": allow("enterprise", "officer", "auditor", own="enterprise"),
    "member.end": allow("enterprise", own="enterprise"),
    "membership.list": allow("enterprise"),
}
REGISTER: Final = Reach(
    POLICY,
    reading=frozenset({"enterprise.read", "member.list"}),
    owning=frozenset({"enterprise.write", "invitation.write", "invitation.list", "member.end"}),
)

Happened = Literal["registered", "changed", "unchanged"]


class NotRegistered(Refused):
    """The enterprise {enterprise_id} is not registered here; register it first."""


async def register_enterprise(
    tx: Transaction, enterprise: Enterprise, *, expected: int | None = None
) -> tuple[Enterprise, Happened]:
    """Registers the enterprise or changes what is known of it; says so only when something is new.

    `expected` is the version that the actor has seen. Raises Forbidden, OwnersOnly, NotFound, PreconditionFailed.
    """
    await permit(tx, tx.actor, "enterprise.write", enterprise.enterprise_id, REGISTER)
    await store.lock_register(tx, enterprise.enterprise_id)
    known = await store.find_enterprise(tx, enterprise.enterprise_id)
    if expected is not None and expected != (known.version if known else 0):
        raise PreconditionFailed(version=known.version if known else 0)
    if known is not None and known == enterprise.model_copy(update={"version": known.version}):
        return known, "unchanged"
    saved = enterprise.model_copy(update={"version": known.version + 1 if known else 1})
    await store.save_enterprise(tx, saved)
    told = saved.model_dump(exclude={"version", "mainland_resident"})
    if known is None:
        tx.publish(events.EnterpriseRegistered(**told))
        return saved, "registered"
    if told != known.model_dump(exclude={"version", "mainland_resident"}):
        tx.publish(events.EnterpriseChanged(**told))
    return saved, "changed"


async def keep_facts(
    tx: Transaction, enterprise_id: str, facts: Mapping[str, Any], *, expected: int | None = None
) -> tuple[dict[str, Any], int]:
    """Replaces what was given of the enterprise; returns it as kept, with its version.

    Raises UnusableInput with the path for a fact that breaks a rule, NotRegistered.
    """
    await permit(tx, tx.actor, "enterprise.facts", enterprise_id, REGISTER)
    await store.lock_register(tx, enterprise_id)
    enterprise = await registered(tx, enterprise_id)
    kept = checked_sections(facts, enterprise.established_on)
    before, version = await store.find_facts(tx, enterprise_id)
    if expected is not None and expected != version:
        raise PreconditionFailed(version=version)
    if kept == before and version:
        return kept, version
    await store.save_facts(tx, enterprise_id, kept, version + 1)
    return kept, version + 1


def checked_sections(facts: Mapping[str, Any], founded: date) -> dict[str, Any]:
    for name in facts:
        if name not in SECTIONS:
            raise UnusableInput(name, "unknown_name")
    given = facts_from(dict(facts))
    check_founding(given, founded)
    checked: dict[str, Any] = given.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return checked


async def registered(reader: Reader, enterprise_id: str) -> Enterprise:
    enterprise = await store.find_enterprise(reader, enterprise_id)
    if enterprise is None:
        raise NotRegistered(enterprise_id=enterprise_id)
    return enterprise


async def facts_of(reader: Reader, enterprise_id: str) -> dict[str, Any]:
    """All that is known of the enterprise, for an application: register, given facts, IP assets and their uses."""
    known = await store.find_known(reader, enterprise_id)
    if known is None:
        raise NotRegistered(enterprise_id=enterprise_id)
    return known_facts(known.enterprise, known.given, known.assets, known.uses)


casework = Casework(events=events, facts_of=facts_of)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many enterprises a workbook registered, changed and left as they were; zeros when it was refused."""

    registered: int = 0
    changed: int = 0
    unchanged: int = 0


async def import_workbook(tx: Transaction, content: bytes, intake: Intake) -> Imported:
    """Takes in all that the workbook holds, in the caller's one transaction; nothing when a cell is refused."""
    authorize(POLICY, tx.actor, "import.run")
    if intake.refusals:
        return Imported()
    happened = [await _take_in(tx, row) for row in intake.enterprises]
    counts = Imported(happened.count("registered"), happened.count("changed"), happened.count("unchanged"))
    digest = hashlib.sha256(content).hexdigest()
    await store.add_import(tx, uuid7(), digest, intake.rows, (counts.registered, counts.changed))
    return counts


async def _take_in(tx: Transaction, row: EnterpriseRow) -> Happened:
    enterprise = Enterprise.model_validate(
        {
            "enterprise_id": row.enterprise_id,
            "name": row.name,
            "region": row.region,
            "established_on": row.established_on,
            "mainland_resident": row.mainland_resident,
            "language": row.language,
            "contact_email": row.contact_email,
        }
    )
    _, happened = await register_enterprise(tx, enterprise)
    before, version = await store.find_facts(tx, row.enterprise_id)
    _, now = await keep_facts(tx, row.enterprise_id, before | row.facts)
    return "changed" if happened == "unchanged" and now != version else happened


def self_check(
    facts: Facts, *, programme: str | None, edition: date | None, level: str | None
) -> dict[str, Any]:
    """The answer that the facts README describes; nothing is kept. Raises UnusableInput."""
    return document_of(judge(facts, casework.rulebooks, programme, edition, level))


async def note_asset(tx: Transaction, asset: Asset) -> None:
    """The register of IP assets tells an entry; it replaces what was told before."""
    await store.save_asset(tx, asset)


async def expire_asset(tx: Transaction, enterprise_id: str, asset_id: str, expired_on: date) -> None:
    """An IP right is no longer in force. Raises NotFound for one that was never told."""
    if not await store.expire_asset(tx, enterprise_id, asset_id, expired_on):
        raise NotFound(thing="asset")
