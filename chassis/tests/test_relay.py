"""The relay and the subscription over a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError

from chassis.database import Database, Transaction
from chassis.embedded import EmbeddedBroker
from chassis.inbox import Consumers
from chassis.kafka_admin import Broker
from chassis.outbox import Relay, resend
from chassis.settings import ServiceSettings
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.certification import EnterpriseRegistered
from contracts.envelope import Envelope
from contracts.finance_link import ReferralOffered
from facts import FIRM, OTHER_FIRM, effects, make_effects, mark, record, registered

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


async def test_what_was_committed_reaches_kafka_in_order_with_its_envelope(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database(service="certification")
    relay = Relay(db, settings_for(clean_topics))
    db.wake = relay.wake
    async with running(relay.run):
        await said(db, "a", "b")
        await said(db, "c")
        await until(lambda: emptied(db))
    got = [Envelope.from_headers(r.topic, r.headers) for r in await records(clean_topics, 3)]
    assert [(e.key, e.sequence, e.source) for e in got] == [
        (FIRM, n, "/huiqi/certification") for n in (1, 2, 3)
    ]


async def test_only_one_relay_is_active_and_a_second_takes_over(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    settings = settings_for(clean_topics, relay_lease=1.0)
    first, second = Relay(db, settings), Relay(db, settings)
    assert await first._hold_lease()
    assert not await second._hold_lease()
    await until(second._hold_lease, 5)
    first._lease_ends = 0
    assert not await first._hold_lease()


async def test_two_relays_that_both_send_seal_each_event_once(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    await said(db, *map(str, range(50)))
    relays = [Relay(db, settings_for(clean_topics)) for _ in range(2)]
    for relay in relays:
        relay._lease_ends = float("inf")
    async with running(*(relay.run for relay in relays)):
        await until(lambda: emptied(db))
    sealed = await db.fetch("SELECT unnest(event_ids) AS id FROM seals")
    assert sorted(r["id"] for r in sealed) == list(range(1, 51))


async def test_ten_seconds_without_the_broker_lose_nothing_and_park_nothing(
    make_database: Databases, clean_topics: Broker
) -> None:
    broker = clean_topics
    if not isinstance(broker, EmbeddedBroker):
        pytest.skip("a given Kafka is not ours to stop; tests/faults does it")
    db = await make_database()
    await make_effects(db)
    settings = settings_for(broker)
    relay, subscription = Relay(db, settings), Subscription(db, settings, hearing(), [TOPIC])
    async with running(relay.run, subscription.run):
        await said(db, "before")
        await until(lambda: _has(db, 1))
        broker.pause()
        await said(db, "during")
        await asyncio.sleep(10)
        broker.resume()
        await said(db, "after")
        await until(lambda: _has(db, 3), 60)
    assert [name for _, name in await effects(db)] == ["before", "during", "after"]
    assert await db.fetchval("SELECT count(*) FROM parked") == 0


async def test_a_topic_that_came_back_empty_is_filled_again_and_nothing_is_done_twice(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    await make_effects(db)
    settings = settings_for(clean_topics)
    relay, subscription = Relay(db, settings), Subscription(db, settings, hearing(), [TOPIC])
    async with running(relay.run, subscription.run):
        await said(db, "a", "b")
        await until(lambda: _has(db, 2))
        async with db.transaction() as tx:
            assert await resend(tx, [1, 2]) == 2
        await said(db, "c")
        await until(lambda: _has(db, 3))
        await until(lambda: emptied(db))
    assert [name for _, name in await effects(db)] == ["a", "b", "c"]
    assert await db.fetchval("SELECT sum(cardinality(event_ids)) FROM seals") == 3


async def test_poison_in_headers_and_payload_goes_by_and_good_events_are_applied(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    await make_effects(db)
    producer = AIOKafkaProducer(**clean_topics.client)
    await producer.start()
    good = record(registered(name="good"), 1)
    bad = record(registered(OTHER_FIRM), 1)
    await producer.send_and_wait(TOPIC, b"\xff", b"k", headers=[("ce_id", b"\xff\xfe"), ("x\u0000", b"")])
    await producer.send_and_wait(TOPIC, b"")
    await producer.send_and_wait(TOPIC, b"\xff\xff", bad.key, headers=list(bad.headers))
    await producer.send_and_wait(TOPIC, good.value, b"another key", headers=list(good.headers))
    await producer.send_and_wait(TOPIC, good.value, good.key, headers=list(good.headers))
    await producer.stop()
    async with running(Subscription(db, settings_for(clean_topics), hearing(), [TOPIC]).run):
        await until(lambda: _has(db, 1))
        await until(lambda: _count(db, "parked", 4))
    assert [name for _, name in await effects(db)] == ["good"]
    assert await mark(db, TOPIC, OTHER_FIRM) == (0, True, False)


async def test_offsets_are_committed_so_that_a_new_member_starts_where_the_last_ended(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    await make_effects(db)
    settings = settings_for(clean_topics)
    relay = Relay(db, settings)
    async with running(relay.run, Subscription(db, settings, hearing(), [TOPIC]).run):
        await said(db, "a", "b")
        await until(lambda: _has(db, 2))
    later = Subscription(db, settings, hearing(), [TOPIC])
    async with running(relay.run, later.run):
        await said(db, "c")
        await until(lambda: _has(db, 3))
    assert later.seen_duplicates == 0


async def test_a_consumer_without_a_broker_never_looks_well(
    make_database: Databases, clean_topics: Broker
) -> None:
    broker = clean_topics
    if not isinstance(broker, EmbeddedBroker):
        pytest.skip("a given Kafka is not ours to stop")
    db = await make_database()
    subscription = Subscription(db, settings_for(broker), hearing(), [TOPIC])
    broker.pause()
    async with running(subscription.run):
        await asyncio.sleep(4)
        assert subscription.silent_for() > 3
        broker.resume()
        await until(lambda: _heard(subscription), 60)


async def test_a_consumer_that_parked_too_many_keys_stops_and_leaves_its_group_to_others(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database()
    await make_effects(db)
    broken = Consumers("testing")

    @broken.on(EnterpriseRegistered)
    async def fail(event: EnterpriseRegistered, tx: Transaction) -> None:
        raise KeyError(event.name)

    settings = settings_for(clean_topics, max_parked_keys=1)
    stopping = Subscription(db, settings, broken, [TOPIC])
    async with running(Relay(db, settings).run):
        await said(db, "a")
        await said(db, "b", enterprise_id=OTHER_FIRM)
        await said(db, "c", enterprise_id="91441702MA4UABCF1H")
        async with asyncio.timeout(40):
            await stopping.run()
        assert "parked in a row" in stopping.stopped_because
        async with running(Subscription(db, settings, hearing(), [TOPIC]).run):
            await said(db, "d", enterprise_id="91441702MA4UABCG1J")
            await until(lambda: _has(db, 1), 25)


async def _heard(subscription: Subscription) -> bool:
    return subscription.silent_for() < 2


async def _has(db: Database, n: int) -> bool:
    return await _count(db, "effects", n)


async def _count(db: Database, table: str, n: int) -> bool:
    return bool(await db.fetchval(f"SELECT count(*) FROM {table}") == n)


def offered(bank: str, amount: int = 1) -> ReferralOffered:
    return ReferralOffered(
        referral_id=uuid4(), bank_id=bank, product_id="p", consent_id=uuid4(), purpose="credit",
        amount=Decimal(amount), term_months=12, facts={},
    )  # fmt: skip


async def test_a_topic_that_does_not_exist_holds_its_own_events_only_and_says_so(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, look_up = {"finance-link.bank.newbank"}, AIOKafkaClient._wait_on_metadata

    async def without_it(client: AIOKafkaClient, topic: str) -> set[int]:
        # The embedded broker makes every topic it is asked for; Kafka lets aiokafka ask for 15 s.
        if topic in missing:
            await asyncio.sleep(15)
            raise UnknownTopicOrPartitionError
        partitions: set[int] = await look_up(client, topic)
        return partitions

    monkeypatch.setattr(AIOKafkaClient, "_wait_on_metadata", without_it)
    db = await make_database(service="finance-link")
    async with db.transaction() as tx:
        tx.publish(*(offered("newbank", n) for n in range(1, 4)))
    relay = Relay(db, settings_for(clean_topics))
    db.wake = relay.wake
    async with running(relay.run):
        for name in ("a", "b", "c"):
            began = asyncio.get_running_loop().time()
            await said(db, name)
            await until(lambda: _count(db, "outbox", 3), 8)
            assert asyncio.get_running_loop().time() - began < 4
        await until(lambda: _count(db, "stuck_topics", 1), 20)
        stuck = await db.fetchrow("SELECT topic, reason FROM stuck_topics")
        assert tuple(stuck or ()) == ("finance-link.bank.newbank", "UnknownTopicOrPartitionError")
        missing.clear()
        await until(lambda: emptied(db), 20)
        await until(lambda: _count(db, "stuck_topics", 0))


async def test_an_outage_longer_than_a_thousand_tries_does_not_end_the_relay(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = await make_database()
    relay, tries = Relay(db, settings_for(clean_topics)), 0

    async def away() -> int:
        nonlocal tries
        tries += 1
        if tries > 1_100:
            raise asyncio.CancelledError
        raise OSError

    async def at_once(_seconds: float) -> None:
        return None

    monkeypatch.setattr(relay, "_step", away)
    monkeypatch.setattr(relay, "_rest", at_once)
    monkeypatch.setattr("chassis.outbox.asyncio.sleep", at_once)
    with pytest.raises(asyncio.CancelledError):
        await relay.run()
