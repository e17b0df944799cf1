"""Who acts for an enterprise: an owner invites with a code that is shown once, whoever brings it joins, until it ends."""

import secrets
from datetime import date, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import member_store
from casework.duties import DAY
from casework.member import Member, Membership
from casework.use_cases.permitting import permit
from casework.use_cases.steps import start_of
from certification import store
from certification.domain import Invitation, hash_of
from certification.use_cases import POLICY, REGISTER, registered
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound, Refused
from chassis.identity import SYSTEM
from chassis.work import Job, add_work
from contracts import certification as events

MEMBER_END: Final = "member.end"


class LastDayIsOver(Refused):
    """An agent's last day is today or later; {until} is over."""

    status: ClassVar[int] = 422


class InvitationUsed(Refused):
    """The invitation was accepted before; each is for one person."""


class InvitationCancelled(Refused):
    """The invitation was cancelled."""


class InvitationExpired(Refused):
    """The invitation was to be accepted before {expires_at}; ask for another."""


class AlreadyMember(Refused):
    """You act for the enterprise {enterprise_id} already."""


async def invite(
    tx: Transaction, enterprise_id: str, membership: Membership, lasts: timedelta
) -> tuple[Invitation, str]:
    """An invitation that may be accepted while it `lasts`, and its code, which is kept nowhere.

    Raises NotFound, Forbidden, ViewersOnlyLook, OwnersOnly, NotRegistered, LastDayIsOver.
    """
    await permit(tx, tx.actor, "invitation.write", enterprise_id, REGISTER)
    await registered(tx, enterprise_id)
    _check_last_day(membership, tx.clock.today())
    invitation_id, now = uuid7(), tx.clock.now()
    code = invitation_id.hex + secrets.token_hex(16)
    invitation = Invitation(
        invitation_id=invitation_id, enterprise_id=enterprise_id, kind=membership.kind, until=membership.until,
        code_hash=hash_of(code), invited_by=str(tx.actor), invited_at=now, expires_at=now + lasts,
    )  # fmt: skip
    await store.add_invitation(tx, invitation)
    return invitation, code


def _check_last_day(membership: Membership, today: date) -> None:
    if membership.is_over(today):
        raise LastDayIsOver(rule="members", until=membership.until)


async def cancel_invitation(tx: Transaction, enterprise_id: str, invitation_id: UUID) -> Invitation:
    """One that was cancelled stays as it is. Raises NotFound, Forbidden, ViewersOnlyLook, OwnersOnly, InvitationUsed."""
    await permit(tx, tx.actor, "invitation.write", enterprise_id, REGISTER)
    invitation = await store.lock_invitation(tx, invitation_id)
    if invitation is None or invitation.enterprise_id != enterprise_id:
        raise NotFound(thing="invitation")
    if invitation.accepted_at is not None:
        raise InvitationUsed(rule="members")
    if invitation.cancelled_at is not None:
        return invitation
    changes = {"cancelled_by": str(tx.actor), "cancelled_at": tx.clock.now()}
    cancelled = invitation.model_copy(update=changes)
    await store.save_invitation_end(tx, cancelled)
    return cancelled


async def accept_invitation(tx: Transaction, code: str) -> Member:
    """Whoever brings the code acts for the enterprise from now on.

    Raises SignInNeeded, Forbidden, NotFound for a code that opens nothing, InvitationUsed, InvitationCancelled,
    InvitationExpired, LastDayIsOver, AlreadyMember.
    """
    authorize(POLICY, tx.actor, "invitation.accept")
    invitation = await store.lock_invitation(tx, UUID(code[:32]))
    if invitation is None or not invitation.is_opened_by(code):
        raise NotFound(thing="invitation")
    _check_open(tx, invitation)
    member = Member(
        member_id=uuid7(), enterprise_id=invitation.enterprise_id, person=str(tx.actor), kind=invitation.kind,
        until=invitation.until, invited_by=invitation.invited_by, joined_at=tx.clock.now(),
    )  # fmt: skip
    await _join(tx, member)
    changes = {"accepted_by": member.person, "accepted_at": member.joined_at}
    await store.save_invitation_end(tx, invitation.model_copy(update=changes))
    return member


def _check_open(tx: Transaction, invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise InvitationUsed(rule="members")
    if invitation.cancelled_at is not None:
        raise InvitationCancelled(rule="members")
    if invitation.expires_at <= tx.clock.now():
        raise InvitationExpired(rule="members", expires_at=invitation.expires_at.isoformat())
    _check_last_day(invitation, tx.clock.today())


async def _join(tx: Transaction, member: Member) -> None:
    before = await member_store.lock_live(tx, member.enterprise_id, member.person)
    if before is not None and before.is_over(tx.clock.today()):
        await _end(tx, before, str(SYSTEM))
    is_own = tx.actor.enterprise_id == member.enterprise_id
    if is_own or not await member_store.add_member(tx, member):
        raise AlreadyMember(rule="members", enterprise_id=member.enterprise_id)
    tx.publish(events.MemberJoined(**_told(member, "ended_at", "ended_by")))
    if member.until is not None:
        await _wait(tx, member, member.until)


def _told(member: Member, *unsaid: str) -> dict[str, Any]:
    return member.model_dump(exclude=set(unsaid))


async def _wait(tx: Transaction, member: Member, until: date) -> None:
    subject = str(member.member_id)
    await add_work(tx, MEMBER_END, subject, {"member_id": subject}, start_of(until + DAY))


async def end_membership(tx: Transaction, enterprise_id: str, member_id: UUID) -> Member:
    """An owner ends it, or the member itself; one that has ended stays as it is.

    Raises NotFound, Forbidden, ViewersOnlyLook, OwnersOnly.
    """
    member = await member_store.lock_member(tx, member_id)
    if member is not None and member.enterprise_id != enterprise_id:
        member = None
    if member is None or member.person != str(tx.actor):
        await permit(tx, tx.actor, "member.end", enterprise_id, REGISTER)
    if member is None:
        raise NotFound(thing="member")
    return member if member.ended_at is not None else await _end(tx, member, str(tx.actor))


async def _end(tx: Transaction, member: Member, ended_by: str) -> Member:
    """With an owner the invitations end that it gave and nobody has accepted yet."""
    ended = member.model_copy(update={"ended_at": tx.clock.now(), "ended_by": ended_by})
    await member_store.save_end(tx, ended)
    await store.cancel_invitations_of(tx, member.enterprise_id, member.person, ended_by)
    tx.publish(events.MemberEnded(**_told(ended)))
    return ended


async def end_after_last_day(job: Job, tx: Transaction) -> None:
    """The deadline `member.end`: an agent's last day is over. Early by a clock that was set back, it waits again."""
    member = await member_store.lock_member(tx, UUID(job.payload["member_id"]))
    if member is None or member.until is None or member.ended_at is not None:
        return
    if member.is_over(tx.clock.today()):
        await _end(tx, member, str(tx.actor))
    else:
        await _wait(tx, member, member.until)
