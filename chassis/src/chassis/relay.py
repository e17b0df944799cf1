"""The relay: brings the outbox to Kafka, oldest first, and never believes what Kafka did not acknowledge."""

import asyncio
import time
from contextlib import suppress
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
from chassis.sending import Answer, Underway, in_turn
from chassis.settings import ServiceSettings
from chassis.stuck import LONGEST_DELAY, OF_THE_TOPIC, StuckTopics
from chassis.telemetry import METRICS

if TYPE_CHECKING:
    from chassis.database import Database

BATCH = 2_000
BATCH_BYTES = 16_000_000
LONGEST_STEP = 2.0
SEAL_EVERY = 0.1
BUSY_POLL = 0.03
IDLE_POLL = 0.25

log = structlog.get_logger()

# What is on its way is left out by its ids, not passed by a cursor: an event with a lower id may have been committed
# since, and the next one of its key would overtake it.
_CLAIM = """
WITH waiting AS MATERIALIZED (
    SELECT o.id, o.recorded_at FROM outbox o
    WHERE o.id > $1 AND o.id NOT IN (SELECT unnest($2::bigint[])) AND (cardinality($3::text[]) = 0 OR (
        SELECT e.topic FROM events e WHERE e.id = o.id AND e.recorded_at = o.recorded_at
    ) <> ALL($3))
    ORDER BY o.id LIMIT $4
)
SELECT * FROM (
    SELECT e.id, e.event_id, e.topic, e.key, e.sequence, e.type, e.actor, e.traceparent, e.caused_by, e.payload,
           e.occurred_at, e.recorded_at,
           sum(octet_length(e.payload::text)) OVER (
               ORDER BY e.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS before
    FROM events e
    WHERE e.id = ANY (ARRAY(SELECT id FROM waiting))
          AND e.recorded_at >= (SELECT min(recorded_at) FROM waiting)
          AND e.recorded_at <= (SELECT max(recorded_at) FROM waiting)
    ORDER BY e.id
) claimed WHERE coalesce(before, 0) < $5
"""
_LEASE = """
UPDATE relay_lease SET holder = $1, expires_at = now() + $2
WHERE holder = $1 OR expires_at < now() OR holder IS NULL RETURNING true
"""
_GIVE_BACK = "UPDATE relay_lease SET holder = NULL WHERE holder = $1"


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
        self._unsealed: list[asyncpg.Record] = []
        self._sealed_at = 0.0
        self._stuck = StuckTopics()
        self._underway = Underway(f"/huiqi/{db.service}", self.wake)
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
                if moved < BATCH:  # else more waits; what was said meanwhile has woken us
                    await self._rest(BUSY_POLL if failures else IDLE_POLL)
        finally:
            await self._leave()

    async def _rest(self, longest: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._woken.wait()

    async def _step(self) -> int:
        """Moves what waits: while one batch is on its way, those before it are sealed and the next one is read.

        After a batch that was not acknowledged whole it begins anew, so that no later event of a key overtakes; so
        a topic that is left alone when it begins is left alone until it ends.
        """
        self._woken.clear()
        if not await self._hold_lease():
            return 0
        acknowledged = await self._taken(self._underway.late_answers())
        self._unsealed += acknowledged
        held = frozenset((*self._stuck.held(), *self._underway.topics))
        began, moved = time.monotonic(), len(acknowledged)
        rows = await self._claim(held, self._unsealed)
        while rows:
            await failpoint("relay.after_claim")
            more = len(rows) == BATCH and time.monotonic() - began < LONGEST_STEP
            known = [*self._unsealed, *rows]
            async with asyncio.TaskGroup() as together:
                sending = together.create_task(self._send(rows))
                together.create_task(self._seal_in_time())
                reading = together.create_task(self._claim(held, known) if more else _no_rows())
            acknowledged = sending.result()
            self._unsealed += acknowledged
            await failpoint("relay.after_ack")
            moved += len(acknowledged)
            whole = len(acknowledged) == len(rows)
            rows = reading.result() if whole and await self._hold_lease() else []
        await (self._seal_in_time() if moved else self._seal())
        await self._stuck.tell(self._db)
        self.last_progress = time.monotonic()
        return moved

    async def _claim(self, held: frozenset[str], underway: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """The oldest that wait, as many as a batch may hold; always one at least, however large."""
        after = self._stuck.passed(held)
        newest = await self._db.fetchval("SELECT max(id) FROM outbox") if held and not after else None
        rows = await self._db.fetch(
            _CLAIM, after, [row["id"] for row in underway], list(held), BATCH, BATCH_BYTES
        )
        if newest is not None:
            self._stuck.pass_over(held, newest, rows[0]["id"] if rows else None)
        return rows

    async def _seal_in_time(self) -> None:
        """Single events are sealed some at once: a link costs as much for one as for a thousand."""
        if len(self._unsealed) >= BATCH or time.monotonic() - self._sealed_at > SEAL_EVERY:
            await self._seal()

    async def _seal(self) -> None:
        """What cannot be sealed now is not sent again for that."""
        acknowledged, self._unsealed = self._unsealed, []
        if not acknowledged:
            return
        try:
            await seal(self._db, acknowledged)
        except BaseException:
            self._unsealed = [*acknowledged, *self._unsealed]
            raise
        self._sealed_at = time.monotonic()
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
        return await self._taken(await self._underway.send(await self._ready_producer(), rows))

    async def _taken(self, answers: list[Answer]) -> list[asyncpg.Record]:
        """The rows that are acknowledged. A topic that fails is left alone for a while, so that the others go on."""
        failed = {row["topic"]: error for row, error in answers if error is not None}
        self._stuck.note(failed, {row["topic"] for row, _ in answers})
        if any(not isinstance(error, OF_THE_TOPIC) for error in failed.values()):
            await self._drop_producer()
        return in_turn(answers)

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.kafka_client(),
                client_id=self._db.service,
                acks="all",
                enable_idempotence=self._settings.kafka_idempotence,
                max_batch_size=524_288,
                max_request_size=1_048_576,
                linger_ms=0,
                request_timeout_ms=15_000,
                metadata_max_age_ms=30_000,
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> bool:
        """Whether all that was sent is answered, or nothing of it will be any more."""
        # An idempotent producer's stop() can wait for ever while the broker is away.
        producer, self._producer = self._producer, None
        try:
            if producer is not None:
                async with asyncio.timeout(5):
                    await producer.stop()
        except (TimeoutError, KafkaError, OSError) as error:
            log.warning("relay.producer_stop", error=repr(error))
            return False
        finally:
            self._underway.forget()
        return True

    async def _leave(self) -> None:
        """The lease is given back, so that a successor need not wait for its end; not while a send may still arrive."""
        is_answered = await self._drop_producer()
        with suppress(Unavailable):
            await self._seal()
            if is_answered and self._lease_ends:
                async with self._db.connection() as connection:
                    await connection.execute(_GIVE_BACK, self._holder)


async def _no_rows() -> list[asyncpg.Record]:
    return []
