"""Who goes first in the relay, who is left alone, and who is not waited for."""

import asyncio
import hashlib
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner

from chassis import relay as relay_module
from chassis import sending
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.kafka_admin import Broker
from chassis.relay import Relay
from chassis.seals import digest
from chassis.stuck import SETTLED, StuckTopics
from chassis.testing import Databases
from facts import OTHER_FIRM, granted
from relay_rig import emptied, records, running, said, settings_for, until

ENTERPRISES, TITLES = "certification.enterprises", "certification.titles"


def ids(rows: list[asyncpg.Record]) -> list[int]:
    return [row["id"] for row in rows]


async def titled(db: Database, times: int) -> None:
    async with db.transaction() as tx:
        tx.publish(*(granted() for _ in range(times)))


@pytest.fixture
async def db(make_database: Databases) -> Database:
    return await make_database(service="certification")


async def test_an_event_committed_after_a_later_one_was_read_is_read_before_those_behind_it(
    db: Database, clean_topics: Broker
) -> None:
    relay = Relay(db, settings_for(clean_topics))
    await said(db, *"abcd")
    async with db.transaction() as tx:  # as if 2 were written and not committed yet, 4 not written
        await tx.execute("DELETE FROM outbox WHERE id IN (2, 4)")
    first = await relay._claim(frozenset(), [])
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO outbox SELECT id, recorded_at FROM events WHERE id IN (2, 4)")
    assert (ids(first), ids(await relay._claim(frozenset(), first))) == ([1, 3], [2, 4])


async def test_a_batch_ends_where_its_bytes_do_and_holds_one_event_at_least(
    db: Database, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(db, settings_for(clean_topics))
    await said(db, *"abcd")
    size = await db.fetchval("SELECT octet_length(payload::text) FROM events LIMIT 1")
    for bound, expected in ((1, [1]), (size, [1]), (size + 1, [1, 2]), (size * 4, [1, 2, 3, 4])):
        monkeypatch.setattr(relay_module, "BATCH_BYTES", bound)
        assert ids(await relay._claim(frozenset(), [])) == expected


async def test_a_topic_left_alone_when_a_step_begins_is_left_alone_until_it_ends(
    db: Database, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its later events would go before those that the step has passed."""
    relay, sent = Relay(db, settings_for(clean_topics)), []
    await titled(db, 2)
    await said(db, *"abcd")
    await titled(db, 2)
    monkeypatch.setattr(relay_module, "BATCH", 2)

    async def send(rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        sent.append(ids(rows))
        relay._stuck._failures.clear()  # its time is up while the first batch is on its way
        return rows

    monkeypatch.setattr(relay, "_send", send)
    relay._stuck.note({TITLES: KafkaTimeoutError()}, [TITLES])
    await relay._step()
    assert sent == [[3, 4], [5, 6]]
    await relay._step()
    assert sent[2:] == [[1, 2], [7, 8]]


async def test_a_relay_that_stops_gives_its_lease_back(db: Database, clean_topics: Broker) -> None:
    first, second = (Relay(db, settings_for(clean_topics, relay_lease=60)) for _ in range(2))
    async with running(first.run):
        await said(db, "a")
        await until(lambda: emptied(db))
        assert not await second._hold_lease()
    assert await second._hold_lease()
    await first._leave()
    assert not await Relay(db, settings_for(clean_topics))._hold_lease()


async def others_gone(db: Database) -> bool:
    sql = "SELECT count(*) = 0 FROM outbox JOIN events USING (id) WHERE topic <> $1"
    return bool(await db.fetchval(sql, ENTERPRISES))


async def test_a_partition_without_an_answer_is_not_waited_for_and_is_taken_up_when_it_answers(
    db: Database, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, send_batch, tries = asyncio.Event(), AIOKafkaProducer.send_batch, 0

    async def slowly(producer: AIOKafkaProducer, batch: Any, topic: str, *, partition: int) -> Any:
        nonlocal tries
        if topic == ENTERPRISES:
            tries += 1
            await answers.wait()
        return await send_batch(producer, batch, topic, partition=partition)

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", slowly)
    monkeypatch.setattr(sending, "PATIENCE", 0.2)
    relay = Relay(db, settings_for(clean_topics))
    db.wake = relay.wake
    async with running(relay.run):
        await said(db, *"ab")
        for name in "cde":
            await titled(db, 1)
            await until(lambda: others_gone(db), 10)
            await said(db, name, enterprise_id=OTHER_FIRM)
        assert tries == 1  # neither sent again nor overtaken by a later one
        assert await db.fetchval("SELECT count(*) FROM stuck_topics") == 0
        answers.set()
        await until(lambda: emptied(db), 10)
    assert len(await records(clean_topics, 5)) == 5


def test_what_is_left_alone_at_the_head_of_the_outbox_is_not_read_again_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, topics, held = 0.0, StuckTopics(), frozenset({"a"})
    monkeypatch.setattr("chassis.stuck.time.monotonic", lambda: now)
    for at, newest in ((1.0, 100), (30.0, 5_000), (50.0, 9_000)):
        now = at
        topics.pass_over(held, newest, None)
        assert topics.passed(held) == 0  # what was just seen may still be overtaken by a lower id
    now = 1.5 + SETTLED
    topics.pass_over(held, 10_000, 90)
    assert topics.passed(held) == 89  # the first event of a topic that goes on
    assert topics.passed(frozenset({"a", "b"})) == 89
    assert topics.passed(frozenset({"b"})) == 0
    assert topics.passed(frozenset()) == 0
    now += SETTLED
    assert topics.passed(held) == 0  # what was put back since is found


async def test_a_claim_passes_over_what_is_known_to_be_left_alone(db: Database, clean_topics: Broker) -> None:
    relay, held = Relay(db, settings_for(clean_topics)), frozenset({TITLES})
    await titled(db, 3)
    await said(db, "a")
    assert ids(await relay._claim(held, [])) == [4]
    relay._stuck._seen[0] = (-2 * SETTLED, 3)
    await relay._claim(held, [])
    assert relay._stuck.passed(held) == 3
    assert ids(await relay._claim(held, [])) == [4]
    assert ids(await relay._claim(frozenset(), [])) == [1, 2, 3, 4]


def test_a_key_lies_where_any_other_client_of_kafka_puts_it() -> None:
    others = DefaultPartitioner()
    for key in ("", "a", "91350100M000100Y43", "企业", "k" * 500):
        for count in (1, 6, 7):
            partitions = list(range(count))
            assert partitions[sending._hash(key) % count] == others(key.encode(), partitions, partitions)


def test_a_link_of_the_chain_is_the_digest_of_every_column_as_json() -> None:
    row: Any = {
        "id": 1, "event_id": asyncpg.pgproto.pgproto.UUID("01564b0e-0c00-7000-8000-000000000001"), "topic": "t",
        "key": "企", "sequence": 2, "type": "y", "actor": "officer:li", "traceparent": None, "caused_by": "a/b/1",
        "payload": '{"a": 1}', "occurred_at": datetime(2016, 8, 1, tzinfo=UTC),
        "recorded_at": datetime(2016, 8, 1, 2, 3, 4, 50, tzinfo=UTC),
    }  # fmt: skip
    text = (
        '[1,"01564b0e-0c00-7000-8000-000000000001","t","企",2,"y","officer:li",null,"a/b/1","{\\"a\\": 1}",'
        '"2016-08-01T00:00:00+00:00","2016-08-01T02:03:04.000050+00:00"]'
    )
    assert digest(b"before", [row]) == hashlib.sha256(b"before" + text.encode()).digest()
    assert digest(b"before", [{**row, "event_id": UUID(str(row["event_id"]))}]) == digest(b"before", [row])


async def test_a_single_event_is_sealed_with_those_after_it_or_when_nothing_comes(
    db: Database, clean_topics: Broker
) -> None:
    relay = Relay(db, settings_for(clean_topics))
    relay._sealed_at = time.monotonic() + 60
    await said(db, "a")
    assert await relay._step() == 1
    await said(db, "b")
    assert await relay._step() == 1
    assert not await emptied(db)
    assert await relay._step() == 0
    assert await emptied(db)
    assert await db.fetchval("SELECT array_agg(cardinality(event_ids)) FROM seals") == [2]
    assert len(await records(clean_topics, 2)) == 2
    await relay._drop_producer()


async def test_what_could_not_be_sealed_is_sealed_later_and_not_sent_again(
    db: Database, clean_topics: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(db, settings_for(clean_topics))

    async def away(*_: object) -> None:
        raise Unavailable("the database is away")

    await said(db, "a")
    with monkeypatch.context() as broken:
        broken.setattr("chassis.relay.seal", away)
        with pytest.raises(Unavailable):
            await relay._step()
    await said(db, "b")
    async with running(relay.run):
        await until(lambda: emptied(db))
    assert [record.offset for record in await records(clean_topics, 2)] == [0, 1]
