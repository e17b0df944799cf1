"""Clients that are slow, many or never listen, on a real socket; our patience is short here."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from chassis.testing import Databases
from chassis.wire import GuardedProtocol
from door_app import open_door

PATIENCE = 0.5
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/notes/raw HTTP/1.1\r\nHost: x\r\n"

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port(
    make_database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[int]:
    monkeypatch.setattr("chassis.wire.PATIENCE", PATIENCE)
    monkeypatch.setattr("chassis.bodies.BODY_TIMEOUT", PATIENCE)
    monkeypatch.setattr("chassis.wire.MAX_CONNECTIONS", 20)
    door = await open_door(await make_database(), tmp_path)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            door.app, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def said(port: int, *parts: bytes) -> Line:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    await writer.drain()
    return reader, writer


async def heard(line: Line) -> bytes:
    """All that comes until the other side closes."""
    reader, writer = line
    async with asyncio.timeout(20):
        try:
            found = await reader.read()
        except ConnectionError:
            found = b""
    writer.close()
    return found


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([], b""),
        ([b"GET /healthz HTTP/1.1\r\nHo"], b"HTTP/1.1 408 "),
        ([POST + b"Content-Length: 10\r\n\r\n12345"], b"HTTP/1.1 408 "),
        ([b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"], b"HTTP/1.1 404 "),
    ],
    ids=["nothing", "half a head", "half a body", "half a body nobody wants"],
)
async def test_whoever_makes_us_wait_is_left(port: int, parts: list[bytes], answer: bytes) -> None:
    found = await heard(await said(port, *parts))
    assert found[: len(answer)] == answer
    assert found.count(b"HTTP/1.1") == (1 if answer else 0)


async def test_dripping_does_not_make_a_head_any_younger(port: int) -> None:
    reader, writer = await said(port, b"GET /healthz HTTP/1.1\r\n")

    async def drip() -> None:
        while True:
            writer.write(b"X: y\r\n")
            await asyncio.sleep(PATIENCE / 10)

    dripping = asyncio.create_task(drip())
    try:
        assert (await heard((reader, writer)))[:13] in (
            b"HTTP/1.1 408 ",
            b"",
        )  # lost with the connection, perhaps
    finally:
        dripping.cancel()


async def test_a_line_break_is_no_sign_of_life(port: int) -> None:
    reader, writer = await said(port, GET)
    async with asyncio.timeout(20):
        await reader.readuntil(b"}")
        writer.write(b"\r\n")
        assert (await heard((reader, writer)))[:13] in (b"HTTP/1.1 408 ", b"")


async def test_an_answer_that_nobody_reads_is_given_up(port: int) -> None:
    pytest.importorskip("fastapi_offline")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)  # noqa: FBT003
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(line, b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 8)
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    await asyncio.sleep(PATIENCE / 5)
                    await loop.sock_sendall(line, b"\r\n")


async def test_whoever_asks_on_and_on_without_an_answer_is_cut(port: int) -> None:
    """Each request that waits for its turn would be memory of ours."""
    reader, writer = await said(port)
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(20):
            while True:
                writer.write(GET * 1000)
                await writer.drain()
    del reader


async def test_a_body_longer_than_a_head_may_be_is_no_head(port: int) -> None:
    body = b"x" * 200_000
    _, (reader, writer) = None, await said(port, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body, GET)
    async with asyncio.timeout(20):
        refused = await reader.readuntil(b"}")
        answered = await reader.readuntil(b"}")
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert answered.startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_too_many_connections_cost_the_one_that_waited_longest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.wire.PATIENCE", 60.0)
    lines = [await said(port) for _ in range(20)]
    fresh = await said(port, GET)
    async with asyncio.timeout(20):
        assert (await fresh[0].readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
        assert await heard(lines[0]) == b""
    for _, writer in (*lines[1:], fresh):
        writer.close()
