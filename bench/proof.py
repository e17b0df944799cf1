"""After the figures: the same chain once more, and the ledger over it. A run that lost something is void."""

import asyncio
from contextlib import suppress
from typing import Any

from consume import UPSERT
from ground import PARTITIONS, Ground, Measured, facts, publish

from chassis.clock import SystemClock
from chassis.database import Database, Transaction
from chassis.inbox import Consumers
from chassis.migrate import chassis_sql, migrate
from chassis.relay import Relay
from chassis.subscribe import Subscription
from chassis.topics import Topic
from huiqi.installation import Installation
from huiqi.ledger import check

EVENTS = 20_000
OWNER, READER = "bench", "bench-reader"


def reading() -> Consumers:
    consumers = Consumers(READER)

    @consumers.on(Measured)
    async def note(event: Measured, tx: Transaction) -> None:
        await tx.execute(UPSERT, [event.key_of])

    return consumers


async def ledger(ground: Ground) -> dict[str, Any]:
    """`{"I1": {"checked", "broken"}, …}` of an owner and a listener that moved EVENTS events."""
    urls = {OWNER: await ground.database_url(), READER: await ground.database_url()}
    opened = {}
    for name, url in urls.items():
        await migrate(url, [chassis_sql()])
        opened[name] = await Database.open(url, service=name, clock=SystemClock())
    await ground.topic()
    async with opened[READER].transaction() as tx:
        await tx.execute("CREATE TABLE balances (key text PRIMARY KEY, seen bigint NOT NULL)")
    jobs = [
        asyncio.create_task(Relay(opened[OWNER], ground.settings).run()),
        asyncio.create_task(
            Subscription(opened[READER], ground.settings, reading(), [Measured.topic_template]).run()
        ),
    ]
    await publish(opened[OWNER], facts(EVENTS))
    row = Topic(
        name=Measured.topic_template, holds="facts", owner=OWNER, key="key_of", listeners=[READER],
        partitions=PARTITIONS, retention_days=1,
    )  # fmt: skip
    found = await check(Installation(urls, ground.client, topics={row.name: row}), wait=120)
    for job in jobs:
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
    for db in opened.values():
        await db.close()
    return found.counts()
