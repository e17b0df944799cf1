"""A record that aiokafka cannot read: the name of a header is not UTF-8."""

import struct

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from chassis.kafka_admin import Broker
from chassis.relay import Relay
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.envelope import Event
from facts import OTHER_FIRM, effects, make_effects, record, registered
from relay_rig import TOPIC, counted, has, hearing, running, said, settings_for, until

PLACEHOLDER = "not-utf-8"
CRC_AT, CRC_FROM = 17, 21


def spoiled(batch: bytes) -> bytes:
    """The record batch with the placeholder's first byte made one that begins no character."""
    spoilt = bytearray(batch.replace(PLACEHOLDER.encode(), b"\xff" + PLACEHOLDER[1:].encode()))
    struct.pack_into(">I", spoilt, CRC_AT, calc_crc32c(bytes(spoilt[CRC_FROM:])))
    return bytes(spoilt)


async def poison(broker: Broker, *events: tuple[Event, bool]) -> None:
    """Sends the events in one batch; where told so, with a header whose name nobody can read."""
    producer = AIOKafkaProducer(**broker.client)
    await producer.start()
    batch = producer.create_batch()
    for event, unreadable in events:
        good = record(event, 1)
        headers = [*good.headers, (PLACEHOLDER, b"x")] if unreadable else list(good.headers)
        batch.append(timestamp=None, key=good.key, value=good.value, headers=headers)
    built = batch._build()
    batch._build = lambda: spoiled(bytes(built))
    await (await producer.send_batch(batch, TOPIC, partition=0))
    await producer.stop()


async def test_a_header_name_that_is_not_utf8_holds_nobody_and_loses_nothing(
    make_database: Databases, clean_topics: Broker
) -> None:
    db = await make_database(service="certification")
    await make_effects(db)
    settings = settings_for(clean_topics)
    third, fourth = "91441702MA4UABCF1H", "91441702MA4UABCG1J"
    await poison(
        clean_topics,
        (registered(OTHER_FIRM, "before"), False),
        (registered(third, "unreadable"), True),
        (registered(fourth, "behind it"), False),
    )
    relay = Relay(db, settings)
    async with running(relay.run, Subscription(db, settings, hearing(), [TOPIC]).run):
        await said(db, "a", "b")
        await until(lambda: has(db, 3))
        await until(lambda: counted(db, "parked", 2))
    assert sorted(name for _, name in await effects(db)) == ["a", "b", "before"]
    aside = await db.fetch('SELECT reason, "offset", headers FROM parked ORDER BY "offset"')
    assert [(row["reason"], row["offset"]) for row in aside] == [("unplaced", 1), ("unplaced", 2)]
    assert all("utf-8" in row["headers"]["unreadable"] for row in aside)
