"""The service as it runs: its process, a real database and a broker, from a title heard to an offer told."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.auth import DevelopmentIssuer
from chassis.embedded import free_port
from chassis.kafka_admin import Broker, create_topics
from chassis.migrate import sql_of
from chassis.testing import Databases
from contracts.finance_link import ReferralOffered
from finance_link.main import service
from finance_rig import BANK, FIRM, Desk, granted, registered
from test_door import CONSENT, PRODUCT, PRODUCT_PATH

TOPIC = f"finance-link.bank.{BANK}"


@asynccontextmanager
async def running(environment: dict[str, str], address: str) -> AsyncIterator[None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "finance_link", env=os.environ | environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=address) as client:
            for _ in range(200):
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 20)


async def call(address: str, method: str, path: str, body: dict[str, Any], token: str) -> None:
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        (await client.request(method, path, json=body)).raise_for_status()


async def produce(broker: Broker, records: list[Any]) -> None:
    producer = AIOKafkaProducer(**broker.client)
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(record.topic, record.value, record.key, headers=list(record.headers))
    finally:
        await producer.stop()


async def told(broker: Broker) -> ReferralOffered:
    consumer = AIOKafkaConsumer(TOPIC, **broker.client, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 30)
        return ReferralOffered.read(record.value or b"")
    finally:
        await consumer.stop()


@pytest.mark.timeout(120)
async def test_a_title_on_the_broker_becomes_an_offer_on_the_banks_own_topic(
    make_database: Databases, clean_topics: Broker, desk: Desk, tmp_path: Path
) -> None:
    await create_topics(clean_topics.client, {TOPIC: 1})
    issuer, port = DevelopmentIssuer(tmp_path), free_port()
    clock = tmp_path / "clock"
    clock.write_text(desk.clock.now().isoformat())
    told_to_service = {
        "ENVIRONMENT": "development", "DATABASE_URL": await make_database.url([sql_of("finance_link")]),
        "ISSUER": issuer.name, "AUDIENCE": "finance-link", "JWKS_URL": issuer.jwks_url, "HTTP_PORT": str(port),
        "CLOCK_FILE": str(clock),
    }  # fmt: skip
    environment = {f"FINANCE_LINK_{name}": text for name, text in told_to_service.items()}
    address = f"http://127.0.0.1:{port}"
    async with running(environment | clean_topics.environment("FINANCE_LINK_"), address):
        await call(address, "PUT", PRODUCT_PATH, PRODUCT, issuer.token("li", "officer", service.name))
        wang = issuer.token("wang", "enterprise", service.name, enterprise_id=FIRM)
        await call(address, "POST", "/v1/consents", CONSENT | {"on_title": True}, wang)
        title = granted()
        await produce(broker=clean_topics, records=[desk.record(event, 1) for event in (registered(), title)])
        offer = await told(clean_topics)
    assert offer.facts == {"title.number": title.number}
