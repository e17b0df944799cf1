"""After the faults: everything runs as it should."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chassis import kafka_admin, parked
from chassis.errors import Refused
from chassis.identity import Actor
from huiqi.parked import consumers_of, opened
from huiqi.reconcile import find_missing, send_again
from huiqi.services import await_all
from rig.foreign import find_foreign

if TYPE_CHECKING:
    from rig.standing import Standing

T = TypeVar("T")
OPERATOR = Actor("rig", "operator")


def heal(standing: "Standing") -> None:
    thaw(standing)
    if standing.broker.controlled:
        for node in standing.broker.nodes:
            standing.broker.start(node)
    standing.house.postgres.start()
    apart(kafka_admin.create_topics(standing.kafka, standing.house.topics()))
    for instance in standing.instances.values():
        instance.proxy.let_pass()
        instance.back()
    await_all(instance.process for instance in standing.instances.values())
    if standing.emptied:
        apart(reconcile(standing))
    for held in sorted(standing.held):
        apart(set_free(standing, *held))
    standing.foreign = apart(find_foreign(standing.installation()))


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
    return await send_again(installation, await find_missing(installation))


async def set_free(standing: "Standing", listener: str, topic: str, key: str) -> None:
    """`huiqi parked replay`, for a key that a fault made fail. Raises Unavailable."""
    async with opened(standing.installation(), listener) as db:
        with suppress(Refused):  # nothing of it is parked any more
            await parked.replay(db, consumers_of(listener), topic, key, OPERATOR)
    standing.held.discard((listener, topic, key))


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on a loop of its own: the caller's may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
