"""pytest fixtures: real servers, a database per test, a broker per test, a clock.

`TEST_DATABASE_URL` replaces the embedded PostgreSQL (a role that may create databases); `KAFKA_BOOTSTRAP`, with
`KAFKA_SECURITY_PROTOCOL`, `KAFKA_SASL_USERNAME` and `KAFKA_SASL_PASSWORD`, replaces the embedded broker; every topic
of it is deleted, so one that is not on this machine needs `KAFKA_DISPOSABLE=1` as well.
"""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import pytest

from chassis import kafka_admin
from chassis.children import Scratch
from chassis.clock import FixedClock
from chassis.embedded import EmbeddedBroker, EmbeddedPostgres
from chassis.kafka_admin import Broker

if TYPE_CHECKING:
    import asyncpg

    from chassis.clock import Clock
    from chassis.database import Database


class Postgres(Protocol):
    def dsn(self, database: str = "postgres") -> str: ...


# The smallest that a reader opens: a page without anything on it.
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
_HERE = ("127.", "localhost:", "[::1]:")


@dataclass(frozen=True)
class GivenPostgres:
    url: str

    def dsn(self, database: str = "postgres") -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))


class GivenBroker:
    """The Apache Kafka that the environment names."""

    idempotence = True

    def __init__(self) -> None:
        self.bootstrap = os.environ["KAFKA_BOOTSTRAP"]
        is_here = all(server.startswith(_HERE) for server in self.bootstrap.split(","))
        if not is_here and os.environ.get("KAFKA_DISPOSABLE") != "1":
            pytest.fail(
                f"the tests delete every topic of {self.bootstrap}: KAFKA_DISPOSABLE=1 allows it",
                pytrace=False,
            )
        self._security = {
            name: os.environ[f"KAFKA_{name}"]
            for name in ("SECURITY_PROTOCOL", "SASL_USERNAME", "SASL_PASSWORD")
            if os.environ.get(f"KAFKA_{name}")
        }

    @property
    def client(self) -> dict[str, Any]:
        client = {"bootstrap_servers": self.bootstrap}
        if "SECURITY_PROTOCOL" in self._security:
            client["security_protocol"] = self._security["SECURITY_PROTOCOL"]
        if "SASL_USERNAME" in self._security:
            client |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self._security["SASL_USERNAME"],
                "sasl_plain_password": self._security["SASL_PASSWORD"],
            }
        return client

    def environment(self, prefix: str) -> dict[str, str]:
        settings = {f"{prefix}KAFKA_{name}": setting for name, setting in self._security.items()}
        return {**settings, f"{prefix}KAFKA_BOOTSTRAP": self.bootstrap, f"{prefix}KAFKA_IDEMPOTENCE": "true"}


class Databases:
    """Makes databases that are copies of a template, which is migrated once for each set of migrations."""

    def __init__(self, server: Postgres, clock: "Clock") -> None:
        self.server = server
        self._clock = clock
        self._opened: list[Database] = []
        self._names: list[str] = []

    async def __call__(
        self,
        migrations: Sequence[Path | str] = (),
        *,
        service: str = "testing",
        clock: "Clock | None" = None,
        pool_size: int = 8,
    ) -> "Database":
        """A migrated database of its own, open; the chassis's own tables always come first."""
        from chassis.database import Database  # noqa: PLC0415 - the plugin loads without the rest of the chassis

        url = await self.url(migrations)
        db = await Database.open(url, service=service, clock=clock or self._clock, pool_size=pool_size)
        self._opened.append(db)
        return db

    async def url(self, migrations: Sequence[Path | str] = ()) -> str:
        """The same, not opened: for a service that runs as a process of its own."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        async with self._admin() as admin:
            template = await self._template(admin, migrations)
            await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._names.append(name)
        return self.server.dsn(name)

    async def close(self) -> None:
        for db in self._opened:
            await db.close()
        async with self._admin() as admin:
            for name in self._names:
                await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @asynccontextmanager
    async def _admin(self) -> "AsyncIterator[asyncpg.Connection]":
        import asyncpg  # noqa: PLC0415

        connection = await asyncpg.connect(self.server.dsn(), timeout=10)
        try:
            yield connection
        finally:
            await connection.close()

    async def _template(self, admin: "asyncpg.Connection", migrations: Sequence[Path | str]) -> str:
        from chassis.migrate import chassis_sql, found, migrate  # noqa: PLC0415

        sources = list(dict.fromkeys([chassis_sql(), *(Path(source) for source in migrations)]))
        contents = "".join(f"{m.source}/{m.name}/{m.checksum}\n" for m in found(sources))
        name = f"template_{hashlib.sha256(contents.encode()).hexdigest()[:16]}"
        await admin.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if not await admin.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", name):
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
            await admin.execute(f'CREATE DATABASE "{name}"')
            await migrate(self.server.dsn(name), sources)
            await admin.execute(f'ALTER DATABASE "{name}" WITH IS_TEMPLATE true')
        return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield GivenPostgres(url)
        return
    with Scratch("huiqi-test-") as directory, EmbeddedPostgres(directory, fsync=False) as server:
        yield server


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2016, 8, 1, 2, 0, tzinfo=UTC))


@pytest.fixture
async def make_database(postgres: Postgres, clock: FixedClock) -> AsyncIterator[Databases]:
    databases = Databases(postgres, clock)
    try:
        yield databases
    finally:
        await databases.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """An empty broker: a fresh embedded one for each test, or the given Kafka with the topics of others deleted."""
    if given := given_kafka():
        yield given
        return
    with EmbeddedBroker(tmp_path / "broker") as server:
        yield server


@pytest.fixture
async def clean_topics(broker: Broker) -> Broker:
    """The broker with every topic that the contracts name, empty."""
    from chassis.topics import load_topics  # noqa: PLC0415

    partitions = {name: topic.partitions for name, topic in load_topics().items() if "{" not in name}
    await kafka_admin.create_topics(broker.client, partitions)
    return broker


async def fetch_rows(url: str, sql: str, *arguments: object) -> list[dict[str, Any]]:
    """What a running service's database holds, over a connection of its own."""
    import asyncpg  # noqa: PLC0415 - a plugin is loaded by every run

    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        await connection.close()


def given_kafka() -> GivenBroker | None:
    """The Kafka that KAFKA_BOOTSTRAP names, emptied; None where the embedded broker is to be used."""
    if not os.environ.get("KAFKA_BOOTSTRAP"):
        return None
    given = GivenBroker()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_empty(given))
    loop.close()
    return given


async def _empty(broker: Broker) -> None:
    await kafka_admin.delete_topics(broker.client, await kafka_admin.list_topics(broker.client))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("KAFKA_BOOTSTRAP"):
        return
    for item in items:
        if item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.skip(reason="needs a real Apache Kafka: KAFKA_BOOTSTRAP"))
