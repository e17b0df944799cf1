"""The network between a process and its database."""

import asyncio
import random
from typing import Final

from rig.fault import fault
from rig.proxy import Way
from rig.standing import Standing


@fault("network-cut", "a process and its database do not reach each other; what was open is closed")
async def network_cut(standing: Standing, chance: random.Random) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            standing.note(f"network-cut: {instance.name}")
            instance.proxy.cut()
            await asyncio.sleep(chance.uniform(0.3, 5))


@fault("network-to-lost", "nothing reaches the database any more, and nothing is closed")
async def network_to_lost(standing: Standing, chance: random.Random) -> None:
    await _hold(standing, chance, "to")


@fault(
    "network-from-lost", "the database is reached, but none of its answers come back, and nothing is closed"
)
async def network_from_lost(standing: Standing, chance: random.Random) -> None:
    await _hold(standing, chance, "from")


async def _hold(standing: Standing, chance: random.Random, way: Way) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            closes = chance.random() < 0.5
            standing.note(f"network: {instance.name}, {way} the database{', then closed' if closes else ''}")
            instance.proxy.hold(way)
            await asyncio.sleep(chance.uniform(0.5, 7))
            if closes:
                instance.proxy.drop()


@fault("network-slow", "every packet between a process and its database is late")
async def network_slow(standing: Standing, chance: random.Random) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            standing.note(f"network-slow: {instance.name}")
            instance.proxy.delay(chance.uniform(0.02, 0.4))
            await asyncio.sleep(chance.uniform(2, 6))


FAULTS: Final = (network_cut, network_to_lost, network_from_lost, network_slow)
