"""A service as it runs: a process that starts when it may, ends when told, and ends when a part of it died."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from chassis.auth import DEVELOPMENT_ISSUER
from chassis.testing import Databases, Postgres

APP = Path(__file__).parent / "service_app.py"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def settings(url: str, **more: str) -> dict[str, str]:
    return {
        "TINY_ENVIRONMENT": "production", "TINY_DATABASE_URL": url, "TINY_HTTP_PORT": str(free_port()),
        "TINY_ISSUER": "https://issuer.example", "TINY_AUDIENCE": "finance-link",
        "TINY_JWKS_URL": "https://issuer.example/keys", "TINY_KAFKA_IDEMPOTENCE": "false",
        "TINY_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}", "TINY_SHUTDOWN_DEADLINE": "4", **more,
    }  # fmt: skip


@asynccontextmanager
async def running(environment: dict[str, str], *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(APP), *words, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(environment: dict[str, str], *words: str) -> tuple[int, str]:
    async with running(environment, *words) as process, asyncio.timeout(40):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def alive(environment: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{environment['TINY_HTTP_PORT']}/healthz"
    async with asyncio.timeout(40), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"FAILPOINTS": "relay.after_send=kill"}, "FAILPOINTS or SWITCHED_OFF is set"),
        ({"SWITCHED_OFF": "marks"}, "FAILPOINTS or SWITCHED_OFF is set"),
        ({"TINY_ISSUER": DEVELOPMENT_ISSUER}, "issuer"),
        ({"TINY_CLOCK_FILE": "/tmp/clock"}, "clock_file"),
        ({"TINY_JWKS_URL": "http://issuer.example/keys"}, "jwks_url"),
        ({"TINY_POOLSIZE": "3"}, "unknown setting TINY_POOLSIZE"),
    ],
)
async def test_production_refuses_what_is_for_development_and_what_is_misspelt(
    make_database: Databases, more: dict[str, str], said: str
) -> None:
    code, output = await ended(settings(await make_database.url(), **more))
    assert code != 0
    assert said in output


async def test_production_starts_only_when_the_database_is_migrated(postgres: Postgres) -> None:
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("CREATE DATABASE empty_for_production")
    try:
        environment = settings(postgres.dsn("empty_for_production"))
        code, output = await ended(environment)
        assert code != 0
        assert "migrate` first; missing" in output
        assert (await ended(environment, "migrate", "pre"))[0] == 0
        async with running(environment) as process:
            await alive(environment)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        await admin.execute("DROP DATABASE empty_for_production WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def passing_on(port: int, url: str) -> AsyncIterator[None]:
    """The database of the url also answers on the port."""
    there = urlsplit(url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
        writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_there, to_there = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(pump(reader, to_there), pump(from_there, writer), return_exceptions=True)

    async with await asyncio.start_server(both, "127.0.0.1", port):
        yield


async def test_started_before_its_database_it_waits_and_then_serves(make_database: Databases) -> None:
    url, port = await make_database.url(), free_port()
    there = urlsplit(url)
    by_port = there._replace(netloc=f"{there.username}:{there.password}@127.0.0.1:{port}").geturl()
    environment = settings(by_port)
    async with running(environment) as process:
        assert process.stdout is not None
        while b"database.waiting" not in await asyncio.wait_for(process.stdout.readline(), 40):
            assert process.returncode is None
        async with passing_on(port, url):
            await alive(environment)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_wrong_password_ends_the_process_at_once(make_database: Databases) -> None:
    there = urlsplit(await make_database.url())
    wrong = there._replace(netloc=f"{there.username}:wrong@{there.hostname}:{there.port}").geturl()
    code, output = await ended(settings(wrong))
    assert code != 0
    assert "password authentication failed" in output


@pytest.mark.parametrize("part", ["consumer", "work"])
async def test_a_part_that_dies_of_a_bug_ends_the_process(make_database: Databases, part: str) -> None:
    code, output = await ended({**settings(await make_database.url()), "BROKEN": part})
    assert code not in (0, -signal.SIGKILL)
    assert "task.failed" in output


async def test_a_port_that_is_taken_ends_the_process(make_database: Databases) -> None:
    environment = settings(await make_database.url())
    with socket.create_server(("127.0.0.1", int(environment["TINY_HTTP_PORT"]))):
        code, _ = await ended(environment)
    assert code not in (0, -signal.SIGKILL)


async def test_told_to_stop_it_ends_within_its_deadline_while_the_broker_is_away_and_a_client_holds_on(
    make_database: Databases,
) -> None:
    environment = settings(await make_database.url())
    async with running(environment) as process:
        await alive(environment)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(environment["TINY_HTTP_PORT"]))
        writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 20)
        assert time.monotonic() - began < 8
        writer.close()
        del reader
