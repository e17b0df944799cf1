"""The hash chain over what was said: each link covers the events that Kafka acknowledged, and the link before it."""

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING

import asyncpg
import orjson

if TYPE_CHECKING:
    from chassis.database import Database


_SEALED = itemgetter(
    "id", "event_id", "topic", "key", "sequence", "type", "actor", "traceparent", "caused_by", "payload", "occurred_at",
    "recorded_at",
)  # fmt: skip


def digest(previous: bytes, rows: list[asyncpg.Record]) -> bytes:
    """SHA-256 over the link before and every column of the rows, in order."""
    chain = hashlib.sha256(previous)
    for row in rows:
        chain.update(orjson.dumps(_SEALED(row), default=str))
    return chain.digest()


async def seal(db: "Database", rows: list[asyncpg.Record]) -> None:
    """Takes acknowledged events out of the outbox and adds them to the hash chain.

    Two relays that both believe themselves active meet here: each seals only what it deleted, and the link they
    build on is locked.
    """
    async with db.transaction() as tx:
        await tx.execute("SELECT FROM relay_lease FOR UPDATE")
        gone = await tx.fetch(
            "DELETE FROM outbox WHERE id = ANY($1) RETURNING id, sealed", [r["id"] for r in rows]
        )
        fresh = {row["id"] for row in gone if not row["sealed"]}
        if not fresh:
            return
        last = await tx.fetchrow("SELECT position, hash FROM seals ORDER BY position DESC LIMIT 1")
        position, previous = (last["position"], last["hash"]) if last else (0, b"")
        sealed = [row for row in rows if row["id"] in fresh]
        await tx.execute(
            "INSERT INTO seals (position, previous, hash, event_ids) VALUES ($1, $2, $3, $4)",
            position + 1, previous, digest(previous, sealed), [row["id"] for row in sealed],
        )  # fmt: skip
