"""One batch after another: the next is read while one is applied, and offsets follow effects, never lead them."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.failpoints import failpoint, switched_off
from chassis.inbox import Batch, Consumers, HandlerFailed
from chassis.marks import Arrived
from chassis.settings import ServiceSettings
from chassis.telemetry import METRICS

ATTEMPTS = 3
LONGEST_DELAY = 30.0
READ_AT_ONCE = 250

log = structlog.get_logger()


class BatchLeft(Exception):
    """A held batch is given up, and its offsets are not committed."""


class Applying:
    """Batches in turn, at most one ahead of the one that is applied. `_commit` is the subscription's."""

    def __init__(self, db: Database, settings: ServiceSettings, consumers: Consumers) -> None:
        self._db = db
        self._consumers = consumers
        self._settings = settings
        self._parked_in_a_row = 0
        self.seen_duplicates = 0
        self.stopped_because = ""
        self.busy_since: float | None = None
        self._stopping = asyncio.Event()
        self._left = False
        self._applying: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        raise NotImplementedError

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        """Reads a batch while the one before it is applied, and hands it over when that one is done.

        Raises BatchLeft when that one was left: to commit this one would pass over it.
        """
        self._refuse_after_one_left()
        if switched_off("offsets"):
            await self._commit(_ends(records))
        arrived = await _read(records)
        if self._applying is not None:
            await asyncio.wait([self._applying])
            self._left = self._applying.cancelled() or self._applying.exception() is not None
        if self.stopped_because:
            await self._stopping.wait()  # nothing more is taken; the consumer is taken down
        self._refuse_after_one_left()
        self._applying = asyncio.create_task(self._apply_and_commit(arrived, _ends(records)))

    def _refuse_after_one_left(self) -> None:
        if self._stopping.is_set() or self._left:
            raise BatchLeft

    async def _apply_and_commit(self, arrived: list[Arrived], ends: dict[TopicPartition, int]) -> None:
        self.busy_since = time.monotonic()
        try:
            batch = await self.apply(arrived)
        finally:
            self.busy_since = None
        await failpoint("inbox.before_offsets")
        self._count(batch)
        if self._committing is not None:
            await asyncio.wait([self._committing])
        self._committing = asyncio.create_task(self._commit(ends))
        if self._settings.kafka_gather:
            await self._rest(self._settings.kafka_gather)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _settle(self, deadline: float) -> None:
        """The batch in hand is finished or left, within `deadline` seconds; what was applied is committed."""
        await _ended(self._applying, deadline)
        await _ended(self._committing, deadline)
        self._applying = self._committing = None
        self._left = False

    async def apply(self, arrived: Sequence[Arrived]) -> Batch:
        """Applies one batch, however long that takes: unavailable holds it, a handler's bug parks its keys.

        A bug of ours holds it too: raised, it would be swallowed and the batch committed past.
        """
        waits, failures = 0, 0
        while True:
            try:
                return await self._attempt(arrived, careful=failures > 0, give_up=failures >= ATTEMPTS)
            except HandlerFailed as failure:
                if failures:
                    await asyncio.sleep(0.02 * 4**failures)
                failures += 1
                log.warning("consumer.handler_failed", error=str(failure), failures=failures)
            except Exception as error:
                waits += 1
                known = isinstance(error, Unavailable)
                if not known:  # perhaps a handler's statement failed unseen: one event at a time tells which
                    failures = max(failures, 1)
                log.warning(
                    "consumer.held", error=repr(error), waits=waits, exc_info=None if known else error
                )
                await self._wait(min(0.05 * 2 ** min(waits, 20), LONGEST_DELAY) * random.uniform(0.5, 1))  # noqa: S311

    async def _wait(self, seconds: float) -> None:
        """Raises BatchLeft when the consumer is taken down: the batch comes again to whoever is next."""
        await self._rest(seconds)
        if self._stopping.is_set():
            raise BatchLeft

    async def _attempt(self, arrived: Sequence[Arrived], *, careful: bool, give_up: bool) -> Batch:
        await failpoint("inbox.before_begin")
        async with self._db.transaction() as tx:
            batch = await self._consumers.apply(tx, arrived, careful=careful, give_up=give_up)
        await failpoint("inbox.after_commit")
        return batch

    def _count(self, batch: Batch) -> None:
        METRICS.inbox_applied.inc(batch.applied)
        METRICS.inbox_duplicates.inc(batch.duplicates)
        self.seen_duplicates += batch.duplicates
        self._parked_in_a_row += len(batch.newly_parked)
        if batch.applied and not batch.newly_parked:
            self._parked_in_a_row = 0
        if self._parked_in_a_row > self._settings.max_parked_keys:
            self.stopped_because = (
                f"{self._parked_in_a_row} keys parked in a row: the release is wrong, not the world"
            )
            log.critical("consumer.stopped", reason=self.stopped_because)


async def _read(records: Sequence[ConsumerRecord]) -> list[Arrived]:
    arrived: list[Arrived] = []
    for start in range(0, len(records), READ_AT_ONCE):
        arrived += map(Arrived.of, records[start : start + READ_AT_ONCE])
        await asyncio.sleep(0)  # the service's other doors share this event loop
    return arrived


def _ends(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    """The offset behind the last record of each partition; a partition's records come in their order."""
    last = {(record.topic, record.partition): record.offset for record in records}
    return {TopicPartition(*partition): offset + 1 for partition, offset in last.items()}


async def _ended(task: asyncio.Task[Any] | None, deadline: float) -> None:
    if task is not None:
        await asyncio.wait([task], timeout=deadline)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
