"""The one way FastStream is used: manual commits, whole fetched batches, `earliest`, explicit offsets.

FastStream swallows what a handler raises and commits past it, so nothing is raised here: a batch is applied, or
held for as long as it takes, or its failing keys are parked.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.middlewares import AckPolicy
from faststream.security import BaseSecurity, SASLScram512

from chassis.applying import Applying
from chassis.database import Database
from chassis.inbox import Consumers
from chassis.settings import ServiceSettings
from chassis.unreadable import read_past_the_unreadable

MAX_RECORDS = 500
MANY_RECORDS = 2_000
FETCH_BYTES = 8_388_608  # of one broker's answer; a batch is part of one answer of each
POLL_MS = 25
SILENT = 30.0
JOIN_SLACK = 10.0  # beyond what a rebalance waits for slow members and for those that are gone

log = structlog.get_logger()
read_past_the_unreadable()


async def _as_it_came(message: tuple[ConsumerRecord, ...]) -> KafkaAckableMessage:
    """In place of FastStream's parser, which decodes headers and loses the batch when one is not UTF-8."""
    return KafkaAckableMessage(body=b"", raw_message=message, consumer=_NO_CONSUMER)


async def _records(message: KafkaAckableMessage) -> tuple[ConsumerRecord, ...]:
    """In place of FastStream's decoder: the handler is given the records themselves."""
    records: tuple[ConsumerRecord, ...] = message.raw_message
    return records


class _NoConsumer:
    async def commit(self) -> None:
        raise AssertionError("offsets are committed explicitly, per partition")

    def seek(self, partition: TopicPartition, offset: int) -> None:
        raise AssertionError(f"the consumer is never rewound: {partition} {offset}")


_NO_CONSUMER = _NoConsumer()


class Subscription(Applying):
    """Feeds the topics a service listens to into its consumers."""

    def __init__(
        self, db: Database, settings: ServiceSettings, consumers: Consumers, topics: Sequence[str]
    ) -> None:
        super().__init__(db, settings, consumers)
        self.topics = list(topics)
        self._subscriber: Any = None
        self._committed: dict[TopicPartition, int] = {}
        self._heard_at = time.monotonic()

    async def run(self) -> None:
        """Until cancelled. A consumer that makes no progress is taken down and built anew."""
        while self.topics:
            broker = self._broker()
            try:
                async with asyncio.timeout(self._longest_join):  # else it waits without end
                    await broker.start()
                await self._watch()
            except (KafkaError, OSError) as error:
                log.warning("consumer.unavailable", error=repr(error))
            finally:
                self._stopping.set()
                await self._settle(self._settings.shutdown_deadline / 4)
                await _stop(broker, self._settings.shutdown_deadline / 4)
                self._stopping.clear()
            if self.stopped_because:
                return
            await asyncio.sleep(1)

    @property
    def _longest_join(self) -> float:
        return self._settings.kafka_max_poll_interval + self._settings.kafka_session_timeout + JOIN_SLACK

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
            graceful_timeout=settings.shutdown_deadline / 5,
            apply_types=False,
            logger=None,
        )
        self._subscriber = broker.subscriber(
            *self.topics,
            group_id=self._consumers.name,
            batch=True,
            max_records=MANY_RECORDS if self._consumers.in_bulk else MAX_RECORDS,
            fetch_max_bytes=FETCH_BYTES,
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

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        try:
            await self._subscriber.consumer.commit(offsets)
            self._committed |= offsets
        except (KafkaError, ValueError) as error:
            # After a rebalance the partition is another's; it re-reads from the last offset, and the marks know.
            log.info("consumer.offsets_not_committed", error=repr(error))

    async def _watch(self) -> None:
        """Returns when the consumer makes no progress, so that `run` builds it anew."""
        built = time.monotonic()
        while not self.stopped_because and not self._left:
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
                behind[partition] = 0  # our place is ahead of what is applied
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
        async with asyncio.timeout(deadline):
            await broker.stop()
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("consumer.stop", error=repr(error))
