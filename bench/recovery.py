"""B11: the broker comes back after an outage, and the backlog of ten minutes at full load drains.

The backlog is there beforehand, built at once: what matters to the relay is how much waits, not how long it took to
come. Where `CHAOS_KAFKA_CONTROL` names a command that takes `stop NODE` and `start NODE`, the broker is really away for
`outage` seconds while relay and listener run and events keep coming; without it only the backlog is measured.
"""

import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import relay as single
from ground import Ground, facts, publish, until_empty
from rows import Row, against, told

from chassis import children
from chassis.database import Database
from chassis.migrate import chassis_sql, migrate
from chassis.relay import Relay

CONTROL = "CHAOS_KAFKA_CONTROL"
NODE = "1"
TRICKLE = 200
LISTENING = 600.0


@dataclass(frozen=True)
class Recovery:
    """Events per second from the first event that left to the last, and what the listener held back."""

    per_second: float
    seconds_to_first: float
    parked: int
    missing: int


def control(verb: str) -> None:
    subprocess.run([*shlex.split(os.environ[CONTROL]), verb, NODE], check=True, stdout=subprocess.DEVNULL)


async def once(ground: Ground, directory: Path, backlog: int, outage: float) -> Recovery:
    db, listener = await ground.database(), await ground.database_url()
    await migrate(listener, [chassis_sql()])
    await ground.topic()
    await publish(db, facts(backlog))
    child = children.spawn(
        [sys.executable, Path(__file__).parent / "listen.py", listener], log=directory / "listener.log",
        env=dict(os.environ),
    )  # fmt: skip
    sending = asyncio.create_task(Relay(db, ground.settings).run()) if outage else None
    try:
        said = backlog + (await _away(db, outage) if outage else 0)
        back = time.perf_counter()
        sending = sending or asyncio.create_task(Relay(db, ground.settings).run())
        left = await _until_fewer(db, said)
        first = time.perf_counter()
        await until_empty(db, "outbox")
        took = time.perf_counter() - first
        heard, parked = await _listened(listener, said)
        return Recovery(left / took, first - back, parked, said - heard)
    finally:
        if sending is not None:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
        children.end(child)
        await db.close()


async def _away(db: Database, outage: float) -> int:
    """The broker is stopped and started again; returns how many events were said meanwhile."""
    await asyncio.to_thread(control, "stop")
    ends, said = time.monotonic() + outage, 0
    while time.monotonic() < ends:
        await publish(db, facts(TRICKLE))
        said += TRICKLE
        await asyncio.sleep(1)
    await asyncio.to_thread(control, "start")
    return said


async def _until_fewer(db: Database, events: int) -> int:
    """How many still wait once the first have left."""
    while True:
        left = int(await db.fetchval("SELECT count(*) FROM outbox"))
        if left < events:
            return left
        await asyncio.sleep(0.05)


async def _listened(url: str, events: int) -> tuple[int, int]:
    """What the listener has applied and what it has set aside, when all are one or the other or the time is over."""
    connection = await asyncpg.connect(url)
    until = time.monotonic() + LISTENING
    try:
        while True:
            row = await connection.fetchrow(
                "SELECT (SELECT coalesce(sum(sequence), 0) FROM inbox) AS heard, (SELECT count(*) FROM parked) AS parked"
            )
            if row["heard"] + row["parked"] >= events or time.monotonic() > until:
                return int(row["heard"]), int(row["parked"])
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def measure(
    ground: Ground, directory: Path, rounds: int, *, backlog: int, outage: float, say: Callable[[str], None]
) -> tuple[list[Row], int]:
    """The rows, and how many events were lost or parked."""
    outage = outage if CONTROL in os.environ else 0.0
    await once(ground, directory, single.EVENTS, 0)
    found, alone = [], []
    for _ in range(rounds):
        alone.append((await once(ground, directory, single.EVENTS, 0)).per_second)
        found.append(await once(ground, directory, backlog, outage))
        say(
            f"  drained at {found[-1].per_second:,.0f} events/s, {found[-1].seconds_to_first:.1f} s to the first"
        )
    held = sum(one.parked + one.missing for one in found)
    how = f"broker away for {outage:g} s" if outage else "backlog alone, the broker was not stopped"
    name = f"the same relay and listener with {single.EVENTS:,} events and no outage"
    row = against(
        "B11", f"recovery with {backlog:,} events waiting ({how}), {held} parked or lost",
        [one.per_second for one in found], alone, name, at_least=0.8, unit="events/s",
    )  # fmt: skip
    first = max(one.seconds_to_first for one in found)
    return [
        row,
        told("B11b", "from the broker's return to the first event, the longest", first, "s"),
    ], held
