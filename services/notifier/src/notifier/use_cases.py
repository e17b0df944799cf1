"""What notifier does: keep whom it knows, tell of events, settle what was sent, mark what was read."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from chassis.database import Transaction
from chassis.errors import NotFound
from chassis.work import add_work, cancel_work
from contracts.envelope import Event
from contracts.notifier import NotificationDelivered, NotificationUndelivered
from contracts.registry import event_types
from notifier.domain.notifications import (
    NO_ENTERPRISE,
    Answer,
    Deferred,
    Enterprise,
    Notices,
    Reason,
    Reference,
    State,
    Taken,
    Told,
    box_of,
    fate,
    told,
    written,
)
from notifier.store import enterprises, notifications
from notifier.store.notifications import Notification, Waiting

MAIL_SEND = "mail.send"
RECIPIENT_WAIT = "recipient.wait"


async def tell(notices: Notices, event: Event, tx: Transaction) -> None:
    """Makes one notification for each recipient and channel that the table names for the event.

    An inbox has its message at once. A mail is sent by a work row. Where the enterprise is not known yet, because
    nothing orders one topic after another, the notification waits for its registration.
    """
    row = notices.table[event.type]
    facts = event.model_dump()
    enterprise = NO_ENTERPRISE
    if "enterprise_id" in facts:
        enterprise = await enterprises.find_or_expect_enterprise(tx, facts["enterprise_id"])
    for notice in row.notices:
        for one in told(row, notice, facts, enterprise, notices.wording):
            await _tell_one(event, one, tx)


async def _tell_one(event: Event, one: Told, tx: Transaction) -> None:
    if tx.caused_by is None:
        raise RuntimeError("people are told of events only")
    notification_id = uuid7()
    facts = orjson.loads(event.payload()) if one.state == "waiting" else None
    if not await notifications.add_notification(tx, notification_id, event.type, one, facts):
        return
    if one.state == "waiting":
        await add_work(tx, RECIPIENT_WAIT, str(notification_id), {})
        return
    reference = Reference(notification_id, one.recipient, one.channel, one.template, tx.caused_by)
    await _go_on(tx, one.state, one.reason_code, reference)


async def _go_on(tx: Transaction, state: State, reason: Reason | None, reference: Reference) -> None:
    """What follows from a state: an attempt, or the fact that it ended."""
    match state:
        case "pending":
            await add_work(tx, MAIL_SEND, str(reference.notification_id), {})
        case "delivered":
            tx.publish(NotificationDelivered(**asdict(reference)))
        case "undelivered":
            tx.publish(NotificationUndelivered(**asdict(reference), reason_code=str(reason)))
        case "waiting":
            return


async def keep_enterprise(notices: Notices, enterprise: Enterprise, tx: Transaction) -> None:
    """Keeps what is known now, and writes every notification that waited for it."""
    await enterprises.save_enterprise(tx, enterprise)
    for waiting in await notifications.lock_waiting(tx, enterprise.enterprise_id):
        await _write(notices, waiting, enterprise, tx)


async def _write(notices: Notices, waiting: Waiting, enterprise: Enterprise, tx: Transaction) -> None:
    event = event_types()[waiting.event_type].read(orjson.dumps(waiting.facts))
    text = written("enterprise", waiting.template, event.model_dump(), enterprise, notices.wording)
    state, reason = fate(waiting.channel, text, enterprise)
    await notifications.save_written(tx, waiting.notification_id, text, state, reason)
    await cancel_work(tx, RECIPIENT_WAIT, str(waiting.notification_id), "the enterprise is known now")
    reference = Reference(
        waiting.notification_id,
        enterprise.enterprise_id,
        waiting.channel,
        waiting.template,
        waiting.caused_by,
    )
    await _go_on(tx, state, reason, reference)


async def record_answer(
    tx: Transaction, notification_id: UUID, attempts: int, answer: Answer, give_up: Reason | None
) -> None:
    """Counts the attempt; ends the notification when the mail was taken or refused, or when it is given up."""
    ambiguous = isinstance(answer, Deferred) and answer.ambiguous
    await notifications.save_attempt(tx, notification_id, attempts, answer.answer, ambiguous=ambiguous)
    if isinstance(answer, Taken):
        await settle(tx, notification_id, "delivered", None)
    elif give_up is not None:
        await settle(tx, notification_id, "undelivered", give_up)


async def settle(tx: Transaction, notification_id: UUID, state: State, reason: Reason | None) -> None:
    """Brings a notification to its end and says so, once."""
    ended = await notifications.settle(tx, notification_id, state, reason)
    if ended is not None:
        await _go_on(tx, state, reason, ended)


async def read_message(tx: Transaction, notification_id: UUID) -> tuple[Notification, datetime]:
    """Marks a message as read, at the first time for good. Raises NotFound where it is not in the actor's inbox."""
    message = await notifications.lock_message(tx, notification_id)
    actor = tx.actor
    if message is None or message.recipient != box_of(
        actor.role, actor.subject, actor.enterprise_id, actor.bank_id
    ):
        raise NotFound(thing="message")
    return message, await notifications.save_read(tx, notification_id)
