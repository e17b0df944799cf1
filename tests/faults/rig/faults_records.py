"""Records on the topics that no relay has put there, and events of a later release."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aiokafka import ConsumerRecord

from chassis.sending import envelope_of
from chassis.topics import load_topics, topic_for
from rig.fault import ask, fault
from rig.foreign import Copy, latest, send
from rig.saying import OWNER, TOPIC, EnterpriseAudited, changed, new_enterprise, registered, say
from rig.standing import Standing

HEARD: Final = {name: topic.partitions for name, topic in load_topics().items() if topic.listeners}
_OWNERS: Final = sorted({topic_for(name).owner for name in HEARD})
_LEASE: Final = timedelta(seconds=5)
_TAKE: Final = "UPDATE relay_lease SET holder = $1, expires_at = now() + $2 RETURNING true"
_GIVE_BACK: Final = "UPDATE relay_lease SET expires_at = now() WHERE holder = $1 RETURNING true"
_WAITING: Final = """
SELECT e.* FROM outbox o JOIN events e ON e.id = o.id AND e.recorded_at = o.recorded_at ORDER BY e.id LIMIT 200
"""
_LARGEST: Final = 1_040_000  # with key, headers and framing just below what a broker takes

_DEEP: Final = b"[" * 10_000 + b"]" * 10_000
Shape = tuple[bytes | None, bytes, list[tuple[str, bytes]]]
POISON: Final[list[Shape]] = [
    (None, b"\xff\xfe not text", []),
    (b"k", b'{"half": ', [("ce_id", b"\xff"), ("ce_type", b"x")]),
    (b"\xff\xff", _DEEP, [("ce_specversion", b"1.0"), ("", b"")]),
    (b"k", b'{"amount": NaN}', [("ce_sequence", b"-1")]),
    (b"k", b'{"name": "\x00"}', [("x", b"\x00" * 100)]),
    (b"k", b"{}", [("ce_type", b"cn.huiqi.nobody.nothing.v1"), ("ce_id", b"1")]),
    (b"", b"", []),
    (b"k", b"x" * _LARGEST, []),
]


@fault("duplicates", "records come again, up to five times each")
async def duplicates(standing: Standing, chance: random.Random) -> None:
    copies = await _last_ones(standing, chance)
    chosen = chance.sample(copies, min(len(copies), 12))
    await _send(standing, [copy for copy in chosen for _ in range(chance.randint(1, 5))], "duplicates")


@fault("repeated-in-disorder", "the last records of a topic come again, in another order")
async def repeated_in_disorder(standing: Standing, chance: random.Random) -> None:
    copies = await _last_ones(standing, chance)
    await _send(standing, _shuffled(chance, copies), "repeated-in-disorder")


@fault(
    "reordered",
    "what waits in an outbox comes in disorder, some of it twice, before the relay sends it in order",
)
async def reordered(standing: Standing, chance: random.Random) -> None:
    service, ours = chance.choice(_OWNERS), uuid.UUID(int=chance.getrandbits(128), version=4)
    try:
        await ask(standing, service, _TAKE, ours, _LEASE)
        await asyncio.sleep(0.7)  # the holder looks again after a third of its lease
        if service == OWNER:
            own = new_enterprise(chance)
            await say(standing, registered(own), *(changed(own, number) for number in range(1, 6)))
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        waiting = await ask(standing, service, _WAITING)
        copies = [_as_relayed(row, service) for row in waiting]
        await _send(standing, _shuffled(chance, copies), "reordered")
    finally:
        await ask(standing, service, _GIVE_BACK, ours)


@fault("poison", "records that nobody can read, on any topic")
async def poison(standing: Standing, chance: random.Random) -> None:
    copies = []
    for topic, partitions in chance.sample(sorted(HEARD.items()), 3):
        real = await latest(standing.installation(), topic, 1)
        shapes = [*POISON, _of_another_key(chance.choice(real))] if real else POISON
        for key, payload, headers in chance.sample(shapes, 4):
            copies.append(Copy(topic, key, payload, headers, chance.randrange(partitions)))
    await _send(standing, copies, "poison")


@fault("newer-schema", "events of a later release: a field more, and a type that nobody knows")
async def newer_schema(standing: Standing, chance: random.Random) -> None:
    own = new_enterprise(chance)
    known = await ask(standing, OWNER, "SELECT DISTINCT key FROM events WHERE topic = $1 ORDER BY key", TOPIC)
    keys = [row["key"] for row in known]
    for key in chance.sample(keys, min(3, len(keys))):
        await say(standing, EnterpriseAudited(enterprise_id=key, by="rig"))
    await say(standing, registered(own), changed(own, 7), EnterpriseAudited(enterprise_id=own, by="rig"))
    await asyncio.sleep(chance.uniform(0, 1))
    await say(standing, changed(own, 8))
    standing.note(f"newer-schema: {own} and {len(keys[:3])} others")


async def _last_ones(standing: Standing, chance: random.Random) -> list[Copy]:
    """Copies of the last records of some topic that has any."""
    for topic in chance.sample(sorted(HEARD), len(HEARD)):
        if records := await latest(standing.installation(), topic, 10):
            return [Copy(r.topic, r.key, r.value or b"", list(r.headers), r.partition) for r in records]
    return []


async def _send(standing: Standing, copies: list[Copy], name: str) -> None:
    places = await send(standing.kafka, copies)
    standing.foreign |= set(places)
    standing.note(f"{name}: {len(places)} records")
    await asyncio.sleep(0.5)


def _of_another_key(record: ConsumerRecord) -> Shape:
    """All its headers are well, and the record stands under a key that they do not name."""
    return (b"of-another-key", record.value or b"", list(record.headers))


def _shuffled(chance: random.Random, copies: list[Copy]) -> list[Copy]:
    mixed = [copy for copy in copies for _ in range(chance.choice([1, 1, 2]))]
    chance.shuffle(mixed)
    return mixed


def _as_relayed(row: Mapping[str, Any], service: str) -> Copy:
    headers = envelope_of(row, f"/huiqi/{service}").to_headers()
    return Copy(row["topic"], row["key"].encode(), row["payload"].encode(), headers)


FAULTS: Final = (duplicates, repeated_in_disorder, reordered, poison, newer_schema)
