"""The relay: brings the outbox to Kafka, oldest first, and never believes what Kafka did not acknowledge."""

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from uuid_utils.compat import uuid7

from chassis.errors import Unavailable
from chassis.failpoints import failpoint, switched_off
from chassis.seals import seal
from chassis.settings import ServiceSettings
from chassis.stuck import LONGEST_DELAY, OF_THE_TOPIC, StuckTopics, not_shown
from chassis.telemetry import METRICS
from contracts.envelope import Envelope

if TYPE_CHECKING:
    from chassis.database import Database

BATCH = 2_000
BUSY_POLL = 0.03
IDLE_POLL = 0.25

log = structlog.get_logger()

_CLAIM = """
SELECT e.id, e.event_id, e.topic, e.key, e.sequence, e.type, e.actor, e.traceparent, e.caused_by, e.payload,
       e.occurred_at, e.recorded_at
FROM outbox o CROSS JOIN LATERAL (
    SELECT * FROM events WHERE id = o.id AND recorded_at = o.recorded_at LIMIT 1
) e
WHERE o.id > $3 AND e.topic <> ALL($2)
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
                except Exception as caught:  # whatever it is, the events are still in the outbox
                    error = caught.exceptions[0] if isinstance(caught, ExceptionGroup) else caught
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
        """Moves what waits: while one batch is on its way, the one before it is sealed and the next one is read.

        After a batch that was not acknowledged whole it begins anew, so that no later event of a key overtakes.
        """
        self._woken.clear()
        if not await self._hold_lease():
            return 0
        rows, moved = await self._claim(0), 0
        acknowledged: list[asyncpg.Record] = []
        while rows:
            await failpoint("relay.after_claim")
            async with asyncio.TaskGroup() as together:
                sending = together.create_task(self._send(rows))
                together.create_task(self._seal(acknowledged))
                reading = together.create_task(
                    self._claim(rows[-1]["id"]) if len(rows) == BATCH else _no_rows()
                )
            acknowledged = sending.result()
            await failpoint("relay.after_ack")
            moved += len(acknowledged)
            whole = len(acknowledged) == len(rows)
            rows = reading.result() if whole and await self._hold_lease() else []
        await self._seal(acknowledged)
        await self._stuck.tell(self._db)
        self.last_progress = time.monotonic()
        return moved

    async def _claim(self, after: int) -> list[asyncpg.Record]:
        return await self._db.fetch(_CLAIM, BATCH, self._stuck.held(), after)

    async def _seal(self, acknowledged: list[asyncpg.Record]) -> None:
        if acknowledged:
            await seal(self._db, acknowledged)
            METRICS.relay_published.inc(len(acknowledged))

    async def _hold_lease(self) -> bool:
        now = time.monotonic()
        lease = self._settings.relay_lease
        if now < self._lease_ends - lease * 2 / 3 or switched_off("lease"):
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
        if futures:
            await asyncio.wait(futures)
        answered = [(row, future.exception()) for row, future in zip(sent, futures, strict=True)]
        failed |= {row["topic"]: error for row, error in answered if error is not None}
        self._stuck.note(failed, topics)
        if any(not isinstance(error, OF_THE_TOPIC) for error in failed.values()):
            await self._drop_producer()
        return _in_turn(answered)

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


def _in_turn(answered: list[tuple[asyncpg.Record, BaseException | None]]) -> list[asyncpg.Record]:
    """What was acknowledged, of each key only as far as nothing failed before it: the rest is sent again in order."""
    broken = {(row["topic"], row["key"]) for row, error in answered if error is not None}
    if not broken:
        return [row for row, _ in answered]
    behind: set[tuple[str, str]] = set()
    whole = []
    for row, error in answered:
        key = (row["topic"], row["key"])
        if error is not None:
            behind.add(key)
        elif key not in behind:
            whole.append(row)
    return whole


async def _no_rows() -> list[asyncpg.Record]:
    return []
