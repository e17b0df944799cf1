"""What the databases hold, each read in one snapshot: what a service has said, and what it has heard."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from chassis.errors import Unavailable
from huiqi.installation import Installation

Key = tuple[str, str]
_PATIENCE = 1_800


@dataclass(frozen=True, slots=True)
class Numbers:
    """The sequences of one (topic, key): `rows` events up to `last`, without those in `holes`.

    `given` is the last number that the service gave out; `doubled` counts events that share a number.
    """

    rows: int
    last: int
    given: int
    doubled: int = 0
    holes: tuple[tuple[int, int], ...] = ()

    def holds(self, sequence: int) -> bool:
        return 1 <= sequence <= self.last and not any(a <= sequence <= b for a, b in self.holes)

    def after(self, mark: int) -> int:
        """How many numbers above the mark have an event."""
        left = max(0, self.last - max(mark, 0))
        return left - sum(max(0, b - max(a, mark + 1) + 1) for a, b in self.holes)

    def first_after(self, mark: int, known: Collection[int] = ()) -> int | None:
        """The lowest number above the mark that has an event and is not among the known ones."""
        return next((n for n in range(mark + 1, self.last + 1) if n not in known and self.holds(n)), None)

    @property
    def absent(self) -> int:
        """How many numbers were given out and have no event."""
        return max(self.last, self.given) - (self.rows - self.doubled)


NOTHING = Numbers(0, 0, 0)


@dataclass(slots=True)
class Mark:
    """A mark, with the sequences and reasons that are set aside for its key."""

    sequence: int = 0
    parked: bool = False
    waiting: bool = False
    aside: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """`unplaced` counts records that named no place, by topic."""

    marks: Mapping[Key, Mark]
    unplaced: Mapping[str, int]


async def connect(url: str, service: str) -> asyncpg.Connection:
    """A connection that can only read and may take its time. Raises Unavailable."""
    try:
        connection = await asyncpg.connect(
            url,
            timeout=10,
            command_timeout=_PATIENCE,
            server_settings={
                "application_name": "huiqi",
                "default_transaction_read_only": "on",
                "statement_timeout": f"{_PATIENCE}s",
                "tcp_keepalives_idle": "10",
                "jit": "off",
            },
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"database of {service}: {type(error).__name__}: {error}") from error
    if not await connection.fetchval("SELECT to_regclass('event_keys') IS NOT NULL"):
        await connection.close()
        raise Unavailable(f"database of {service}: not migrated")
    return connection


@asynccontextmanager
async def snapshots(
    installation: Installation, services: Collection[str] | None = None
) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """One connection for each service, in a snapshot that begins now and ends with the block. Raises Unavailable."""
    async with AsyncExitStack() as stack:
        connections = {}
        for service in installation.databases if services is None else services:
            connection = await connect(installation.databases[service], service)
            stack.push_async_callback(connection.close, timeout=5)
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await connection.fetchval("SELECT 1 FROM event_keys LIMIT 1")
            connections[service] = connection
        try:
            yield connections
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"database: {type(error).__name__}: {error}") from error


_SAID = """
SELECT topic, key, coalesce(e.rows, 0) AS rows, coalesce(e.last, 0) AS last, coalesce(k.sequence, 0) AS given,
       coalesce(e.rows - e.different, 0) AS doubled, coalesce(e.different < e.last, false) AS has_holes
FROM (SELECT topic, key, count(*) AS rows, count(DISTINCT sequence) AS different, max(sequence) AS last
      FROM events GROUP BY topic, key) e
FULL JOIN event_keys k USING (topic, key)
"""
_HOLES = """
SELECT before + 1 AS first, sequence - 1 AS last
FROM (SELECT sequence, lag(sequence, 1, 0::bigint) OVER (ORDER BY sequence) AS before
      FROM events WHERE topic = $1 AND key = $2) s
WHERE sequence > before + 1 ORDER BY 1
"""


async def read_said(connection: asyncpg.Connection) -> dict[Key, Numbers]:
    said = {}
    for row in await connection.fetch(_SAID):
        holes: Sequence[Any] = ()
        if row["has_holes"]:
            holes = await connection.fetch(_HOLES, row["topic"], row["key"])
        said[row["topic"], row["key"]] = Numbers(
            row["rows"],
            row["last"],
            row["given"],
            row["doubled"],
            tuple((h["first"], h["last"]) for h in holes),
        )
    return said


async def read_heard(connection: asyncpg.Connection, service: str) -> Heard:
    rows = await connection.fetch(
        "SELECT topic, key, sequence, parked, waiting FROM inbox WHERE consumer = $1", service
    )
    marks = {(r["topic"], r["key"]): Mark(r["sequence"], r["parked"], r["waiting"]) for r in rows}
    unplaced: dict[str, int] = {}
    for row in await connection.fetch(
        "SELECT topic, key, sequence, reason FROM parked WHERE consumer = $1", service
    ):
        if row["sequence"] is None:
            unplaced[row["topic"]] = unplaced.get(row["topic"], 0) + 1
        else:
            mark = marks.setdefault((row["topic"], row["key"]), Mark())
            mark.aside[row["sequence"]] = row["reason"]
    return Heard(marks, unplaced)
