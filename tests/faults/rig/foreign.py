"""Records that the rig itself puts on topics; a header tells them from the relays'."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError

from huiqi.installation import Installation
from huiqi.ledger_log import open_log

MARK: Final = ("rig", b"1")
_LARGEST: Final = 1_048_576
_SETTLES: Final = 12.0
Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Copy:
    """A record to send; without a partition its key decides."""

    topic: str
    key: bytes | None
    payload: bytes
    headers: list[tuple[str, bytes]]
    partition: int | None = None


@asynccontextmanager
async def producing(kafka: dict[str, Any]) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**kafka, acks="all", max_request_size=_LARGEST, request_timeout_ms=5_000)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


async def send(kafka: dict[str, Any], copies: Iterable[Copy]) -> list[Place]:
    """Sends in this order, one after the other, and returns where the records are. Raises KafkaError."""
    places = []
    async with producing(kafka) as producer:
        for copy in copies:
            sent = await producer.send_and_wait(
                copy.topic,
                copy.payload,
                copy.key,
                partition=copy.partition,
                headers=[*(h for h in copy.headers if h != MARK), MARK],
            )
            places.append((sent.topic, sent.partition, sent.offset))
    return places


async def latest(installation: Installation, topic: str, most: int) -> list[ConsumerRecord]:
    """The last records of each partition of a topic, at most so many each. Raises Unavailable."""
    found: list[ConsumerRecord] = []
    async with open_log(installation) as log:
        log.partitions = [p for p in log.partitions if p.topic == topic]
        await log.find_ends()
        starts = {p: max(log.starts[p], log.ends[p] - most) for p in log.partitions}
        async for batch in log.read(starts):
            found += batch
    return found


async def find_foreign(installation: Installation) -> set[Place]:
    """Every record on the topics as they are now that the rig has sent. Raises Unavailable."""
    found: set[Place] = set()
    async with open_log(installation) as log:
        await log.find_ends()
        async for batch in log.read():
            found |= {(r.topic, r.partition, r.offset) for r in batch if MARK in r.headers}
    return found


async def leader_of(kafka: dict[str, Any], topic: str, partition: int) -> tuple[str, int]:
    """Host and port of the broker that leads a partition. Raises KafkaError."""
    async with producing(kafka) as producer:
        await producer.partitions_for(topic)
        cluster = producer.client.cluster
        broker = cluster.broker_metadata(cluster.leader_for_partition(TopicPartition(topic, partition)))
        if broker is None:
            raise LeaderNotAvailableError(f"{topic}/{partition}")
        return broker.host, broker.port


async def groups_without_leader(kafka: dict[str, Any], groups: Collection[str]) -> list[str]:
    """Groups of the embedded broker that stay in no known state: when all members leave at once, it may go on naming
    one that is gone as their leader, for ever.
    """
    waiting, ends = set(groups), time.monotonic() + _SETTLES
    while time.monotonic() < ends:
        waiting = {group for group in waiting if await _state(kafka, group) == "Unknown"}
        if not waiting:
            break
        await asyncio.sleep(0.2)
    return sorted(waiting)


async def _state(kafka: dict[str, Any], group: str) -> str:
    """Empty for a group that the broker does not have: its answer cannot be read."""
    admin = AIOKafkaAdminClient(**kafka)
    try:
        await admin.start()
        described = await admin.describe_consumer_groups([group])
        return str(described[0].groups[0][2])
    except KafkaError:
        return ""
    finally:
        await admin.close()
