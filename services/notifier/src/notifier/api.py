"""The HTTP door: inboxes for those who are told, and for the bureau what was told and how it ended."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from chassis.auth import Policy, allow, authorize
from chassis.errors import NotFound
from chassis.http import Ctx, Db, Page, Paged, Tx, Who, page, router
from chassis.identity import Actor
from notifier.domain.notifications import State, box_of, owners_of
from notifier.domain.table import Channel
from notifier.store import notifications
from notifier.store.notifications import Notification
from notifier.use_cases import read_message

POLICY: Policy = {
    "inbox.list": allow("enterprise", "officer", "bank", "expert"),
    "inbox.read": allow("enterprise", "officer", "bank", "expert"),
    "notification.list": allow("operator", "officer", "auditor"),
    "notification.summary": allow("operator", "officer", "auditor"),
    "notification.show": allow(
        "operator", "officer", "auditor", "enterprise", "bank", own=("enterprise", "bank")
    ),
}

routes = router("/v1", ["notifications"])


class Message(BaseModel):
    """A message in an inbox. `read_at` is null until it was read; in a shared inbox anybody's reading counts."""

    model_config = ConfigDict(from_attributes=True)

    notification_id: UUID
    subject: str
    body: str
    language: str
    statutory: bool
    created_at: datetime
    read_at: datetime | None


class Inbox(Page[Message]):
    """`unread` counts the whole inbox, not this page; from a thousand on it says a thousand."""

    unread: int


class Shown(BaseModel):
    """A notification without its text. `reason_code` says why it was not delivered.

    `ambiguous` counts the attempts after which nobody knows whether the server took the mail.
    """

    model_config = ConfigDict(from_attributes=True)

    notification_id: UUID
    caused_by: str
    event_type: str
    recipient: str
    channel: str
    statutory: bool
    template: str
    template_version: int | None
    language: str | None
    state: State
    reason_code: str | None
    attempts: int
    ambiguous: int
    created_at: datetime
    settled_at: datetime | None
    read_at: datetime | None


class ShownWhole(Shown):
    """`answer` is what the mail server said last."""

    subject: str | None
    body: str | None
    answer: str


class Count(BaseModel):
    channel: str
    state: State
    count: int


class ReasonCount(BaseModel):
    channel: str
    reason_code: str
    count: int


class Summary(BaseModel):
    """All notifications, counted. `unsettled` are those that have not ended yet.

    `ambiguous` counts mail attempts that may have delivered a duplicate.
    """

    as_of: datetime
    total: int
    unsettled: int
    attempts: int
    ambiguous: int
    counts: list[Count]
    reasons: list[ReasonCount]


@routes.get("/inbox")
async def list_inbox(who: Who, db: Db, asked: Paged, unread: Annotated[bool, Query()] = False) -> Inbox:
    """One's own messages, newest first. Officers share one inbox."""
    authorize(POLICY, who, "inbox.list")
    box = _box(who)
    before = asked.after(UUID)
    rows = await notifications.list_messages(
        db, box, unread=unread, before=before[0] if before else None, limit=asked.limit + 1
    )
    found = page(rows, asked, key=_key, item=Message.model_validate)
    return Inbox(items=found.items, cursor=found.cursor, unread=await notifications.count_unread(db, box))


@routes.post("/inbox/{notification_id}/read")
async def read_inbox_message(notification_id: UUID, who: Who, tx: Tx) -> Message:
    """Marks a message as read; again changes nothing."""
    authorize(POLICY, who, "inbox.read")
    message, read_at = await read_message(tx, notification_id)
    return Message.model_validate(message).model_copy(update={"read_at": read_at})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to."""

    channel: Channel | None
    state: State | None
    recipient: str | None
    reason_code: str | None
    caused_by: str | None


async def _wanted(
    channel: Channel | None = None,
    state: State | None = None,
    recipient: Annotated[str | None, Query(max_length=160)] = None,
    reason_code: Annotated[str | None, Query(max_length=64)] = None,
    caused_by: Annotated[str | None, Query(max_length=500)] = None,
) -> Wanted:
    return Wanted(channel, state, recipient, reason_code, caused_by)


@routes.get("/notifications")
async def list_notifications(
    who: Who, db: Db, asked: Paged, wanted: Annotated[Wanted, Depends(_wanted)]
) -> Page[Shown]:
    """What was told, newest first."""
    authorize(POLICY, who, "notification.list")
    before = asked.after(UUID)
    rows = await notifications.list_notifications(
        db, asdict(wanted), before=before[0] if before else None, limit=asked.limit + 1
    )
    return page(rows, asked, key=_key, item=Shown.model_validate)


@routes.get("/notifications/summary")
async def summarise(who: Who, db: Db, context: Ctx) -> Summary:
    """Notifications by channel and state, and why those that failed did."""
    authorize(POLICY, who, "notification.summary")
    rows = await notifications.count_notifications(db)
    counts: dict[tuple[str, State], int] = {}
    for row in rows:
        key = row["channel"], row["state"]
        counts[key] = counts.get(key, 0) + row["count"]
    return Summary(
        as_of=context.clock.now(),
        total=sum(counts.values()),
        unsettled=sum(count for (_, state), count in counts.items() if state in ("waiting", "pending")),
        attempts=sum(row["attempts"] for row in rows),
        ambiguous=sum(row["ambiguous"] for row in rows),
        counts=[Count(channel=c, state=s, count=count) for (c, s), count in counts.items()],
        reasons=[ReasonCount(**dict(row.items())) for row in rows if row["reason_code"]],
    )


@routes.get("/notifications/{notification_id}")
async def show_notification(notification_id: UUID, who: Who, db: Db) -> ShownWhole:
    """One notification with its text. Those who were told see their own."""
    found = await notifications.find_notification(db, notification_id)
    if found is None:
        authorize(POLICY, who, "notification.show")
        raise NotFound(thing="notification")
    authorize(POLICY, who, "notification.show", **owners_of(found.recipient))
    return ShownWhole.model_validate(found)


def _box(who: Actor) -> str:
    box = box_of(who.role, who.subject, who.enterprise_id, who.bank_id)
    if box is None:
        raise NotFound(thing="inbox")
    return box


def _key(row: Notification) -> tuple[object, ...]:
    return (row.notification_id,)
