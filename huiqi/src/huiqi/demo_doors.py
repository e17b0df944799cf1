"""The HTTP doors of a house, and the people who come to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Self, TypeVar

import httpx
from pydantic_core import to_jsonable_python
from uuid_utils.compat import uuid7

from chassis.auth import DevelopmentIssuer
from chassis.identity import Actor
from huiqi.addresses import Addresses

AT_ONCE: Final = 6
DEADLINE: Final = 30.0
_PAUSE: Final = 0.05
_PAGE: Final = 200
T = TypeVar("T")


class Stopped(RuntimeError):
    """Something was refused, or did not happen in time."""


def person(name: str) -> Actor:
    """`officer:li`, `expert:chen`; `enterprise:<USCC>` and `bank:<bank id>` act for themselves."""
    role, _, subject = name.partition(":")
    enterprise_id = subject if role == "enterprise" else None
    return Actor(subject, role, enterprise_id=enterprise_id, bank_id=subject if role == "bank" else None)  # type: ignore[arg-type]  # a wrong role gets no token


OFFICER: Final = person("officer:li")


class Doors:
    """Requests to the services of a house, each with a token of whoever makes it. An async context manager.

    A service that is unavailable is asked again under the same Idempotency-Key, until DEADLINE seconds are over.
    """

    def __init__(self, house: Addresses) -> None:
        self._house = house
        self._issuer = DevelopmentIssuer(house.issuer)
        self._tokens: dict[Actor, str] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._room = {name: asyncio.Semaphore(AT_ONCE) for name in house.services}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for name, service in self._house.services.items():
            client = httpx.AsyncClient(base_url=service.url, timeout=DEADLINE, trust_env=False)
            self._clients[name] = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def ask(
        self,
        who: Actor,
        service: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        seen: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """`seen` is the ETag that was read. Raises Stopped with the problem when the answer is 400 or more."""
        headers = {"Authorization": f"Bearer {self._token(who)}", "Accept-Language": "en"}
        headers |= {"If-Match": seen} if seen is not None else {}
        headers |= {"Idempotency-Key": str(uuid7())} if method != "GET" else {}
        content: dict[str, Any] = {}
        if isinstance(body, bytes):
            content["content"] = body
        elif body is not None:
            content["json"] = to_jsonable_python(body)
        async with self._room[service]:
            answer = await self._until_available(
                lambda: self._clients[service].request(method, path, params=query, headers=headers, **content)
            )
        if answer.status_code >= 400:
            raise Stopped(f"{who} {method} {service}{path}: {answer.status_code} {_problem(answer)}")
        return answer

    async def get(self, who: Actor, service: str, path: str, **query: str) -> Any:
        return (await self.ask(who, service, "GET", path, query=query)).json()

    async def every(self, who: Actor, service: str, path: str, **query: str) -> list[dict[str, Any]]:
        """All items of a list, over its pages."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(who, service, path, limit=str(_PAGE), **query, **cursor)
            items += page["items"]
            if page["cursor"] is None:
                return items
            cursor = {"cursor": page["cursor"]}

    def _token(self, who: Actor) -> str:
        if who not in self._tokens:
            self._tokens[who] = self._issuer.token(
                who.subject, who.role, list(self._house.services), enterprise_id=who.enterprise_id,
                bank_id=who.bank_id,
            )  # fmt: skip
        return self._tokens[who]

    @staticmethod
    async def _until_available(request: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        until = time.monotonic() + DEADLINE
        while True:
            try:
                answer = await request()
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until:
                    return answer
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    raise Stopped(f"{error.request.url} does not answer: {error!r}") from error
            await asyncio.sleep(0.5)


async def until(what: str, look: Callable[[], Awaitable[T | None]], seconds: float = DEADLINE) -> T:
    """What `look` finds, as soon as it finds something. Raises Stopped when that takes too long."""
    end = time.monotonic() + seconds
    while True:
        found = await look()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise Stopped(f"waited {seconds:.0f} s in vain: {what}")
        await asyncio.sleep(_PAUSE)


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:500]
    refusals = problem.get("refusals")
    return str(problem.get("detail") or problem.get("title") or refusals or problem)
