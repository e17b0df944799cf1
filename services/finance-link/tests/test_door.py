"""The HTTP door of finance-link, through its real application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer
from chassis.relay import Relay
from chassis.service import Context
from chassis.subscribe import Subscription
from chassis.work import Worker
from contracts.finance_link import ReferralDisbursed, ReferralOffered
from finance_link.main import service
from finance_link.settings import Settings
from finance_rig import BANK, FIRM, OTHER_BANK, OTHER_FIRM, Desk, granted, registered

PRODUCT = {
    "name": {"zh": "科技贷", "en": "S&T loan"},
    "amount_max": "5000000.00",
    "term_months_max": 36,
    "annual_rate_from": "0.0385",
    "annual_rate_to": "0.0435",
    "programmes": ["hnte"],
}
CONSENT = {
    "bank_id": BANK,
    "purpose": "financing",
    "fields": ["title.number", "need.amount"],
    "text_version": "2016-05",
    "expires_on": "2016-12-31",
}
WISH = {
    "bank_id": BANK,
    "product_id": "keji",
    "purpose": "financing",
    "amount": "1200000.00",
    "term_months": 12,
}
PRODUCT_PATH = f"/v1/products/{BANK}/keji"
JSON = dict[str, Any]


@dataclass
class Door:
    desk: Desk
    app: FastAPI
    issuer: DevelopmentIssuer

    @asynccontextmanager
    async def client(
        self, role: str = "", language: str = "en", **claims: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": language}
        if role:
            headers["Authorization"] = f"Bearer {self.issuer.token('li', role, service.name, **claims)}"
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door", headers=headers) as client:
            yield client

    async def call(self, method: str, path: str, body: JSON | None = None, **claims: str) -> httpx.Response:
        """By the role that the claims name: a bank, an enterprise, else an officer."""
        owners = {"bank_id": "bank", "enterprise_id": "enterprise"}
        role = next((role for name, role in owners.items() if name in claims), "officer")
        async with self.client(role, **claims) as client:
            return await client.request(method, path, json=body)

    async def sent(self) -> JSON:
        await self.call("PUT", PRODUCT_PATH, PRODUCT)
        await self.desk.hear(registered())
        await self.desk.hear(granted())
        await self.call("POST", "/v1/consents", CONSENT, enterprise_id=FIRM)
        answer = await self.call("POST", "/v1/referrals", WISH, enterprise_id=FIRM)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
async def door(desk: Desk, tmp_path: Path) -> Door:
    issuer = DevelopmentIssuer(tmp_path)
    settings = Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9",
        issuer=issuer.name, audience=service.name, jwks_url=issuer.jwks_url,
    )  # fmt: skip
    db = desk.db
    context = Context(
        settings, db, db.clock, Authenticator.from_settings(settings), Relay(db, settings), Worker(db, {}),
        Subscription(db, settings, service.consumers, []),
    )  # fmt: skip
    app = build_app(title=service.name, routers=service.routers, context=context, package=service.package)
    return Door(desk, app, issuer)


async def test_a_loan_from_product_to_payment_over_http(door: Door) -> None:
    referral = await door.sent()
    assert (referral["state"], referral["fields_sent"]) == ("sent", ["need.amount", "title.number"])
    path = f"/v1/referrals/{referral['referral_id']}/outcomes"
    answers: list[JSON] = [
        {"kind": "accepted", "bank_reference": "YJ-1"},
        {"kind": "approved", "bank_reference": "YJ-2", "amount": "1000000.00", "annual_rate": "0.041625", "term_months": 12},
        {"kind": "disbursed", "bank_reference": "YJ-3", "contract_number": "LN-88", "amount": "600000.10",
         "disbursed_on": "2016-08-01"},
    ]  # fmt: skip
    for body in answers:
        answer = await door.call("POST", path, body, bank_id=BANK)
        assert (answer.status_code, answer.json()["state"]) == (201, body["kind"])
    shown = (await door.call("GET", f"/v1/referrals/{referral['referral_id']}", enterprise_id=FIRM)).json()
    assert (shown["state"], shown["approved_amount"], shown["disbursed_amount"]) == (
        "disbursed",
        "1000000.00",
        "600000.10",
    )
    assert [outcome["kind"] for outcome in shown["outcomes"]] == ["accepted", "approved", "disbursed"]
    [offer] = await door.desk.said(ReferralOffered)
    assert offer.facts == {"need.amount": "1200000.00", "title.number": "GR201644000001"}


async def test_a_bank_sees_of_a_referral_only_what_it_was_told(door: Door) -> None:
    referral = await door.sent()
    for path in (f"/v1/referrals/{referral['referral_id']}", "/v1/referrals", f"/v1/banks/{BANK}/referrals"):
        told = (await door.call("GET", path, bank_id=BANK)).json()
        seen = told["items"][0] if "items" in told else told
        assert (seen["amount"], seen["enterprise_id"], seen["term_months"], seen["title_id"]) == (
            "1200000.00",
            None,
            None,
            None,
        )
    await door.call("POST", f"/v1/consents/{referral['consent_id']}/withdrawal", enterprise_id=FIRM)
    seen = (await door.call("GET", f"/v1/referrals/{referral['referral_id']}", bank_id=BANK)).json()
    assert (seen["state"], seen["amount"]) == ("withdrawn", None)


async def test_what_is_foreign_is_not_found(door: Door) -> None:
    referral = await door.sent()
    path = f"/v1/referrals/{referral['referral_id']}"
    report = {"kind": "accepted", "bank_reference": "X-1"}
    answers = [
        await door.call("GET", path, bank_id=OTHER_BANK),
        await door.call("GET", path, enterprise_id=OTHER_FIRM),
        await door.call("POST", f"{path}/outcomes", report, bank_id=OTHER_BANK),
        await door.call("POST", f"{path}/withdrawal", enterprise_id=OTHER_FIRM),
        await door.call(
            "PUT", f"{path}/need", {"amount": "1.00", "term_months": 1}, enterprise_id=OTHER_FIRM
        ),
        await door.call("GET", f"/v1/banks/{BANK}/referrals", bank_id=OTHER_BANK),
        await door.call("GET", f"/v1/referrals?bank_id={BANK}", bank_id=OTHER_BANK),
        await door.call("GET", f"/v1/referrals?enterprise_id={FIRM}", enterprise_id=OTHER_FIRM),
        await door.call("GET", f"/v1/consents/{referral['consent_id']}", enterprise_id=OTHER_FIRM),
        await door.call(
            "POST", f"/v1/consents/{referral['consent_id']}/withdrawal", enterprise_id=OTHER_FIRM
        ),
        await door.call("PUT", PRODUCT_PATH, PRODUCT, bank_id=OTHER_BANK),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await door.call("GET", "/v1/referrals", bank_id=OTHER_BANK)).json()["items"] == []
    assert (await door.call("GET", "/v1/referrals", enterprise_id=OTHER_FIRM)).json()["items"] == []


async def test_a_person_of_no_enterprise_has_no_say_and_sees_nothing(door: Door) -> None:
    referral = await door.sent()
    asked: list[tuple[str, str, JSON | None]] = [
        ("POST", "/v1/consents", CONSENT), ("POST", "/v1/referrals", WISH), ("GET", "/v1/consents", None),
        ("GET", f"/v1/consents?bank_id={BANK}", None), ("GET", f"/v1/consents?enterprise_id={FIRM}", None),
        ("GET", "/v1/referrals", None), ("GET", f"/v1/referrals?bank_id={BANK}", None),
        ("GET", f"/v1/referrals/{referral['referral_id']}", None),
    ]  # fmt: skip
    async with door.client("enterprise") as person:
        answers = [await person.request(method, path, json=body) for method, path, body in asked]
    assert [answer.status_code for answer in answers] == [404] * len(asked)


async def test_a_draft_stays_hidden_from_its_bank(door: Door) -> None:
    await door.call("PUT", PRODUCT_PATH, PRODUCT)
    draft = (await door.call("POST", "/v1/referrals", WISH, enterprise_id=FIRM)).json()
    assert [waits["code"] for waits in draft["missing"]] == ["consent", "title"]
    for path in ("/v1/referrals", f"/v1/banks/{BANK}/referrals"):
        assert (await door.call("GET", path, bank_id=BANK)).json()["items"] == []
    path = f"/v1/referrals/{draft['referral_id']}"
    assert (await door.call("GET", path, bank_id=BANK)).status_code == 404
    assert (await door.call("POST", f"{path}/withdrawal", bank_id=BANK)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "rejected", "bank_reference": "R-1", "reason_code": "R07"},
        {"kind": "rejected", "bank_reference": "R-1", "reason_code": "R07", "reason": "  "},
        {"kind": "paid", "bank_reference": "R-1"},
        {"kind": "accepted"},
        {"kind": "accepted", "bank_reference": "R-1", "note": "unknown"},
        {"kind": "approved", "bank_reference": "R-1", "amount": "1.001", "annual_rate": "0.04", "term_months": 12},
        {"kind": "approved", "bank_reference": "R-1", "amount": "0.00", "annual_rate": "0.04", "term_months": 12},
        {"kind": "approved", "bank_reference": "R-1", "amount": "1.00", "annual_rate": "-0.01", "term_months": 12},
    ],
)  # fmt: skip
async def test_a_report_that_is_not_whole_is_refused(door: Door, body: JSON) -> None:
    referral = await door.sent()
    answer = await door.call("POST", f"/v1/referrals/{referral['referral_id']}/outcomes", body, bank_id=BANK)
    assert answer.status_code == 422


async def test_a_report_that_comes_again_is_answered_alike(door: Door) -> None:
    referral = await door.sent()
    path = f"/v1/referrals/{referral['referral_id']}/outcomes"
    body: JSON = {"kind": "accepted", "bank_reference": "YJ-1"}
    first = await door.call("POST", path, body, bank_id=BANK)
    again = await door.call("POST", path, body, bank_id=BANK)
    assert (again.status_code, again.json()) == (201, first.json())
    other = {"kind": "returned", "bank_reference": "YJ-1", "reason": "too long"}
    refused = await door.call("POST", path, other, bank_id=BANK)
    assert (refused.status_code, refused.json()["code"]) == (422, "reference-reused")


async def test_one_payment_reported_twenty_times_in_parallel_is_paid_once(door: Door) -> None:
    referral = await door.sent()
    path = f"/v1/referrals/{referral['referral_id']}/outcomes"
    approval = {
        "kind": "approved",
        "bank_reference": "b",
        "amount": "9.00",
        "annual_rate": "0.04",
        "term_months": 1,
    }
    await door.call("POST", path, {"kind": "accepted", "bank_reference": "a"}, bank_id=BANK)
    await door.call("POST", path, approval, bank_id=BANK)
    paid = {
        "kind": "disbursed",
        "bank_reference": "c",
        "contract_number": "L",
        "amount": "3.00",
        "disbursed_on": "2016-08-01",
    }
    async with door.client("bank", bank_id=BANK) as client:
        posts = [client.post(path, json=paid, headers={"Idempotency-Key": "k"}) for _ in range(20)]
        answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {201}
    assert len(await door.desk.said(ReferralDisbursed)) == 1


async def test_a_consent_names_only_fields_of_the_closed_set(door: Door) -> None:
    await door.call("PUT", PRODUCT_PATH, PRODUCT)
    body = CONSENT | {"fields": ["enterprise.id", "enterprise.profit"]}
    answer = await door.call("POST", "/v1/consents", body, enterprise_id=FIRM)
    assert answer.status_code == 422
    assert (await door.call("POST", "/v1/consents", CONSENT)).status_code == 403
    async with door.client(language="zh-CN") as client:
        fields = (await client.get("/v1/consent-fields")).json()
    assert {"name": "contact.email", "label": "联系人电子邮箱", "personal": True} in fields


async def test_the_public_pages_through_the_products(door: Door) -> None:
    for number in range(5):
        await door.call("PUT", f"/v1/products/{BANK}/p{number}", PRODUCT | {"open": number != 3})
    async with door.client() as client:
        first = (await client.get("/v1/products?limit=3&open=true")).json()
        second = (await client.get(f"/v1/products?limit=3&open=true&cursor={first['cursor']}")).json()
        refused = await client.put(PRODUCT_PATH, json=PRODUCT)
    assert [item["product_id"] for item in first["items"] + second["items"]] == ["p0", "p1", "p2", "p4"]
    assert (first["items"][0]["annual_rate_from"], second["cursor"]) == ("0.0385", None)
    assert refused.status_code == 401


async def test_refusals_come_in_the_readers_language(door: Door) -> None:
    await door.call("PUT", PRODUCT_PATH, PRODUCT)
    async with door.client("enterprise", language="zh-CN", enterprise_id=FIRM) as client:
        answer = await client.post("/v1/referrals", json=WISH | {"amount": "6000000.00"})
    assert answer.json()["detail"] == "该产品最高贷款额度为 5000000.00 元，申请金额为 6000000.00 元。"


async def test_the_documentation_names_every_kind_of_report(door: Door) -> None:
    async with door.client() as client:
        described = (await client.get("/openapi.json")).json()
    body = described["paths"]["/v1/referrals/{referral_id}/outcomes"]["post"]["requestBody"]
    kinds = body["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    assert set(kinds) == {"accepted", "returned", "approved", "disbursed", "rejected"}
