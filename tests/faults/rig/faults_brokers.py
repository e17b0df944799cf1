"""What happens to Kafka: brokers killed, restarted, frozen, a leader that moves, a topic that is empty again."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from chassis import kafka_admin
from rig.fault import fault
from rig.foreign import leader_of
from rig.healing import reconcile
from rig.standing import Standing


async def told(standing: Standing, verb: Callable[[int], None], node: int) -> None:
    """Gives an order to a broker, without holding up the loop where that is possible."""
    if standing.broker.from_thread:
        await asyncio.to_thread(verb, node)
    else:
        verb(node)


@asynccontextmanager
async def away(standing: Standing, end: Callable[[int], None], node: int) -> AsyncIterator[None]:
    """One broker is ended; when the block is over it runs again."""
    async with standing.broker_turn:
        standing.note(f"broker {node} goes")
        try:
            await told(standing, end, node)
            yield
        finally:
            await told(standing, standing.broker.start, node)
            standing.note(f"broker {node} is back")


@fault("broker-killed", "a broker is killed (-9) and started", needs="control lasting")
async def killed(standing: Standing, chance: random.Random) -> None:
    async with away(standing, standing.broker.kill, chance.choice(standing.broker.nodes)):
        await asyncio.sleep(chance.uniform(0.5, 4))


@fault("broker-restarted", "a broker is ended in order and started", needs="control lasting")
async def restarted(standing: Standing, chance: random.Random) -> None:
    async with away(standing, standing.broker.stop, chance.choice(standing.broker.nodes)):
        await asyncio.sleep(chance.uniform(0, 2))


@fault("leader-moved", "the leader of a partition hands it on and leaves", needs="control lasting three")
async def leader_moved(standing: Standing, chance: random.Random) -> None:
    topic, partitions = chance.choice(sorted(standing.house.topics().items()))
    partition = chance.randrange(partitions)
    leader = await leader_of(standing.kafka, topic, partition)
    async with away(standing, standing.broker.stop, _node(standing, leader)):
        now = await leader_of(standing.kafka, topic, partition)
        standing.note(f"leader-moved: {topic}/{partition} from {leader} to {now}")
        await asyncio.sleep(chance.uniform(0.5, 3))


@fault("broker-frozen", "a broker is frozen and wakes", needs="control")
async def frozen(standing: Standing, chance: random.Random) -> None:
    node = chance.choice(standing.broker.nodes)
    async with standing.broker_turn:
        standing.note(f"broker-frozen: {node}")
        try:
            await told(standing, standing.broker.pause, node)
            await asyncio.sleep(chance.uniform(1, 6))
        finally:
            await told(standing, standing.broker.resume, node)


@fault("broker-emptied", "the broker is killed and comes back with nothing", needs="forgetful", shares=False)
async def emptied(standing: Standing, chance: random.Random) -> None:
    standing.emptied = True
    async with away(standing, standing.broker.kill, 1):
        await asyncio.sleep(chance.uniform(0, 2))
    standing.foreign.clear()
    await kafka_admin.create_topics(standing.kafka, standing.house.topics())
    await asyncio.sleep(chance.uniform(0, 2))
    standing.note(f"broker-emptied: {await reconcile(standing)} events are sent again")


@fault("topic-recreated", "a topic is deleted and made anew, empty", shares=False)
async def topic_recreated(standing: Standing, chance: random.Random) -> None:
    topic, partitions = chance.choice(sorted(standing.house.topics().items()))
    standing.emptied = True
    async with standing.broker_turn:
        try:
            await kafka_admin.delete_topics(standing.kafka, [topic])
            await asyncio.sleep(chance.uniform(0, 1))
        finally:
            await kafka_admin.create_topics(standing.kafka, {topic: partitions})
        standing.foreign -= {place for place in standing.foreign if place[0] == topic}
    await asyncio.sleep(chance.uniform(0, 2))
    standing.note(f"topic-recreated: {topic}, {await reconcile(standing)} events are sent again")


def _node(standing: Standing, leader: tuple[str, int]) -> int:
    """The number by which a broker is told what to do: its place in the list of servers."""
    servers = standing.house.broker.bootstrap.split(",")
    return standing.broker.nodes[servers.index(f"{leader[0]}:{leader[1]}")]


FAULTS: Final = (killed, restarted, leader_moved, frozen, emptied, topic_recreated)
