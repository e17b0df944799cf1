"""Due and leased rows: deadlines, which only write rows, and deliveries, which call the outside.

`due_at` is legal time and compared with the injected clock; leases and retry delays follow the database clock.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from uuid_utils.compat import uuid7

from chassis.database import Database, Transaction
from chassis.errors import Refused, Unavailable
from chassis.failpoints import failpoint
from chassis.identity import SYSTEM
from chassis.marks import storable
from chassis.telemetry import mask

LEASE = timedelta(seconds=60)
AT_ONCE = 8
TICK = 1.0
LONGEST_DELAY = timedelta(minutes=5)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    due_at: datetime
    attempts: int
    lease: uuid.UUID

    @property
    def delay(self) -> timedelta:
        """Until the next attempt: ever longer."""
        return min(timedelta(seconds=2 ** min(self.attempts, 20)), LONGEST_DELAY)


Record = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Done:
    """The delivery reached its end. `record` writes the outcome in the transaction that closes the row."""

    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after a delay (database clock)."""

    after: timedelta
    reason: str
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; the reason stays on the row."""

    reason: str
    record: Record | None = None


Outcome = Done | Retry | GiveUp
Deadline = Callable[[Job, Transaction], Awaitable[None]]
Delivery = Callable[[Job], Awaitable[Outcome]]


_ADD = (
    "INSERT INTO work (kind, subject, payload, due_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (kind, subject) WHERE state = 'due' DO NOTHING"
)


async def add_work(
    tx: Transaction, kind: str, subject: str, payload: Mapping[str, object], due_at: datetime | None = None
) -> None:
    """Adds a row due at `due_at` (now when absent), unless one of this kind and subject is open."""
    await add_all_work(tx, kind, [(subject, payload, due_at or tx.clock.now())])


async def add_all_work(
    tx: Transaction, kind: str, due: Iterable[tuple[str, Mapping[str, object], datetime]]
) -> None:
    """The same of several subjects, each with its payload and when it is due."""
    rows = [(kind, subject, dict(payload), at) for subject, payload, at in due]
    if rows:
        await tx.executemany(_ADD, rows)
        tx.wakes = True


async def cancel_work(tx: Transaction, kind: str, subject: str, reason: str) -> None:
    await tx.execute(
        "UPDATE work SET state = 'cancelled', reason = $3, finished_at = now()"
        " WHERE kind = $1 AND subject = $2 AND state = 'due'",
        kind, subject, reason,
    )  # fmt: skip


_LEASE = """
UPDATE work SET lease = $1, leased_until = now() + $2, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM work
    WHERE state = 'due' AND due_at <= $3 AND (leased_until IS NULL OR leased_until < now()) AND kind = ANY($4)
    ORDER BY due_at, id LIMIT $5 FOR UPDATE SKIP LOCKED
) RETURNING id, kind, subject, payload, due_at, attempts
"""
_CLOSE = (
    "UPDATE work SET state = $3, reason = $4, finished_at = now() WHERE id = $1 AND lease = $2 RETURNING true"
)
_DELAY = "UPDATE work SET lease = NULL, leased_until = now() + $3, reason = $4 WHERE id = $1 AND lease = $2 RETURNING true"


class Worker:
    """Runs what is due. A handler that fails is tried again, ever later, until it succeeds or an operator acts."""

    def __init__(
        self,
        db: Database,
        deadlines: Mapping[str, Deadline],
        deliveries: Mapping[str, Delivery] | None = None,
        leases: timedelta = LEASE,
    ) -> None:
        self._db = db
        self._leases = leases
        self._deadlines = dict(deadlines)
        self.deliveries = dict(deliveries or {})
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        kinds = [*self._deadlines, *self.deliveries]
        if not kinds:
            return
        while True:
            self._woken.clear()
            try:
                jobs = await self.lease(kinds)
                await asyncio.gather(*(self._perform(job) for job in jobs))
            except Unavailable as error:
                log.warning("work.unavailable", error=error.reason)
                jobs = []
            except Exception:  # a worker that ends leaves every deadline unmet
                log.exception("work.lease_failed")
                jobs = []
            if not jobs:
                try:
                    await asyncio.wait_for(self._woken.wait(), TICK)
                except TimeoutError:
                    continue

    async def lease(self, kinds: list[str], at_once: int = AT_ONCE) -> list[Job]:
        token = uuid7()
        async with self._db.connection() as connection:
            rows = await connection.fetch(_LEASE, token, self._leases, self._db.clock.now(), kinds, at_once)
        return [Job(**dict(row), lease=token) for row in rows]

    async def _perform(self, job: Job) -> None:
        """Raises nothing: what could not be recorded is due again when the lease runs out."""
        try:
            await self._attempt(job)
        except Unavailable as error:
            log.warning("work.unavailable", kind=job.kind, subject=job.subject, error=error.reason)
        except Exception:
            log.exception("work.not_recorded", kind=job.kind, subject=job.subject)

    async def _attempt(self, job: Job) -> None:
        try:
            if job.kind in self._deadlines:
                await self._meet(job)
            else:
                await self._record(job, await self._deliver(job))
        except Unavailable:
            raise
        except Exception as error:
            log.exception("work.bug", kind=job.kind, subject=job.subject)
            await self._record(job, Retry(job.delay, f"{type(error).__name__}: {error}"))

    async def _meet(self, job: Job) -> None:
        """The deadline's rows and the end of the work row are one transaction."""
        try:
            async with self._db.transaction(SYSTEM) as tx:
                if await tx.fetchval(_CLOSE, job.id, job.lease, "done", ""):
                    await self._deadlines[job.kind](job, tx)
                    await failpoint("deadline.before_commit")
        except Refused as refusal:
            await self._record(job, GiveUp(str(refusal)))

    async def _deliver(self, job: Job) -> Outcome:
        outcome = await self.deliveries[job.kind](job)
        await failpoint("delivery.before_row")
        return outcome

    async def _record(self, job: Job, outcome: Outcome) -> None:
        async with self._db.transaction(SYSTEM) as tx:
            match outcome:
                case Done():
                    mine = await tx.fetchval(_CLOSE, job.id, job.lease, "done", "")
                case GiveUp():
                    mine = await tx.fetchval(
                        _CLOSE, job.id, job.lease, "given_up", storable(mask(outcome.reason))
                    )
                case Retry():
                    reason = storable(mask(outcome.reason))
                    mine = await tx.fetchval(_DELAY, job.id, job.lease, outcome.after, reason)
            if not mine:
                log.warning("work.lease_lost", kind=job.kind, subject=job.subject)
            elif outcome.record is not None:
                await outcome.record(tx)
