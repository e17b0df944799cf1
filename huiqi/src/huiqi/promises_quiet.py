"""I5: nothing waits without a reason that an operator can see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from aiokafka import TopicPartition

from huiqi.installation import Installation
from huiqi.ledger_log import Log
from huiqi.ledger_reading import Heard
from huiqi.promises import Promise

OVERDUE: Final = timedelta(seconds=30)
Offsets = Mapping[str, Mapping[TopicPartition, int]]

_OUTBOX = "SELECT count(*) AS rows, now() - min(recorded_at) AS oldest FROM outbox"
_EXPIRED = """
SELECT kind, subject FROM work WHERE state = 'due' AND lease IS NOT NULL AND leased_until < now() ORDER BY leased_until
"""
_OVERDUE = """
SELECT kind, subject, due_at, reason FROM work
WHERE state = 'due' AND due_at < $1 AND (leased_until IS NULL OR leased_until < now()) AND lease IS NULL
ORDER BY due_at
"""
_AT_REST = """
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM work WHERE state = 'due' AND due_at <= $1
        AND (lease IS NOT NULL OR leased_until IS NULL OR leased_until < now())) AS busy,
       (SELECT coalesce(max(id), 0) FROM events) AS last
"""


def groups(installation: Installation, log: Log) -> dict[str, list[TopicPartition]]:
    """The partitions that each listener reads."""
    found = {}
    for service in installation.databases:
        rows = installation.listened_by(service)
        found[service] = [p for p in log.partitions if installation.topic(p.topic) in rows]
    return found


async def check_database(
    i5: Promise, service: str, connection: asyncpg.Connection, legal_now: datetime
) -> None:
    """An empty outbox, no expired lease, nothing due that nobody takes up. `legal_now` is the injected clock's."""
    i5.checked += 1 + await connection.fetchval("SELECT count(*) FROM work WHERE state = 'due'")
    outbox = await connection.fetchrow(_OUTBOX)
    if outbox is not None and outbox["rows"]:
        waits = f"events wait in the outbox, the oldest for {outbox['oldest'].total_seconds():.1f} s"
        i5.breaks(waits, times=outbox["rows"], service=service)
    for row in await connection.fetch(_EXPIRED):
        i5.breaks("a lease has expired", service=service, kind=row["kind"], subject=row["subject"])
    for row in await connection.fetch(_OVERDUE, legal_now - OVERDUE):
        why = f"due since {row['due_at'].isoformat()} and nobody takes it up"
        i5.breaks(f"{why}: {row['reason']}" if row["reason"] else why, service=service, kind=row["kind"],
                  subject=row["subject"])  # fmt: skip


def check_lag(i5: Promise, log: Log, offsets: Offsets) -> None:
    """What each group has committed is where its topics end. `offsets` were read before the ends."""
    for topic in log.missing:
        i5.breaks("the topic does not exist", topic=topic)
    for group, partitions in offsets.items():
        for partition, offset in partitions.items():
            i5.checked += 1
            where = {"listener": group, "topic": partition.topic, "partition": partition.partition}
            start, end = log.starts[partition], log.ends[partition]
            if offset > end:
                i5.breaks(f"offset {offset} is beyond the topic's end, {end}: it was made anew", **where)
            elif behind := end - max(offset, start):
                i5.breaks(f"{behind} records behind", times=behind, **where)


def check_held(i5: Promise, heard: Mapping[str, Heard]) -> None:
    """A key that is held says why; such keys are noted, not counted as broken."""
    for listener, one in heard.items():
        for (topic, key), mark in one.marks.items():
            if not (mark.parked or mark.waiting or mark.aside):
                continue
            i5.checked += 1
            if not mark.aside:
                i5.breaks("a key is held and nothing says why", listener=listener, topic=topic, key=key)
            elif not (mark.parked or mark.waiting):
                i5.breaks(
                    "events are set aside and their key goes on", listener=listener, topic=topic, key=key
                )
            else:
                reason = "bug" if "bug" in mark.aside.values() else mark.aside[min(mark.aside)]
                held = f"held ({reason}): {listener} {topic} {key}, {len(mark.aside)} events from {min(mark.aside)}"
                i5.notes.append(held)
        i5.notes += [f"held (unplaced): {listener} {topic}, {n} records" for topic, n in one.unplaced.items()]


@dataclass(frozen=True, slots=True)
class Rest:
    """Whether nothing moves, and the last event of each service by which the next look knows."""

    quiet: bool
    last: Mapping[str, int]


async def look(
    connections: Mapping[str, asyncpg.Connection], log: Log, offsets: Offsets, legal_now: datetime
) -> Rest:
    """One look, outside any snapshot: outboxes first, then the lag, so that nothing slips between the two."""
    last, busy = {}, 0
    for service, connection in connections.items():
        row = await connection.fetchrow(_AT_REST, legal_now)
        if row is not None:
            last[service], busy = row["last"], busy + row["busy"]
    asked = {p: max(offset, 0) for group in offsets.values() for p, offset in group.items()}
    ends = await log.ends_seen_from(asked)
    starts = log.starts
    behind = any(max(o, starts.get(p, 0)) != ends[p] for group in offsets.values() for p, o in group.items())
    return Rest(not busy and not behind, last)
