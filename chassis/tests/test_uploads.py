"""Files that are kept: read by their handler piece by piece, up to a limit of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chassis.http import IncomingFile, Tx, router
from chassis.testing import Databases
from door_app import Door, open_door

LIMIT = 8192


@pytest.fixture
async def door(make_database: Databases, tmp_path: Path) -> Door:
    return await open_door(await make_database(), tmp_path)


def kept(directory: Path) -> list[Path]:
    return [path for path in (directory / "kept").rglob("*") if path.is_file()]


async def send(door: Door, content: object, **given: object) -> httpx.Response:
    async with door.client("officer") as client:
        return await client.post("/v1/notes/kept-files", content=content, **given)  # type: ignore[arg-type]  # as httpx takes it


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


async def test_a_file_may_be_larger_than_any_other_body(door: Door) -> None:
    assert (await send(door, b"x" * LIMIT)).json() == {"name": None, "size": LIMIT}


@pytest.mark.parametrize(
    "content", [b"x" * (LIMIT + 1), (LIMIT, 1), (1, LIMIT)], ids=["announced", "one", "two"]
)
async def test_a_file_beyond_its_limit_is_refused_and_nothing_is_kept(
    door: Door, tmp_path: Path, content: bytes | tuple[int, ...]
) -> None:
    answer = await send(door, content if isinstance(content, bytes) else pieces(*content))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert kept(tmp_path) == []


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
async def test_a_file_may_come_in_a_form_and_has_its_name_from_there(door: Door, encoding: str) -> None:
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="章程.pdf"\r\n\r\n'.encode(encoding)
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await send(door, head + b"x" * 5000 + b"\r\n--b--\r\n", headers=form)
    assert answer.json() == {"name": "章程.pdf", "size": 5000}


async def test_a_form_without_a_file_is_refused(door: Door) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await send(
        door, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n', headers=form
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")


@pytest.mark.parametrize("kind", ["application/pdf", "multipart/form-data; boundary=b"])
async def test_a_file_that_does_not_arrive_in_its_time_is_refused(
    door: Door, tmp_path: Path, kind: str
) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"--b\r\n"
        await asyncio.Event().wait()

    answer = await send(door, stalled(), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (408, "body-too-slow")
    assert kept(tmp_path) == []


def test_no_transaction_waits_for_a_file() -> None:
    routes = router("/v1")

    async def both(file: IncomingFile, tx: Tx) -> None: ...

    with pytest.raises(TypeError, match="no transaction waits"):
        routes.post("/both", status_code=204)(both)
