"""What a service hears: one transaction per fetched batch, effects and marks together.

Each key of each topic has a mark, the sequence applied last. A number at or below it is a duplicate, the next one is
applied, a later one waits in `parked` until the numbers before it came. A handler that fails parks its key.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import structlog

from chassis.database import DRIVER_ERRORS, Transaction, unavailable
from chassis.errors import Refused, Unavailable
from chassis.failpoints import armed, failpoint, switched_off
from chassis.marks import (
    Arrived,
    Key,
    Mark,
    arrived_again,
    lock_marks,
    save_marks,
    set_aside,
    storable,
    waiting_rows,
)
from chassis.telemetry import METRICS, continue_trace, mask
from contracts.envelope import Envelope, Event
from contracts.registry import event_types

E = TypeVar("E", bound=Event)

log = structlog.get_logger()


class Received(NamedTuple, Generic[E]):
    event: E
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class _Handler:
    event_class: type[Event]
    call: Callable[..., Awaitable[None]]
    takes_many: bool


@dataclass(slots=True)
class Batch:
    """The state of one batch while it is applied: marks as they move, and what is set aside."""

    marks: dict[Key, Mark]
    careful: bool
    give_up: bool
    aside: list[tuple[Arrived, str, str]] = field(default_factory=list)
    newly_parked: list[Key] = field(default_factory=list)
    applied: int = 0
    duplicates: int = 0
    run: list[Received[Any]] = field(default_factory=list)
    run_handler: _Handler | None = None


class HandlerFailed(Exception):
    """A handler raised something that is neither Refused nor Unavailable, or the payload cannot be read."""


class Consumers:
    """The events one service acts on. `name` is its Kafka group and its name in the marks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._handlers: dict[str, _Handler] = {}

    def on(self, event_class: type[E]) -> Callable[[Callable[[E, Transaction], Awaitable[None]]], Any]:
        """Registers `async def consequence(event, tx)`, called once per event."""
        return lambda call: self._add(event_class, call, takes_many=False)

    def on_batch(
        self, event_class: type[E]
    ) -> Callable[[Callable[[Sequence[Received[E]], Transaction], Awaitable[None]]], Any]:
        """Registers `async def consequence(events, tx)`, called with runs of consecutive events."""
        return lambda call: self._add(event_class, call, takes_many=True)

    def _add(self, event_class: type[Event], call: Any, *, takes_many: bool) -> Any:
        if event_class.type in self._handlers:
            raise ValueError(f"{self.name} has two handlers for {event_class.type}")
        if not inspect.iscoroutinefunction(call):
            raise TypeError(f"{call} is not an async function")
        self._handlers[event_class.type] = _Handler(event_class, call, takes_many)
        return call

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self._handlers)

    @property
    def in_bulk(self) -> bool:
        """Whether every handler takes many events at once, so that a large batch is as soon done as a small one."""
        return all(handler.takes_many for handler in self._handlers.values())

    async def apply(
        self, tx: Transaction, arrived: Sequence[Arrived], *, careful: bool, give_up: bool
    ) -> Batch:
        """Applies a batch inside `tx`. Quick: any failure raises. Careful: each event in a savepoint.

        Raises HandlerFailed when a handler fails, unless careful and `give_up`: then its key is parked.
        """
        keys = sorted({(a.envelope.topic, a.envelope.key) for a in arrived if a.envelope})
        batch = Batch(await lock_marks(tx, self.name, keys), careful, give_up)
        before = {key: (m.sequence, m.parked, m.waiting) for key, m in batch.marks.items()}
        for record in arrived:
            if not self._joins_run(batch, record):
                await self._place(tx, batch, record)
        await self._flush(tx, batch)
        await set_aside(tx, self.name, batch.aside)
        moved = {k: m for k, m in batch.marks.items() if (m.sequence, m.parked, m.waiting) != before[k]}
        await save_marks(tx, self.name, moved)
        return batch

    def _joins_run(self, batch: Batch, record: Arrived) -> bool:
        """Takes a record in at once that is merely its key's next one for the bulk handler of those before it."""
        envelope, handler = record.envelope, batch.run_handler
        if envelope is None or handler is None or envelope.type != handler.event_class.type or armed():
            return False
        mark = batch.marks[envelope.topic, envelope.key]
        if envelope.sequence != mark.sequence + 1 or mark.parked or mark.waiting or not handler.takes_many:
            return False
        batch.run.append(_read(handler, record, envelope))
        mark.sequence += 1
        batch.applied += 1
        return True

    async def _place(self, tx: Transaction, batch: Batch, record: Arrived) -> None:
        envelope = record.envelope
        if envelope is None:
            batch.aside.append((record, "unplaced", record.error))
            return
        mark = batch.marks[envelope.topic, envelope.key]
        if switched_off("marks"):
            mark.sequence = envelope.sequence - 1
        if envelope.sequence <= mark.sequence:
            batch.duplicates += 1
        elif mark.parked:
            batch.aside.append((record, "behind", ""))
        elif envelope.sequence > mark.sequence + 1:
            mark.waiting = True
            METRICS.inbox_gaps.inc()
            batch.aside.append((record, "gap", f"waits for {mark.sequence + 1}"))
        else:
            await self.advance(tx, batch, mark, record, envelope)
            if mark.waiting:
                await self._release(tx, batch, mark, envelope)

    async def _release(self, tx: Transaction, batch: Batch, mark: Mark, envelope: Envelope) -> None:
        """Applies what waited for this number, as far as it follows without a gap."""
        await set_aside(tx, self.name, batch.aside)
        batch.aside.clear()
        for row in await waiting_rows(tx, self.name, envelope.topic, envelope.key):
            if mark.parked or row["sequence"] > mark.sequence + 1:
                return
            record = arrived_again(row)
            if row["sequence"] == mark.sequence + 1 and record.envelope:
                await self.advance(tx, batch, mark, record, record.envelope)
            if not mark.parked:
                await tx.execute("DELETE FROM parked WHERE id = $1", row["id"])
        mark.waiting = mark.parked

    async def advance(
        self, tx: Transaction, batch: Batch, mark: Mark, record: Arrived, envelope: Envelope
    ) -> None:
        """Applies the key's next event and moves its mark by one, or parks the key."""
        handler = self._handlers.get(envelope.type)
        if handler is None:
            if envelope.type not in event_types():
                METRICS.inbox_unknown.inc()
            mark.sequence += 1
            return
        try:
            await self._handle(tx, batch, handler, record, envelope)
        except HandlerFailed as failure:
            if not batch.careful or not batch.give_up:
                raise
            mark.parked = True
            batch.newly_parked.append((envelope.topic, envelope.key))
            batch.aside.append((record, "bug", str(failure)))
            log.exception("inbox.parked", cause=envelope.cause, error=str(failure))
        else:
            mark.sequence += 1
            batch.applied += 1

    async def _handle(
        self, tx: Transaction, batch: Batch, handler: _Handler, record: Arrived, envelope: Envelope
    ) -> None:
        received = _read(handler, record, envelope)
        if batch.careful:
            await self._in_savepoint(tx, handler, received)
            return
        if batch.run and (batch.run_handler is not handler or not handler.takes_many):
            await self._flush(tx, batch)
        batch.run.append(received)
        batch.run_handler = handler

    async def _flush(self, tx: Transaction, batch: Batch) -> None:
        """Quick mode: calls the handler for the run of events gathered so far."""
        if not batch.run or (handler := batch.run_handler) is None:
            return
        run, batch.run, batch.run_handler = batch.run, [], None
        await self._call(tx, handler, run)

    async def _in_savepoint(self, tx: Transaction, handler: _Handler, received: Received[Any]) -> None:
        try:
            async with tx.savepoint():
                await self._call(tx, handler, [received])
        except DRIVER_ERRORS as error:  # at the savepoint's end: the handler passed a failed statement over
            raise unavailable(error) or HandlerFailed(f"{type(error).__name__}: {error}") from error
        except HandlerFailed as failure:
            if not isinstance(failure.__cause__, Refused):
                raise
            refusal = failure.__cause__
            METRICS.inbox_refused.inc()
            log.info("inbox.refused", cause=received.envelope.cause, code=refusal.code)
            await tx.execute(
                "INSERT INTO event_refusals (consumer, caused_by, code, detail) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                self.name, received.envelope.cause, refusal.code, storable(mask(str(refusal))),
            )  # fmt: skip

    async def _call(self, tx: Transaction, handler: _Handler, run: Sequence[Received[Any]]) -> None:
        try:
            if handler.takes_many:
                tx.cause = run[-1].envelope if len(run) == 1 else None
                await handler.call(run, tx)
            else:
                for received in run:
                    tx.cause = received.envelope
                    with continue_trace(received.envelope.traceparent, received.envelope.type):
                        await handler.call(received.event, tx)
            if armed():
                for received in run:
                    await failpoint("inbox.inside", about=received.envelope.key)
        except Unavailable:
            raise
        except Exception as error:
            if again := unavailable(error):
                raise again from error
            raise HandlerFailed(f"{type(error).__name__}: {error}") from error
        finally:
            tx.cause = None


def _read(handler: _Handler, record: Arrived, envelope: Envelope) -> Received[Any]:
    try:
        return Received(handler.event_class.read(record.payload), envelope)
    except ValueError as error:
        raise HandlerFailed(f"cannot be read as {envelope.type}: {error}") from error
