"""How a user sends: with a key, again until answered, or once; sometimes hastily, sometimes many times at once."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx
import orjson

from rig.ground import Ground
from rig.journal import Attempt, Intent, Journal

PATIENCE: Final = httpx.Timeout(5.0, connect=2.0)
FOREGROUND: Final = 3.0
MOST_ERRORS: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    role: str
    name: str
    enterprise_id: str | None = None
    bank_id: str | None = None


def officer(name: str) -> Person:
    return Person("officer", name)


def enterprise(enterprise_id: str) -> Person:
    return Person("enterprise", "clerk", enterprise_id=enterprise_id)


def bank(bank_id: str) -> Person:
    return Person("bank", "desk", bank_id=bank_id)


@dataclass(frozen=True, slots=True)
class Manner:
    """`mortal`: gives up for ever at the first loss. `hasty`: seconds until the first attempt is abandoned.

    `at_once`: how many times the request leaves in parallel, all with one key.
    """

    mortal: bool = False
    hasty: float | None = None
    at_once: int = 1

    @classmethod
    def drawn(cls, chance: random.Random) -> "Manner":
        drawn = chance.random()
        if drawn < 0.10:
            return cls(mortal=True)
        if drawn < 0.16:
            return cls(hasty=chance.uniform(0.002, 0.06))
        if drawn < 0.20:
            return cls(at_once=chance.randint(5, 20))
        if drawn < 0.22:
            return cls(mortal=True, hasty=chance.uniform(0.002, 0.06))
        return cls()


class Hands:
    """Sends for all users of one load, over connections that are kept alive."""

    def __init__(self, ground: Ground, journal: Journal, chance: random.Random) -> None:
        self._ground = ground
        self._journal = journal
        self._chance = chance
        self._busy: set[str] = set()
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=60)
        self._http = httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=limits)

    async def close(self) -> None:
        await self._http.aclose()

    async def write(
        self,
        who: Person,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str,
        seen: str | None = None,
        media: str = "application/json",
        **about: Any,
    ) -> Attempt | None:
        """The answer, or None: given up, or still open when FOREGROUND seconds are over; then it is repeated later.

        In body and about, the text `{intent}` stands for the intent's id.
        """
        manner = Manner.drawn(self._chance)
        intent = self._intent(who, service, method, path, kind=kind, about=about)
        intent.key = str(UUID(int=self._chance.getrandbits(128), version=4))
        intent.seen, intent.media = seen, media
        intent.body = _content(body, intent.id)
        self._journal.intend(intent)
        self._busy.add(intent.id)
        try:
            await self._send_in(manner, intent)
        finally:
            self._busy.discard(intent.id)
        return intent.answer

    async def read(
        self, who: Person, service: str, path: str, *, kind: str = "read", **about: Any
    ) -> Attempt | None:
        intent = self._intent(who, service, "GET", path, kind=kind, about=about)
        self._journal.intend(intent)
        await self._attempt(intent, self._url_of(intent), PATIENCE)
        return intent.answer

    async def upload(self, who: Person, service: str, content: bytes) -> bool:
        """Whether the file is kept. It says nothing and changes no case, so it stands in no journal."""
        url = self._chance.choice(list(self._ground.urls(service)))
        token = self._ground.token(
            service, who.role, subject=who.name, enterprise_id=who.enterprise_id, bank_id=who.bank_id
        )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"}
        try:
            answer = await self._http.post(f"{url}/v1/files", content=content, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def repeat_open(self) -> None:
        """One more attempt for everything that is neither answered nor given up nor being sent just now."""
        waiting = [intent for intent in self._journal.open() if intent.id not in self._busy]
        for start in range(0, len(waiting), 8):
            await asyncio.gather(*(self._again(intent) for intent in waiting[start : start + 8]))

    def _intent(
        self, who: Person, service: str, method: str, path: str, *, kind: str, about: Mapping[str, Any]
    ) -> Intent:
        number = self._journal.next_id()
        actor = f"{who.role}:{who.name}.{number}"
        on_behalf = {"enterprise_id": who.enterprise_id, "bank_id": who.bank_id}
        return Intent(number, kind, actor, service, method, path, on_behalf=on_behalf, about=about)

    async def _send_in(self, manner: Manner, intent: Intent) -> None:
        if manner.at_once > 1:
            urls = [self._url_of(intent) for _ in range(manner.at_once)]
            await asyncio.gather(*(self._attempt(intent, url, PATIENCE) for url in urls))
        else:
            patience = PATIENCE if manner.hasty is None else httpx.Timeout(manner.hasty)
            await self._attempt(intent, self._url_of(intent), patience)
        if intent.answer is None and manner.mortal:
            self._journal.give_up(intent)
        with suppress(TimeoutError):
            async with asyncio.timeout(FOREGROUND):
                await self._until_answered(intent)

    async def _until_answered(self, intent: Intent) -> None:
        pause = 0.05
        while intent.is_open:
            await asyncio.sleep(pause * self._chance.uniform(0.5, 1.5))
            pause = min(pause * 2, 1.0)
            await asyncio.shield(asyncio.ensure_future(self._again(intent)))

    async def _again(self, intent: Intent) -> None:
        await self._attempt(intent, self._url_of(intent), PATIENCE)
        if sum(attempt.status == 500 for attempt in intent.attempts) >= MOST_ERRORS and intent.is_open:
            self._journal.give_up(intent)

    def _url_of(self, intent: Intent) -> str:
        """Another instance than the last time, where there is another."""
        urls = self._ground.urls(intent.service)
        last = intent.attempts[-1].url if intent.attempts else None
        return self._chance.choice([url for url in urls if url != last] or urls)

    async def _attempt(self, intent: Intent, url: str, patience: httpx.Timeout) -> None:
        attempt = self._journal.send(intent, url)
        role, _, subject = intent.actor.partition(":")
        token = self._ground.token(intent.service, role, subject=subject, **intent.on_behalf)
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        headers |= {"Idempotency-Key": intent.key} if intent.key is not None else {}
        headers |= {"If-Match": intent.seen} if intent.seen is not None else {}
        headers |= {"Content-Type": intent.media} if intent.body is not None else {}
        try:
            answer = await self._http.request(
                intent.method, url + intent.path, content=intent.body, headers=headers, timeout=patience
            )
        except httpx.HTTPError as error:
            self._journal.lose(intent, attempt, f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            self._journal.lose(intent, attempt, "cancelled")
            raise
        else:
            self._journal.take(intent, attempt, answer)


def _content(body: Any, number: str) -> bytes | None:
    if body is None:
        return None
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return content.replace(b"{intent}", number.encode())
