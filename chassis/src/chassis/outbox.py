"""The transaction is the outbox: events are written with the rows they tell of, and a relay brings them to Kafka."""

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import structlog
from uuid_utils.compat import uuid7

from chassis.errors import Invalid
from chassis.failpoints import switched_off
from chassis.telemetry import current_traceparent
from contracts.envelope import Event, refuse_unwritable

if TYPE_CHECKING:
    from chassis.database import Transaction

MAX_PAYLOAD_BYTES = 1_000_000  # Kafka refuses records over 1 MiB, headers included


log = structlog.get_logger()


class EventTooLarge(Invalid):
    """The event {type} has {size} bytes; at most {allowed} can be sent."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event said in a transaction and not yet written. `payload` is the JSON that goes on the wire."""

    event_id: uuid.UUID
    topic: str
    key: str
    type: str
    payload: str
    actor: str
    traceparent: str | None
    caused_by: str | None
    occurred_at: Any


def pending(event: Event, tx: "Transaction") -> Pending:
    """Raises EventTooLarge; MalformedEnvelope, for what no reader would take."""
    actor, topic, key, payload = str(tx.actor), event.topic, event.key, event.payload()
    refuse_unwritable(tx.service, event.type, topic, key, actor)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EventTooLarge(type=event.type, size=len(payload), allowed=MAX_PAYLOAD_BYTES)
    return Pending(
        uuid7(), topic, key, event.type, payload.decode(), actor, current_traceparent(), tx.caused_by, tx.clock.now(),
    )  # fmt: skip


# Numbers are taken in key order (no deadlocks) and given to the events of one key in the order they were said.
_WRITE = """
WITH taken AS (
    INSERT INTO event_keys AS k (topic, key, sequence)
    SELECT topic, key, n FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(topic, key, n) ORDER BY topic, key
    ON CONFLICT (topic, key) DO UPDATE SET sequence = k.sequence + excluded.sequence
    RETURNING topic, key, sequence
), said AS (
    INSERT INTO events (event_id, topic, key, sequence, type, payload, actor, traceparent, caused_by, occurred_at)
    SELECT e.event_id, e.topic, e.key, t.sequence - e.later, e.type, e.payload, e.actor, e.traceparent, e.caused_by,
           e.occurred_at
    FROM unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::json[], $10::text[], $11::text[],
                $12::text[], $13::timestamptz[])
         WITH ORDINALITY AS e(event_id, topic, key, later, type, payload, actor, traceparent, caused_by, occurred_at, n)
    JOIN taken t ON t.topic = e.topic AND t.key = e.key
    ORDER BY e.n
    RETURNING id, recorded_at
)
INSERT INTO outbox (id, recorded_at) SELECT id, recorded_at FROM said
"""
_, _, _SAID = _WRITE.partition("), said AS (")
_UNLOCKED = f"""
WITH taken AS (
    SELECT topic, key, n + (
        SELECT coalesce(max(sequence), 0) FROM events e WHERE e.topic = w.topic AND e.key = w.key
    ) AS sequence
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(topic, key, n)
), said AS ({_SAID}"""  # noqa: S608 - for the chaos rig, see failpoints


async def write(tx: "Transaction") -> None:
    """Numbers and writes what the transaction published; called once, right before COMMIT."""
    said = tx.published
    if not said:
        return
    left = Counter((event.topic, event.key) for event in said)
    keys = sorted(left)
    counts = [left[key] for key in keys]
    later: list[int] = []
    for event in said:
        left[event.topic, event.key] -= 1
        later.append(left[event.topic, event.key])
    await tx.execute(
        _UNLOCKED if switched_off("sequences") else _WRITE,
        [topic for topic, _ in keys], [key for _, key in keys], counts,
        [e.event_id for e in said], [e.topic for e in said], [e.key for e in said], later, [e.type for e in said],
        [e.payload for e in said], [e.actor for e in said], [e.traceparent for e in said],
        [e.caused_by for e in said], [e.occurred_at for e in said],
    )  # fmt: skip


async def resend(tx: "Transaction", ids: list[int]) -> int:
    """Puts events back into the outbox, for listeners that never got them. Returns how many were not there already."""
    status = await tx.execute(
        "INSERT INTO outbox (id, recorded_at, sealed) SELECT id, recorded_at, true FROM events WHERE id = ANY($1)"
        " ON CONFLICT (id) DO NOTHING",
        ids,
    )
    return int(cast("str", status).split()[-1])
