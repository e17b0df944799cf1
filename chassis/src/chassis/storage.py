"""Bytes that are too many for a row: objects by their key, in a folder or in a bucket that speaks S3.

Nothing here takes part in a transaction: what is put stays, also where the row that names it is rolled back.
"""

import asyncio
import atexit
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote, urlsplit

from chassis.errors import Unavailable
from chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

_PIECE: Final = 256 * 1024
_LISTED_AT_ONCE: Final = 500
# Parts of 5 MiB are the smallest that S3 takes; two at once bound the memory of an upload to 15 MiB.
_PARTS_AT_ONCE: Final = 2
_CLIENT: Final = {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "3600s"}
_LAST_MOMENT: Final = 0.2
_RETRIES: "Final[RetryConfig]" = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


class NowhereToStore(ValueError):
    """The setting `storage` names no place that is known here."""


class MissingObject(Exception):
    """There is no object under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put: its key, its size and the SHA-256 of its bytes in hexadecimal."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as the store lists it; `changed_at` is by the store's clock."""

    key: str
    bytes: int
    changed_at: datetime


class _GivenUp(Exception):
    """Ends what the store reads from, so that it takes back the parts it has: a request that is dropped leaves them."""


class _Feed:
    """The pieces on their way into the store, counted and hashed; also when the store waits, it can be ended."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._next: asyncio.Future[bytes] | None = None
        self._given_up = False
        self.digest = hashlib.sha256()
        self.bytes = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._given_up:
            raise _GivenUp
        self._next = asyncio.ensure_future(anext(self._chunks, b""))
        try:
            chunk = await self._next
        except asyncio.CancelledError:
            raise _GivenUp from None
        if not chunk:
            raise StopAsyncIteration
        self.digest.update(chunk)
        self.bytes += len(chunk)
        return chunk

    def give_up(self) -> None:
        self._given_up = True
        if self._next is not None:
            self._next.cancel()


class Storage:
    """Objects below one address: `file:///folder` or `s3://bucket/prefix`. Connects when it is first used.

    `options` are those of the bucket. Raises NowhereToStore for another kind of address. Every method raises
    Unavailable when the store does not answer.
    """

    def __init__(self, address: str, **options: Any) -> None:
        self._address = urlsplit(address)
        self._options = options
        scheme, host, path = self._address[:3]
        if not (scheme == "s3" and host) and not (scheme == "file" and not host and path):
            raise NowhereToStore(f"storage: file:///folder or s3://bucket/prefix is needed, not {address!r}")

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> Self:
        secret, ca_file = settings.storage_secret, settings.storage_ca_file
        endpoint = settings.storage_endpoint
        return cls(
            settings.storage or "",
            endpoint=endpoint,
            region=settings.storage_region,
            access_key_id=settings.storage_key,
            secret_access_key=None if secret is None else secret.get_secret_value(),
            client_options={
                **_CLIENT,
                "allow_http": (endpoint or "").startswith("http://"),
                **({} if ca_file is None else {"root_certificate": ca_file.read_text()}),
            },
        )

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> Stored:
        """Keeps the pieces, none of them empty, as one object, which is there when it is whole and not before.

        What `chunks` raises is raised here, and then nothing is kept, as after a cancellation.
        """
        import obstore  # noqa: PLC0415 - a service that keeps nothing idles lightly

        feed = _Feed(chunks)
        with _answering():
            writing = asyncio.ensure_future(
                obstore.put_async(self._store, key, feed, max_concurrency=_PARTS_AT_ONCE)
            )
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                feed.give_up()
                await asyncio.wait([writing])
                if writing.exception() is None:
                    await self.delete(key)
                raise
        return Stored(key, feed.bytes, feed.digest.hexdigest())

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The object in pieces. Raises MissingObject before the first of them."""
        import obstore  # noqa: PLC0415

        with _answering(key):
            found = await obstore.get_async(self._store, key)
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

    async def delete(self, key: str) -> None:
        """Takes the object away; one that is not there is no error."""
        import obstore  # noqa: PLC0415

        try:
            with _answering(key):
                await obstore.delete_async(self._store, key)
        except MissingObject:
            return

    async def size(self, key: str) -> int:
        """The size in bytes. Raises MissingObject."""
        import obstore  # noqa: PLC0415

        with _answering(key):
            return (await obstore.head_async(self._store, key))["size"]

    async def listed(self) -> AsyncIterator[list[Listed]]:
        """Every whole object, in batches and in no order; what comes or goes meanwhile may be in it or not."""
        import obstore  # noqa: PLC0415

        with _answering():
            async for batch in obstore.list(self._store, chunk_size=_LISTED_AT_ONCE):
                yield [Listed(one["path"], one["size"], one["last_modified"]) for one in batch]

    @cached_property
    def _store(self) -> "ObjectStore":
        from obstore.store import LocalStore, S3Store  # noqa: PLC0415

        _end_gently()
        path = unquote(self._address.path)
        if self._address.scheme == "file":
            return LocalStore(Path(path), mkdir=True)
        given = {name: option for name, option in self._options.items() if option is not None}
        return S3Store(self._address.netloc, prefix=path.strip("/") or None, retry_config=_RETRIES, **given)


@cache
def _end_gently() -> None:
    """A thread of the library tells us the end of a call and goes on for a moment; without Python it then aborts."""
    atexit.register(time.sleep, _LAST_MOMENT)


@contextmanager
def _answering(key: str | None = None) -> Iterator[None]:
    """Errors of the store in our words; without a key, what is not there is a bucket or a folder."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except (BaseError, OSError) as error:
        if key is not None and isinstance(error, FileNotFoundError):
            raise MissingObject(key) from error
        raise Unavailable(f"the storage does not answer: {str(error).splitlines()[0]}") from error
