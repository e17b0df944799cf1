"""A bureau in a test: golden events come in, a real mail server on loopback takes the mails or does not."""

import asyncio
import json
import random
import socket
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from chassis.database import Database
from chassis.marks import Arrived
from chassis.migrate import sql_of
from chassis.subscribe import Subscription
from chassis.testing import Databases
from chassis.work import Worker
from contracts.certification import CaseSubmitted, EnterpriseChanged, EnterpriseRegistered, TitleGranted
from contracts.envelope import Envelope, Event
from contracts.registry import event_types
from notifier.clients import SmtpChannel
from notifier.consumers import listening
from notifier.deliveries import Deliveries
from notifier.domain.notifications import Notices
from notifier.settings import Settings
from notifier.store.shipped import load_notices
from notifier.use_cases import MAIL_SEND, RECIPIENT_WAIT

FIRM = "91440300MA5EQ8TH1G"
OTHER_FIRM = "91350100M000100Y43"
NOTICES = load_notices()
EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"


def golden(type_: str) -> list[Event]:
    payloads = json.loads((EXAMPLES / f"{type_}.json").read_bytes())
    return [event_types()[type_].read(json.dumps(payload).encode()) for payload in payloads]


def example(kind: type[Event], **changes: Any) -> Any:
    return golden(kind.type)[0].model_copy(update=changes)


def registered(firm: str = FIRM, *, email: str | None = "office@firm.example", **changes: Any) -> Event:
    return cast("Event", example(EnterpriseRegistered, enterprise_id=firm, contact_email=email, **changes))


def changed(firm: str = FIRM, *, email: str | None = "office@firm.example", **changes: Any) -> Event:
    return cast("Event", example(EnterpriseChanged, enterprise_id=firm, contact_email=email, **changes))


def submitted(firm: str = FIRM, **changes: Any) -> Event:
    return cast("Event", example(CaseSubmitted, enterprise_id=firm, case_id=uuid4(), **changes))


def granted(firm: str = FIRM, **changes: Any) -> Event:
    return cast("Event", example(TitleGranted, enterprise_id=firm, title_id=uuid4(), **changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sink:
    """A real SMTP server. `recipient_answers` and `text_answers` hold the answers to come; without one it takes everything.

    `drop` closes the connection after the text has arrived; `hang` never answers.
    """

    def __init__(self) -> None:
        self.recipient_answers: deque[str] = deque()
        self.text_answers: deque[str] = deque()
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self.recipient_answers.popleft() if self.recipient_answers else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.text_answers.popleft() if self.text_answers else "250 taken"
        if answer.startswith(("2", "drop")):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.received.append((envelope.rcpt_tos, message))
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "drop":
            server.transport.abort()
        return answer if answer[0].isdigit() else "250 taken"


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    server.port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def settings(port: int, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "environment": "development", "database_url": SecretStr("unused"), "kafka_bootstrap": "127.0.0.1:9",
        "issuer": "urn:huiqi:development", "audience": "notifier", "jwks_url": "file:///unused",
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False, "mail_from": "noreply@bureau.example",
        "mail_first_delay": 0.01, "smtp_timeout": 5,
    }  # fmt: skip
    return Settings(**(given | changes))


class Bureau:
    """One notifier: what it is told in `hear`, what it works off in `work`."""

    def __init__(self, db: Database, port: int) -> None:
        self.db = db
        self.port = port
        self.notices: Notices = NOTICES
        self.changes: dict[str, Any] = {}
        self._sequences: Counter[tuple[str, str]] = Counter()
        self._none: Any = None

    def record(self, event: Event) -> Arrived:
        """The event's next place in its key's sequence, as it would come from Kafka."""
        self._sequences[event.topic, event.key] += 1
        envelope = Envelope(
            event_id=uuid4(), source=f"/huiqi/{event.topic.partition('.')[0]}", type=event.type, topic=event.topic,
            key=event.key, sequence=self._sequences[event.topic, event.key], time=datetime(2016, 8, 1, tzinfo=UTC),
            actor="officer:li",
        )  # fmt: skip
        headers = tuple(envelope.to_headers())
        came: Any = SimpleNamespace(
            topic=event.topic, partition=0, offset=0, key=event.key.encode(), value=event.payload(), headers=headers
        )  # fmt: skip
        return Arrived.of(came)

    async def hear(self, *events: Event) -> None:
        await self.take(*(self.record(event) for event in events))

    async def take(self, *records: Arrived) -> None:
        await Subscription(self.db, self._none, listening(self.notices), []).apply(records)

    def worker(self) -> Worker:
        told = settings(self.port, **self.changes)
        return Worker(self.db, {}, Deliveries(self.db, told, SmtpChannel(told)).kinds())

    async def work(self, *kinds: str) -> int:
        """Performs what is due now, once each; says how much that was."""
        worker = self.worker()
        jobs = await worker.lease(list(kinds or (MAIL_SEND, RECIPIENT_WAIT)))
        await asyncio.gather(*(worker._perform(job) for job in jobs))
        return len(jobs)

    async def work_until_quiet(self, seconds: float = 5) -> None:
        """Until no mail is pending; the retries in between are milliseconds apart."""
        async with asyncio.timeout(seconds):
            while await self.db.fetchval("SELECT count(*) FROM notifications WHERE state = 'pending'"):
                await self.work(MAIL_SEND)
                await asyncio.sleep(0.01 * random.random())

    async def rows(self, **filters: str) -> list[dict[str, Any]]:
        found = await self.db.fetch(
            "SELECT * FROM notifications ORDER BY recipient, channel, notification_id"
        )
        return [dict(row) for row in found if all(row[name] == value for name, value in filters.items())]

    async def row(self, **filters: str) -> dict[str, Any]:
        (only,) = await self.rows(**filters)
        return only

    async def said(self) -> list[tuple[str, str, str, str | None]]:
        """What notifier published: kind, recipient, channel, reason."""
        rows = await self.db.fetch("SELECT type, payload::jsonb AS p FROM events ORDER BY id")
        return [
            (r["type"].split(".")[3], r["p"]["recipient"], r["p"]["channel"], r["p"].get("reason_code"))
            for r in rows
        ]


@pytest.fixture
async def bureau(make_database: Databases, sink: Sink) -> Bureau:
    db = await make_database([sql_of("notifier")], service="notifier")
    return Bureau(db, sink.port)
