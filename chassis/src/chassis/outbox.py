"""The transaction is the outbox: events are written with the rows they tell of, and a relay brings them to Kafka."""

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from uuid_utils.compat import uuid7

from chassis.errors import Invalid, Unavailable
from chassis.failpoints import failpoint
from chassis.seals import digest, seal
from chassis.settings import ServiceSettings
from chassis.stuck import LONGEST_DELAY, OF_THE_TOPIC, StuckTopics, not_shown
from chassis.telemetry import METRICS, current_traceparent
from contracts.envelope import Envelope, Event

if TYPE_CHECKING:
    from chassis.database import Database, Transaction

MAX_PAYLOAD_BYTES = 1_000_000  # Kafka refuses records over 1 MiB, headers included
BATCH = 2_000
BUSY_POLL = 0.03
IDLE_POLL = 0.25

__all__ = ["EventTooLarge", "Pending", "Relay", "digest", "pending", "resend", "seal", "write"]

log = structlog.get_logger()


class EventTooLarge(Invalid):
    """The event {type} has {size} bytes; at most {allowed} can be sent."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event said in a transaction and not yet written. `payload` is the JSON that goes on the wire."""

    event_id: uuid.UUID
    topic: str
    key: str
    type: str
    payload: str
    actor: str
    traceparent: str | None
    caused_by: str | None
    occurred_at: Any


def pending(event: Event, tx: "Transaction") -> Pending:
    payload = event.payload()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EventTooLarge(type=event.type, size=len(payload), allowed=MAX_PAYLOAD_BYTES)
    return Pending(
        uuid7(), event.topic, event.key, event.type, payload.decode(), str(tx.actor),
        current_traceparent(), tx.caused_by, tx.clock.now(),
    )  # fmt: skip


# Numbers are taken in key order (no deadlocks) and given to the events of one key in the order they were said.
_WRITE = """
WITH taken AS (
    INSERT INTO event_keys AS k (topic, key, sequence)
    SELECT topic, key, n FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(topic, key, n) ORDER BY topic, key
    ON CONFLICT (topic, key) DO UPDATE SET sequence = k.sequence + excluded.sequence
    RETURNING topic, key, sequence
), said AS (
    INSERT INTO events (event_id, topic, key, sequence, type, payload, actor, traceparent, caused_by, occurred_at)
    SELECT e.event_id, e.topic, e.key, t.sequence - e.later, e.type, e.payload, e.actor, e.traceparent, e.caused_by,
           e.occurred_at
    FROM unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::json[], $10::text[], $11::text[],
                $12::text[], $13::timestamptz[])
         WITH ORDINALITY AS e(event_id, topic, key, later, type, payload, actor, traceparent, caused_by, occurred_at, n)
    JOIN taken t ON t.topic = e.topic AND t.key = e.key
    ORDER BY e.n
    RETURNING id, recorded_at
)
INSERT INTO outbox (id, recorded_at) SELECT id, recorded_at FROM said
"""


async def write(tx: "Transaction") -> None:
    """Numbers and writes what the transaction published; called once, right before COMMIT."""
    said = tx.published
    if not said:
        return
    left = Counter((event.topic, event.key) for event in said)
    keys = sorted(left)
    counts = [left[key] for key in keys]
    later: list[int] = []
    for event in said:
        left[event.topic, event.key] -= 1
        later.append(left[event.topic, event.key])
    await tx.execute(
        _WRITE,
        [topic for topic, _ in keys], [key for _, key in keys], counts,
        [e.event_id for e in said], [e.topic for e in said], [e.key for e in said], later, [e.type for e in said],
        [e.payload for e in said], [e.actor for e in said], [e.traceparent for e in said],
        [e.caused_by for e in said], [e.occurred_at for e in said],
    )  # fmt: skip


_CLAIM = """
SELECT e.id, e.event_id, e.topic, e.key, e.sequence, e.type, e.actor, e.traceparent, e.caused_by, e.payload,
       e.occurred_at, e.recorded_at
FROM outbox o CROSS JOIN LATERAL (
    SELECT * FROM events WHERE id = o.id AND recorded_at = o.recorded_at LIMIT 1
) e
WHERE e.topic <> ALL($2)
ORDER BY o.id LIMIT $1
"""
_LEASE = """
UPDATE relay_lease SET holder = $1, expires_at = now() + $2
WHERE holder = $1 OR expires_at < now() OR holder IS NULL RETURNING true
"""


class Relay:
    """Brings the outbox to Kafka, oldest first. One is active per database; the lease says which.

    A holder that wakes after its lease expired can only repeat records that its successor sent too: listeners know
    them by their number. What Kafka did not acknowledge stays in the outbox and is sent again.
    """

    def __init__(self, db: "Database", settings: ServiceSettings) -> None:
        self._db = db
        self._settings = settings
        self._holder = uuid7()
        self._lease_ends = 0.0
        self._woken = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._stuck = StuckTopics()
        self.source = f"/huiqi/{db.service}"
        self.last_progress = time.monotonic()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. Whatever Kafka or the database does is survived here."""
        failures = 0
        try:
            while True:
                try:
                    moved = await self._step()
                    failures = 0
                except Exception as error:  # whatever it is, the events are still in the outbox
                    failures += 1
                    known = isinstance(error, KafkaError | Unavailable | OSError)
                    log.warning(
                        "relay.failed",
                        error=repr(error),
                        failures=failures,
                        exc_info=None if known else error,
                    )
                    await self._drop_producer()
                    moved = 0
                    await asyncio.sleep(min(0.1 * 2 ** min(failures, 20), LONGEST_DELAY))
                if not moved:
                    await self._rest(BUSY_POLL if failures else IDLE_POLL)
        finally:
            await self._drop_producer()

    async def _rest(self, longest: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), longest)
        except TimeoutError:
            return

    async def _step(self) -> int:
        self._woken.clear()
        if not await self._hold_lease():
            return 0
        rows = await self._db.fetch(_CLAIM, BATCH, self._stuck.held())
        if not rows:
            self.last_progress = time.monotonic()
            return 0
        await failpoint("relay.after_claim")
        acknowledged = await self._send(rows)
        await failpoint("relay.after_ack")
        if acknowledged:
            await seal(self._db, acknowledged)
            METRICS.relay_published.inc(len(acknowledged))
            self.last_progress = time.monotonic()
        await self._stuck.tell(self._db)
        return len(acknowledged)

    async def _hold_lease(self) -> bool:
        now = time.monotonic()
        lease = self._settings.relay_lease
        if now < self._lease_ends - lease * 2 / 3:
            return True
        async with self._db.connection() as connection:
            held = await connection.fetchval(_LEASE, self._holder, timedelta(seconds=lease))
        self._lease_ends = now + lease if held else 0.0
        return bool(held)

    async def _send(self, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """Sends all and waits for every answer: a send that 'timed out' may still arrive, so none is cancelled.

        A topic that fails is left alone for a while, so that the others go on.
        """
        producer = await self._ready_producer()
        topics = {row["topic"] for row in rows}
        failed = await not_shown(producer, topics)
        sent, futures = [], []
        for row in rows:
            if row["topic"] in failed:
                continue
            headers = self.envelope(row).to_headers()
            try:
                futures.append(
                    await producer.send(
                        row["topic"], row["payload"].encode(), row["key"].encode(), headers=headers
                    )
                )
                sent.append(row)
            except KafkaError as error:
                failed[row["topic"]] = error
        await failpoint("relay.after_send")
        answers = await asyncio.shield(asyncio.gather(*futures, return_exceptions=True))
        answered = list(zip(sent, answers, strict=True))
        failed |= {row["topic"]: answer for row, answer in answered if isinstance(answer, BaseException)}
        self._stuck.note(failed, topics)
        if any(not isinstance(error, OF_THE_TOPIC) for error in failed.values()):
            await self._drop_producer()
        return [row for row, answer in answered if not isinstance(answer, BaseException)]

    def envelope(self, row: asyncpg.Record) -> Envelope:
        return Envelope(
            event_id=row["event_id"], source=self.source, type=row["type"], topic=row["topic"], key=row["key"],
            sequence=row["sequence"], time=row["occurred_at"], actor=row["actor"], traceparent=row["traceparent"],
        )  # fmt: skip

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.kafka_client(),
                client_id=self._db.service,
                acks="all",
                enable_idempotence=self._settings.kafka_idempotence,
                max_batch_size=262_144,
                max_request_size=1_048_576,
                linger_ms=0,
                request_timeout_ms=15_000,
                metadata_max_age_ms=30_000,
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        # An idempotent producer's stop() can wait for ever while the broker is away.
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 5)
            except (TimeoutError, KafkaError, OSError) as error:
                log.warning("relay.producer_stop", error=repr(error))


async def resend(tx: "Transaction", ids: list[int]) -> int:
    """Puts events back into the outbox, for listeners that never got them. Returns how many were not there already."""
    status = await tx.execute(
        "INSERT INTO outbox (id, recorded_at, sealed) SELECT id, recorded_at, true FROM events WHERE id = ANY($1)"
        " ON CONFLICT (id) DO NOTHING",
        ids,
    )
    return int(cast("str", status).split()[-1])
