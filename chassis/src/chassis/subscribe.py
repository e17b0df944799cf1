"""The one way FastStream is used: manual commits, whole fetched batches, `earliest`, explicit offsets.

FastStream swallows what a handler raises and commits past it, so nothing is raised here: a batch is applied, or
held for as long as it takes, or its failing keys are parked.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.middlewares import AckPolicy
from faststream.security import BaseSecurity, SASLScram512

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.failpoints import failpoint, switched_off
from chassis.inbox import Batch, Consumers, HandlerFailed
from chassis.marks import Arrived
from chassis.settings import ServiceSettings
from chassis.telemetry import METRICS

MAX_RECORDS = 500
POLL_MS = 25
ATTEMPTS = 3
LONGEST_DELAY = 30.0
SILENT = 30.0
JOIN_SLACK = 10.0  # beyond what a rebalance waits for slow members and for those that are gone

log = structlog.get_logger()


async def _as_it_came(message: tuple[ConsumerRecord, ...]) -> KafkaAckableMessage:
    """In place of FastStream's parser, which decodes headers and loses the batch when one is not UTF-8."""
    return KafkaAckableMessage(body=b"", raw_message=message, consumer=_NO_CONSUMER)


async def _records(message: KafkaAckableMessage) -> tuple[ConsumerRecord, ...]:
    """In place of FastStream's decoder: the handler is given the records themselves."""
    records: tuple[ConsumerRecord, ...] = message.raw_message
    return records


class BatchLeft(Exception):
    """A held batch is given up, and its offsets are not committed."""


class _NoConsumer:
    async def commit(self) -> None:
        raise AssertionError("offsets are committed explicitly, per partition")

    def seek(self, partition: TopicPartition, offset: int) -> None:
        raise AssertionError(f"the consumer is never rewound: {partition} {offset}")


_NO_CONSUMER = _NoConsumer()


class Subscription:
    """Feeds the topics a service listens to into its consumers."""

    def __init__(
        self, db: Database, settings: ServiceSettings, consumers: Consumers, topics: Sequence[str]
    ) -> None:
        self._db = db
        self._consumers = consumers
        self._settings = settings
        self.topics = list(topics)
        self._parked_in_a_row = 0
        self.seen_duplicates = 0
        self.stopped_because = ""
        self.busy_since: float | None = None
        self._subscriber: Any = None
        self._committed: dict[TopicPartition, int] = {}
        self._stopping = asyncio.Event()
        self._heard_at = time.monotonic()
        self._longest_join = settings.kafka_max_poll_interval + settings.kafka_session_timeout + JOIN_SLACK

    async def run(self) -> None:
        """Until cancelled. A consumer that makes no progress is taken down and built anew."""
        while self.topics:
            broker = self._broker()
            try:
                await asyncio.wait_for(broker.start(), self._longest_join)  # else it waits without end
                await self._watch()
            except (KafkaError, OSError) as error:
                log.warning("consumer.unavailable", error=repr(error))
            finally:
                self._stopping.set()
                await _stop(broker, self._settings.shutdown_deadline / 2)
                self._stopping.clear()
            if self.stopped_because:
                return
            await asyncio.sleep(1)

    def _broker(self) -> KafkaBroker:
        settings = self._settings
        self._committed = {}
        broker = KafkaBroker(
            settings.kafka_bootstrap.split(","),
            security=_security(settings),
            client_id=settings.audience,
            consumer_only=True,
            allow_auto_create_topics=False,
            metadata_max_age_ms=10_000,
            graceful_timeout=settings.shutdown_deadline / 3,
            apply_types=False,
            logger=None,
        )
        self._subscriber = broker.subscriber(
            *self.topics,
            group_id=self._consumers.name,
            batch=True,
            max_records=MAX_RECORDS,
            batch_timeout_ms=POLL_MS,
            fetch_max_wait_ms=int(settings.kafka_fetch_wait * 1000),
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            max_poll_interval_ms=int(settings.kafka_max_poll_interval * 1000),
            session_timeout_ms=int(settings.kafka_session_timeout * 1000),
            heartbeat_interval_ms=int(settings.kafka_session_timeout * 1000 / 4),
            parser=_as_it_came,
            decoder=_records,
            no_reply=True,
        )
        self._subscriber(self._take)
        return broker

    async def _take(self, records: tuple[ConsumerRecord, ...]) -> None:
        if self._stopping.is_set():
            raise BatchLeft  # a batch before this one may have been left: committing now would pass over it
        self.busy_since = time.monotonic()
        if switched_off("offsets"):
            await self._commit_offsets(records)
        try:
            batch = await self.apply([Arrived.of(record) for record in records])
        finally:
            self.busy_since = None
        await failpoint("inbox.before_offsets")
        await self._commit_offsets(records)
        self._count(batch)
        if self.stopped_because:
            await asyncio.sleep(3600)  # nothing more is taken; `_watch` takes the consumer down

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
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise BatchLeft

    async def _attempt(self, arrived: Sequence[Arrived], *, careful: bool, give_up: bool) -> Batch:
        await failpoint("inbox.before_begin")
        async with self._db.transaction() as tx:
            batch = await self._consumers.apply(tx, arrived, careful=careful, give_up=give_up)
        await failpoint("inbox.after_commit")
        return batch

    async def _commit_offsets(self, records: Sequence[ConsumerRecord]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        await self._commit(offsets)

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        try:
            await self._subscriber.consumer.commit(offsets)
            self._committed |= offsets
        except (KafkaError, ValueError) as error:
            # After a rebalance the partition is another's; it re-reads from the last offset, and the marks know.
            log.info("consumer.offsets_not_committed", error=repr(error))

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

    async def _watch(self) -> None:
        """Returns when the consumer makes no progress, so that `run` builds it anew."""
        built = time.monotonic()
        while not self.stopped_because:
            await asyncio.sleep(2)
            silence = self._silence()
            joining = time.monotonic() - built if silence is None else 0.0
            if silence is not None:
                built = time.monotonic()
                await self._begin_anew(self._subscriber.consumer)
            if self.busy_since is None and ((silence or 0.0) > SILENT or joining > self._longest_join):
                log.error("consumer.silent", seconds=silence, joining=joining)
                return

    async def _begin_anew(self, consumer: AIOKafkaConsumer) -> None:
        """Topics that were made anew end before our place in them; not every broker says so, and offsets outlive them."""
        behind: dict[TopicPartition, int] = {}
        for partition in consumer.assignment():
            place, end = _position(consumer, partition), consumer.highwater(partition)
            if place is not None and end is not None and place > end:
                log.warning("consumer.topic_made_anew", topic=partition.topic, partition=partition.partition)
                consumer.seek(partition, place := 0)
            if place is not None and place < self._committed.get(partition, 0):
                behind[partition] = place
        if behind:
            await self._commit(behind)

    def silent_for(self) -> float:
        """Seconds since the broker last answered for the slowest partition, outages and rebuilds included."""
        silence = self._silence()
        if silence is not None or not self.topics:
            self._heard_at = time.monotonic() - (silence or 0.0)
        return time.monotonic() - self._heard_at

    def _silence(self) -> float | None:
        """The same for the consumer as it is now; None while it has joined no group or had no answer yet."""
        consumer: AIOKafkaConsumer | None = self._subscriber and self._subscriber.consumer
        if consumer is None or (subscription := consumer._subscription.subscription) is None:  # noqa: SLF001
            return None
        if subscription.assignment is None:
            return None
        buffered = consumer._fetcher._records  # noqa: SLF001 - fetched and not yet taken: it is we who are slow
        polled = [consumer.last_poll_timestamp(p) for p in consumer.assignment() if p not in buffered]
        if not polled:
            return 0.0
        answered = [at for at in polled if at is not None and at > 0]
        return max(0.0, time.time() - min(answered) / 1000) if answered else None

    def lag(self) -> int:
        """Records of the assigned partitions that are not yet fetched, as far as the broker has told."""
        consumer: AIOKafkaConsumer | None = self._subscriber and self._subscriber.consumer
        if consumer is None:
            return 0
        return sum(
            max(0, (consumer.highwater(p) or 0) - (_position(consumer, p) or 0))
            for p in consumer.assignment()
        )


def _position(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """None while it is being looked up."""
    state = consumer._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001
    return int(state.position) if state is not None and state.has_valid_position else None


def _security(settings: ServiceSettings) -> BaseSecurity | None:
    client = settings.kafka_client()
    context = client.get("ssl_context")
    if settings.kafka_sasl_username is not None and settings.kafka_sasl_password is not None:
        password = settings.kafka_sasl_password.get_secret_value()
        return SASLScram512(
            settings.kafka_sasl_username, password, ssl_context=context, use_ssl=context is not None
        )
    return BaseSecurity(ssl_context=context, use_ssl=True) if context is not None else None


async def _stop(broker: KafkaBroker, deadline: float) -> None:
    try:
        await asyncio.wait_for(broker.stop(), deadline)
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("consumer.stop", error=repr(error))
