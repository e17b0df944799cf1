"""B1, B2: the relay beside faststream-outbox and beside raw aiokafka, the same events to the same broker."""

import asyncio
import time
from contextlib import suppress
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker
from faststream_outbox import OutboxBroker, make_outbox_table
from ground import Ground, Measured, facts, now, publish, until_empty
from rows import Row, against
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.garbage import spare_the_collector
from chassis.relay import Relay
from contracts.envelope import Envelope

EVENTS = 20_000
PEER_ORDERED, PEER_AT_ONCE = 1_000, 3_000


async def ours(ground: Ground) -> float:
    """Events per second from a full outbox to an empty one."""
    db = await ground.database()
    await ground.topic()
    await publish(db, facts(EVENTS))
    relay = Relay(db, ground.settings)
    await relay._ready_producer()  # noqa: SLF001 - the bare peer's stands too when its clock begins
    began = time.perf_counter()
    task = asyncio.create_task(relay.run())
    await until_empty(db, "outbox")
    took = time.perf_counter() - began
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await db.close()
    return EVENTS / took


async def raw(ground: Ground) -> float:
    """Aiokafka's `send` and one gather, no database at all."""
    topic = await ground.topic()
    producer = AIOKafkaProducer(
        **ground.client, acks="all", enable_idempotence=True, max_batch_size=262_144, linger_ms=0
    )
    await producer.start()
    records = [
        (event.key.encode(), event.payload(), _headers(event, n)) for n, event in enumerate(facts(EVENTS), 1)
    ]
    began = time.perf_counter()
    for start in range(0, EVENTS, 2_000):
        some = records[start : start + 2_000]
        await asyncio.gather(
            *[await producer.send(topic, p, key, headers=headers) for key, p, headers in some]
        )
    took = time.perf_counter() - began
    await producer.stop()
    return EVENTS / took


def _headers(event: Measured, sequence: int) -> list[tuple[str, bytes]]:
    """The same bytes as ours, made before the clock runs."""
    return Envelope(
        event_id=uuid4(), source="/huiqi/bench", type=event.type, topic=event.topic, key=event.key, sequence=sequence,
        time=now(), actor="system:system",
    ).to_headers()  # fmt: skip


async def faststream_outbox(ground: Ground, workers: int, events: int) -> float:
    url = (await ground.database_url()).replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=workers + 5)
    metadata = MetaData()
    table = make_outbox_table(metadata, table_name="outbox")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    topic = await ground.topic()
    outbox = OutboxBroker(engine, outbox_table=table, logger=None)
    kafka = KafkaBroker(ground.settings.kafka_bootstrap, acks="all", enable_idempotence=True, logger=None)

    @outbox.subscriber("relay", max_workers=workers)
    async def relay(body: dict[str, str]) -> None:
        await kafka.publish(orjson.dumps(body), topic, key=body["key_of"].encode())

    await _fill(engine, outbox, facts(events))
    await kafka.connect()
    began = time.perf_counter()
    await outbox.start()
    await _until_empty(engine)
    took = time.perf_counter() - began
    await outbox.stop()
    await kafka.stop()
    await engine.dispose()
    return events / took


async def _fill(engine: AsyncEngine, outbox: OutboxBroker, events: list[Measured]) -> None:
    from sqlalchemy.ext.asyncio import async_sessionmaker  # noqa: PLC0415

    sessions = async_sessionmaker(engine, expire_on_commit=False)
    for start in range(0, len(events), 500):
        async with sessions() as session, session.begin():
            for event in events[start : start + 500]:
                await outbox.publish(event.model_dump(), queue="relay", session=session)


async def _until_empty(engine: AsyncEngine) -> None:
    while True:
        async with engine.connect() as connection:
            if not (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar():
                return
        await asyncio.sleep(0.01)


async def measure(ground: Ground, rounds: int) -> list[Row]:
    spare_the_collector()  # as a service does; the peers run in this process and gain by it too
    mine, bare, ordered, at_once = [], [], [], []
    await ours(ground)
    for _ in range(rounds):
        mine.append(await ours(ground))
        bare.append(await raw(ground))
        ordered.append(await faststream_outbox(ground, 1, PEER_ORDERED))
        at_once.append(await faststream_outbox(ground, 20, PEER_AT_ONCE))
    unit = "events/s"
    return [
        against("B1", "relay, ordered", mine, ordered, "faststream-outbox, 1 worker", at_least=20, unit=unit),
        against("B1b", "relay", mine, at_once, "faststream-outbox, 20 workers", at_least=8, unit=unit),
        against("B2", "relay", mine, bare, "raw aiokafka send + gather", at_least=0.5, unit=unit),
    ]
