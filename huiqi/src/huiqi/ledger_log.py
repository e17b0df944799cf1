"""Kafka as it is read for the ledger: every record up to where the topics ended, and how far each group has come."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis import kafka_admin
from chassis.errors import Unavailable
from huiqi.installation import Installation

SILENCE = 20.0
AT_ONCE = 2_000
_WAIT_MS = 100


@dataclass
class Log:
    """The partitions of an installation's topics, read without a group. `missing` are topics that do not exist.

    Offsets: `starts` are the first still kept, `ends` one past the last when they were looked at.
    """

    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]
    missing: list[str]
    starts: dict[TopicPartition, int] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=dict)

    async def find_ends(self) -> None:
        self.starts = await self.consumer.beginning_offsets(self.partitions) if self.partitions else {}
        self.ends = await self.ends_seen_from(self.starts)

    async def ends_seen_from(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """The high watermarks that fetches from `positions` are told; list-offsets of the embedded broker are wrong."""
        self._seek(positions)
        ends: dict[TopicPartition, int] = {}
        until = time.monotonic() + SILENCE
        while len(ends) < len(positions):
            if time.monotonic() > until:
                raise Unavailable(f"the broker does not answer for {sorted(set(positions) - set(ends))[:3]}")
            await self.consumer.getmany(timeout_ms=_WAIT_MS, max_records=AT_ONCE)
            seen = {partition: self.consumer.highwater(partition) for partition in positions}
            ends |= {partition: end for partition, end in seen.items() if end is not None}
        return ends

    async def read(
        self, positions: Mapping[TopicPartition, int] | None = None
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Batches of the records from `positions` (the first ones kept) to the ends, in order within a partition."""
        starts = self.starts if positions is None else positions
        left = {partition for partition, start in starts.items() if start < self.ends[partition]}
        self._seek({partition: starts[partition] for partition in left})
        until = time.monotonic() + SILENCE
        while left:
            fetched = await self.consumer.getmany(*left, timeout_ms=_WAIT_MS, max_records=AT_ONCE)
            for partition, records in fetched.items():
                yield [record for record in records if record.offset < self.ends[partition]]
            done = {p for p in left if await self.consumer.position(p) >= self.ends[p]}
            left -= done
            if done or fetched:
                until = time.monotonic() + SILENCE
            elif time.monotonic() > until:
                raise Unavailable(f"the broker gives no more of {sorted(left)[:3]}")

    def _seek(self, positions: Mapping[TopicPartition, int]) -> None:
        if not positions:
            return
        self.consumer.assign(list(positions))
        for partition, position in positions.items():
            self.consumer.seek(partition, position)


@asynccontextmanager
async def open_log(installation: Installation, also: Collection[str] = ()) -> AsyncIterator[Log]:
    """`also` names topics that must exist beyond the plain ones of topics.yaml. Raises Unavailable."""
    consumer = AIOKafkaConsumer(
        **installation.kafka,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_WAIT_MS // 2,
    )
    try:
        await consumer.start()
        yield await _log(consumer, installation, also)
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka: {error!r}") from error
    finally:
        await _stop(consumer)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    # A fetch that is just changing its assignment swallows the cancellation; a second one reaches it.
    with suppress(TimeoutError):
        await asyncio.wait_for(consumer.stop(), 3)


async def _log(consumer: AIOKafkaConsumer, installation: Installation, also: Collection[str]) -> Log:
    # A consumer that reads no topic yet knows no partitions, and would find nothing to check.
    there = await kafka_admin.count_partitions(installation.kafka)
    wanted = {name for name, topic in installation.topics.items() if not topic.is_template} | set(also)
    ours = sorted(name for name in there if installation.topic(name) is not None)
    partitions = [TopicPartition(name, p) for name in ours for p in range(there[name])]
    return Log(consumer, partitions, sorted(wanted - set(ours)))


async def committed(
    installation: Installation, groups: Mapping[str, Collection[TopicPartition]]
) -> dict[str, dict[TopicPartition, int]]:
    """What each group has committed, -1 where nothing. Raises Unavailable."""
    admin = AIOKafkaAdminClient(**installation.kafka)
    found: dict[str, dict[TopicPartition, int]] = {}
    try:
        await admin.start()
        for group, partitions in groups.items():
            told: dict[TopicPartition, Any] = {}
            if partitions:
                told = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
            found[group] = {p: told[p].offset if p in told else -1 for p in partitions}
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka: {error!r}") from error
    finally:
        await admin.close()
    return found
