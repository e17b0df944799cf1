"""I3 and I4 in Kafka: every record has its event, and the records of a key follow their numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
from aiokafka import ConsumerRecord

from chassis.marks import Arrived
from huiqi.installation import Installation
from huiqi.ledger_log import Log
from huiqi.promises import Promise

_EVENTS = """
SELECT w.n, e.event_id, e.type, sha256(convert_to(e.payload::text, 'UTF8')) AS payload
FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS w(topic, key, sequence, n)
JOIN events e ON e.topic = w.topic AND e.key = w.key AND e.sequence = w.sequence
"""


@dataclass(slots=True)
class Order:
    """The numbers of one key as they came. `skipped` are those passed over so far.

    A number that comes for the first time after a later one is in order only as the start of a repetition: the
    numbers behind it come again too, up to the highest. So a relay repeats, and `huiqi reconcile` after a loss.
    """

    first: int
    highest: int
    repeats: int | None = None
    skipped: list[tuple[int, int]] = field(default_factory=list)

    def take(self, sequence: int) -> bool:
        """Whether the number is in its place."""
        if self.repeats is not None:
            return self._repeat(sequence)
        if sequence > self.highest:
            if sequence > self.highest + 1:
                self.skipped.append((self.highest + 1, sequence - 1))
            self.highest = sequence
        elif sequence < self.first or any(a <= sequence <= b for a, b in self.skipped):
            self.repeats = sequence
        return True

    def _repeat(self, sequence: int) -> bool:
        last, self.repeats = self.repeats or 0, sequence
        if sequence >= self.highest:
            self.repeats, self.highest, self.skipped = None, sequence, []
            self.first = min(self.first, last)
        return sequence <= last + 1


@dataclass(slots=True)
class Records:
    """Goes through the records of an installation's topics."""

    i3: Promise
    i4: Promise
    installation: Installation
    owners: Mapping[str, asyncpg.Connection]
    foreign: frozenset[tuple[str, int, int]] = frozenset()
    remade: bool = False
    _orders: dict[tuple[str, int, str], Order] = field(default_factory=dict)

    async def check(self, log: Log) -> None:
        seen = 0
        async for batch in log.read():
            ours = [record for record in batch if _place_of(record) not in self.foreign]
            seen += len(batch) - len(ours)
            await self._check_batch([Arrived.of(record) for record in ours], ours)
        if seen:
            self.i3.notes.append(f"{seen} records that were named as somebody else's are left out")
        for (topic, partition, key), order in self._orders.items():
            if order.repeats is not None:
                self._out_of_order(topic, partition, key, order.repeats)

    async def _check_batch(self, batch: Sequence[Arrived], records: Sequence[ConsumerRecord]) -> None:
        if not batch:
            return
        row = self.installation.topic(batch[0].topic)
        events = await self._events(self.owners[row.owner], batch) if row else {}
        for n, (arrived, record) in enumerate(zip(batch, records, strict=True), 1):
            self.i3.checked += 1
            if why := _invented(arrived, record, events.get(n, [])):
                envelope = arrived.envelope
                self.i3.breaks(
                    why, topic=arrived.topic, partition=arrived.partition, offset=arrived.offset,
                    key=envelope.key if envelope else None, sequence=envelope.sequence if envelope else None,
                )  # fmt: skip
            else:
                self._place(arrived)

    async def _events(
        self, owner: asyncpg.Connection, batch: Sequence[Arrived]
    ) -> dict[int, list[asyncpg.Record]]:
        places = [(a.topic, a.envelope.key, a.envelope.sequence) if a.envelope else None for a in batch]
        columns = [[place[i] if place else None for place in places] for i in range(3)]
        found: dict[int, list[asyncpg.Record]] = {}
        for row in await owner.fetch(_EVENTS, *columns):
            found.setdefault(row["n"], []).append(row)
        return found

    def _place(self, arrived: Arrived) -> None:
        if arrived.envelope is None:
            return
        self.i4.checked += 1
        sequence = arrived.envelope.sequence
        place = (arrived.topic, arrived.partition, arrived.envelope.key)
        order = self._orders.get(place)
        if order is None:
            self._orders[place] = Order(sequence, sequence)
        elif not order.take(sequence):
            self._out_of_order(*place, sequence)

    def _out_of_order(self, topic: str, partition: int, key: str, sequence: int) -> None:
        if self.remade:
            self.i4.notes.append(
                f"{topic}/{partition} {key}: what was lost came again from {sequence}, in part"
            )
            return
        why = "a number came after a later one, and those between did not come again"
        self.i4.breaks(why, topic=topic, partition=partition, key=key, sequence=sequence)


def _place_of(record: ConsumerRecord) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _invented(arrived: Arrived, record: ConsumerRecord, events: Sequence[asyncpg.Record]) -> str | None:
    """Why the record is not one of its owner's events."""
    if arrived.envelope is None:
        return f"a record without a place: {arrived.error}"
    if not events:
        return "a record whose event its owner does not have"
    for event in events:
        if event["event_id"] == arrived.envelope.event_id and event["type"] == arrived.envelope.type:
            payload = hashlib.sha256(record.value or b"").digest()
            return None if payload == event["payload"] else "the record's payload is not its event's"
    return "the record's id or type is not its event's"
