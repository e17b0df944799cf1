"""Topics that fail are left alone for a while, so that the relay's other topics go on."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import (
    InvalidTopicError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

if TYPE_CHECKING:
    from chassis.database import Database

REFUSALS = (
    UnknownTopicOrPartitionError, TopicAuthorizationFailedError, InvalidTopicError, MessageSizeTooLargeError,
)  # fmt: skip
OF_THE_TOPIC = (*REFUSALS, LeaderNotAvailableError, NotLeaderForPartitionError)
FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
TOLD_AFTER = 3
SETTLED = 60.0  # seconds; nobody who took a number for the outbox is still to commit it, see SERVER_SETTINGS

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


@dataclass(slots=True)
class _Passed:
    """The outbox up to `id` holds nothing but events of `topics`, which were left alone when it was looked at."""

    topics: frozenset[str] = frozenset()
    id: int = 0
    until: float = 0.0


class StuckTopics:
    def __init__(self) -> None:
        self._failures: dict[str, _Failure] = {}
        self._told: dict[str, str] | None = None
        self._passed = _Passed()
        self._seen: deque[tuple[float, int]] = deque()

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

    def passed(self, held: frozenset[str]) -> int:
        """Where the outbox begins to hold more than events of topics that are left alone; 0 when that is not known."""
        known = self._passed
        return known.id if known.topics and known.topics <= held and time.monotonic() < known.until else 0

    def pass_over(self, held: frozenset[str], newest: int, first: int | None) -> None:
        """Takes in a look at the whole outbox: its last id before, and its first one of a topic that goes on.

        Only what was there a minute ago is passed over: a lower id may be committed after a higher one. And not for
        longer than a minute: `resend` puts old events back.
        """
        now = time.monotonic()
        if not self._seen or now - self._seen[-1][0] > SETTLED / 4:
            self._seen.append((now, newest))
        settled = 0
        while self._seen and now - self._seen[0][0] > SETTLED:
            settled = self._seen.popleft()[1]
        last = settled if first is None else min(settled, first - 1)
        if last > 0:
            self._passed = _Passed(held, last, now + SETTLED)

    async def tell(self, db: "Database") -> None:
        """Writes down, when it changed, which topics the broker keeps refusing: for operators and for readiness."""
        reasons = {
            topic: type(failure.error).__name__
            for topic, failure in self._failures.items()
            if failure.times >= TOLD_AFTER and isinstance(failure.error, REFUSALS)
        }
        if reasons != self._told:
            async with db.transaction() as tx:
                await tx.execute(_TELL, list(reasons), list(reasons.values()))
            self._told = reasons
