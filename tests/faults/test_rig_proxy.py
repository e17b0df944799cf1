"""The rig's proxy does what it says: what it loses is lost where it says, and nowhere else."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from rig.proxy import Proxy

from chassis.children import Scratch
from chassis.embedded import EmbeddedPostgres

LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.ConnectionDoesNotExistError)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with Scratch("huiqi-test-") as directory, EmbeddedPostgres(directory, fsync=False) as server:
        yield server


@pytest.fixture
def proxy(server: EmbeddedPostgres) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def direct(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.dsn())
    await connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (n int)")
    yield connection
    await connection.close()


@pytest.fixture
async def through(
    server: EmbeddedPostgres, proxy: Proxy, direct: asyncpg.Connection
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url(server, proxy), timeout=5)
    yield connection
    connection.terminate()


def url(server: EmbeddedPostgres, proxy: Proxy) -> str:
    there = urlsplit(server.dsn())
    return urlunsplit(there._replace(netloc=f"{there.netloc.rpartition(':')[0]}:{proxy.port}"))


async def insert(connection: asyncpg.Connection, number: int) -> None:
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO t VALUES ($1)", number)
    await connection.execute("COMMIT")


async def rows(direct: asyncpg.Connection) -> list[int]:
    return [row["n"] for row in await direct.fetch("SELECT n FROM t ORDER BY n")]


async def test_what_passes_is_whole(through: asyncpg.Connection) -> None:
    big = "x" * 3_000_000
    assert await through.fetchval("SELECT $1::text", big) == big


async def test_a_lost_answer_to_a_commit_leaves_the_row_and_tells_the_client_nothing(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.cut_after_commit(1)
    with pytest.raises(LOST):
        await insert(through, 1)
    assert await rows(direct) == [1]
    assert (proxy.answers_lost, proxy.commits_to_cut) == (1, 0)


async def test_the_extended_protocol_s_commit_is_known_too(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    commit = await through.prepare("commit;")
    await through.execute("BEGIN")
    await through.execute("INSERT INTO t VALUES (1)")
    proxy.cut_after_commit(1)
    with pytest.raises(LOST):
        await commit.fetch()
    assert await rows(direct) == [1]
    assert proxy.answers_lost == 1


async def test_a_commit_that_rolled_back_is_answered_and_the_next_one_is_cut(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.cut_after_commit(1)
    await through.execute("BEGIN")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await through.execute("SELECT 1/0")
    assert await through.execute("COMMIT") == "ROLLBACK"
    assert proxy.commits_to_cut == 1
    with pytest.raises(LOST):
        await insert(through, 2)
    assert await rows(direct) == [2]


async def test_after_the_cut_commits_are_answered_again(
    server: EmbeddedPostgres, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.cut_after_commit(1)
    for number in (1, 2):
        connection = await asyncpg.connect(url(server, proxy))
        try:
            await insert(connection, number)
        except LOST:
            assert number == 1
        finally:
            connection.terminate()
    assert await rows(direct) == [1, 2]


async def test_a_cut_drops_who_is_there_and_refuses_who_comes(
    server: EmbeddedPostgres, through: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.cut()
    with pytest.raises(LOST):
        await through.execute("SELECT 1")
    with pytest.raises(LOST):
        await asyncpg.connect(url(server, proxy), timeout=5)
    proxy.let_pass()
    again = await asyncpg.connect(url(server, proxy), timeout=5)
    assert await again.fetchval("SELECT 1") == 1
    await again.close()


async def test_held_on_the_way_to_the_server_nothing_happens_until_it_passes(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.hold("to")
    writing = asyncio.create_task(insert(through, 1))
    await asyncio.sleep(0.3)
    assert await rows(direct) == []
    assert not writing.done()
    proxy.let_pass()
    await asyncio.wait_for(writing, 5)
    assert await rows(direct) == [1]


async def test_held_on_the_way_back_it_happens_and_nobody_hears(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.hold("from")
    writing = asyncio.create_task(through.execute("INSERT INTO t VALUES (1)"))
    until = time.monotonic() + 5
    while await rows(direct) != [1] and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert await rows(direct) == [1]
    assert not writing.done()
    proxy.let_pass()
    assert await asyncio.wait_for(writing, 5) == "INSERT 0 1"


async def test_a_delay_is_paid_both_ways(through: asyncpg.Connection, proxy: Proxy) -> None:
    proxy.delay(0.2)
    began = time.monotonic()
    await through.execute("SELECT 1")
    assert time.monotonic() - began >= 0.4


async def test_the_server_s_end_of_a_connection_tells_which_proxy_it_came_through(
    through: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy
) -> None:
    pid = await through.fetchval("SELECT pg_backend_pid()")
    port = await direct.fetchval("SELECT client_port FROM pg_stat_activity WHERE pid = $1", pid)
    assert proxy.connections() == {port}
