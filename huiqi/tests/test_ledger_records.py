"""The promises as far as Kafka's records show them: forged, reordered and lost ones."""

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from chassis import kafka_admin
from chassis.sending import envelope_of
from huiqi.ledger import check
from huiqi.promises_records import Order
from small_town import FIRMS, TITLES, Town, granted

FIRM = FIRMS[0]


async def broken(town: Town) -> dict[str, int]:
    found = await check(town.installation)
    return {name: promise.broken for name, promise in found.promises.items() if promise.broken}


async def sent(town: Town, key: str, payload: bytes, headers: list[tuple[str, bytes]]) -> None:
    async with AIOKafkaProducer(**town.broker.client) as producer:
        await producer.send_and_wait(TITLES, payload, key.encode(), headers=headers)


async def record_of(town: Town, sequence: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    row = await town.databases["certification"].fetchrow(
        "SELECT * FROM events WHERE key = $1 AND sequence = $2", FIRM, sequence
    )
    assert row is not None
    return row["payload"].encode(), envelope_of(row, "/huiqi/certification").to_headers()


async def test_every_kind_of_forged_record_is_reported_and_a_true_one_twice_is_not(own_town: Town) -> None:
    async with own_town.at_work():
        await own_town.grant(FIRM, FIRM)
        assert await own_town.rests()
        payload, headers = await record_of(own_town, 1)
        await sent(own_town, FIRM, payload, headers)
        assert await own_town.rests()
        assert await broken(own_town) == {}
        other_id = [(n, b"0" * 8 + v[8:] if n == "ce_id" else v) for n, v in headers]
        forged: list[tuple[bytes, list[tuple[str, bytes]]]] = [
            (granted(FIRM).payload(), headers),
            (payload, other_id),
            (payload, [(n, v[:-1] + b"9" if n == "ce_sequence" else v) for n, v in headers]),
            (payload, [(n, v.replace(b"granted", b"revoked") if n == "ce_type" else v) for n, v in headers]),
            (payload, headers[1:]),
        ]
        for count, (value, given) in enumerate(forged, 1):
            await sent(own_town, FIRM, value, given)
            assert await own_town.rests()
            assert (await broken(own_town))["I3"] == count


async def test_records_that_came_in_another_order_are_reported(own_town: Town) -> None:
    await own_town.grant(FIRM, FIRM)
    await own_town.write("certification", "DELETE FROM outbox")
    for sequence in (2, 1):
        await sent(own_town, FIRM, *await record_of(own_town, sequence))
    assert (await broken(own_town))["I4"] == 1
    await sent(own_town, FIRM, *await record_of(own_town, 2))
    assert "I4" not in await broken(own_town), "a repetition up to the end puts it right for every reader"


async def test_records_named_as_somebody_else_s_are_counted_and_held_against_nobody(own_town: Town) -> None:
    await own_town.grant(FIRM, FIRM)
    await own_town.write("certification", "DELETE FROM outbox")
    payload, headers = await record_of(own_town, 1)
    async with AIOKafkaProducer(**own_town.broker.client) as producer:
        forged = await producer.send_and_wait(TITLES, payload, FIRM.encode(), headers=headers[1:])
    for sequence in (2, 1):
        await sent(own_town, FIRM, *await record_of(own_town, sequence))
    partition, offset = forged.partition, forged.offset
    found = await check(
        own_town.installation, foreign=[(TITLES, partition, offset), (TITLES, partition, offset + 1)]
    )
    assert (found.promises["I3"].broken, found.promises["I4"].broken) == (0, 0)
    assert found.promises["I3"].notes == ["2 records that were named as somebody else's are left out"]
    found = await check(own_town.installation)
    assert (found.promises["I3"].broken, found.promises["I4"].broken) == (1, 1)


async def test_a_topic_that_is_gone_is_reported(own_town: Town) -> None:
    async with own_town.at_work():
        await own_town.grant(FIRM)
        assert await own_town.rests()
    assert await broken(own_town) == {}
    await kafka_admin.delete_topics(own_town.broker.client, [TITLES])
    found = await check(own_town.installation)
    assert "the topic does not exist" in [finding["why"] for finding in found.promises["I5"].findings]


@pytest.mark.parametrize(
    ("numbers", "out_of_order"),
    [
        ([1, 2, 3], 0),
        ([4, 5, 6], 0),
        ([1, 1, 2, 1, 2, 3, 3], 0),
        ([1, 3], 0),
        ([1, 3, 2], 1),
        ([1, 3, 2, 3], 0),
        ([1, 2, 5, 3, 4, 5, 6], 0),
        ([1, 2, 5, 3, 4, 6], 1),
        ([1, 2, 5, 3, 5], 1),
        ([1, 5, 3, 4, 2, 3, 4, 5], 0),
        ([4, 5, 2, 3, 4, 5], 0),
        ([4, 5, 2, 3], 1),
        ([2, 1], 1),
    ],
)
def test_a_number_may_come_late_only_where_all_behind_it_come_again(
    numbers: list[int], out_of_order: int
) -> None:
    order: Any = None
    found = 0
    for number in numbers:
        if order is None:
            order = Order(number, number)
        else:
            found += not order.take(number)
    assert found + (order.repeats is not None) == out_of_order
