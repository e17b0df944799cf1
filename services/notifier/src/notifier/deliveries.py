"""Leased rows: a mail to be sent, and the patience with an enterprise that is not known yet. No transaction is open."""

import random
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from chassis.database import Database, Transaction
from chassis.work import Delivery, Done, GiveUp, Job, Outcome, Retry
from notifier.clients import MailChannel
from notifier.domain.notifications import Answer, Reason, Rejected, Taken, address_fault, delay
from notifier.settings import Settings
from notifier.store.notifications import DueMail, find_due_mail, find_waited_for, mail_of
from notifier.use_cases import MAIL_SEND, RECIPIENT_WAIT, record_answer, settle


class Deliveries:
    """Mails and waits. Every one ends: with its outcome, or when its budget of real time is used up."""

    def __init__(self, db: Database, settings: Settings, channel: MailChannel) -> None:
        self._db = db
        self._channel = channel
        self._budget = timedelta(seconds=settings.mail_budget)
        self._first_delay = timedelta(seconds=settings.mail_first_delay)
        self._patience = timedelta(seconds=settings.recipient_patience)

    def kinds(self) -> Mapping[str, Delivery]:
        return {MAIL_SEND: self.send_mail, RECIPIENT_WAIT: self.wait_for_recipient}

    async def send_mail(self, job: Job) -> Outcome:
        """One attempt, to the address that is known now."""
        due = await find_due_mail(self._db, UUID(job.subject))
        if due is None:
            return Done()
        fault = address_fault(due.address)
        if fault is not None or due.address is None:
            return _end(due.notification_id, fault or "no_address")
        return self._outcome(job, due, await self._channel.send(mail_of(due, due.address)))

    def _outcome(self, job: Job, due: DueMail, answer: Answer) -> Outcome:
        wait = delay(job.attempts, self._first_delay, random.random())  # noqa: S311 - no secret, it spreads load
        give_up: Reason | None = None
        if isinstance(answer, Rejected):
            give_up = answer.reason
        elif not isinstance(answer, Taken) and due.tried_for + wait > self._budget:
            give_up = "no_answer_in_time"

        async def record(tx: Transaction) -> None:
            await record_answer(tx, due.notification_id, job.attempts, answer, give_up)

        if isinstance(answer, Taken):
            return Done(record)
        return GiveUp(give_up, record) if give_up else Retry(wait, answer.answer, record)

    async def wait_for_recipient(self, job: Job) -> Outcome:
        """Ends a notification whose enterprise did not become known in time."""
        notification_id = UUID(job.subject)
        waited = await find_waited_for(self._db, notification_id)
        if waited is None:
            return Done()
        if waited < self._patience:
            return Retry(self._patience - waited, "the enterprise is not known yet")
        return _end(notification_id, "unknown_recipient")


def _end(notification_id: UUID, reason: Reason) -> GiveUp:
    async def record(tx: Transaction) -> None:
        await settle(tx, notification_id, "undelivered", reason)

    return GiveUp(reason, record)
