"""The hash chain over a service's events, computed again; flat in memory however long it is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from chassis.seals import digest

SHOWN: Final = 20
_AT_ONCE: Final = 2_000
_LINKS = "SELECT position, previous, hash, event_ids FROM seals ORDER BY position"
_EVENTS = """
SELECT id, event_id, topic, key, sequence, type, actor, traceparent, caused_by, payload, occurred_at, recorded_at
FROM events WHERE id = ANY($1)
"""
_UNSEALED = """
WITH known AS (SELECT unnest(event_ids) AS id FROM seals UNION ALL SELECT id FROM outbox WHERE NOT sealed)
SELECT id, count(*) OVER () AS all FROM (SELECT id FROM events EXCEPT SELECT id FROM known) e ORDER BY id LIMIT 5
"""
_TWICE = """
SELECT id, count(*) OVER () AS all
FROM (SELECT unnest(event_ids) AS id FROM seals) s GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 5
"""
_WAITING_GONE = (
    "SELECT id FROM outbox o WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = o.id) ORDER BY id LIMIT 5"
)
_CUT = """
SELECT k.topic, k.key, k.sequence AS given, coalesce(max(e.sequence), 0) AS last
FROM event_keys k LEFT JOIN events e ON e.topic = k.topic AND e.key = k.key
GROUP BY k.topic, k.key, k.sequence HAVING coalesce(max(e.sequence), 0) <> k.sequence ORDER BY 1, 2 LIMIT 5
"""
_NO_NUMBER = """
SELECT DISTINCT topic, key FROM events e
WHERE NOT EXISTS (SELECT FROM event_keys k WHERE k.topic = e.topic AND k.key = e.key) ORDER BY 1, 2 LIMIT 5
"""


@dataclass(slots=True)
class Chain:
    """What was found. `head` is the last link's hash: kept elsewhere, it proves later that nothing was cut off.

    `waiting` events are not yet sealed. `breaks` are the first SHOWN of `broken`.
    """

    service: str
    links: int = 0
    events: int = 0
    waiting: int = 0
    head: bytes = b""
    broken: int = 0
    breaks: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.broken += 1
        if len(self.breaks) < SHOWN:
            self.breaks.append(text)


async def verify_chain(
    connection: asyncpg.Connection, service: str, *, earlier_head: bytes | None = None
) -> Chain:
    """Computes the chain of one service again, inside the snapshot that `connection` is in.

    Detects edited, deleted, reordered and inserted events, links that were changed or taken out, and a cut tail:
    against the numbers that were given out, and against `earlier_head`, which must still be a link.
    """
    chain = Chain(service)
    head_seen = not earlier_head
    position = 0
    async for links in _runs(connection):
        events = await _events(connection, links)
        for link in links:
            if link["position"] != position + 1:
                chain.add(f"links {position + 1} to {link['position'] - 1} are gone")
            position = link["position"]
            _check_link(chain, link, events)
            head_seen = head_seen or link["hash"] == earlier_head
    if not head_seen:
        chain.add("the earlier head is no link of the chain: its end was cut off or written anew")
    chain.waiting = await connection.fetchval("SELECT count(*) FROM outbox WHERE NOT sealed")
    await _check_completeness(chain, connection)
    return chain


async def _runs(connection: asyncpg.Connection) -> AsyncIterator[list[asyncpg.Record]]:
    """Links in order, as many at a time as bring about _AT_ONCE events."""
    run: list[asyncpg.Record] = []
    size = 0
    async for link in connection.cursor(_LINKS, prefetch=50):
        run.append(link)
        size += len(link["event_ids"])
        if size >= _AT_ONCE:
            yield run
            run, size = [], 0
    if run:
        yield run


async def _events(connection: asyncpg.Connection, links: list[asyncpg.Record]) -> dict[int, asyncpg.Record]:
    ids = [event_id for link in links for event_id in link["event_ids"]]
    return {row["id"]: row for row in await connection.fetch(_EVENTS, ids)}


def _check_link(chain: Chain, link: asyncpg.Record, events: dict[int, asyncpg.Record]) -> None:
    chain.links += 1
    chain.events += len(link["event_ids"])
    position, ids = link["position"], link["event_ids"]
    if link["previous"] != chain.head:
        chain.add(f"link {position} does not follow the link before it")
    chain.head = link["hash"]
    if gone := [event_id for event_id in ids if event_id not in events]:
        chain.add(f"link {position}: {len(gone)} of its events are gone, the first is {gone[0]}")
    elif digest(link["previous"], [events[event_id] for event_id in ids]) != link["hash"]:
        span = f"{ids[0]} to {ids[-1]}" if ids else "none"
        chain.add(f"link {position}: an event was changed or moved, among {span}")


async def _check_completeness(chain: Chain, connection: asyncpg.Connection) -> None:
    """Whether all that is there is in the chain, once, and all that was numbered is there."""
    for row in await connection.fetch(_UNSEALED):
        chain.add(f"event {row['id']} was put in: no link names it and it does not wait ({row['all']} such)")
    for row in await connection.fetch(_TWICE):
        chain.add(f"event {row['id']} is named by two links ({row['all']} such)")
    for row in await connection.fetch(_WAITING_GONE):
        chain.add(f"event {row['id']} waits to be sent and is gone")
    for row in await connection.fetch(_CUT):
        chain.add(
            f"{row['topic']} {row['key']}: {row['given']} numbers were given out, the events end at {row['last']}"
        )
    for row in await connection.fetch(_NO_NUMBER):
        chain.add(f"{row['topic']} {row['key']}: events whose numbers were never given out")
