"""Three services with the chassis's tables and nothing else: certification speaks, the two others listen.

finance-link answers each title with an event of its own, so that causes, chains and two listeners all occur.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from chassis import kafka_admin
from chassis.children import Scratch
from chassis.clock import Clock, FixedClock
from chassis.database import Database, Transaction
from chassis.embedded import EmbeddedBroker
from chassis.inbox import Consumers
from chassis.kafka_admin import Broker
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.subscribe import Subscription
from chassis.testing import Databases, GivenBroker, Postgres, _empty
from chassis.topics import load_topics
from contracts.certification import TitleGranted
from contracts.finance_link import ConsentGiven
from huiqi.installation import Installation
from huiqi.ledger import await_quiet

FIRMS = ["91441702MA4UABCD1F", "91441702MA4UABCE1G", "91441702MA4UABCF1H"]
TITLES = "certification.titles"
CONSENTS = "finance-link.consents"
TOPICS = {
    name: load_topics()[name]
    for name in (TITLES, CONSENTS, "finance-link.bank.{bank_id}", "notifier.notifications")
}
SERVICES = ("certification", "finance-link", "notifier")
EFFECTS = (
    "CREATE TABLE effects (effect_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, caused_by text UNIQUE)"
)
AT = datetime(2016, 8, 1, 2, 0, tzinfo=UTC)


class Settings(ServiceSettings, env_prefix="HUIQI_TESTING_"):
    pass


def granted(firm: str) -> TitleGranted:
    return TitleGranted(
        title_id=uuid.uuid4(), case_id=uuid.uuid4(), enterprise_id=firm, programme="hnte", level="national",
        number=f"GR{uuid.uuid4().hex[:10]}", granted_on=date(2016, 11, 30), valid_until=date(2019, 11, 29),
    )  # fmt: skip


def listening(service: str, broken_for: set[str]) -> Consumers:
    """One effect for each event; a handler that has a bug for the firms named."""
    heard = Consumers(service)

    async def note(event: TitleGranted | ConsentGiven, tx: Transaction) -> None:
        await tx.execute("INSERT INTO effects (caused_by) VALUES ($1)", tx.caused_by)
        if event.enterprise_id in broken_for:
            raise KeyError("zhang@firm.example")

    @heard.on(TitleGranted)
    async def note_title(event: TitleGranted, tx: Transaction) -> None:
        await note(event, tx)
        if service == "finance-link":
            tx.publish(
                ConsentGiven(
                    consent_id=uuid.uuid4(), enterprise_id=event.enterprise_id, bank_id="harbour", purpose="working-capital",
                    fields=["enterprise.name"], text_version="1", given_on=date(2016, 12, 1), expires_on=date(2017, 12, 1),
                )
            )  # fmt: skip

    if service == "notifier":
        heard.on(ConsentGiven)(note)
    return heard


@dataclass
class Town:
    installation: Installation
    databases: dict[str, Database]
    broker: Broker
    broken_for: set[str] = field(default_factory=set)

    async def grant(self, *firms: str) -> None:
        for firm in firms:
            async with self.databases["certification"].transaction() as tx:
                tx.publish(granted(firm))

    async def write(self, service: str, sql: str, *arguments: object) -> None:
        """As somebody with every right would, past the trigger that keeps events as they are."""
        async with self.databases[service].connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(sql, *arguments)

    def relay(self, service: str) -> Relay:
        return Relay(self.databases[service], settings_for(self.broker))

    def subscription(self, service: str) -> Subscription:
        topics = [topic.name for topic in self.installation.listened_by(service)]
        heard = listening(service, self.broken_for)
        return Subscription(self.databases[service], settings_for(self.broker), heard, topics)

    @asynccontextmanager
    async def relays_running(self) -> AsyncIterator[None]:
        async with running(*(self.relay(service).run() for service in SERVICES)):
            yield

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        listeners = (self.subscription(service).run() for service in SERVICES[1:])
        async with self.relays_running(), running(*listeners):
            yield

    async def rests(self, seconds: float = 40) -> bool:
        return await await_quiet(self.installation, seconds)


def settings_for(broker: Broker) -> Settings:
    return Settings(
        environment="development", database_url="", kafka_bootstrap=broker.bootstrap, kafka_session_timeout=6 if broker.idempotence else 2,
        kafka_idempotence=broker.idempotence, issuer="i", audience="testing", jwks_url="file:///x",
    )  # fmt: skip


@asynccontextmanager
async def running(*jobs: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def found(make: Databases, broker: Broker, clock: Clock) -> Town:
    urls = {service: await make.url() for service in SERVICES}
    databases = {service: await _open(url, service, clock) for service, url in urls.items()}
    make._opened.extend(databases.values())
    for service in SERVICES[1:]:
        async with databases[service].transaction() as tx:
            await tx.execute(EFFECTS)
    topics = {name: topic.partitions for name, topic in TOPICS.items() if not topic.is_template}
    await kafka_admin.create_topics(broker.client, {**topics, "finance-link.bank.harbour": 1})
    return Town(Installation(urls, broker.client, TOPICS, clock), databases, broker)


async def _open(url: str, service: str, clock: Clock) -> Database:
    return await Database.open(url, service=service, clock=clock, pool_size=4)


@dataclass(frozen=True)
class Quiet:
    postgres: Postgres
    broker: Broker
    names: dict[str, str]

    @asynccontextmanager
    async def copied(self) -> AsyncIterator[Town]:
        clock = FixedClock(AT)
        mine = f"copy_{uuid.uuid4().hex[:8]}"
        async with _admin(self.postgres) as admin, AsyncExitStack() as stack:
            urls, databases = {}, {}
            for number, (service, name) in enumerate(self.names.items()):
                await admin.execute(f'CREATE DATABASE "{mine}_{number}" TEMPLATE "{name}"')
                stack.push_async_callback(admin.execute, f'DROP DATABASE "{mine}_{number}" WITH (FORCE)')
                urls[service] = self.postgres.dsn(f"{mine}_{number}")
                databases[service] = await _open(urls[service], service, clock)
                stack.push_async_callback(databases[service].close)
            yield Town(Installation(urls, self.broker.client, TOPICS, clock), databases, self.broker)


@asynccontextmanager
async def _admin(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.dsn(), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def quiet(postgres: Postgres) -> Iterator[Quiet]:
    with Scratch("huiqi-town-") as directory, _broker(directory) as broker:
        yield asyncio.run(_work_and_rest(postgres, broker))


@contextmanager
def _broker(directory: Any) -> Iterator[Broker]:
    if os.environ.get("KAFKA_BOOTSTRAP"):
        given = GivenBroker()
        asyncio.run(_empty(given))
        yield given
        return
    with EmbeddedBroker(directory / "broker") as server:
        yield server


async def _work_and_rest(postgres: Postgres, broker: Broker) -> Quiet:
    """Three firms, two titles each, told and answered; left behind as databases that nobody is connected to."""
    databases = Databases(postgres, FixedClock(AT))
    town = await found(databases, broker, FixedClock(AT))
    async with town.at_work():
        await town.grant(*FIRMS, *FIRMS)
        assert await town.rests()
    for database in town.databases.values():
        await database.close()
    return Quiet(
        postgres, broker, {s: url.rpartition("/")[2] for s, url in town.installation.databases.items()}
    )
