"""Objects in a folder and in a bucket: the same promises of both."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from buckets import bucket
from chassis.embedded import free_port
from chassis.errors import Unavailable
from chassis.settings import ServiceSettings
from chassis.storage import MissingObject, NowhereToStore, Storage

PIECE = b"x" * 1_000_000


class Settings(ServiceSettings, env_prefix="STORAGE_TEST_"):
    pass


def settings_with(**given: Any) -> Settings:
    return Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9", issuer="i",
        audience="a", jwks_url="file:///none", **given,
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """`left` lists what lies there, whole or not."""

    storage: Storage
    left: Callable[[], list[str]]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        folder = tmp_path / "kept"

        def left() -> list[str]:
            return [str(path.relative_to(tmp_path)) for path in folder.rglob("*") if path.is_file()]

        yield Place(Storage.from_settings(settings_with(storage=f"file://{folder}")), left)
        return
    with bucket() as made:
        yield Place(Storage.from_settings(settings_with(**made.settings)), made.left)


async def pieces(count: int, end: Exception | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE
    if end is not None:
        raise end


async def whole(storage: Storage, key: str) -> bytes:
    return b"".join([piece async for piece in storage.read(key)])


@pytest.mark.parametrize("count", [1, 12])
async def test_what_is_put_is_read_again_piece_by_piece(place: Place, count: int) -> None:
    stored = await place.storage.put("files/a", pieces(count))
    content = PIECE * count
    assert (stored.key, stored.bytes) == ("files/a", len(content))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert await place.storage.size("files/a") == len(content)
    assert await whole(place.storage, "files/a") == content
    assert place.left() == ["kept/files/a"]


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(place: Place) -> None:
    await place.storage.put("files/a", pieces(1))
    for _ in range(2):
        await place.storage.delete("files/a")
    assert place.left() == []


async def test_every_whole_object_is_listed_with_its_size_and_its_age(place: Place) -> None:
    began = datetime.now(UTC) - timedelta(seconds=2)
    for number in range(7):
        await place.storage.put(f"files/{number}", pieces(1))
    with pytest.raises(RuntimeError, match="the line is cut"):
        await place.storage.put("files/cut", pieces(12, RuntimeError("the line is cut")))
    found = [one async for batch in place.storage.listed() for one in batch]
    assert {one.key for one in found} == {f"files/{number}" for number in range(7)}
    assert {one.bytes for one in found} == {len(PIECE)}
    assert all(began <= one.changed_at <= datetime.now(UTC) for one in found)


async def test_a_storage_that_keeps_nothing_yet_lists_nothing(place: Place) -> None:
    assert [one async for batch in place.storage.listed() for one in batch] == []


async def test_what_is_not_there_is_said_to_be_missing(place: Place) -> None:
    with pytest.raises(MissingObject):
        await place.storage.size("files/a")
    with pytest.raises(MissingObject):
        await anext(place.storage.read("files/a"))


@pytest.mark.parametrize("count", [1, 12])
async def test_an_upload_that_fails_leaves_nothing_and_says_what_the_sender_said(
    place: Place, count: int
) -> None:
    with pytest.raises(RuntimeError, match="the line is cut"):
        await place.storage.put("files/a", pieces(count, RuntimeError("the line is cut")))
    assert place.left() == []


@pytest.mark.parametrize("count", [1, 12])
async def test_an_upload_that_is_cancelled_leaves_nothing(place: Place, count: int) -> None:
    waits = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        async for piece in pieces(count):
            yield piece
        waits.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(place.storage.put("files/a", stalled()))
    await waits.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert place.left() == []


async def test_nothing_is_there_before_all_of_it_is(place: Place) -> None:
    async def watched() -> AsyncIterator[bytes]:
        async for piece in pieces(12):
            yield piece
        with pytest.raises(MissingObject):
            await place.storage.size("files/a")

    await place.storage.put("files/a", watched())
    assert await place.storage.size("files/a") == 12 * len(PIECE)


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    given = {"storage_endpoint": nobody, "storage_key": "key", "storage_secret": "secret"}
    storage = Storage.from_settings(settings_with(storage="s3://documents", **given))
    with pytest.raises(Unavailable):
        await storage.put("files/a", pieces(1))
    with pytest.raises(Unavailable):
        await anext(storage.read("files/a"))
    with pytest.raises(Unavailable):
        await storage.size("files/a")
    with pytest.raises(Unavailable):
        await storage.delete("files/a")
    with pytest.raises(Unavailable):
        await anext(storage.listed())


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    storage = Storage(f"file://{tmp_path}/kept")
    await storage.put("a", pieces(1))
    with pytest.raises(Unavailable):
        await storage.put("a/b", pieces(1))


@pytest.mark.parametrize(
    "address", ["", "kept/files", "file:", "file://kept/files", "http://kept.example/files", "s3://"]
)
def test_an_address_that_names_no_place_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="storage"):
        settings_with(storage=address)
    with pytest.raises(NowhereToStore):
        Storage(address)


def test_without_an_address_there_is_no_storage() -> None:
    with pytest.raises(NowhereToStore):
        Storage.from_settings(settings_with())


def test_the_secret_of_a_bucket_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    monkeypatch.setenv("STORAGE_TEST_STORAGE_SECRET_FILE", str(tmp_path / "secret"))
    settings = settings_with()
    assert settings.storage_secret is not None
    assert settings.storage_secret.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)


AND_ENDS = """
import asyncio, sys
from chassis.storage import Storage

async def piece():
    yield b"x"

asyncio.run(Storage(sys.argv[1]).put("files/a", piece()))
"""


def test_a_process_that_ends_with_its_last_upload_ends_well(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AND_ENDS, f"file://{tmp_path}/kept"]
    ended = [subprocess.run(command, check=False).returncode for _ in range(8)]
    assert ended == [0] * 8


def test_who_keeps_nothing_does_not_load_the_library() -> None:
    code = "import sys, chassis.service, chassis.http; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
