"""The ledger of an installation: each promise with how often it was checked and how often it is broken.

The promises hold for a quiet installation. While events are under way they count as not yet arrived: `await_quiet`
waits for the rest, up to a limit.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from chassis.errors import Unavailable
from huiqi.installation import Installation
from huiqi.ledger_log import Log, committed, open_log
from huiqi.ledger_reading import Heard, connect, read_heard, read_said, snapshots
from huiqi.promises import Promise, promises
from huiqi.promises_audit import check_chain, check_decisions, check_draws
from huiqi.promises_effects import check_caused, check_once
from huiqi.promises_events import Said, check_marks, check_numbers, check_reached
from huiqi.promises_outside import check_balances, check_consents, check_notifications
from huiqi.promises_quiet import Offsets, check_database, check_held, check_lag, groups, look
from huiqi.promises_records import Records

PAUSE: Final = 0.3

Connections = Mapping[str, asyncpg.Connection]


@dataclass(frozen=True, slots=True)
class Ledger:
    as_of: datetime
    promises: dict[str, Promise]

    @property
    def kept(self) -> bool:
        return not any(promise.broken for promise in self.promises.values())

    def counts(self) -> dict[str, dict[str, int]]:
        """`{"I1": {"checked", "broken"}, …}`."""
        return {name: {"checked": p.checked, "broken": p.broken} for name, p in self.promises.items()}

    def as_json(self) -> dict[str, Any]:
        """The counts, and under `details` the findings (the first ones) and notes of each promise that has any."""
        details = {
            name: {"findings": p.findings, "notes": p.notes}
            for name, p in self.promises.items()
            if p.findings or p.notes
        }
        return {**self.counts(), "as_of": self.as_of.isoformat(), "details": details}


async def check(
    installation: Installation,
    *,
    wait: float = 0,
    foreign: Collection[tuple[str, int, int]] = (),
    remade: bool = False,
) -> Ledger:
    """Checks every promise, after waiting up to `wait` seconds for the installation to become quiet.

    `foreign` are records (topic, partition, offset) that somebody else is known to have put on the topics: they are
    counted, and not held against anybody. `remade`: topics are known to have been made anew under load, so that what
    was lost of a key may have been sent again after later numbers of it; such keys are noted.

    Reads only. Listeners are read before owners and the topics' ends before both, so that what is said in between
    is never mistaken for something that nobody said. Raises Unavailable.
    """
    if wait > 0:
        await await_quiet(installation, wait)
    found = promises()
    as_of = datetime.now(UTC)
    async with open_log(installation) as log:
        offsets = await committed(installation, groups(installation, log))
        await log.find_ends()
        check_lag(found["I5"], log, offsets)
        async with snapshots(installation) as listeners:
            heard = {service: await read_heard(db, service) for service, db in listeners.items()}
            async with snapshots(installation) as owners:
                await _check_databases(found, installation, listeners, owners, heard)
                told = frozenset(foreign)
                await Records(found["I3"], found["I4"], installation, owners, told, remade).check(log)
    return Ledger(as_of, found)


async def _check_databases(
    found: dict[str, Promise],
    installation: Installation,
    listeners: Connections,
    owners: Connections,
    heard: Mapping[str, Heard],
) -> None:
    said: Said = {service: await read_said(db) for service, db in owners.items()}
    check_numbers(found["I1"], said)
    check_reached(found["I1"], installation, said, heard)
    check_marks(found["I3"], found["I4"], installation, said, heard)
    check_held(found["I5"], heard)
    for service, db in listeners.items():
        await check_once(found["I2"], service, db)
        await check_balances(found["I2"], service, db)
        await check_caused(found["I3"], installation, service, db, said)
        await check_database(found["I5"], service, db, installation.clock.now())
        await check_consents(found["I6"], service, db)
        await check_chain(found["I7"], service, db)
        await check_decisions(found["I7"], service, db)
        await check_draws(found["I7"], service, db)
        await check_notifications(found["I8"], db)


async def await_quiet(installation: Installation, seconds: float) -> bool:
    """Whether nothing moved any more, seen twice in a row, before the time was over.

    A service, a database or a broker that does not answer yet is waited for like the rest.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            async with asyncio.timeout(max(0.1, until - time.monotonic())):
                await _see_quiet(installation)
        except TimeoutError:
            return False
        except Unavailable:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(PAUSE)
        else:
            return True


async def _see_quiet(installation: Installation) -> None:
    connections: dict[str, asyncpg.Connection] = {}
    try:
        for service, url in installation.databases.items():
            connections[service] = await connect(url, service)
        async with open_log(installation) as log:
            await log.find_ends()
            await _two_quiet_looks(installation, connections, log)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"database: {type(error).__name__}: {error}") from error
    finally:
        await _close(connections.values())


async def _two_quiet_looks(installation: Installation, connections: Connections, log: Log) -> None:
    reads = groups(installation, log)
    before = None
    while True:
        offsets: Offsets = await committed(installation, reads)
        now = await look(connections, log, offsets, installation.clock.now())
        if before is not None and before.quiet and now.quiet and before.last == now.last:
            return
        before = now
        await asyncio.sleep(PAUSE)


async def _close(connections: Collection[asyncpg.Connection]) -> None:
    for connection in connections:
        connection.terminate()
