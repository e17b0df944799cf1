"""Processes that are killed, ended in order, or frozen and wake."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from rig.fault import Fault, ask, fault, until
from rig.faults_brokers import told
from rig.instance import Instance
from rig.standing import Standing

POINTS: Final = {
    "publish.before_commit": "before COMMIT",
    "publish.after_commit": "after COMMIT, before the answer",
    "relay.after_claim": "in the relay, with a batch in hand",
    "relay.after_send": "in the relay, before Kafka has acknowledged",
    "relay.after_ack": "in the relay, after the acknowledgement, before the rows are deleted",
    "inbox.before_begin": "in a consumer, before BEGIN",
    "inbox.inside": "in a consumer, inside its transaction",
    "inbox.after_commit": "in a consumer, after COMMIT",
    "inbox.before_offsets": "in a consumer, before the offsets are committed",
    "deadline.before_commit": "while a deadline fires",
    "delivery.before_row": "after a message has left, before its row is written",
}
RELAY_LEASE: Final = 2.0
LONGER_THAN_A_POLL: Final = (6.5, 8.0)
_REACHED: Final = 4.0
_OF_ALL: Final = ("relay", "deadline", "delivery")  # one process at a time gets there, and nobody says which
_TITLES: Final = ("certification", "ip-enterprise")
_WHO: Final = {
    "publish": (*_TITLES, "finance-link", "notifier"), "relay": (*_TITLES, "finance-link", "notifier"),
    "deadline": (*_TITLES, "finance-link"), "delivery": ("notifier",),
}  # fmt: skip


@fault("kill", "processes are killed (-9) at random moments")
async def kill(standing: Standing, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        await asyncio.sleep(chance.uniform(0, 0.8))
        if instance := standing.choose(chance):
            async with standing.taken(instance):
                standing.note(f"kill: {instance.name}")
                instance.kill()
                await asyncio.sleep(chance.uniform(0, 0.5))


def _kill_at(point: str, where: str) -> Fault:
    @fault(f"kill:{point}", f"a process is killed {where}")
    async def strike(standing: Standing, chance: random.Random) -> None:
        instances = _who_gets_there(standing, chance, point)
        async with standing.taken(*instances):
            await _arm(instances, f"{point}=kill@{chance.randint(1, 3)}")
            waits = [i.until_paused_or_gone(_REACHED) for i in instances]
            reached = await asyncio.gather(*waits)
            names = [i.name for i, is_gone in zip(instances, reached, strict=True) if is_gone]
            standing.note(f"kill:{point}: {', '.join(names) or 'not reached'}")

    return strike


def _stop_in_consumer(point: str, where: str) -> Fault:
    @fault(f"stop:{point}", f"a process is frozen {where}, for longer than its group waits for it")
    async def strike(standing: Standing, chance: random.Random) -> None:
        await _freeze_at(standing, chance, point, _who_gets_there(standing, chance, point)[:1])

    return strike


async def _freeze_at(
    standing: Standing, chance: random.Random, point: str, instances: Sequence[Instance]
) -> None:
    async with standing.taken(*instances):
        await _arm(instances, f"{point}=stop@{chance.randint(1, 3)}")
        for instance in instances:
            if await instance.until_paused_or_gone(_REACHED):
                standing.note(f"stop:{point}: {instance.name}")
                await asyncio.sleep(chance.uniform(*LONGER_THAN_A_POLL))
                instance.resume()
                await asyncio.sleep(0.5)  # what it does when it wakes


def _stop_in_relay(point: str, where: str) -> Fault:
    @fault(f"stop:{point}", f"a process is frozen {where}; another takes its lease; it wakes and goes on")
    async def strike(standing: Standing, chance: random.Random) -> None:
        pair = standing.choose_pair(chance)
        chance.shuffle(pair)
        async with standing.taken(*pair):
            for zombie in pair[:1]:
                pair[1].kill()  # or it would hold the lease
                await _arm([zombie], f"{point}=stop@{chance.randint(1, 3)}")
                reached = await zombie.until_paused_or_gone(_REACHED)
                pair[1].start()
                if reached and await _lease_moves(standing, zombie.service, 10):
                    await asyncio.sleep(chance.uniform(0, 0.5))
                    standing.note(f"stop:{point}: {zombie.name} wakes")
                    zombie.resume()
                    await asyncio.sleep(0.5)

    return strike


@fault("zombie-relay", "the holder of a relay's lease is frozen until another has it, and wakes")
async def zombie_relay(standing: Standing, chance: random.Random) -> None:
    pair = standing.choose_pair(chance)
    chance.shuffle(pair)
    async with standing.taken(*pair):
        for instance in pair:  # whoever it is: the lease moves only while its holder is frozen
            instance.pause()
            moved = await _lease_moves(standing, instance.service, RELAY_LEASE + 1.5)
            if moved:
                await asyncio.sleep(chance.uniform(0, 1))
            instance.resume()
            await asyncio.sleep(0.5)
            if moved:
                standing.note(f"zombie-relay: {instance.name} woke, and another has its lease")
                return


@fault("zombie-consumer", "a process is frozen for longer than its group waits for it, and wakes")
async def zombie_consumer(standing: Standing, chance: random.Random) -> None:
    if instance := standing.choose(chance):
        async with standing.taken(instance):
            standing.note(f"zombie-consumer: {instance.name}")
            instance.pause()
            await asyncio.sleep(chance.uniform(*LONGER_THAN_A_POLL))


@fault("rolling-restart", "processes are ended in order (SIGTERM) and started, one after the other")
async def rolling_restart(standing: Standing, chance: random.Random) -> None:
    await _roll(standing, chance, chance.randint(2, 3))


@fault("rolling-restart-frozen-broker", "the same while the broker is frozen", needs="control")
async def rolling_restart_frozen_broker(standing: Standing, chance: random.Random) -> None:
    node = chance.choice(standing.broker.nodes)
    async with standing.broker_turn:
        try:
            await told(standing, standing.broker.pause, node)
            await _roll(standing, chance, 2)
        finally:
            await told(standing, standing.broker.resume, node)


async def _roll(standing: Standing, chance: random.Random, most: int) -> None:
    for _ in range(most):
        if instance := standing.choose(chance):
            async with standing.taken(instance):
                standing.note(f"rolling-restart: {instance.name}")
                await instance.stopped()


def _who_gets_there(standing: Standing, chance: random.Random, point: str) -> list[Instance]:
    family = point.partition(".")[0]
    one = standing.choose(chance, *_WHO.get(family, ()))
    if one is None or family not in _OF_ALL:
        return [one] if one else []
    return standing.of(one.service)


async def _arm(instances: Sequence[Instance], failpoint: str) -> None:
    await asyncio.gather(*(instance.stopped() for instance in instances))
    for instance in instances:
        instance.start(FAILPOINTS=failpoint)
    await asyncio.gather(*(instance.up_or_ended() for instance in instances))


async def _lease_moves(standing: Standing, service: str, seconds: float) -> bool:
    async def holder() -> object:
        return (await ask(standing, service, "SELECT holder FROM relay_lease"))[0]["holder"]

    before = await holder()

    async def moved() -> bool:
        return await holder() != before

    return await until(moved, seconds)


FAULTS: Final = (
    kill,
    *(_kill_at(point, where) for point, where in POINTS.items()),
    *(_stop_in_relay(point, POINTS[point]) for point in ("relay.after_claim", "relay.after_send")),
    *(
        _stop_in_consumer(point, POINTS[point])
        for point in ("inbox.inside", "inbox.after_commit", "inbox.before_offsets", "publish.before_commit")
    ),
    zombie_relay,
    zombie_consumer,
    rolling_restart,
    rolling_restart_frozen_broker,
)
