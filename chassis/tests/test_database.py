"""What a transaction promises when something goes wrong in it."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from chassis.database import Database, NotCommitted, Transaction
from chassis.errors import Unavailable
from chassis.inbox import Consumers
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.certification import EnterpriseRegistered
from facts import FIRM, OTHER_FIRM, arrived, effects, make_effects, mark, registered

TOPIC = "certification.enterprises"


async def test_a_transaction_whose_failed_statement_was_passed_over_is_never_reported_committed(
    make_database: Databases,
) -> None:
    db = await make_database()
    await make_effects(db)
    with pytest.raises(NotCommitted):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO effects VALUES ('x', 'x')")
            with suppress(asyncpg.UniqueViolationError):
                await tx.execute("INSERT INTO effects VALUES ('x', 'x')")
    assert await effects(db) == []


async def test_a_savepoint_takes_back_its_own_statements_at_any_depth(make_database: Databases) -> None:
    db = await make_database()
    await make_effects(db)
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO effects VALUES ('a', 'a')")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.execute("INSERT INTO effects VALUES ('b', 'b')")
                with pytest.raises(asyncpg.UniqueViolationError):
                    async with tx.savepoint():
                        await tx.execute("INSERT INTO effects VALUES ('b', 'b')")
                await tx.execute("INSERT INTO effects VALUES ('a', 'a')")
        async with tx.savepoint():
            await tx.execute("INSERT INTO effects VALUES ('c', 'c')")
    assert await effects(db) == [("a", "a"), ("c", "c")]


async def two_at_once(tx: Transaction) -> None:
    await asyncio.gather(tx.execute("SELECT pg_sleep(0.1)"), tx.execute("SELECT 1"))


async def too_many_arguments(tx: Transaction) -> None:
    await tx.execute("SELECT $1::int", 1, 2)


async def passed_over(tx: Transaction) -> None:
    with suppress(asyncpg.DivisionByZeroError):
        await tx.execute("SELECT 1/0")


@pytest.mark.parametrize("bug", [two_at_once, too_many_arguments, passed_over])
async def test_a_misused_connection_is_a_bug_that_parks_its_key_and_never_an_outage_that_holds_the_partition(
    make_database: Databases, bug: object
) -> None:
    db = await make_database()
    await make_effects(db)
    heard = Consumers("testing")

    @heard.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, tx: Transaction) -> None:
        if event.enterprise_id == FIRM:
            await bug(tx)  # type: ignore[operator]
        await tx.execute("INSERT INTO effects VALUES ($1, $2)", tx.caused_by, event.name)

    subscription = Subscription(db, None, heard, [])  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await subscription.apply([arrived(registered(), 1), arrived(registered(OTHER_FIRM, "x"), 1)])
    assert [name for _, name in await effects(db)] == ["x"]
    assert await mark(db, TOPIC, FIRM) == (0, True, False)


async def test_a_lost_connection_is_an_outage_and_the_pool_heals(make_database: Databases) -> None:
    db = await make_database()
    with pytest.raises(Unavailable):
        async with db.transaction() as tx:
            me = await tx.fetchval("SELECT pg_backend_pid()")
            await db.fetchval("SELECT pg_terminate_backend($1)", me)
            await tx.execute("SELECT 1")
    assert await db.fetchval("SELECT 1") == 1


async def test_a_cancelled_transaction_writes_nothing_and_gives_its_connection_back(
    make_database: Databases,
) -> None:
    db = await make_database(pool_size=2)
    await make_effects(db)

    async def slow() -> None:
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO effects VALUES ('x', 'x')")
            await tx.execute("SELECT pg_sleep(10)")

    for _ in range(4):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await effects(db) == []


async def test_closing_does_not_wait_for_a_statement_that_does_not_end(make_database: Databases) -> None:
    db: Database = await make_database()
    slow = asyncio.create_task(db.fetchval("SELECT pg_sleep(10)"))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        await db.close()
    await asyncio.gather(slow, return_exceptions=True)
