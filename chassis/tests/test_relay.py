"""The relay over a real broker."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from chassis.embedded import EmbeddedBroker
from chassis.kafka_admin import Broker
from chassis.outbox import resend
from chassis.relay import Relay
from chassis.sending import in_turn
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.envelope import Envelope
from contracts.finance_link import ReferralOffered
from facts import FIRM, effects, make_effects
from relay_rig import (
    TOPIC,
    counted,
    emptied,
    has,
    hearing,
    records,
    running,
    said,
    settings_for,
    until,
)


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
        await until(lambda: has(db, 1))
        broker.pause()
        await said(db, "during")
        await asyncio.sleep(10)
        broker.resume()
        await said(db, "after")
        await until(lambda: has(db, 3), 60)
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
        await until(lambda: has(db, 2))
        async with db.transaction() as tx:
            assert await resend(tx, [1, 2]) == 2
        await said(db, "c")
        await until(lambda: has(db, 3))
        await until(lambda: emptied(db))
    assert [name for _, name in await effects(db)] == ["a", "b", "c"]
    assert await db.fetchval("SELECT sum(cardinality(event_ids)) FROM seals") == 3


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
            await until(lambda: counted(db, "outbox", 3), 8)
            assert asyncio.get_running_loop().time() - began < 4
        await until(lambda: counted(db, "stuck_topics", 1), 20)
        stuck = await db.fetchrow("SELECT topic, reason FROM stuck_topics")
        assert tuple(stuck or ()) == ("finance-link.bank.newbank", "UnknownTopicOrPartitionError")
        missing.clear()
        await until(lambda: emptied(db), 20)
        await until(lambda: counted(db, "stuck_topics", 0))


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
    monkeypatch.setattr("chassis.relay.asyncio.sleep", at_once)
    with pytest.raises(asyncio.CancelledError):
        await relay.run()


def test_what_was_acknowledged_behind_a_failure_of_its_key_is_sent_again() -> None:
    """Readers outside know no marks: on the topic a number that came late is followed by all behind it."""
    rows: list[Any] = [{"topic": "t", "key": key, "id": n} for n, key in enumerate("aababb")]
    errors: list[BaseException | None] = [None, KafkaError(), None, None, None, None]
    whole = in_turn(list(zip(rows, errors, strict=True)))
    assert [row["id"] for row in whole] == [0, 2, 4, 5]
