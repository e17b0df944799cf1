"""One fact on its way through a running house, and what can be seen of it afterwards."""

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from chassis.testing import fetch_rows
from contracts.values import check_character
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import Ledger, check

_numbers = count(1)
PATIENCE = 60.0


def new_uscc() -> str:
    body = f"91441702{next(_numbers):09d}"
    return body + check_character(body)


class Way:
    """Drives a house as its users do: every write carries an Idempotency-Key and is repeated until answered."""

    def __init__(self, house: House) -> None:
        self.house = house

    def token(self, service: str, role: str, enterprise_id: str | None = None) -> str:
        return self.house.issuer.token("li", role, service, enterprise_id=enterprise_id)

    def write(self, service: str, method: str, path: str, body: Any, token: str) -> httpx.Response:
        """Repeats the request, with one key, over lost connections and 503s until PATIENCE is over."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        until = time.monotonic() + PATIENCE
        while True:
            try:
                url = f"{self.house.services[service].url}{path}"
                answer = httpx.request(method, url, json=body, headers=headers, timeout=30, trust_env=False)
            except httpx.TransportError:
                self.revive()
            else:
                if answer.status_code != 503:
                    return answer
            if time.monotonic() > until:
                raise TimeoutError(f"{method} {path}")
            time.sleep(0.1)

    def revive(self) -> None:
        """Starts again, without failpoints, what has died."""
        for service in self.house.services.values():
            if not service.running:
                service.start()
                service.await_ready()

    def arm(self, failpoint: str, *services: str) -> None:
        for name in services:
            service = self.house.services[name]
            service.stop()
            service.start(FAILPOINTS=failpoint)
        for name in services:
            self.house.services[name].await_ready()

    def disarm(self, *services: str) -> None:
        self.arm("", *services)

    def register(self) -> str:
        """A new enterprise, known to certification; the others hear of it."""
        enterprise_id = new_uscc()
        body = {
            "name": f"示例企业{enterprise_id[-4:]}有限公司", "region": "441702", "established_on": "2001-05-18",
            "mainland_resident": True, "contact_email": f"post-{enterprise_id.lower()}@firm.example",
        }  # fmt: skip
        answer = self.write(
            "certification",
            "PUT",
            f"/v1/enterprises/{enterprise_id}",
            body,
            self.token("certification", "officer"),
        )
        assert answer.status_code in {200, 201}, answer.text
        return enterprise_id

    def consent(self, enterprise_id: str) -> None:
        """Of this the notifier tells the enterprise by inbox and mail."""
        product = {
            "name": {"zh": "科技贷", "en": "S&T loan"}, "amount_max": "5000000.00", "term_months_max": 36,
            "annual_rate_from": "0.0385", "annual_rate_to": "0.0435", "programmes": ["hnte"], "open": True,
        }  # fmt: skip
        officer = self.token("finance-link", "officer")
        offered = self.write("finance-link", "PUT", "/v1/products/hailing-bay/loan", product, officer)
        assert offered.status_code == 200, offered.text
        body = {
            "bank_id": "hailing-bay", "purpose": "financing", "fields": ["enterprise.name"], "text_version": "1",
            "expires_on": "2009-12-31", "on_title": False,
        }  # fmt: skip
        token = self.token("finance-link", "enterprise", enterprise_id=enterprise_id)
        answer = self.write("finance-link", "POST", "/v1/consents", body, token)
        assert answer.status_code == 201, answer.text

    def rows(self, service: str, sql: str, *arguments: object) -> list[dict[str, Any]]:
        return asyncio.run(fetch_rows(self.house.addresses.services[service].database, sql, *arguments))

    def until(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(what)
            time.sleep(0.1)

    def until_died(self, *services: str) -> None:
        self.until(
            lambda: not any(self.house.services[name].running for name in services), f"{services} killed"
        )

    def ledger(self) -> Ledger:
        return asyncio.run(check(Installation.of_house(self.house.addresses), wait=PATIENCE))

    def assert_kept(self) -> None:
        ledger = self.ledger()
        assert ledger.kept, ledger.as_json()
        assert ledger.promises["I1"].checked > 0
