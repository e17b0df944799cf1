"""B10: memory of an idle service, start to ready, and what it asks of the database while nothing happens."""

import asyncio
import time
from statistics import median

import asyncpg
from rows import Row, at_most

from huiqi.house import House

REST = 10.0
LIMIT_MIB, LIMIT_SECONDS = 90, 3.0


def measure() -> list[Row]:
    with House() as house:
        time.sleep(REST)
        memory = house.memory()
        resident = [memory[name] / 2**20 for name in house.services]
        asked = asyncio.run(_transactions_per_second([s.database for s in house.addresses.services.values()]))
        starts = [_restart(house, name) for name in house.services]
    return [
        at_most("B10", "memory of an idle service (PSS), the largest", [max(resident)], LIMIT_MIB, "MiB"),
        at_most("B10b", "start to ready, each service alone, the slowest", [max(starts)], LIMIT_SECONDS, "s"),
        at_most("B10c", "transactions a second of an idle service, median", [median(asked)], 10, "1/s"),
    ]


def _restart(house: House, name: str) -> float:
    service = house.services[name]
    service.stop()
    began = time.monotonic()
    service.start()
    service.await_ready()
    return time.monotonic() - began


async def _transactions_per_second(urls: list[str]) -> list[float]:
    sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    connections = [await asyncpg.connect(url) for url in urls]
    try:
        before = [await connection.fetchval(sql) for connection in connections]
        await asyncio.sleep(REST)
        after = [await connection.fetchval(sql) for connection in connections]
    finally:
        for connection in connections:
            await connection.close()
    return [(late - early) / REST for early, late in zip(before, after, strict=True)]
