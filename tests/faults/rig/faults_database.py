"""What happens to PostgreSQL: restarted, a session frozen, no connection left, a COMMIT whose answer is lost."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from typing import Final, Literal

import asyncpg

from chassis.embedded import EmbeddedPostgres
from rig.fault import ask, fault, until
from rig.healing import thaw_backend
from rig.standing import Standing

_LOCK_TIMEOUT: Final = 5.0
_START: Final = 30.0
_SESSIONS: Final = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid() ORDER BY state = 'idle', pid
"""
_TERMINATE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
"""


@fault("postgres-fast", "PostgreSQL is restarted, sessions are closed")
async def postgres_fast(standing: Standing, chance: random.Random) -> None:
    await _restart(standing, "fast", chance.uniform(0, 2))


@fault("postgres-immediate", "PostgreSQL is restarted without closing anything, several times")
async def postgres_immediate(standing: Standing, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        await _restart(standing, "immediate", chance.uniform(0, 0.5))
        await asyncio.sleep(chance.uniform(0.2, 1.5))


async def _restart(standing: Standing, mode: Literal["fast", "immediate"], away: float) -> None:
    postgres = standing.house.postgres
    async with standing.database_turn:
        try:
            standing.note(f"PostgreSQL goes ({mode})")
            await asyncio.to_thread(postgres.stop, mode)
            await asyncio.sleep(away)
        finally:
            await _back(postgres)
            standing.note("PostgreSQL is back")


async def _back(postgres: EmbeddedPostgres) -> None:
    async def answers() -> bool:
        postgres.begin()  # once more if it did not come up
        return await asyncio.to_thread(postgres.answers)

    if not await until(answers, _START):
        raise RuntimeError("PostgreSQL does not come back")


@fault("backend-frozen", "one session of PostgreSQL is frozen and wakes")
async def backend_frozen(standing: Standing, chance: random.Random) -> None:
    service = chance.choice(sorted(standing.house.services))
    seconds = chance.choice([chance.uniform(0.5, 3), _LOCK_TIMEOUT + chance.uniform(0.2, 2.5)])
    for _ in range(chance.randint(1, 20)):  # some moment; a session at work is taken rather than an idle one
        sessions = await ask(standing, service, _SESSIONS, service)
    pid = sessions[0]["pid"] if sessions else None
    if pid is None:
        return
    standing.note(f"backend-frozen: {service}, {seconds:.1f} s")
    standing.frozen_backends.add(pid)
    try:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
    finally:
        thaw_backend(standing, pid)


@fault("connections-exhausted", "PostgreSQL takes no further connection, and a service has lost its own")
async def connections_exhausted(standing: Standing, chance: random.Random) -> None:
    service = chance.choice(sorted(standing.house.services))
    taken: list[asyncpg.Connection] = []
    async with standing.database_turn:
        try:
            await _take_all(standing, service, taken)
            if taken:
                await taken[0].execute(_TERMINATE, service)
            ends = asyncio.get_running_loop().time() + chance.uniform(1, 4)
            while asyncio.get_running_loop().time() < ends:
                await _take_all(standing, service, taken)
                await asyncio.sleep(0.1)
            standing.note(f"connections-exhausted: {service}, by {len(taken)} of ours")
        finally:
            for connection in taken:
                connection.terminate()


async def _take_all(standing: Standing, service: str, taken: list[asyncpg.Connection]) -> None:
    """Opens connections until there is no more."""
    while True:
        try:
            taken.append(await asyncpg.connect(standing.database(service), timeout=5))
        except asyncpg.TooManyConnectionsError:
            return


@fault("commit-answer-lost", "PostgreSQL commits, and the connection is gone before the client hears")
async def commit_answer_lost(standing: Standing, chance: random.Random) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            times = chance.randint(1, 4)
            before = instance.proxy.answers_lost
            instance.proxy.cut_after_commit(times)

            async def lost() -> bool:
                return instance.proxy.answers_lost >= before + times

            await until(lost, 5)
            standing.note(
                f"commit-answer-lost: {instance.name}, {instance.proxy.answers_lost - before} times"
            )


FAULTS: Final = (postgres_fast, postgres_immediate, backend_frozen, connections_exhausted, commit_answer_lost)
