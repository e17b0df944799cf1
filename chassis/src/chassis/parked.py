"""What was set aside, and the operator's two answers: replay it in order, or discard one event and say why."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from chassis.database import Database, Transaction
from chassis.errors import NotFound, Refused
from chassis.identity import Actor
from chassis.inbox import Batch, Consumers, HandlerFailed
from chassis.marks import arrived_again, lock_marks, save_marks, waiting_rows


class StillFailing(Refused):
    """Event {sequence} of {topic} {key} still fails: {error}"""


class NotParked(NotFound):
    """Nothing is parked there."""


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """One key that waits for an operator; `error` is that of its first failed event."""

    topic: str
    key: str | None
    events: int
    first_sequence: int | None
    reason: str
    error: str
    since: datetime


async def list_parked(db: Database, consumer: str) -> list[ParkedKey]:
    rows = await db.fetch(
        "SELECT topic, key, count(*) AS events, min(sequence) AS first_sequence, min(parked_at) AS since,"
        " (array_agg(reason ORDER BY reason <> 'bug', sequence))[1] AS reason,"
        " (array_agg(error ORDER BY reason <> 'bug', sequence))[1] AS error"
        " FROM parked WHERE consumer = $1 GROUP BY topic, key ORDER BY min(parked_at)",
        consumer,
    )
    return [ParkedKey(**dict(row)) for row in rows]


async def show_parked(db: Database, consumer: str, topic: str, key: str | None) -> list[asyncpg.Record]:
    return await db.fetch(
        "SELECT * FROM parked WHERE consumer = $1 AND topic = $2 AND key IS NOT DISTINCT FROM $3 ORDER BY sequence, id",
        consumer, topic, key,
    )  # fmt: skip


async def replay(db: Database, consumers: Consumers, topic: str, key: str, actor: Actor) -> int:
    """Applies the key's parked events in order, as far as they follow without a gap. Returns how many.

    Raises StillFailing, with nothing applied, when one fails again; NotParked.
    """
    async with db.transaction(actor) as tx:
        mark = (await lock_marks(tx, consumers.name, [(topic, key)]))[topic, key]
        rows = await waiting_rows(tx, consumers.name, topic, key)
        if not rows:
            raise NotParked
        mark.parked, applied = False, 0
        batch = Batch({(topic, key): mark}, careful=True, give_up=False)
        for row in rows:
            if row["sequence"] != mark.sequence + 1:
                break
            await _apply_again(tx, consumers, batch, row)
            await _decide(tx, row, "replayed", "")
            applied += 1
        mark.waiting = applied < len(rows)
        await save_marks(tx, consumers.name, batch.marks)
    return applied


async def _apply_again(tx: Transaction, consumers: Consumers, batch: Batch, row: asyncpg.Record) -> None:
    record = arrived_again(row)
    if record.envelope is None:
        raise StillFailing(sequence=row["sequence"], topic=row["topic"], key=row["key"], error="no envelope")
    mark = batch.marks[row["topic"], row["key"]]
    try:
        await consumers.advance(tx, batch, mark, record, record.envelope)
    except HandlerFailed as failure:
        where = {"sequence": row["sequence"], "topic": row["topic"], "key": row["key"]}
        raise StillFailing(**where, error=str(failure)) from failure


async def discard(db: Database, consumer: str, parked_id: int, actor: Actor, note: str) -> None:
    """Gives up one event for good: its place counts as applied, and the note says why. Audited.

    Only the key's next event can be discarded, so that order holds. Raises NotParked.
    """
    async with db.transaction(actor) as tx:
        row = await tx.fetchrow("SELECT * FROM parked WHERE consumer = $1 AND id = $2", consumer, parked_id)
        if row is None:
            raise NotParked
        if row["key"] is not None and row["sequence"] is not None:
            key = (row["topic"], row["key"])
            mark = (await lock_marks(tx, consumer, [key]))[key]
            if row["sequence"] != mark.sequence + 1:
                raise StillFailing(
                    sequence=mark.sequence + 1, topic=row["topic"], key=row["key"], error="it comes first"
                )
            mark.sequence += 1
            if len(await waiting_rows(tx, consumer, *key)) == 1:
                mark.parked = mark.waiting = False  # nothing is behind it that a replay could set free
            await save_marks(tx, consumer, {key: mark})
        await _decide(tx, row, "discarded", note)


async def _decide(tx: Transaction, row: asyncpg.Record, decision: str, note: str) -> None:
    await tx.execute("DELETE FROM parked WHERE id = $1", row["id"])
    await tx.execute(
        "INSERT INTO parked_decisions (decision, actor, note, consumer, topic, key, sequence, payload)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        decision, str(tx.actor), note, row["consumer"], row["topic"], row["key"], row["sequence"], row["payload"],
    )  # fmt: skip
