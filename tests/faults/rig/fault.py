"""What a fault is."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from rig.standing import Standing
from rig.world import OF_THE_WORLD

Strike = Callable[[Standing, random.Random], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`strike` does it, lasts as long as it lasts, and ends it, also when it is cancelled or fails.

    `needs` are of "control" (brokers that can be ended and frozen), "three" (of them), "lasting" (they keep their
    records) and "forgetful" (they do not). One that does not share strikes alone.
    """

    name: str
    text: str
    strike: Strike
    needs: frozenset[str] = frozenset()
    shares: bool = True


def fault(name: str, text: str, *, needs: str = "", shares: bool = True) -> Callable[[Strike], Fault]:
    def made(strike: Strike) -> Fault:
        async def noted(standing: Standing, chance: random.Random) -> None:
            standing.note(name)
            try:
                await strike(standing, chance)
            except OF_THE_WORLD as error:  # another fault does it; all else is a mistake of the rig
                standing.note(f"{name}: cut short: {error!r:.200}")

        return Fault(name, text, noted, frozenset(needs.split()), shares)

    return made


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether it came true in time; asked every 50 ms."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while not await true():
        if loop.time() > ends:
            return False
        await asyncio.sleep(0.05)
    return True


async def ask(standing: Standing, service: str, sql: str, *arguments: object) -> list[dict[str, Any]]:
    """Rows from a service's database, past the proxies."""
    connection = await asyncpg.connect(standing.database(service), timeout=5, command_timeout=5)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        connection.terminate()
