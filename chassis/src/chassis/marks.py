"""Marks, the one high-water number per (consumer, topic, key), and the records set aside beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg

from chassis.database import Transaction
from chassis.telemetry import mask
from contracts.envelope import Envelope, MalformedEnvelope

Key = tuple[str, str]


@dataclass(slots=True)
class Mark:
    sequence: int = 0
    parked: bool = False
    waiting: bool = False


class Arrived(NamedTuple):
    """A record as it came: bytes that may be anything. `envelope` is None when its headers name no place."""

    envelope: Envelope | None
    payload: bytes
    headers: dict[str, str]
    topic: str
    partition: int
    offset: int
    error: str = ""

    @classmethod
    def of(cls, record: Any) -> "Arrived":
        """From an aiokafka ConsumerRecord."""
        envelope, error, headers = None, "", {}
        try:
            envelope = Envelope.from_headers(record.topic, record.headers)
            if (record.key or b"") != envelope.key.encode():
                envelope, error = None, "the record's key is not the envelope's partitionkey"
        except MalformedEnvelope as malformed:
            error = str(malformed)
        if envelope is None:
            headers = {storable(n): storable((v or b"").decode("latin-1")) for n, v in record.headers}
        return cls(
            envelope, record.value or b"", headers, record.topic, record.partition, record.offset, error
        )


def storable(text: str) -> str:
    """PostgreSQL's text holds no NUL and no lone surrogates."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


# One look into the index for each key, whatever the planner believes of the table: a join would read every mark of the
# consumer while its statistics are old. Rows are locked in the order of the arrays, which all members sort alike.
_LOCK = """
SELECT i.* FROM unnest($2::text[], $3::text[]) AS w(topic, key) CROSS JOIN LATERAL (
    SELECT topic, key, sequence, parked, waiting FROM inbox
    WHERE consumer = $1 AND topic = w.topic AND key = w.key FOR UPDATE
) AS i
"""
_MAKE = """
INSERT INTO inbox (consumer, topic, key) SELECT $1, topic, key FROM unnest($2::text[], $3::text[]) AS w(topic, key)
ON CONFLICT DO NOTHING
"""
_SAVE = """
INSERT INTO inbox (consumer, topic, key, sequence, parked, waiting)
SELECT $1, m.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bool[], $6::bool[]) AS m
ON CONFLICT (consumer, topic, key)
DO UPDATE SET sequence = excluded.sequence, parked = excluded.parked, waiting = excluded.waiting
"""


async def lock_marks(tx: Transaction, consumer: str, keys: Sequence[Key]) -> dict[Key, Mark]:
    """Locks the marks of sorted keys, making those that are missing. The database arbitrates between two members."""
    topics, names = [t for t, _ in keys], [k for _, k in keys]
    rows = await tx.fetch(_LOCK, consumer, topics, names)
    if len(rows) < len(keys):
        await tx.execute(_MAKE, consumer, topics, names)
        rows = await tx.fetch(_LOCK, consumer, topics, names)
    return {(r["topic"], r["key"]): Mark(r["sequence"], r["parked"], r["waiting"]) for r in rows}


async def save_marks(tx: Transaction, consumer: str, marks: dict[Key, Mark]) -> None:
    if marks:
        await tx.execute(
            _SAVE, consumer, [t for t, _ in marks], [k for _, k in marks], [m.sequence for m in marks.values()],
            [m.parked for m in marks.values()], [m.waiting for m in marks.values()],
        )  # fmt: skip


_COLUMNS = '(consumer, topic, key, sequence, reason, error, headers, payload, "partition", "offset")'
_KNOWN = """ON CONFLICT (consumer, topic, key, sequence)
DO UPDATE SET reason = excluded.reason, error = excluded.error WHERE excluded.reason = 'bug'"""


async def set_aside(tx: Transaction, consumer: str, aside: Sequence[tuple[Arrived, str, str]]) -> None:
    """Keeps records that cannot be applied now. A row's first reason stays, unless its handler failed since."""
    for record, reason, error in aside:
        envelope = record.envelope
        headers = {n: v.decode() for n, v in envelope.to_headers()} if envelope else record.headers
        known = _KNOWN if envelope else "ON CONFLICT DO NOTHING"
        await tx.execute(
            f"INSERT INTO parked {_COLUMNS} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) {known}",  # noqa: S608
            consumer, record.topic, envelope.key if envelope else None, envelope.sequence if envelope else None,
            reason, storable(mask(error)), headers, record.payload, record.partition, record.offset,
        )  # fmt: skip


async def waiting_rows(tx: Transaction, consumer: str, topic: str, key: str) -> list[asyncpg.Record]:
    sql = "SELECT * FROM parked WHERE consumer = $1 AND topic = $2 AND key = $3 ORDER BY sequence"
    return list(await tx.fetch(sql, consumer, topic, key))


def arrived_again(row: asyncpg.Record) -> Arrived:
    """A record set aside, as it came. `waiting_rows` gives only placed ones, whose headers are an envelope's."""
    headers = [(name, text.encode()) for name, text in row["headers"].items()]
    envelope = Envelope.from_headers(row["topic"], headers)
    return Arrived(envelope, row["payload"], {}, row["topic"], row["partition"], row["offset"])
