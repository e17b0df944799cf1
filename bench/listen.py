"""B11's listener, a process of its own: applies what comes, with effect once, into the database that it is given."""

import asyncio
import sys

import uvloop
from consume import bulk
from ground import Measured, settings

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.subscribe import Subscription


async def listen(url: str) -> None:
    db = await Database.open(url, service="bench-listener", clock=SystemClock())
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE balances (key text PRIMARY KEY, seen bigint NOT NULL)")
    group = f"listener-{url.rpartition('/')[2]}"
    await Subscription(db, settings(), bulk(group), [Measured.topic_template]).run()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(listen(sys.argv[1]))
