"""Notifications: what waits, what is to be sent, how each ended, and what is counted of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic import TypeAdapter

from chassis.database import Database, Transaction
from chassis.listing import Listing
from notifier.domain.notifications import Mail, Reason, Reference, State, Told
from notifier.domain.table import Channel
from notifier.domain.wording import Language, Text


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for one recipient over one channel. Texts are absent while its recipient is not known."""

    notification_id: UUID
    caused_by: str
    event_type: str
    recipient: str
    channel: str
    statutory: bool
    template: str
    template_version: int | None
    language: str | None
    subject: str | None
    body: str | None
    state: State
    reason_code: str | None
    answer: str
    attempts: int
    ambiguous: int
    created_at: datetime
    settled_at: datetime | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification whose recipient was not known when the event came, with the event."""

    notification_id: UUID
    caused_by: str
    event_type: str
    facts: dict[str, Any]
    template: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class DueMail:
    """A pending mail and where it would go now. `tried_for` is real time since it was queued."""

    notification_id: UUID
    address: str | None
    language: Language
    subject: str
    body: str
    created_at: datetime
    tried_for: timedelta


_NOTIFICATION = TypeAdapter(Notification)
_REFERENCE = TypeAdapter(Reference)
_MAIL = TypeAdapter(DueMail)
_WAITING = TypeAdapter(list[Waiting])

_COLUMNS = (
    "notification_id, caused_by, event_type, recipient, channel, statutory, template, template_version, language,"
    " subject, body, state, reason_code, answer, attempts, ambiguous, created_at, settled_at, read_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM notifications"  # noqa: S608 - our own column names
_MESSAGES = Listing(
    _SELECT, order="notification_id DESC", box="recipient = {} AND channel = 'inbox' AND state = 'delivered'",
    unread="read_at IS NULL", before="notification_id < {}",
)  # fmt: skip
_NOTIFICATIONS = Listing(
    _SELECT, order="notification_id DESC", channel="channel = {}", state="state = {}", recipient="recipient = {}",
    caused_by="caused_by = {}", reason_code="reason_code = {}", before="notification_id < {}",
)  # fmt: skip
MOST_UNREAD = 1_000


async def add_notification(
    tx: Transaction, notification_id: UUID, event_type: str, told: Told, facts: Mapping[str, Any] | None
) -> bool:
    """False when this recipient was told of this event over this channel before."""
    text, now = told.text, tx.clock.now()
    added = await tx.fetchval(
        "INSERT INTO notifications (notification_id, caused_by, event_type, recipient, channel, statutory, template,"
        " template_version, language, subject, body, facts, state, reason_code, created_at, settled_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " ON CONFLICT (caused_by, recipient, channel) DO NOTHING RETURNING true",
        notification_id, tx.caused_by, event_type, told.recipient, told.channel, told.statutory, told.template,
        *_text_columns(text), facts, told.state, told.reason_code, now, _settled_at(told.state, now),
    )  # fmt: skip
    return bool(added)


def _text_columns(text: Text | None) -> tuple[int | None, str | None, str | None, str | None]:
    return (text.version, text.language, text.subject, text.body) if text else (None, None, None, None)


def _settled_at(state: State, now: datetime) -> datetime | None:
    return now if state in ("delivered", "undelivered") else None


async def lock_waiting(tx: Transaction, enterprise_id: str) -> list[Waiting]:
    rows = await tx.fetch(
        "SELECT notification_id, caused_by, event_type, facts, template, channel FROM notifications"
        " WHERE recipient = $1 AND state = 'waiting' ORDER BY notification_id FOR UPDATE",
        enterprise_id,
    )
    return _WAITING.validate_python([dict(row) for row in rows])


async def save_written(
    tx: Transaction, notification_id: UUID, text: Text, state: State, reason: Reason | None
) -> None:
    """Ends the waiting: the text is there, and the notification is where its channel puts it."""
    await tx.execute(
        "UPDATE notifications SET template_version = $2, language = $3, subject = $4, body = $5, state = $6,"
        " reason_code = $7, settled_at = $8, queued_at = now(), facts = NULL WHERE notification_id = $1",
        notification_id, *_text_columns(text), state, reason, _settled_at(state, tx.clock.now()),
    )  # fmt: skip


async def find_due_mail(db: Database, notification_id: UUID) -> DueMail | None:
    """None when there is nothing left to send."""
    row = await db.fetchrow(
        "SELECT n.notification_id, e.contact_email AS address, n.language, n.subject, n.body, n.created_at,"
        " now() - n.queued_at AS tried_for FROM notifications n"
        " LEFT JOIN enterprises e ON e.enterprise_id = n.recipient"
        " WHERE n.notification_id = $1 AND n.channel = 'mail' AND n.state = 'pending'",
        notification_id,
    )
    return _MAIL.validate_python(dict(row)) if row is not None else None


def mail_of(due: DueMail, address: str) -> Mail:
    return Mail(due.notification_id, address, due.language, due.subject, due.body, due.created_at)


async def find_waited_for(db: Database, notification_id: UUID) -> timedelta | None:
    """How long, in real time, a notification has waited for its recipient; None when it no longer does."""
    waited: timedelta | None = await db.fetchval(
        "SELECT now() - queued_at FROM notifications WHERE notification_id = $1 AND state = 'waiting'",
        notification_id,
    )
    return waited


async def save_attempt(
    tx: Transaction, notification_id: UUID, attempts: int, answer: str, ambiguous: bool
) -> None:
    """Counts an attempt. Attempts begun and never recorded (the process died) may have sent the mail, too."""
    await tx.execute(
        "UPDATE notifications SET attempts = greatest($2, attempts), answer = $3,"
        " ambiguous = ambiguous + greatest($2 - 1 - attempts, 0) + $4 WHERE notification_id = $1",
        notification_id, attempts, answer, int(ambiguous),
    )  # fmt: skip


async def settle(
    tx: Transaction, notification_id: UUID, state: State, reason: Reason | None
) -> Reference | None:
    """The notification, now in its final state; None when it was in one before."""
    row = await tx.fetchrow(
        "UPDATE notifications SET state = $2, reason_code = $3, settled_at = $4, facts = NULL"
        " WHERE notification_id = $1 AND state IN ('waiting', 'pending')"
        " RETURNING notification_id, recipient, channel, template, caused_by",
        notification_id, state, reason, tx.clock.now(),
    )  # fmt: skip
    return _REFERENCE.validate_python(dict(row)) if row is not None else None


async def find_notification(db: Database, notification_id: UUID) -> Notification | None:
    row = await db.fetchrow(_SELECT + " WHERE notification_id = $1", notification_id)
    return _NOTIFICATION.validate_python(dict(row)) if row is not None else None


async def lock_message(tx: Transaction, notification_id: UUID) -> Notification | None:
    """A message that lies in an inbox."""
    row = await tx.fetchrow(
        _SELECT + " WHERE notification_id = $1 AND channel = 'inbox' AND state = 'delivered' FOR UPDATE",
        notification_id,
    )
    return _NOTIFICATION.validate_python(dict(row)) if row is not None else None


async def save_read(tx: Transaction, notification_id: UUID) -> datetime:
    """When it was read first."""
    read_at: datetime = await tx.fetchval(
        "UPDATE notifications SET read_at = coalesce(read_at, $2) WHERE notification_id = $1 RETURNING read_at",
        notification_id, tx.clock.now(),
    )  # fmt: skip
    return read_at


async def list_messages(
    db: Database, box: str, *, unread: bool, before: UUID | None, limit: int
) -> list[Notification]:
    """Messages of one inbox, newest first."""
    rows = await _MESSAGES.rows(db, limit, box=box, unread=unread, before=before)
    return [_NOTIFICATION.validate_python(dict(row)) for row in rows]


async def count_unread(db: Database, box: str) -> int:
    """At most MOST_UNREAD: an inbox that nobody empties must not make every look at it slower."""
    return int(
        await db.fetchval(
            "SELECT count(*) FROM (SELECT FROM notifications WHERE recipient = $1 AND channel = 'inbox'"
            " AND state = 'delivered' AND read_at IS NULL LIMIT $2) AS unread",
            box, MOST_UNREAD,
        )
    )  # fmt: skip


async def list_notifications(
    db: Database, filters: Mapping[str, str | None], *, before: UUID | None, limit: int
) -> list[Notification]:
    """Newest first. `filters` may name channel, state, recipient, caused_by and reason_code."""
    rows = await _NOTIFICATIONS.rows(db, limit, **filters, before=before)
    return [_NOTIFICATION.validate_python(dict(row)) for row in rows]


async def count_notifications(db: Database) -> Sequence[Record]:
    """One row for each channel, state and reason that occurs: count, attempts, ambiguous."""
    return await db.fetch(
        "SELECT channel, state, reason_code, count(*) AS count, sum(attempts) AS attempts,"
        " sum(ambiguous) AS ambiguous FROM notifications GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
