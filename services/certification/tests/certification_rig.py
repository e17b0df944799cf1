"""certification on a database of its own: its HTTP door, its ears and its outbox, without a broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from certification.consumers import consumers
from certification.main import service
from certification.settings import Settings
from certification.use_cases import casework
from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer
from chassis.database import Database
from chassis.identity import Actor
from chassis.marks import Arrived
from chassis.relay import Relay
from chassis.service import Context
from chassis.subscribe import Subscription
from chassis.testing import Databases
from chassis.work import Worker
from contracts.envelope import Envelope, Event

USCC = "91441702MA4UABCD1F"
OTHER = "9144172362860503X4"
WANG = Actor("wang", "enterprise", enterprise_id=USCC)
ZHOU = Actor("zhou", "enterprise", enterprise_id=OTHER)
LI = Actor("li", "officer")
CHEN = Actor("chen", "expert")

ENTERPRISE: dict[str, Any] = {
    "name": "示例精密制造有限公司", "region": "441702", "established_on": "2010-03-15", "mainland_resident": True,
    "contact_email": "wang@example.cn",
}  # fmt: skip
_AMOUNTS = (
    "sales_revenue",
    "total_revenue",
    "high_tech_revenue",
    "net_assets",
    "rd_spend",
    "rd_spend_domestic",
)
_YEARS = {
    2013: ("24000000", "25000000", "19000000", "10000000", "1500000", "1350000"),
    2014: ("32000000", "33500000", "25500000", "12500000", "2200000", "1980000"),
    2015: ("42000000", "44000000", "34440000", "16000000", "3000000", "2700000"),
}
_STAFF = {2013: (62, 17), 2014: (70, 20), 2015: (80, 24)}


def _right(number: str, kind: str, granted_on: str) -> dict[str, Any]:
    own = {"acquired": "self", "in_force": True, "owned": True, "related": True}
    return {"id": number, "kind": kind, "granted_on": granted_on, **own}


FACTS: dict[str, Any] = {
    "years": [
        {"year": year, **dict(zip(_AMOUNTS, amounts, strict=True)),
         "staff": dict(zip(("total", "st"), _STAFF[year], strict=True))}
        for year, amounts in _YEARS.items()
    ],
    "ip": [_right("ZL201110000001.0", "invention", "2013-06-05"), _right("ZL201420000009.9", "utility_model", "2015-01-07")],
    "conversions": [{"result": f"R{n}", "year": 2013 + n % 3} for n in range(12)],
}  # fmt: skip
JUDGEMENTS: dict[str, Any] = {
    "core_ip_supports": True, "in_supported_field": True, "ip_advancement": 7, "ip_core_support": 7, "ip_count": 8,
    "ip_acquisition": 5, "standards_bonus": 1, "conversion": 22, "rd_rules": 5, "rd_body": 5,
    "conversion_incentives": 3, "staff_training": 4, "growth_net_assets": 8, "growth_sales": 8,
}  # fmt: skip
WHOLE_FIRM: dict[str, Any] = {
    "programme": "hnte", "case_type": "first", "applied_on": "2016-08-01",
    "enterprise": {"uscc": USCC, **{name: ENTERPRISE[name] for name in ENTERPRISE if name != "contact_email"}},
    **FACTS, "judgements": JUDGEMENTS,
}  # fmt: skip


@dataclass
class Counter:
    """The service's counter: where its clients stand, and what it keeps behind."""

    db: Database
    app: FastAPI
    issuer: DevelopmentIssuer

    @asynccontextmanager
    async def client(
        self, actor: Actor | None = None, language: str = "en"
    ) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": language}
        if actor is not None:
            token = self.issuer.token(
                actor.subject, actor.role, "certification", enterprise_id=actor.enterprise_id
            )
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://certification", headers=headers
        ) as client:
            yield client

    async def register(self) -> None:
        """The example firm with all its facts."""
        async with self.client(LI) as officer:
            await expect(officer.put(f"/v1/enterprises/{USCC}", json=ENTERPRISE), 201)
            await expect(officer.put(f"/v1/enterprises/{USCC}/facts", json=FACTS), 200)

    async def hear(self, *told: tuple[Event, int]) -> None:
        """Events with their sequences, as they come from Kafka."""
        settings: Any = None
        await Subscription(self.db, settings, consumers, []).apply([_arrived(*one) for one in told])

    async def meet_deadlines(self) -> int:
        worker = Worker(self.db, service.deadlines)
        jobs = await worker.lease(list(service.deadlines))
        for job in jobs:
            await worker._perform(job)
        return len(jobs)

    async def said(self) -> list[str]:
        rows = await self.db.fetch("SELECT type FROM events ORDER BY id")
        return [row["type"].removeprefix("cn.huiqi.certification.").removesuffix(".v1") for row in rows]

    async def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        names = await self.db.fetch(
            "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        return {row["name"]: await self.db.fetchval(f'SELECT count(*) FROM "{row["name"]}"') for row in names}


async def expect(request: Any, status: int) -> httpx.Response:
    answer: httpx.Response = await request
    assert answer.status_code == status, answer.text
    return answer


def _arrived(event: Event, sequence: int) -> Arrived:
    envelope = Envelope(
        event_id=uuid4(), source="/huiqi/ip-enterprise", type=event.type, topic=event.topic, key=event.key,
        sequence=sequence, time=datetime(2016, 8, 1, tzinfo=UTC), actor="officer:li",
    )  # fmt: skip
    record: Any = SimpleNamespace(
        topic=event.topic, partition=0, offset=sequence, key=event.key.encode(), value=event.payload(),
        headers=tuple(envelope.to_headers()),
    )  # fmt: skip
    return Arrived.of(record)


@pytest.fixture
async def counter(make_database: Databases, tmp_path: Path) -> Counter:
    db = await make_database(service.migrations, service="certification")
    issuer = DevelopmentIssuer(tmp_path)
    settings = Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9",
        issuer=issuer.name, audience="certification", jwks_url=issuer.jwks_url,
        storage=f"file://{tmp_path}/kept",
    )  # fmt: skip
    context = Context(
        settings, db, db.clock, Authenticator.from_settings(settings), Relay(db, settings), Worker(db, {}),
        Subscription(db, settings, consumers, []),
    )  # fmt: skip
    casework.load(settings.rulebook_folder)
    return Counter(
        db,
        build_app(title="certification", routers=service.routers, context=context, package="certification"),
        issuer,
    )
