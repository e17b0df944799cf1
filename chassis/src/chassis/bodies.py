"""What a request brings: counted as it arrives, within its time, and not more than whoever asks may send."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Final, cast

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from chassis.errors import Invalid, Refused
from chassis.identity import Actor

BODY_TIMEOUT: Final = 30.0
# A raised limit is memory that somebody else can fill: it holds for the people of the bureau only.
_MAY_SEND_MORE: Final = frozenset({"officer", "operator"})
_BODY_LIMIT: Final = "chassis.body_limit"
_PIECE: Final = 256 * 1024


class BodyTooLarge(Refused):
    """The request has more than {allowed} bytes."""

    status: ClassVar[int] = 413


class BodyTooSlow(Refused):
    """The request did not arrive within {seconds} seconds."""

    status: ClassVar[int] = 408


class BodyLimit:
    """Counts what a request brings, announced or streamed. A route may raise `allowed` before it reads."""

    def __init__(self, scope: Scope, receive: Receive, allowed: int) -> None:
        self.allowed = allowed
        self._receive = receive
        self._seen = 0
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        self._announced = int(announced) if announced.isdigit() else 0
        scope[_BODY_LIMIT] = self

    async def receive(self) -> Message:
        self._check(self._announced)
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        self._check(self._seen)
        return message

    def _check(self, size: int) -> None:
        if size > self.allowed:
            raise BodyTooLarge(allowed=self.allowed)


async def read_body(request: Request, actor: Actor, max_body_size: int | None) -> bytes:
    """The whole body; `max_body_size` in bytes replaces the service's limit for officers and operators.

    Raises BodyTooLarge, BodyTooSlow.
    """
    if max_body_size is not None and actor.role in _MAY_SEND_MORE:
        cast("BodyLimit", request.scope[_BODY_LIMIT]).allowed = max_body_size
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await request.body()
    except TimeoutError:
        raise BodyTooSlow(seconds=int(BODY_TIMEOUT)) from None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file on its way in: its pieces, none of them empty, and its name where a form says one."""

    file_name: str | None
    chunks: AsyncIterator[bytes]


class Upload:
    """The one file that a request brings, as its body or in a form. Nothing of it is read before it is opened.

    `allowed` is in bytes and replaces the service's limit for whoever opens it, `seconds` is how long all of it may take.
    """

    def __init__(self, request: Request, *, allowed: int, seconds: float) -> None:
        self._request = request
        self._allowed = allowed
        self._seconds = seconds

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Incoming]:
        """Raises Invalid for a form without a file; this and `chunks` raise BodyTooLarge, BodyTooSlow."""
        cast("BodyLimit", self._request.scope[_BODY_LIMIT]).allowed = self._allowed
        until = asyncio.get_running_loop().time() + self._seconds
        if not self._request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with aclosing(self._in_time(until)) as chunks:
                yield Incoming(None, chunks)
            return
        form = await self._form(until)
        try:
            part = next((part for part in form.values() if isinstance(part, UploadFile)), None)
            if part is None:
                raise Invalid(field="body", rule_broken="this is needed")
            yield Incoming(_name_of(part), _pieces(part))
        finally:
            await form.close()

    async def _form(self, until: float) -> FormData:
        """A file of more than a megabyte goes to disk here."""
        try:
            async with asyncio.timeout_at(until):
                return await self._request.form(max_files=1, max_fields=10)
        except TimeoutError:
            raise BodyTooSlow(seconds=int(self._seconds)) from None

    async def _in_time(self, until: float) -> AsyncGenerator[bytes]:
        chunks = self._request.stream()
        while True:
            try:
                async with asyncio.timeout_at(until):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise BodyTooSlow(seconds=int(self._seconds)) from None
            if chunk is None:
                return
            if chunk:
                yield chunk


async def _pieces(part: UploadFile) -> AsyncIterator[bytes]:
    while piece := await part.read(_PIECE):
        yield piece


def _name_of(part: UploadFile) -> str | None:
    """Forms say names in UTF-8; where some client says GBK, Starlette has read its bytes as Latin-1."""
    try:
        return part.filename and part.filename.encode("latin-1").decode("gb18030")
    except UnicodeError:
        return part.filename
