"""A running house as somebody outside meets it: its doors, its logs, its memory."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from chassis.identity import Actor
from chassis.testing import fetch_rows
from contracts.values import check_character
from huiqi.house import House

T = TypeVar("T")

PATIENCE = 60.0
SERVICES = ("certification", "ip-enterprise", "finance-link", "notifier")
OFFICER, OTHER_OFFICER, EXPERT = Actor("li", "officer"), Actor("zhao", "officer"), Actor("chen", "expert")
AUDITOR, OPERATOR = Actor("qian", "auditor"), Actor("sun", "operator")

_numbers = count(1)


def new_uscc() -> str:
    body = f"91441702{next(_numbers):09d}"
    return body + check_character(body)


def firm(uscc: str) -> Actor:
    return Actor("wang", "enterprise", enterprise_id=uscc)


def bank(bank_id: str) -> Actor:
    return Actor("clerk", "bank", bank_id=bank_id)


class Frame:
    def __init__(self, house: House) -> None:
        self.house = house
        self._stack = ExitStack()
        self._doors: dict[str, httpx.Client] = {}

    def __enter__(self) -> Self:
        for name, service in self.house.services.items():
            door = httpx.Client(base_url=service.url, trust_env=False, timeout=60)
            self._doors[name] = self._stack.enter_context(door)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def token(self, service: str, who: Actor) -> str:
        return self.house.issuer.token(
            who.subject, who.role, service, enterprise_id=who.enterprise_id, bank_id=who.bank_id
        )

    def ask(
        self, service: str, method: str, path: str, who: Actor | None = None, **request: Any
    ) -> httpx.Response:
        """`request` as httpx takes it; without `who`, nobody asks."""
        headers = {"Accept-Language": "en"} | request.pop("headers", {})
        if who is not None:
            headers["Authorization"] = f"Bearer {self.token(service, who)}"
        return self._doors[service].request(method, path, headers=headers, **request)

    def done(self, service: str, method: str, path: str, who: Actor, **request: Any) -> httpx.Response:
        answer = self.ask(service, method, path, who, **request)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def rows(self, service: str, sql: str, *arguments: object) -> list[dict[str, Any]]:
        return asyncio.run(fetch_rows(self.house.addresses.services[service].database, sql, *arguments))

    def until(self, look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
        end = time.monotonic() + seconds
        while (found := look()) is None or found is False:
            if time.monotonic() > end:
                raise TimeoutError(what)
            time.sleep(0.05)
        return found

    def log(self, service: str) -> str:
        return self.house.services[service].log.read_text(encoding="utf-8", errors="replace")

    def memory(self, service: str) -> int:
        """Proportional set size in bytes."""
        child = self.house.services[service].child
        assert child is not None
        lines = Path(f"/proc/{child.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
