"""notifier as it runs in production: a process of its own between a broker, a database and a mail server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from chassis.auth import DevelopmentIssuer
from chassis.kafka_admin import Broker
from chassis.migrate import sql_of
from chassis.testing import Databases
from notifier_rig import FIRM, Bureau, Sink, free_port, granted, registered

# A mail is received before its row says so.
UNDONE = "SELECT EXISTS (SELECT FROM notifications WHERE state = 'pending') OR EXISTS (SELECT FROM outbox)"


@asynccontextmanager
async def running(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifier", env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError("it never became ready")


async def publish(broker: Broker, bureau: Bureau) -> None:
    producer = AIOKafkaProducer(**broker.client, acks="all")
    await producer.start()
    try:
        for event in (granted(), registered()):
            record = bureau.record(event)
            assert record.envelope is not None
            for _ in range(2):
                await producer.send_and_wait(
                    event.topic, event.payload(), key=event.key.encode(), headers=record.envelope.to_headers()
                )
    finally:
        await producer.stop()


async def test_an_event_comes_in_by_kafka_and_goes_out_as_one_mail(
    clean_topics: Broker, make_database: Databases, bureau: Bureau, sink: Sink, tmp_path: Path
) -> None:
    issuer, port = DevelopmentIssuer(tmp_path / "issuer"), free_port()
    url = await make_database.url([sql_of("notifier")])
    environment = {
        "NOTIFIER_ENVIRONMENT": "development", "NOTIFIER_DATABASE_URL": url, "NOTIFIER_HTTP_PORT": str(port),
        "NOTIFIER_ISSUER": issuer.name, "NOTIFIER_AUDIENCE": "notifier", "NOTIFIER_JWKS_URL": issuer.jwks_url,
        "NOTIFIER_SMTP_HOST": "127.0.0.1", "NOTIFIER_SMTP_PORT": str(sink.port), "NOTIFIER_SMTP_STARTTLS": "false",
        "NOTIFIER_MAIL_FROM": "noreply@bureau.example", **clean_topics.environment("NOTIFIER_"),
    }  # fmt: skip
    async with running(environment) as process:
        await ready(port, process)
        await publish(clean_topics, bureau)
        connection = await asyncpg.connect(url)
        async with asyncio.timeout(45):
            while not sink.received or await connection.fetchval(UNDONE):
                await asyncio.sleep(0.1)
        states = await connection.fetch(
            "SELECT channel, state FROM notifications WHERE template = 'title-granted'"
        )
        said = await connection.fetchval("SELECT count(*) FROM events WHERE topic = 'notifier.notifications'")
        await connection.close()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    assert sorted((row["channel"], row["state"]) for row in states) == [
        ("inbox", "delivered"),
        ("mail", "delivered"),
    ]
    assert said == 3
    assert len(sink.received) == 1
    assert FIRM not in sink.received[0][1]["Message-ID"]


@pytest.mark.parametrize("given", [{}, {"NOTIFIER_SMTP_HOTS": "127.0.0.1"}])
async def test_missing_and_misspelt_settings_stop_the_start(given: dict[str, str]) -> None:
    async with running(given) as process:
        output, _ = await process.communicate()
    assert process.returncode not in (0, None)
    assert (b"unknown setting NOTIFIER_SMTP_HOTS" if given else b"smtp_host") in output
