"""A relay and a subscription run for a test over a real broker, and what can be seen of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

from chassis.database import Database, Transaction
from chassis.inbox import Consumers
from chassis.kafka_admin import Broker
from chassis.settings import ServiceSettings
from chassis.subscribe import Subscription
from contracts.certification import EnterpriseRegistered
from facts import FIRM, registered

TOPIC = "certification.enterprises"


class Settings(ServiceSettings, env_prefix="CHASSIS_TESTING_"):
    pass


def settings_for(broker: Broker, **more: Any) -> Settings:
    return Settings(
        environment="development", database_url="", kafka_bootstrap=broker.bootstrap,
        kafka_idempotence=broker.idempotence, issuer="i", audience="testing", jwks_url="file:///x", **more,
    )  # fmt: skip


@asynccontextmanager
async def running(*jobs: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(job()) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.05)


async def emptied(db: Database) -> bool:
    return bool(await db.fetchval("SELECT count(*) = 0 FROM outbox"))


async def said(db: Database, *names: str, enterprise_id: str = FIRM) -> None:
    async with db.transaction() as tx:
        tx.publish(*(registered(enterprise_id, name) for name in names))


async def records(broker: Broker, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(TOPIC, **broker.client, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        got: list[Any] = []
        async with asyncio.timeout(20):
            while len(got) < count:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    got += batch
        return got
    finally:
        await consumer.stop()


def hearing() -> Consumers:
    heard = Consumers("testing")

    @heard.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, tx: Transaction) -> None:
        await tx.execute("INSERT INTO effects (caused_by, name) VALUES ($1, $2)", tx.caused_by, event.name)

    return heard


async def listens(subscription: Subscription) -> bool:
    return subscription.silent_for() < 2


async def has(db: Database, n: int) -> bool:
    return await counted(db, "effects", n)


async def counted(db: Database, table: str, n: int) -> bool:
    return bool(await db.fetchval(f"SELECT count(*) FROM {table}") == n)
