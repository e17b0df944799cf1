"""Topics that fail are left alone for a while, so that the relay's other topics go on."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

if TYPE_CHECKING:
    from chassis.database import Database

OF_THE_TOPIC = (
    UnknownTopicOrPartitionError, TopicAuthorizationFailedError, InvalidTopicError, MessageSizeTooLargeError,
)  # fmt: skip
LOOK_UP = 2.0
FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
TOLD_AFTER = 3

_TELL = """
WITH free AS (DELETE FROM stuck_topics WHERE topic <> ALL($1))
INSERT INTO stuck_topics (topic, reason) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (topic) DO UPDATE SET reason = excluded.reason
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Failure:
    """How often in a row, and until when (monotonic seconds) the topic is left alone."""

    error: BaseException
    times: int
    until: float


class StuckTopics:
    def __init__(self) -> None:
        self._failures: dict[str, _Failure] = {}
        self._told: dict[str, str] | None = None

    def held(self) -> list[str]:
        now = time.monotonic()
        return [topic for topic, failure in self._failures.items() if failure.until > now]

    def note(self, failed: Mapping[str, BaseException], tried: Iterable[str]) -> None:
        """Takes in what became of the topics that were tried."""
        for topic in tried:
            if (error := failed.get(topic)) is None:
                self._failures.pop(topic, None)
                continue
            times = self._failures[topic].times + 1 if topic in self._failures else 1
            delay = min(FIRST_DELAY * 2 ** min(times, 20), LONGEST_DELAY)
            self._failures[topic] = _Failure(error, times, time.monotonic() + delay)
            log.warning("relay.refused", topic=topic, error=repr(error), times=times)

    async def tell(self, db: "Database") -> None:
        """Writes down, when it changed, which topics the broker keeps refusing: for operators and for readiness."""
        reasons = {
            topic: type(failure.error).__name__
            for topic, failure in self._failures.items()
            if failure.times >= TOLD_AFTER and isinstance(failure.error, OF_THE_TOPIC)
        }
        if reasons != self._told:
            async with db.transaction() as tx:
                await tx.execute(_TELL, list(reasons), list(reasons.values()))
            self._told = reasons


async def not_shown(producer: AIOKafkaProducer, topics: Iterable[str]) -> dict[str, BaseException]:
    """The topics that the broker does not show us: sending to them would wait much longer for each."""
    topics = list(topics)
    looked_up = [asyncio.wait_for(producer.partitions_for(topic), LOOK_UP) for topic in topics]
    answers = await asyncio.gather(*looked_up, return_exceptions=True)
    return {
        topic: UnknownTopicOrPartitionError(topic) if isinstance(answer, TimeoutError) else answer
        for topic, answer in zip(topics, answers, strict=True)
        if isinstance(answer, BaseException)
    }
