"""The subscription over a real broker."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from chassis import kafka_admin
from chassis.applying import BatchLeft
from chassis.database import Transaction
from chassis.embedded import EmbeddedBroker
from chassis.inbox import Batch, Consumers
from chassis.kafka_admin import Broker
from chassis.marks import Arrived
from chassis.relay import Relay
from chassis.subscribe import Subscription
from chassis.testing import Databases
from chassis.topics import load_topics
from contracts.certification import EnterpriseRegistered
from facts import OTHER_FIRM, effects, make_effects, mark, record, registered
from relay_rig import (
    TOPIC,
    counted,
    has,
    hearing,
    listens,
    running,
    said,
    settings_for,
    until,
)


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
        await until(lambda: has(db, 1))
        await until(lambda: counted(db, "parked", 4))
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
        await until(lambda: has(db, 2))
    later = Subscription(db, settings, hearing(), [TOPIC])
    async with running(relay.run, later.run):
        await said(db, "c")
        await until(lambda: has(db, 3))
    assert later.seen_duplicates == 0


async def test_a_consumer_that_gathers_rests_after_a_batch_and_is_no_slower_to_stop(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = await make_database()
    await make_effects(db)
    subscription = Subscription(db, settings_for(clean_topics, kafka_gather=10), hearing(), [TOPIC])
    committed: list[dict[TopicPartition, int]] = []

    async def commit(offsets: dict[TopicPartition, int]) -> None:
        committed.append(offsets)

    async def is_committed() -> bool:
        return bool(committed)

    monkeypatch.setattr(subscription, "_commit", commit)
    await subscription._take([record(registered(name="a"), 1)])
    await until(is_committed)
    resting = subscription._applying
    assert resting is not None
    assert await has(db, 1)
    assert not resting.done()
    subscription._stopping.set()
    await asyncio.wait_for(resting, 5)


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
        await until(lambda: listens(subscription), 60)


async def test_a_consumer_whose_group_never_comes_together_is_built_anew(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = clean_topics
    if not isinstance(broker, EmbeddedBroker):
        pytest.skip("a given Kafka is not ours to stop")
    monkeypatch.setattr("chassis.subscribe.JOIN_SLACK", 0.5)
    db = await make_database()
    settings = settings_for(broker, kafka_max_poll_interval=1, kafka_session_timeout=2, shutdown_deadline=2)
    subscription = Subscription(db, settings, hearing(), [TOPIC])
    seen: list[object] = []

    async def joins() -> bool:
        consumer = subscription._subscriber and subscription._subscriber.consumer
        return consumer is not None and consumer not in seen and consumer._coordinator is not None

    async with running(subscription.run):
        await until(joins)
        broker.pause()  # while the group comes together
        seen.append(subscription._subscriber.consumer)
        assert subscription._silence() is None
        await asyncio.sleep(4)
        broker.resume()
        await until(joins)


async def test_a_topic_made_anew_is_read_from_its_beginning(
    make_database: Databases, clean_topics: Broker
) -> None:
    broker, db = clean_topics, await make_database()
    await make_effects(db)
    settings = settings_for(broker)
    async with running(Relay(db, settings).run, Subscription(db, settings, hearing(), [TOPIC]).run):
        await said(db, "a", "b", "c")
        await until(lambda: has(db, 3))
        await kafka_admin.delete_topics(broker.client, [TOPIC])
        await kafka_admin.create_topics(broker.client, {TOPIC: load_topics()[TOPIC].partitions})
        await said(db, "d")
        await until(lambda: has(db, 4))


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
            await until(lambda: has(db, 1), 25)


async def test_nothing_is_taken_while_the_consumer_is_taken_down(
    make_database: Databases, clean_topics: Broker
) -> None:
    """A batch that was held may have been left; the offsets of a later one would pass over it."""
    db = await make_database()
    await make_effects(db)
    subscription = Subscription(db, settings_for(clean_topics), hearing(), [TOPIC])
    subscription._stopping.set()
    with pytest.raises(BatchLeft):
        await subscription._take((record(registered(), 1),))
    assert await effects(db) == []


async def test_the_next_batch_is_read_while_one_is_applied_and_applied_only_after_it(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = await make_database()
    subscription = Subscription(db, settings_for(clean_topics), hearing(), [TOPIC])
    done = asyncio.Event()
    steps: list[tuple[object, ...]] = []

    async def apply(arrived: Sequence[Arrived]) -> Batch:
        steps.append(("apply", len(arrived)))
        await done.wait()
        return Batch({}, careful=False, give_up=False)

    async def commit(offsets: dict[TopicPartition, int]) -> None:
        steps.append(("commit", *offsets.values()))

    monkeypatch.setattr(subscription, "apply", apply)
    monkeypatch.setattr(subscription, "_commit", commit)
    await subscription._take((record(registered(), 1, offset=0),))
    second = asyncio.ensure_future(subscription._take((record(registered(), 2, offset=1),) * 2))
    await asyncio.sleep(0.05)
    assert (steps, second.done()) == ([("apply", 1)], False)
    done.set()
    await second
    await subscription._settle(5)
    assert [step for step in steps if step[0] == "apply"] == [("apply", 1), ("apply", 2)]
    assert [step for step in steps if step[0] == "commit"] == [("commit", 1), ("commit", 2)]


async def test_after_a_batch_that_was_left_nothing_is_applied_or_committed(
    make_database: Databases, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = await make_database()
    subscription = Subscription(db, settings_for(clean_topics), hearing(), [TOPIC])
    steps: list[str] = []

    async def apply(arrived: Sequence[Arrived]) -> Batch:
        steps.append("apply")
        raise BatchLeft

    async def commit(offsets: dict[TopicPartition, int]) -> None:
        steps.append("commit")

    monkeypatch.setattr(subscription, "apply", apply)
    monkeypatch.setattr(subscription, "_commit", commit)
    await subscription._take((record(registered(), 1),))
    for _ in range(2):
        with pytest.raises(BatchLeft):
            await subscription._take((record(registered(), 2),))
    await subscription._settle(5)
    assert steps == ["apply"]
