"""What the bench stands on: a PostgreSQL with fsync on, a Kafka with acks=all, 600-byte events of 1,000 keys."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from chassis import kafka_admin
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.embedded import EmbeddedPostgres
from chassis.migrate import chassis_sql, migrate
from chassis.settings import ServiceSettings
from contracts.envelope import Event

KEYS = 1_000
PARTITIONS = 6


class Measured(Event, topic="bench.facts", key="key_of"):
    """About 600 bytes on the wire."""

    key_of: str
    filler: str = Field(default="x" * 560)


class Settings(ServiceSettings, env_prefix="BENCH_"):
    pass


def facts(count: int) -> list[Measured]:
    return [Measured(key_of=f"key-{n % KEYS:04d}") for n in range(count)]


@dataclass
class Ground:
    postgres: EmbeddedPostgres
    settings: Settings

    @property
    def client(self) -> dict[str, Any]:
        return self.settings.kafka_client()

    async def database_url(self) -> str:
        name = f"bench_{uuid.uuid4().hex[:10]}"
        self.postgres.create_database(name)
        return self.postgres.dsn(name)

    async def database(self) -> Database:
        """A migrated database of its own."""
        url = await self.database_url()
        await migrate(url, [chassis_sql()])
        return await Database.open(url, service="bench", clock=SystemClock())

    async def topic(self, name: str = Measured.topic_template) -> str:
        """The topic, empty."""
        await kafka_admin.delete_topics(self.client, [name])
        await kafka_admin.create_topics(self.client, {name: PARTITIONS})
        return name


@asynccontextmanager
async def ground(directory: Path) -> AsyncIterator[Ground]:
    """Raises KeyError without KAFKA_BOOTSTRAP: the embedded broker keeps records in memory and proves nothing."""
    named = settings()
    with EmbeddedPostgres(directory, fsync=True) as postgres:
        yield Ground(postgres, named)


def settings() -> Settings:
    """Raises KeyError without KAFKA_BOOTSTRAP."""
    return Settings(
        environment="development", database_url="", kafka_bootstrap=os.environ["KAFKA_BOOTSTRAP"], issuer="i",
        audience="bench", jwks_url="file:///none",
    )  # fmt: skip


async def publish(db: Database, events: Sequence[Event], at_once: int = 1_000) -> None:
    for start in range(0, len(events), at_once):
        async with db.transaction() as tx:
            tx.publish(*events[start : start + at_once])


async def until_empty(db: Database, table: str) -> None:
    while await db.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def now() -> datetime:
    return datetime.now(UTC)
