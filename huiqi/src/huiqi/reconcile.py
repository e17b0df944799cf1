"""`huiqi reconcile`: events that never reached a listener are sent again.

A topic made anew, a tail that the broker lost, a listener younger than the topic's retention: the owner's `events`
remember, and the marks say who misses what. Sending again is harmless, since listeners know duplicates by their number.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import click
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from chassis.errors import Unavailable
from chassis.identity import Actor
from chassis.marks import Arrived
from chassis.outbox import resend
from huiqi.installation import Installation, find_installation, installation_options
from huiqi.ledger_log import Log, committed, open_log
from huiqi.ledger_reading import Heard, Key, Mark, Numbers, read_heard, read_said, snapshots
from huiqi.parked import opened
from huiqi.promises_quiet import groups

AT_ONCE: Final = 5_000
_OUTBOX = """
SELECT e.topic, e.key, min(e.sequence) AS first
FROM outbox o JOIN events e ON e.id = o.id AND e.recorded_at = o.recorded_at GROUP BY e.topic, e.key
"""
_IDS = """
SELECT e.id FROM events e
JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS w(topic, key, first, last)
  ON e.topic = w.topic AND e.key = w.key AND e.sequence BETWEEN w.first AND w.last
ORDER BY e.id
"""
_NO_MARK = Mark()
Ahead = Mapping[Key, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Missing:
    """What one listener misses of one key: from `first` on, `events` of them. `last` is what is sent up to."""

    owner: str
    listener: str
    key: Key
    first: int
    last: int
    events: int


@dataclass(frozen=True, slots=True)
class Owned:
    """An owner's events, and the first number of each key that is still on its way out."""

    owner: str
    numbers: Mapping[Key, Numbers]
    outbox: Mapping[Key, int]

    def missed_by(self, listener: str, key: Key, heard: Heard, ahead: Ahead) -> Missing | None:
        mark = heard.marks.get(key, _NO_MARK)
        numbers = self.numbers[key]
        coming = ahead.get(key, frozenset()) | mark.aside.keys()
        sent = self.outbox[key] - 1 if key in self.outbox else numbers.last
        lost = [n for n in range(mark.sequence + 1, sent + 1) if n not in coming and numbers.holds(n)]
        return Missing(self.owner, listener, key, lost[0], numbers.last, len(lost)) if lost else None


@click.command()
@installation_options
@click.option("--dry-run", is_flag=True, help="only count")
def reconcile(house: Path | None, installation_file: Path | None, dry_run: bool) -> None:
    """Send again, in order, the events that never reached a listener.

    What is merely under way is left alone: what waits in an outbox, what a listener has still to read, what is parked.
    From the first missing number on a key is sent to its end, so that the topic itself is in order for any reader.
    Doing it once too often is harmless: a number that was applied is passed over.
    """
    installation = find_installation(house, installation_file)
    try:
        missing = asyncio.run(find_missing(installation))
        sent = 0 if dry_run else asyncio.run(send_again(installation, missing))
    except Unavailable as error:
        raise click.ClickException(f"cannot be compared: {error}") from error
    _show(missing)
    if missing:
        click.echo("a dry run: nothing was sent" if dry_run else f"{sent} events are sent again")


def _show(missing: list[Missing]) -> None:
    if not missing:
        click.echo("every event has reached its listeners, or is on its way")
        return
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for one in missing:
        keys, events = counts.get((one.key[0], one.listener), (0, 0))
        counts[one.key[0], one.listener] = keys + 1, events + one.events
    table = Table("topic", "listener", box=None)
    table.add_column("keys", justify="right")
    table.add_column("events missing", justify="right")
    for (topic, listener), (keys, events) in sorted(counts.items()):
        table.add_row(topic, listener, f"{keys:,}", f"{events:,}")
    Console().print(table)


async def find_missing(installation: Installation) -> list[Missing]:
    """What no listener will get by itself. Raises Unavailable.

    The order of reading leaves nothing between two looks: owners with their outboxes first, so that what is not in
    an outbox is in Kafka; then the offsets and the records behind them; the marks last, which move before offsets do.
    """
    async with snapshots(installation) as owners:
        owned = {service: await _owned(service, db) for service, db in owners.items()}
    async with open_log(installation) as log:
        offsets = await committed(installation, groups(installation, log))
        await log.find_ends()
        ahead = {listener: await _ahead(log, positions) for listener, positions in offsets.items()}
    async with snapshots(installation) as listeners:
        heard = {service: await read_heard(db, service) for service, db in listeners.items()}
    return [
        missing
        for owner, one in owned.items()
        for key in one.numbers
        for listener in _listeners(installation, owner, key)
        if (missing := one.missed_by(listener, key, heard[listener], ahead[listener]))
    ]


def _listeners(installation: Installation, owner: str, key: Key) -> list[str]:
    row = installation.topic(key[0])
    return row.listeners if row is not None and row.owner == owner else []


async def _owned(owner: str, db: asyncpg.Connection) -> Owned:
    outbox = {(row["topic"], row["key"]): row["first"] for row in await db.fetch(_OUTBOX)}
    return Owned(owner, await read_said(db), outbox)


async def _ahead(log: Log, offsets: Mapping[TopicPartition, int]) -> Ahead:
    """The numbers that a group has still to read."""
    positions = {}
    for partition, offset in offsets.items():
        # An offset beyond the end is of a topic that was made anew: its reader will begin again.
        known = log.starts[partition] <= offset <= log.ends[partition]
        positions[partition] = offset if known else log.starts[partition]
    found: dict[Key, set[int]] = {}
    async for batch in log.read(positions):
        for record in batch:
            if envelope := Arrived.of(record).envelope:
                found.setdefault((envelope.topic, envelope.key), set()).add(envelope.sequence)
    return {key: frozenset(numbers) for key, numbers in found.items()}


async def send_again(installation: Installation, missing: list[Missing]) -> int:
    """Puts the events back into their owners' outboxes, whose relays send them. Returns how many. Raises Unavailable."""
    sent = 0
    for owner in sorted({one.owner for one in missing}):
        spans: dict[Key, tuple[int, int]] = {}
        for one in missing:
            if one.owner == owner:
                first, last = spans.get(one.key, (one.first, one.last))
                spans[one.key] = min(first, one.first), max(last, one.last)
        sent += await _send_of(installation, owner, spans)
    return sent


async def _send_of(installation: Installation, owner: str, spans: Mapping[Key, tuple[int, int]]) -> int:
    columns = [
        [topic for topic, _ in spans],
        [key for _, key in spans],
        [first for first, _ in spans.values()],
        [last for _, last in spans.values()],
    ]
    sent = 0
    async with opened(installation, owner) as db:
        ids = [row["id"] for row in await db.fetch(_IDS, *columns)]
        for start in range(0, len(ids), AT_ONCE):
            async with db.transaction(Actor("reconcile", "operator")) as tx:
                sent += await resend(tx, ids[start : start + AT_ONCE])
    return sent
