"""B5: submitting a case over HTTP beside a bare Starlette that inserts the same application with asyncpg.

Both are processes of their own with the same server options and as many database connections; the load comes from a
third one. The drafts, the tokens and the bytes of every request are there before the clock runs.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import orjson
from applications import application
from broker import emptied
from live import FIRST, at_rest, draft, opened, register, tokens
from load import LoadResult, percentile, request, send
from rows import Row, against, at_most_times
from standing import POSTGRES

from chassis import children
from chassis.embedded import HOST, free_port
from huiqi.addresses import Addresses
from huiqi.house import House
from huiqi.services import Named

CONNECTIONS = 16
REQUESTS = 2_000
WARM = 500


@contextmanager
def bare(house: House) -> Iterator[tuple[int, int]]:
    """The peer's port and its process id."""
    port = free_port()
    env = {"BARE_DATABASE_URL": house.postgres.create_database("bare"), "BARE_PORT": str(port)}
    log = house.directory / "logs" / "bare.log"
    child = children.spawn([sys.executable, Path(__file__).parent / "bare.py"], log=log, env=env)
    try:
        children.await_that(lambda: _listens(port), child, 30)
        yield port, child.pid
    finally:
        children.end(child)


def _listens(port: int) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


async def prepare(house: Addresses, numbers: list[int]) -> tuple[list[bytes], list[bytes]]:
    """The requests with which each firm looks at its draft, and those that submit it."""
    async with opened(house, "certification") as db:
        await register(db, numbers)
        cases: dict[int, UUID] = {}
        for at in range(0, len(numbers), 500):
            cases |= await draft(db, numbers[at : at + 500])
        async with db.connection() as connection:
            await connection.execute(
                "VACUUM (ANALYZE) cases, case_documents, files, enterprises, enterprise_facts, decisions"
            )
    signed = tokens(house, numbers)
    await at_rest(house)
    paths = {number: f"/v1/cases/{cases[number]}" for number in numbers}
    return (
        [request("GET", paths[number], _headers(signed[number])) for number in numbers],
        [request("POST", f"{paths[number]}/submit", _headers(signed[number])) for number in numbers],
    )


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}", "If-Match": '"1"', "Accept-Language": "en",
    }  # fmt: skip


def posted(number: int) -> bytes:
    body = orjson.dumps(application(number))
    return request("POST", "/applications", {"Content-Type": "application/json"}, body)


class Round:
    """What the rounds gave: requests per second, p99 in ms, and the processor time of a request in ms."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self.per_second: list[float] = []
        self.p99: list[float] = []
        self.cpu: list[float] = []
        self.busy: list[float] = []

    def cpu_seconds(self) -> float:
        user, system = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def note(self, before: float, result: LoadResult) -> None:
        self.cpu.append((self.cpu_seconds() - before) * 1000 / len(result.sent_at))
        self.per_second.append(result.per_second)
        self.p99.append(percentile(result.milliseconds, 0.99))
        self.busy.append(result.busy)


def measure(rounds: int) -> tuple[list[Row], dict[str, dict[str, int]]]:
    """The rows, and how many answered submissions have no event, or more than one."""
    kafka = asyncio.run(emptied(()))
    with (
        House(services=(Named("certification"),), broker=kafka, postgres=POSTGRES) as house,
        bare(house) as (port, pid),
    ):
        numbers = list(range(FIRST, FIRST + WARM + rounds * REQUESTS))
        reads, submits = asyncio.run(prepare(house.addresses, numbers))
        inserts = [posted(number) for number in range(50)] * (REQUESTS // 50)
        service = house.services["certification"]
        assert service.child is not None
        mine, theirs = Round(service.child.pid), Round(pid)
        send(house.directory, service.port, submits[:WARM], connections=CONNECTIONS).expect(200)
        send(house.directory, port, inserts[:WARM], connections=CONNECTIONS).expect(201)
        for at in range(WARM, len(submits), REQUESTS):
            send(house.directory, service.port, reads[at : at + REQUESTS], connections=CONNECTIONS).expect(
                200
            )
            for this, to, requests, status in (
                (mine, service.port, submits[at : at + REQUESTS], 200), (theirs, port, inserts, 201)
            ):  # fmt: skip
                before = this.cpu_seconds()
                this.note(before, send(house.directory, to, requests, connections=CONNECTIONS).expect(status))
            time.sleep(1)
        ledger = asyncio.run(_said_once(house.addresses, len(submits)))
    return rows(mine, theirs), ledger


async def _said_once(house: Addresses, submitted: int) -> dict[str, dict[str, int]]:
    async with opened(house, "certification") as db:
        said = await db.fetchval(
            "SELECT count(DISTINCT key) FROM events WHERE topic = 'certification.cases' AND sequence = 1"
        )
        more = await db.fetchval(
            "SELECT count(*) FROM events WHERE topic = 'certification.cases' AND sequence > 1"
        )
    return {
        "I1": {"checked": submitted, "broken": submitted - said},
        "I2": {"checked": submitted, "broken": more},
    }


def rows(mine: Round, theirs: Round) -> list[Row]:
    name = "bare Starlette + asyncpg, one insert of the same application"
    what = "submit a case over HTTP: validate, lock, evaluate, publish, commit"
    sys.stderr.write(
        f"processor time of a request: {statistics.median(mine.cpu):.2f} ms and {statistics.median(theirs.cpu):.2f} ms;"
        f" the generator took {max(mine.busy + theirs.busy):.0%} of a core at most\n"
    )
    return [
        against("B5", what, mine.per_second, theirs.per_second, name, at_least=0.6, unit="requests/s"),
        at_most_times(
            "B5b",
            "the slowest of a hundred submissions (p99)",
            mine.p99,
            theirs.p99,
            name,
            bound=2,
            unit="ms",
        ),
    ]
