"""What a request brings: counted as it arrives, within its time, and not more than whoever asks may send."""

import asyncio
from typing import ClassVar, Final, cast

from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from chassis.errors import Refused
from chassis.identity import Actor

BODY_TIMEOUT: Final = 30.0
# A raised limit is memory that somebody else can fill: it holds for the people of the bureau only.
_MAY_SEND_MORE: Final = frozenset({"officer", "operator"})
_BODY_LIMIT: Final = "chassis.body_limit"


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
