"""The directory of experts, and who is tied to which enterprise."""

from uuid import UUID

from uuid_utils.compat import uuid7

from casework import expert_store
from casework.expert import Entry, Expert, Ground, Interest
from casework.policy import POLICY
from casework.store import Reader
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed, Refused
from chassis.identity import Actor


class KnownSubject(Refused):
    """Another expert of the directory signs in as {subject}."""


class NotForOthers(Refused):
    """An expert declares its own ties only."""

    status = 403


class OwnTie(Refused):
    """That a tie has ended is for somebody else to record than the person tied."""

    status = 403


async def add_expert(tx: Transaction, entry: Entry) -> Expert:
    """Raises KnownSubject."""
    authorize(POLICY, tx.actor, "expert.write")
    return await _save(tx, entry, uuid7(), 1)


async def change_expert(
    tx: Transaction, expert_id: UUID, entry: Entry, *, expected: int | None = None
) -> Expert:
    """Replaces the entry; who leaves becomes inactive. Raises NotFound, KnownSubject, PreconditionFailed."""
    authorize(POLICY, tx.actor, "expert.write")
    before = await expert_store.lock_expert(tx, expert_id)
    if before is None:
        raise NotFound(thing="expert")
    if expected is not None and expected != before.version:
        raise PreconditionFailed(version=before.version)
    return await _save(tx, entry, expert_id, before.version + 1)


async def _save(tx: Transaction, entry: Entry, expert_id: UUID, version: int) -> Expert:
    known = {"expert_id": expert_id, "version": version, "changed_at": tx.clock.now()}
    expert = Expert.model_validate(entry.model_dump(include=set(Entry.model_fields)) | known)
    try:
        await expert_store.save_expert(tx, expert)
    except expert_store.KnownSubject as error:
        raise KnownSubject(subject=entry.subject) from error
    return expert


async def read_expert(reader: Reader, actor: Actor, expert_id: UUID) -> Expert:
    """An expert sees its own entry; another's is not found."""
    authorize(POLICY, actor, "expert.read")
    found = await expert_store.find_expert(reader, expert_id)
    if found is None or (actor.role == "expert" and actor.subject != found.subject):
        raise NotFound(thing="expert")
    return found


async def declare_interest(
    tx: Transaction, enterprise_id: str, ground: Ground, *, person: str | None = None, note: str | None = None
) -> Interest:
    """A tie of the actor, or of the officer or expert that an officer names. Raises NotForOthers."""
    authorize(POLICY, tx.actor, "interest.declare")
    own = str(tx.actor)
    if tx.actor.role == "expert" and person not in (None, own):
        raise NotForOthers(rule="conflict_of_interest")
    interest = Interest(
        interest_id=uuid7(), person=person or own, enterprise_id=enterprise_id, ground=ground, note=note,
        declared_by=own, declared_at=tx.clock.now(),
    )  # fmt: skip
    return await expert_store.add_interest(tx, interest)


async def end_interest(tx: Transaction, interest_id: UUID) -> Interest:
    """Raises NotFound, OwnTie. One that has ended stays as it is."""
    authorize(POLICY, tx.actor, "interest.end")
    interest = await expert_store.lock_interest(tx, interest_id)
    if interest is None:
        raise NotFound(thing="interest")
    if interest.person == str(tx.actor):
        raise OwnTie(rule="conflict_of_interest")
    if interest.ended_at is not None:
        return interest
    ended = interest.model_copy(update={"ended_by": str(tx.actor), "ended_at": tx.clock.now()})
    await expert_store.end_interest(tx, ended)
    return ended
