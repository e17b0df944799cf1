"""Who acts for an enterprise: its invitations and its members, and the memberships of who asks."""

from datetime import date, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel, Field, model_validator

from casework import member_store
from casework.api import in_the_callers_words
from casework.api.cases import last_seen
from casework.api.views import View
from casework.member import Member, MemberKind, Membership, check_last_day
from casework.use_cases.permitting import permit
from certification import store
from certification.api.register import UsccPath
from certification.settings import Settings
from certification.use_cases import POLICY, REGISTER
from certification.use_cases import members as use_cases
from chassis.auth import authorize
from chassis.exact import WrittenDay
from chassis.http import Body, Ctx, Db, Page, Paged, Tx, Who, page, router

members = router("/v1", ["members"])
members.dependencies.append(Depends(in_the_callers_words))


class Invited(Body):
    """An owner does all that the enterprise may, an agent applies and reports until a day, a viewer looks."""

    kind: MemberKind
    until: WrittenDay | None = None

    @model_validator(mode="after")
    def _agents_have_a_last_day(self) -> Self:
        check_last_day(self.kind, self.until)
        return self

    def membership(self) -> Membership:
        return Membership(kind=self.kind, until=self.until)


class Accepted(Body):
    code: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class InvitationView(View):
    """An invitation as its enterprise sees it; the code is not among it."""

    invitation_id: UUID
    enterprise_id: str
    kind: MemberKind
    until: date | None
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    cancelled_by: str | None
    cancelled_at: datetime | None


class InvitationGiven(BaseModel):
    """`code` is for the person that is invited, and is shown this once."""

    invitation: InvitationView
    code: str


async def lasts(context: Ctx) -> timedelta:
    if not isinstance(context.settings, Settings):
        raise TypeError("the settings of certification say how long an invitation lasts")
    return timedelta(days=context.settings.invitation_days)


@members.post("/enterprises/{uscc}/invitations", status_code=201)
async def invite(
    uscc: UsccPath,
    body: Invited,
    db: Db,
    who: Who,
    *,
    time: Annotated[timedelta, Depends(lasts)],
    response: Response,
) -> InvitationGiven:
    """Invites somebody. An Idempotency-Key is not heeded here: no answer that holds a code is kept to be repeated."""
    async with db.transaction(who) as tx:
        invitation, code = await use_cases.invite(tx, uscc, body.membership(), time)
    response.headers["Location"] = f"/v1/enterprises/{uscc}/invitations/{invitation.invitation_id}"
    response.headers["Cache-Control"] = "no-store"
    return InvitationGiven(invitation=InvitationView.of(invitation), code=code)


@members.get("/enterprises/{uscc}/invitations")
async def invitations(uscc: UsccPath, db: Db, who: Who, asked: Paged) -> Page[InvitationView]:
    await permit(db, who, "invitation.list", uscc, REGISTER)
    rows = await store.list_invitations(db, enterprise_id=uscc, after=last_seen(asked), limit=asked.limit + 1)
    return page(rows, asked, key=lambda one: [one.invitation_id], item=InvitationView.of)


@members.delete("/enterprises/{uscc}/invitations/{invitation_id}")
async def cancel(uscc: UsccPath, invitation_id: UUID, tx: Tx) -> InvitationView:
    """Nobody accepts it any more; again changes nothing."""
    return InvitationView.of(await use_cases.cancel_invitation(tx, uscc, invitation_id))


@members.post("/invitations/accept", status_code=201)
async def accept(body: Accepted, tx: Tx) -> Member:
    """Whoever brings the code acts for the enterprise from now on."""
    return await use_cases.accept_invitation(tx, body.code)


@members.get("/enterprises/{uscc}/members")
async def members_of(uscc: UsccPath, db: Db, who: Who, asked: Paged) -> Page[Member]:
    """In the order in which they joined, those that have ended too."""
    await permit(db, who, "member.list", uscc, REGISTER)
    rows = await member_store.list_members(
        db, enterprise_id=uscc, after=last_seen(asked), limit=asked.limit + 1
    )
    return page(rows, asked, key=lambda one: [one.member_id], item=lambda one: one)


@members.delete("/enterprises/{uscc}/members/{member_id}")
async def end(uscc: UsccPath, member_id: UUID, tx: Tx) -> Member:
    """By an owner, or by the member itself; again changes nothing."""
    return await use_cases.end_membership(tx, uscc, member_id)


@members.get("/memberships")
async def memberships(db: Db, who: Who, asked: Paged) -> Page[Member]:
    """For whom the caller acts by invitation, or did."""
    authorize(POLICY, who, "membership.list")
    rows = await member_store.list_members(db, person=str(who), after=last_seen(asked), limit=asked.limit + 1)
    return page(rows, asked, key=lambda one: [one.member_id], item=lambda one: one)
