"""ip-enterprise on a database of its own: its HTTP door, its ears and its outbox, without a broker."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.identity import Actor
from chassis.marks import Arrived
from chassis.relay import Relay
from chassis.service import Context
from chassis.subscribe import Subscription
from chassis.testing import PDF, Databases
from chassis.work import Worker
from contracts.certification import EnterpriseRegistered
from contracts.envelope import Envelope, Event
from ip_enterprise.consumers import consumers
from ip_enterprise.main import service
from ip_enterprise.settings import Settings
from ip_enterprise.use_cases import casework

USCC = "91441702MA4UABCD1F"
OTHER = "9144172362860503X4"
WANG = Actor("wang", "enterprise", enterprise_id=USCC)
ZHOU = Actor("zhou", "enterprise", enterprise_id=OTHER)
LI = Actor("li", "officer")
CHEN = Actor("chen", "expert")
HEADINGS = (
    "编号", "统一社会信用代码", "种类", "取得方式", "授权日期", "届满日期", "是否有效", "是否自有", "是否与主要产品相关",
)  # fmt: skip
REGISTERED = EnterpriseRegistered(
    enterprise_id=USCC, name="示例精密制造有限公司", region="441702", established_on=date(2003, 3, 17),
    contact_email="wang@example.cn",
)  # fmt: skip

Row = tuple[str, ...]


def right(number: str, expires_on: str = "", *, owner: str = USCC, kind: str = "发明专利") -> Row:
    return (number, owner, kind, "自主研发", "2007-06-06", expires_on, "是", "是", "是")


def listed(*rows: Row) -> bytes:
    return "\n".join(",".join(row) for row in (HEADINGS, *rows)).encode()


@dataclass
class Bureau:
    """The service, and who comes to it."""

    db: Database
    clock: FixedClock
    app: FastAPI
    issuer: DevelopmentIssuer

    @asynccontextmanager
    async def client(
        self, actor: Actor | None = None, language: str = "en"
    ) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": language}
        if actor is not None:
            token = self.issuer.token(
                actor.subject, actor.role, "ip-enterprise", enterprise_id=actor.enterprise_id
            )
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ip-enterprise", headers=headers
        ) as client:
            yield client

    async def get(self, path: str, actor: Actor | None = LI, **query: str) -> httpx.Response:
        async with self.client(actor) as client:
            return await client.get(path, params=query)

    async def take_in(
        self, content: bytes, *, dry_run: bool = False, actor: Actor = LI, language: str = "en"
    ) -> httpx.Response:
        async with self.client(actor, language) as client:
            query = {"dry_run": str(dry_run).lower()}
            return await client.post("/v1/imports", content=content, params=query)

    async def hear(self, *told: tuple[Event, int]) -> None:
        """Events with their sequences, as they come from Kafka."""
        settings: Any = None
        await Subscription(self.db, settings, consumers, []).apply([_arrived(*one) for one in told])

    async def meet_deadlines(self) -> int:
        """Runs what is due by the clock, as the worker does, and says how much that was."""
        worker = Worker(self.db, service.deadlines)
        jobs = await worker.lease(list(service.deadlines), 100)
        for job in jobs:
            await worker._perform(job)
        return len(jobs)

    async def said(self) -> list[str]:
        rows = await self.db.fetch("SELECT type FROM events ORDER BY id")
        return [row["type"].removeprefix("cn.huiqi.ip-enterprise.").removesuffix(".v1") for row in rows]

    async def assets(self, **query: str) -> dict[str, bool]:
        """Numbers on the register, and whether each is in force."""
        found = (await self.get("/v1/assets", LI, **query)).json()["items"]
        return {asset["asset_id"]: asset["in_force"] for asset in found}


def papers(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"paper": name, "file_name": f"{name}.pdf", "bytes": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
        for name in names
    ]  # fmt: skip


def _arrived(event: Event, sequence: int) -> Arrived:
    envelope = Envelope(
        event_id=uuid4(), source="/huiqi/certification", type=event.type, topic=event.topic, key=event.key,
        sequence=sequence, time=datetime(2009, 5, 4, tzinfo=UTC), actor="officer:li",
    )  # fmt: skip
    record: Any = SimpleNamespace(
        topic=event.topic, partition=0, offset=sequence, key=event.key.encode(), value=event.payload(),
        headers=tuple(envelope.to_headers()),
    )  # fmt: skip
    return Arrived.of(record)


@pytest.fixture
async def bureau(make_database: Databases, clock: FixedClock, tmp_path: Path) -> Bureau:
    clock.set(datetime(2009, 5, 4, 1, tzinfo=UTC))
    db = await make_database(service.migrations, service="ip-enterprise")
    issuer = DevelopmentIssuer(tmp_path)
    settings = Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9",
        issuer=issuer.name, audience="ip-enterprise", jwks_url=issuer.jwks_url,
        storage=f"file://{tmp_path}/kept",
    )  # fmt: skip
    context = Context(
        settings, db, clock, Authenticator.from_settings(settings), Relay(db, settings), Worker(db, {}),
        Subscription(db, settings, consumers, []),
    )  # fmt: skip
    casework.load(settings.rulebook_folder)
    app = build_app(title="ip-enterprise", routers=service.routers, context=context, package="ip_enterprise")
    return Bureau(db, clock, app, issuer)
