"""tally: a listener of the rig's own. It hears everything that any service hears, and counts it without a guard.

What it writes has no unique constraint, so an event that the chassis applied twice stands there twice.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from chassis.database import Transaction
from chassis.inbox import Consumers, Received
from chassis.service import Context, Service
from chassis.settings import ServiceSettings
from chassis.topics import load_topics
from contracts.envelope import Envelope, Event
from contracts.registry import event_types

HEARD: Final = sorted(name for name, topic in load_topics().items() if topic.listeners)
_WRITE: Final = """
WITH said AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::uuid[]) WITH ORDINALITY
        AS w(topic, key, sequence, event_id, n)
), applied AS (
    INSERT INTO applied (topic, key, sequence, event_id) SELECT topic, key, sequence, event_id FROM said ORDER BY n
)
INSERT INTO counters AS c (topic, key, applied) SELECT topic, key, count(*) FROM said GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (topic, key) DO UPDATE SET applied = c.applied + excluded.applied
"""


class Settings(ServiceSettings, env_prefix="TALLY_"):
    pass


async def write(tx: Transaction, envelopes: Sequence[Envelope]) -> None:
    await tx.execute(
        _WRITE,
        [envelope.topic for envelope in envelopes],
        [envelope.key for envelope in envelopes],
        [envelope.sequence for envelope in envelopes],
        [envelope.event_id for envelope in envelopes],
    )


def listening() -> Consumers:
    """Every other type of event is taken in runs, the others one by one."""
    consumers = Consumers("tally")
    heard = [spoken for spoken in event_types().values() if spoken.topic_template in HEARD]
    for place, spoken in enumerate(heard):
        if place % 2:
            consumers.on_batch(spoken)(_many())
        else:
            consumers.on(spoken)(_one())
    return consumers


def _many() -> Callable[[Sequence[Received[Event]], Transaction], Awaitable[None]]:
    async def count_run(events: Sequence[Received[Event]], tx: Transaction) -> None:
        await write(tx, [received.envelope for received in events])

    return count_run


def _one() -> Callable[[Event, Transaction], Awaitable[None]]:
    async def count_one(_event: Event, tx: Transaction) -> None:
        if tx.cause is None:
            raise RuntimeError("only what was heard is counted")
        await write(tx, [tx.cause])

    return count_one


async def listen_to_everything(context: Context) -> None:
    """topics.yaml names the product's listeners and not this one."""
    context.subscription.topics = list(HEARD)


service = Service(
    name="tally",
    package="tally",
    settings=Settings,
    routers=[],
    consumers=listening(),
    migrations=[Path(__file__).parent / "migrations"],
    on_start=listen_to_everything,
)
