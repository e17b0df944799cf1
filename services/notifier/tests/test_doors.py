"""The HTTP door: one's own inbox, and for the bureau how every notification ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer
from chassis.inbox import Consumers
from chassis.relay import Relay
from chassis.service import Context
from chassis.subscribe import Subscription
from chassis.work import Worker
from contracts.certification import ExpertCalled
from contracts.finance_link import ConsentWithdrawn
from notifier.main import service
from notifier_rig import FIRM, OTHER_FIRM, Bureau, Sink, example, granted, registered, settings, submitted


@dataclass
class Door:
    app: Any
    issuer: DevelopmentIssuer

    @asynccontextmanager
    async def as_(self, role: str | None, **claims: Any) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": "en"}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.issuer.token('li', role, 'notifier', **claims)}"
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://notifier", headers=headers
        ) as client:
            yield client

    async def get(self, path: str, role: str | None, **claims: Any) -> httpx.Response:
        async with self.as_(role, **claims) as client:
            return await client.get(path)

    async def post(self, path: str, role: str | None, **claims: Any) -> httpx.Response:
        async with self.as_(role, **claims) as client:
            return await client.post(path)


@pytest.fixture
def door(bureau: Bureau, tmp_path: Path) -> Door:
    issuer = DevelopmentIssuer(tmp_path)
    given = settings(bureau.port, issuer=issuer.name, jwks_url=issuer.jwks_url)
    db = bureau.db
    context = Context(
        given, db, db.clock, Authenticator.from_settings(given), Relay(db, given), Worker(db, {}),
        Subscription(db, given, Consumers("notifier"), []),
    )  # fmt: skip
    app = build_app(title=service.name, routers=service.routers, context=context, package=service.package)
    return Door(app, issuer)


async def test_an_enterprise_reads_its_own_messages_newest_first(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered(), registered(OTHER_FIRM), granted(), granted(OTHER_FIRM))
    answer = (await door.get("/v1/inbox", "enterprise", enterprise_id=FIRM)).json()
    assert [item["subject"] for item in answer["items"]] == ["已认定为高新技术企业", "已登记到惠企系统"]
    assert answer["unread"] == 2
    assert answer["cursor"] is None
    assert answer["items"][0]["statutory"] is True
    assert FIRM in answer["items"][1]["body"]


async def test_pages_follow_the_key_and_keep_the_filter(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered(), *(granted() for _ in range(4)))
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await door.get(f"/v1/inbox?limit=2{cursor}", "enterprise", enterprise_id=FIRM)).json()
        seen += [item["notification_id"] for item in page["items"]]
        assert page["unread"] == 5
        cursor = f"&cursor={page['cursor']}"
    assert len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)
    assert page["cursor"] is None


async def test_reading_counts_once_and_keeps_its_first_time(bureau: Bureau, door: Door, clock: Any) -> None:
    from datetime import timedelta

    await bureau.hear(registered(), granted())
    inbox = (await door.get("/v1/inbox", "enterprise", enterprise_id=FIRM)).json()
    path = f"/v1/inbox/{inbox['items'][0]['notification_id']}/read"
    first = (await door.post(path, "enterprise", enterprise_id=FIRM)).json()
    clock.advance(timedelta(hours=1))
    again = (await door.post(path, "enterprise", enterprise_id=FIRM)).json()
    assert first["read_at"] == again["read_at"] == "2016-08-01T02:00:00Z"
    unread = (await door.get("/v1/inbox?unread=true", "enterprise", enterprise_id=FIRM)).json()
    assert (len(unread["items"]), unread["unread"]) == (1, 1)


async def test_an_expert_reads_its_own_messages_and_no_other_expert_s(bureau: Bureau, door: Door) -> None:
    await bureau.hear(example(ExpertCalled, subject="li"), example(ExpertCalled, subject="mo"))
    inbox = (await door.get("/v1/inbox", "expert")).json()
    assert [item["subject"] for item in inbox["items"]] == ["抽取通知：高新技术企业评审"]
    other = await bureau.row(recipient="expert:mo")
    assert (await door.post(f"/v1/inbox/{other['notification_id']}/read", "expert")).status_code == 404
    own = inbox["items"][0]["notification_id"]
    assert (await door.post(f"/v1/inbox/{own}/read", "expert")).json()["read_at"] is not None


@pytest.mark.parametrize(
    ("role", "claims"),
    [
        ("enterprise", {"enterprise_id": OTHER_FIRM}),
        ("officer", {}),
        ("expert", {}),
        ("bank", {"bank_id": "city-bank"}),
    ],
)
async def test_the_message_of_another_is_not_found(
    bureau: Bureau, door: Door, role: str, claims: dict[str, str]
) -> None:
    await bureau.hear(registered())
    row = await bureau.row(recipient=FIRM)
    for path in (row["notification_id"], uuid4()):
        assert (await door.post(f"/v1/inbox/{path}/read", role, **claims)).status_code == 404
    if role not in ("officer", "expert"):
        assert (
            await door.get(f"/v1/notifications/{row['notification_id']}", role, **claims)
        ).status_code == 404
    assert (await bureau.row(recipient=FIRM))["read_at"] is None


async def test_officers_share_an_inbox_and_a_bank_has_its_own(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered(), submitted(), example(ConsentWithdrawn, enterprise_id=FIRM))
    officers = (await door.get("/v1/inbox", "officer")).json()
    assert [item["subject"][:3] for item in officers["items"]] == ["待核："]
    path = f"/v1/inbox/{officers['items'][0]['notification_id']}/read"
    assert (await door.post(path, "officer")).status_code == 200
    assert (await door.get("/v1/inbox", "officer")).json()["unread"] == 0
    assert len((await door.get("/v1/inbox", "bank", bank_id="city-bank")).json()["items"]) == 1
    assert (await door.get("/v1/inbox", "bank", bank_id="other-bank")).json()["items"] == []


async def test_a_person_of_no_enterprise_has_no_inbox(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered())
    assert (await door.get("/v1/inbox", "enterprise")).status_code == 404
    told = await bureau.db.fetchval("SELECT notification_id FROM notifications LIMIT 1")
    assert (await door.post(f"/v1/inbox/{told}/read", "enterprise")).status_code == 404
    assert (await door.get(f"/v1/notifications/{told}", "enterprise")).status_code == 404


async def test_a_mail_is_no_inbox_message(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered(), granted())
    mail = await bureau.row(channel="mail")
    path = f"/v1/inbox/{mail['notification_id']}/read"
    assert (await door.post(path, "enterprise", enterprise_id=FIRM)).status_code == 404


async def test_the_bureau_lists_and_filters_what_was_told(bureau: Bureau, door: Door, sink: Sink) -> None:
    sink.recipient_answers.append("550 5.1.1 no such mailbox")
    await bureau.hear(registered(), registered(OTHER_FIRM, email=None), granted(), granted(OTHER_FIRM))
    await bureau.work_until_quiet()

    async def ids(query: str) -> list[tuple[str, str, str | None]]:
        items = (await door.get(f"/v1/notifications?{query}", "operator")).json()["items"]
        return sorted((i["recipient"], i["channel"], i["reason_code"]) for i in items)

    assert len(await ids("")) == 6
    assert await ids("channel=mail") == [
        (OTHER_FIRM, "mail", "no_address"),
        (FIRM, "mail", "address_refused"),
    ]
    assert await ids("state=undelivered&reason_code=no_address") == [(OTHER_FIRM, "mail", "no_address")]
    assert len(await ids(f"recipient={FIRM}")) == 3
    assert len(await ids(f"caused_by=certification.titles/{FIRM}/1")) == 2
    assert (await door.get("/v1/notifications?state=lost", "operator")).status_code == 422
    row = await bureau.row(channel="mail", recipient=FIRM)
    shown = (await door.get(f"/v1/notifications/{row['notification_id']}", "officer")).json()
    assert (shown["attempts"], shown["ambiguous"], shown["answer"]) == (1, 0, "550 5.1.1 no such mailbox")
    assert shown["body"] == row["body"]


async def test_the_summary_counts_channels_states_reasons_and_doubts(
    bureau: Bureau, door: Door, sink: Sink
) -> None:
    sink.text_answers.append("drop")
    await bureau.hear(registered(), registered(OTHER_FIRM, email=None), granted(), granted(OTHER_FIRM))
    await bureau.work_until_quiet()
    await bureau.hear(granted(FIRM))
    answer = await door.get("/v1/notifications/summary", "operator")
    assert answer.json() == {
        "as_of": "2016-08-01T02:00:00Z", "total": 8, "unsettled": 1, "attempts": 2, "ambiguous": 1,
        "counts": [
            {"channel": "inbox", "state": "delivered", "count": 5},
            {"channel": "mail", "state": "delivered", "count": 1},
            {"channel": "mail", "state": "pending", "count": 1},
            {"channel": "mail", "state": "undelivered", "count": 1},
        ],
        "reasons": [{"channel": "mail", "reason_code": "no_address", "count": 1}],
    }  # fmt: skip


async def test_an_empty_house_is_counted_too(door: Door) -> None:
    answer = (await door.get("/v1/notifications/summary", "auditor")).json()
    assert (answer["total"], answer["attempts"], answer["counts"]) == (0, 0, [])


ROLES: dict[str | None, dict[str, str]] = {
    "enterprise": {"enterprise_id": FIRM}, "officer": {}, "expert": {}, "bank": {"bank_id": "city-bank"},
    "operator": {}, "auditor": {}, None: {},
}  # fmt: skip
BUREAU = {"officer", "operator", "auditor"}
READERS = {
    "/v1/inbox": {"enterprise", "officer", "bank", "expert"},
    "/v1/notifications": BUREAU,
    "/v1/notifications/summary": BUREAU,
    "/v1/notifications/{id}": {"enterprise", *BUREAU},
}


async def test_each_role_may_do_its_own_and_nothing_else(bureau: Bureau, door: Door) -> None:
    await bureau.hear(registered())
    own = (await bureau.row())["notification_id"]
    for role, claims in ROLES.items():
        for path, readers in READERS.items():
            status = (await door.get(path.format(id=own), role, **claims)).status_code
            assert (status == 200) == (role in readers), (role, path, status)
            assert status in (200, 401, 403, 404)
        read = (await door.post(f"/v1/inbox/{own}/read", role, **claims)).status_code
        assert (read == 200) == (role == "enterprise"), (role, read)
