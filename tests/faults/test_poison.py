"""Poison on every topic: set aside where it is, and whoever comes after it is served."""

import asyncio
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from test_killed_at_each_step import known_to_all
from way import Way

from chassis.topics import load_topics

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HEARD = {name: topic for name, topic in load_topics().items() if topic.listeners}
POISON: list[tuple[bytes | None, bytes, list[tuple[str, bytes]]]] = [
    (None, b"\xff\xfe not text", []),
    (b"k", b'{"half": ', [("ce_id", b"\xff"), ("ce_type", b"x")]),
    (b"\xff\xff", b"[" * 10_000, [("ce_specversion", b"1.0"), ("", b"")]),
    (b"k", b'{"amount": NaN}', [("ce_sequence", b"-1")]),
    (b"k", b'{"name": "\x00"}', [("x", b"\x00" * 100)]),
    (b"k", b"x" * 900_000, []),
]


async def poison(client: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(**client, max_request_size=1_048_576)
    await producer.start()
    try:
        for topic in HEARD:
            for partition in await producer.partitions_for(topic):
                for key, payload, headers in POISON:
                    await producer.send_and_wait(topic, payload, key, partition=partition, headers=headers)
    finally:
        await producer.stop()


def _has_set_aside(way: Way, service: str, count: int) -> bool:
    rows = way.rows(service, "SELECT count(*) AS n FROM parked WHERE reason = 'unplaced'")
    return bool(rows[0]["n"] == count)


def test_poison_on_every_topic_stops_nobody(way: Way) -> None:
    before = way.register()
    way.until(lambda: known_to_all(way, before), "known to all")
    asyncio.run(poison(way.house.broker.client))
    after = [way.register() for _ in range(6)]
    way.until(lambda: all(known_to_all(way, firm) for firm in after), "known to all")
    way.consent(after[0])
    expected: dict[str, int] = {}
    for topic in HEARD.values():
        for listener in topic.listeners:
            expected[listener] = expected.get(listener, 0) + topic.partitions * len(POISON)
    for service, count in expected.items():
        way.until(partial(_has_set_aside, way, service, count), f"{count} set aside by {service}")
    assert all(service.running and service.ready() for service in way.house.services.values())
    ledger = way.ledger()
    invented = ledger.promises["I3"]
    assert invented.broken > 0, "records that nobody said have to be seen"
    assert {name for name, promise in ledger.promises.items() if promise.broken} <= {"I3", "I5"}, (
        ledger.as_json()
    )
