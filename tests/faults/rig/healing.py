"""After the faults: everything runs as it should."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chassis import kafka_admin, parked
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.identity import Actor
from chassis.parked import NotParked, StillFailing
from chassis.topics import topic_for
from huiqi.parked import consumers_of, opened
from huiqi.reconcile import find_missing, send_again
from huiqi.services import await_all
from rig.foreign import find_foreign, groups_without_leader
from rig.tally import FOLDER, TALLY, with_tally
from rig.world import apart, persistently

if TYPE_CHECKING:
    from rig.standing import Standing

OPERATOR = Actor("rig", "operator")
_PATIENCE = 30.0
sys.path.append(FOLDER)  # the handlers of tally, to replay what it parked


def heal(standing: "Standing") -> None:
    thaw(standing)
    if standing.broker.controlled:
        for node in standing.broker.nodes:
            standing.broker.start(node)
    standing.house.postgres.start()
    create_topics(standing)
    for instance in standing.instances.values():
        instance.proxy.let_pass()
        instance.back()
    renew_if_leaderless(standing)
    await_all(instance.process for instance in standing.instances.values())
    renew_if_leaderless(standing)
    if standing.emptied:
        persistently(partial(reconcile, standing), _PATIENCE)
    for held in sorted(standing.held):
        try:
            apart(set_free(standing, *held))
        except Unavailable as error:
            standing.note(f"{error}: what is not quiet in time is told by the ledger")
    standing.foreign = persistently(partial(find_foreign, standing.installation()), _PATIENCE)


def create_topics(standing: "Standing") -> None:
    make = partial(kafka_admin.create_topics, standing.kafka, standing.house.topics())
    persistently(make, _PATIENCE)


def renew_if_leaderless(standing: "Standing") -> None:
    """Starts a forgetful broker anew when it holds a group that it will never put together again."""
    if standing.broker.lasting:
        return
    if leaderless := apart(groups_without_leader(standing.kafka, standing.house.services)):
        standing.note(f"the broker elects no leader for {', '.join(leaderless)}: it is started anew")
        standing.broker.kill(1)
        standing.broker.start(1)
        standing.emptied = True
        create_topics(standing)


def thaw(standing: "Standing") -> None:
    for node in standing.broker.nodes:
        standing.broker.resume(node)
    for pid in list(standing.frozen_backends):
        thaw_backend(standing, pid)


def thaw_backend(standing: "Standing", pid: int) -> None:
    """Its number may be another process's by now, when PostgreSQL was started anew meanwhile."""
    standing.frozen_backends.discard(pid)
    with suppress(OSError):
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres"):
            os.kill(pid, signal.SIGCONT)


async def reconcile(standing: "Standing") -> int:
    """`huiqi reconcile`. Returns how many events are sent again. Raises Unavailable."""
    installation = standing.installation()
    if TALLY.name in standing.instances:
        installation = with_tally(installation)
    return await send_again(installation, await find_missing(installation))


async def set_free(standing: "Standing", listener: str, topic: str, key: str) -> None:
    """`huiqi parked replay`, and `discard` of what fails again, for a key that a fault made fail. Raises Unavailable."""
    consumers, ends = consumers_of(listener), time.monotonic() + _PATIENCE
    async with opened(standing.installation(), listener) as db:
        while await _is_held(standing, db, listener, topic, key):
            if time.monotonic() > ends:
                raise Unavailable(f"{listener} {topic} {key} is still held")
            try:
                await parked.replay(db, consumers, topic, key, OPERATOR)
            except NotParked:
                await asyncio.sleep(0.1)  # its events are still on their way
            except StillFailing:
                rows = await parked.show_parked(db, listener, topic, key)
                await parked.discard(db, listener, rows[0]["id"], OPERATOR, "the rig made it unreadable")
    standing.held.discard((listener, topic, key))


async def _is_held(standing: "Standing", db: Database, listener: str, topic: str, key: str) -> bool:
    """Whether the listener has still to come to the key's last event."""
    async with opened(standing.installation(), topic_for(topic).owner) as owner:
        last = await owner.fetchval(
            "SELECT sequence FROM event_keys WHERE topic = $1 AND key = $2", topic, key
        )
    mark = await db.fetchval(
        "SELECT sequence FROM inbox WHERE consumer = $1 AND topic = $2 AND key = $3", listener, topic, key
    )
    return (mark or 0) < (last or 0)
