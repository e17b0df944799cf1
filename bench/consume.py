"""B3, B4: consume with effect once, beside FastStream one message a transaction and beside raw aiokafka."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from faststream.kafka import KafkaBroker
from faststream.middlewares import AckPolicy
from ground import Ground, Measured, facts, publish, until_empty
from rows import Row, against

from chassis.database import Database, Transaction
from chassis.garbage import spare_the_collector
from chassis.inbox import Consumers, Received
from chassis.relay import Relay
from chassis.subscribe import Subscription

EVENTS = 20_000
PEER_EVENTS = 2_000
UPSERT = (
    "INSERT INTO balances (key, seen) SELECT key, count(*) FROM unnest($1::text[]) AS w(key) GROUP BY key"
    " ON CONFLICT (key) DO UPDATE SET seen = balances.seen + excluded.seen"
)


async def _fill(ground: Ground, events: int) -> None:
    db = await ground.database()
    await ground.topic()
    await publish(db, facts(events))
    task = asyncio.create_task(Relay(db, ground.settings).run())
    await until_empty(db, "outbox")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await db.close()


async def _target(ground: Ground) -> Database:
    db = await ground.database()
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE balances (key text PRIMARY KEY, seen bigint NOT NULL)")
    return db


async def _until_seen(db: Database, events: int) -> None:
    while (await db.fetchval("SELECT coalesce(sum(seen), 0) FROM balances")) < events:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def bulk(group: str) -> Consumers:
    consumers = Consumers(group)

    @consumers.on_batch(Measured)
    async def note(events: Sequence[Received[Measured]], tx: Transaction) -> None:
        await tx.execute(UPSERT, [one.event.key_of for one in events])

    return consumers


def one_by_one(group: str) -> Consumers:
    consumers = Consumers(group)

    @consumers.on(Measured)
    async def note(event: Measured, tx: Transaction) -> None:
        await tx.execute(UPSERT, [event.key_of])

    return consumers


async def ours(ground: Ground, consumers: Consumers) -> float:
    """Events per second, from the first fetch on: the group's joining is not counted."""
    db = await _target(ground)
    subscription = Subscription(db, ground.settings, consumers, [Measured.topic_template])
    task = asyncio.create_task(subscription.run())
    began = await _first(db)
    await _until_seen(db, EVENTS)
    took = time.perf_counter() - began
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await db.close()
    return EVENTS / took


async def _first(db: Database) -> float:
    while not await db.fetchval("SELECT EXISTS (SELECT FROM balances)"):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    return time.perf_counter()


async def faststream(ground: Ground, group: str) -> float:
    """FastStream's own way: one message, one transaction, one acknowledgement."""
    db = await _target(ground)
    broker = KafkaBroker(ground.settings.kafka_bootstrap, logger=None)

    @broker.subscriber(
        Measured.topic_template, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.ACK
    )
    async def note(body: dict[str, str]) -> None:
        async with db.transaction() as tx:
            await tx.execute(UPSERT, [body["key_of"]])

    await broker.start()
    began = await _first(db)
    await _until_seen(db, PEER_EVENTS)
    took = time.perf_counter() - began
    await broker.stop()
    await db.close()
    return PEER_EVENTS / took


async def raw(ground: Ground, group: str) -> float:
    """Aiokafka's getmany and one statement a batch, with no mark at all."""
    db = await _target(ground)
    consumer = AIOKafkaConsumer(
        Measured.topic_template,
        **ground.client,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    seen, began = 0, 0.0
    while seen < EVENTS:
        batches = await consumer.getmany(timeout_ms=200, max_records=500)
        records = [record for batch in batches.values() for record in batch]
        if not records:
            continue
        began = began or time.perf_counter()
        async with db.transaction() as tx:
            await tx.execute(UPSERT, [Measured.read(record.value).key_of for record in records])
        await consumer.commit()
        seen += len(records)
    took = time.perf_counter() - began
    await consumer.stop()
    await db.close()
    return EVENTS / took


async def _rounds(rounds: int, run: Callable[[str], Awaitable[float]], name: str) -> list[float]:
    return [await run(f"{name}-{time.time_ns()}") for _ in range(rounds)]


async def measure(ground: Ground, rounds: int) -> list[Row]:
    spare_the_collector()  # as a service does; the peers run in this process and gain by it too
    await _fill(ground, EVENTS)
    await ours(ground, bulk(f"warm-{time.time_ns()}"))
    in_bulk = await _rounds(rounds, lambda group: ours(ground, bulk(group)), "bulk")
    singly = await _rounds(rounds, lambda group: ours(ground, one_by_one(group)), "singly")
    bare = await _rounds(rounds, lambda group: raw(ground, group), "raw")
    peer = await _rounds(rounds, lambda group: faststream(ground, group), "faststream")
    unit, name = "events/s", "FastStream, one transaction and ack a message"
    return [
        against("B3", "consume, effect once, bulk handler", in_bulk, peer, name, at_least=10, unit=unit),
        against("B3b", "consume, effect once, per-event handler", singly, peer, name, at_least=4, unit=unit),
        against(
            "B4", "consume, bulk", in_bulk, bare, "raw getmany + one unnest a batch", at_least=0.5, unit=unit
        ),
    ]
