"""Builds a population of cases, and all that the services would know of them, straight into the databases.

The rows are those that so many cases leave behind: firms, facts, papers, judgements, notices, titles, decisions,
events; consents, referrals, outcomes; notifications; marks. Only the links of the hash chain are left out, so a
populated house has no ledger. `python bench/population.py --house DIR --cases N` populates one that `huiqi up` runs.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import click
import orjson
from applications import edition, enterprise_id, judgements, papers, template

from huiqi.addresses import Addresses, house_option

SQL = Path(__file__).parent / "sql"
BLOCK = 2_000  # a thousand firms with two cases each
AT_ONCE = 50_000
TEMPLATES = 40


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of the loader's own: the rows are consistent, so no trigger looks at each again."""
    connection = await asyncpg.connect(
        url, server_settings={"synchronous_commit": "off", "session_replication_role": "replica", "work_mem": "64MB"}
    )  # fmt: skip
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
    )
    try:
        yield connection
    finally:
        await connection.close()


async def grow(databases: Mapping[str, str], before: int, cases: int) -> float:
    """Adds the cases from `before` to `cases` (multiples of BLOCK) to each service; returns the seconds it took."""
    if cases % BLOCK or before % BLOCK:
        raise ValueError(f"populations are counted in {BLOCK:,} cases")
    began = time.perf_counter()
    if before < cases:
        await asyncio.gather(*(_grow_one(name, url, before, cases) for name, url in databases.items()))
    return time.perf_counter() - began


async def _grow_one(service: str, url: str, before: int, cases: int) -> None:
    shared, own = _sql("shared"), _sql(service.replace("-", "_"))
    async with opened(url) as connection:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
        await _add_firms(connection, before // 2 + 1, cases // 2)
        if service == "certification":
            await _add_templates(connection)
        for first in range(before + 1, cases + 1, AT_ONCE):
            span = {"first": first, "last": min(first + AT_ONCE - 1, cases)}
            for sql in (shared, own):
                async with connection.transaction():
                    await connection.execute(sql.format(**span))
        await connection.execute("VACUUM (ANALYZE)")
        # Else the loader's pages are written while something is measured.
        await connection.execute("CHECKPOINT")


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


async def _add_firms(connection: asyncpg.Connection, first: int, last: int) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS bench.firms (f bigint PRIMARY KEY, enterprise_id text NOT NULL)"
    )
    rows = ((number, enterprise_id(number)) for number in range(first, last + 1))
    await connection.copy_records_to_table("firms", schema_name="bench", records=rows)


async def _add_templates(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "DROP TABLE IF EXISTS bench.template, bench.papers, bench.judged;"
        "CREATE TABLE bench.template (place int PRIMARY KEY, given jsonb, facts jsonb, answer jsonb, edition_hash text);"
        "CREATE TABLE bench.papers (paper text PRIMARY KEY, bytes int, sha256 text);"
        "CREATE TABLE bench.judged (name text PRIMARY KEY, value jsonb)"
    )
    made = [template(seed) for seed in range(TEMPLATES)]
    await connection.executemany(
        "INSERT INTO bench.template VALUES ($1, $2, $3, $4, $5)",
        [(place, one.given, one.facts, one.answer, edition().hash) for place, one in enumerate(made)],
    )
    await connection.executemany(
        "INSERT INTO bench.papers VALUES ($1, $2, $3)",
        [(paper["paper"], paper["bytes"], paper["sha256"]) for paper in papers()],
    )
    given: dict[str, Any] = judgements()
    await connection.executemany("INSERT INTO bench.judged VALUES ($1, $2)", list(given.items()))


async def _populate(databases: Mapping[str, str], cases: int, say: Callable[[str], object]) -> None:
    seconds = await grow(databases, 0, cases)
    say(f"{cases:,} cases in {seconds:.0f} s\n")


@click.command()
@click.option("--cases", default=10_000, show_default=True)
@house_option
def main(house: Addresses, cases: int) -> None:
    databases = {name: service.database for name, service in house.services.items()}
    asyncio.run(_populate(databases, cases, sys.stdout.write))


if __name__ == "__main__":
    main()
