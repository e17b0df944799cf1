"""Handlers that fail for one key or are slow, and a process whose clock is off."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final

from rig.fault import ask, fault, until
from rig.healing import set_free
from rig.saying import TOPIC, changed, new_enterprise, registered, say, unreadable
from rig.standing import Standing
from rig.tally import TALLY

_LISTENERS: Final = ("ip-enterprise", "finance-link", "notifier")
_ARRIVES: Final = 8.0
_PARKED: Final = "SELECT 1 FROM parked WHERE consumer = $1 AND topic = $2 AND key = $3 AND reason = 'bug'"


@fault("bug-for-one-key", "a handler fails for one key, until the release is mended and an operator replays")
async def bug_for_one_key(standing: Standing, chance: random.Random) -> None:
    one = standing.choose(chance, *_LISTENERS)
    if one is None:
        return
    listener, key = one.service, new_enterprise(chance)
    everyone = standing.of(listener)
    async with standing.taken(*everyone):
        await asyncio.gather(*(instance.stopped() for instance in everyone))
        for instance in everyone:
            instance.start(FAILPOINTS=f"inbox.inside[{key}]=raise")
        await asyncio.gather(*(instance.up_or_ended() for instance in everyone))
        standing.held.add((listener, TOPIC, key))
        await say(standing, registered(key), changed(key, 1))
        found = await _parked(standing, listener, key)
        await say(standing, changed(key, 2))
        standing.note(f"bug-for-one-key: {listener} {key}, {'parked' if found else 'not yet parked'}")
        await asyncio.sleep(chance.uniform(0, 1))
    await set_free(standing, listener, TOPIC, key)


@fault("unreadable-event", "an event that its listeners cannot read, until an operator gives it up")
async def unreadable_event(standing: Standing, chance: random.Random) -> None:
    key = new_enterprise(chance)
    listeners = [*_LISTENERS, *([TALLY.name] if TALLY.name in standing.instances else [])]
    standing.held |= {(listener, TOPIC, key) for listener in listeners}
    await say(standing, registered(key), unreadable(key, chance))
    for listener in listeners:
        await _parked(standing, listener, key)
    await say(standing, changed(key, 1))
    standing.note(f"unreadable-event: {key}")
    for listener in listeners:
        await set_free(standing, listener, TOPIC, key)


async def _parked(standing: Standing, listener: str, key: str) -> bool:
    async def there() -> bool:
        return bool(await ask(standing, listener, _PARKED, listener, TOPIC, key))

    return await until(there, _ARRIVES)


@fault("slow-consumer", "a consumer takes half a second and more for each batch")
async def slow_consumer(standing: Standing, chance: random.Random) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            seconds = chance.uniform(0.4, 1.5)
            standing.note(f"slow-consumer: {instance.name}, {seconds:.1f} s")
            await instance.stopped()
            instance.start(FAILPOINTS=f"inbox.before_begin=delay:{seconds:.2f}")
            await instance.ready()
            await asyncio.sleep(chance.uniform(2, 4))


@fault("clock-off", "the clock of one process is an hour ahead or behind")
async def clock_off(standing: Standing, chance: random.Random) -> None:
    instance, clock = standing.choose(chance), standing.house.clock_file
    if instance is None or clock is None:
        return
    off = chance.choice([timedelta(hours=1), timedelta(hours=-1)])
    file = standing.house.directory / f"clock-of-{instance.name}"
    file.write_text((datetime.fromisoformat(clock.read_text()) + off).isoformat(), encoding="utf-8")
    async with standing.taken(instance):
        standing.note(f"clock-off: {instance.name}, {off.total_seconds() / 3600:+.0f} h")
        await instance.stopped()
        instance.start(**{f"{instance.prefix}CLOCK_FILE": str(file)})
        await instance.ready()
        await asyncio.sleep(chance.uniform(1, 4))


FAULTS: Final = (bug_for_one_key, unreadable_event, slow_consumer, clock_off)
