"""Events on their way to Kafka: one task for a topic, and for a partition one batch after another.

A send that 'timed out' may still arrive. So none is given up: a topic that gives no answer is late, and left alone
until it gave one, while the others go on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis.failpoints import failpoint
from contracts.envelope import Envelope

LOOK_UP = 2.0
PATIENCE = 1.0

Answer = tuple[asyncpg.Record, BaseException | None]


class Underway:
    """What was sent and is not answered yet. `answered` is called whenever a topic's last answer came."""

    def __init__(self, source: str, answered: Callable[[], None]) -> None:
        self._source = source
        self._answered = answered
        self._tasks: dict[asyncio.Task[list[Answer]], str] = {}

    @property
    def topics(self) -> list[str]:
        return list(self._tasks.values())

    async def send(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[Answer]:
        """Sends all and waits for the answers, `PATIENCE` seconds at the most. The rest is for `late_answers`."""
        of_topic: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            of_topic[row["topic"]].append(row)
        begun = {
            asyncio.create_task(_send_topic(producer, self._source, topic, some)): topic
            for topic, some in of_topic.items()
        }
        for task in begun:
            task.add_done_callback(lambda _: self._answered())
        self._tasks |= begun
        await asyncio.wait(begun, timeout=PATIENCE)
        return self._take(begun)

    def late_answers(self) -> list[Answer]:
        return self._take(list(self._tasks))

    def _take(self, tasks: Iterable[asyncio.Task[list[Answer]]]) -> list[Answer]:
        done = [task for task in tasks if task.done()]
        for task in done:
            del self._tasks[task]
        return list(chain.from_iterable(task.result() for task in done))

    def forget(self) -> None:
        """Waits for nothing any more: the producer is gone, and what it left unanswered is sent again."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()


async def _send_topic(
    producer: AIOKafkaProducer, source: str, topic: str, rows: list[asyncpg.Record]
) -> list[Answer]:
    """The rows with what became of each, those of a key in their order."""
    try:
        # A topic that the broker does not show us would be looked for as long as a request may take.
        async with asyncio.timeout(LOOK_UP):
            partitions = sorted(await producer.partitions_for(topic))
    except TimeoutError:
        return [(row, UnknownTopicOrPartitionError(topic)) for row in rows]
    except KafkaError as error:
        return [(row, error) for row in rows]
    of_partition: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        of_partition[partitions[_hash(row["key"]) % len(partitions)]].append(row)
    answers = await asyncio.gather(
        *(_send_partition(producer, source, topic, number, some) for number, some in of_partition.items())
    )
    return list(chain.from_iterable(answers))


@lru_cache(maxsize=16_384)
def _hash(key: str) -> int:
    """As Kafka's clients do it, so that whoever else writes puts a key where we do."""
    return int(murmur2(key.encode())) & 0x7FFFFFFF


async def _send_partition(
    producer: AIOKafkaProducer, source: str, topic: str, partition: int, rows: list[asyncpg.Record]
) -> list[Answer]:
    sent: list[tuple[list[asyncpg.Record], asyncio.Future[object]]] = []
    start, refusal = 0, None
    while start < len(rows):
        batch = producer.create_batch()
        end = _pack(batch, source, rows, start)
        try:
            if end == start:
                raise MessageSizeTooLargeError
            sent.append((rows[start:end], await producer.send_batch(batch, topic, partition=partition)))
        except KafkaError as error:
            refusal = error
            break
        start = end
    await failpoint("relay.after_send")
    if sent:
        await asyncio.wait([future for _, future in sent])
    answers = [(row, future.exception()) for some, future in sent for row in some]
    return answers + [(row, refusal) for row in rows[start:]]


def _pack(batch: BatchBuilder, source: str, rows: list[asyncpg.Record], start: int) -> int:
    """Fills the batch with the rows from `start` on, and returns which is the first that found no room."""
    for at in range(start, len(rows)):
        row = rows[at]
        added = batch.append(
            timestamp=None,
            key=row["key"].encode(),
            value=row["payload"].encode(),
            headers=envelope_of(row, source).to_headers(),
        )
        if added is None:
            return at
    return len(rows)


def envelope_of(row: asyncpg.Record, source: str) -> Envelope:
    """Of a row of `events`: `outbox.pending` checked it when it was said."""
    return Envelope.unchecked((
        row["event_id"], source, row["type"], row["topic"], row["key"], row["sequence"], row["occurred_at"],
        row["actor"], row["traceparent"],
    ))  # fmt: skip


def in_turn(answers: list[Answer]) -> list[asyncpg.Record]:
    """What was acknowledged, of each key only as far as nothing failed before it: the rest is sent again in order."""
    broken = {(row["topic"], row["key"]) for row, error in answers if error is not None}
    if not broken:
        return [row for row, _ in answers]
    behind: set[tuple[str, str]] = set()
    whole = []
    for row, error in answers:
        key = (row["topic"], row["key"])
        if error is not None:
            behind.add(key)
        elif key not in behind:
            whole.append(row)
    return whole
