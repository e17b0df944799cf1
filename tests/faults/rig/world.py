"""What servers and networks do, as opposed to mistakes of ours."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka.errors import KafkaError

from chassis.errors import Unavailable

OF_THE_WORLD: Final = (
    Unavailable, OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # fmt: skip
T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on a loop of its own: the caller's may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def persistently(work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
    """Does the work apart, again and again while the world fails it. Raises what it raised last."""
    until = time.monotonic() + seconds
    while True:
        try:
            return apart(work())
        except OF_THE_WORLD:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)
