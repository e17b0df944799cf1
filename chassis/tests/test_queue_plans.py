"""How the tables that move all the time are read while PostgreSQL knows nothing about them yet."""

from typing import Any

from chassis import marks, relay
from chassis.database import Database
from chassis.testing import Databases
from contracts.certification import EnterpriseRegistered
from facts import registered

MARKS = 5_000
WAITING = 20
CHURNED = 3_000


async def plan(db: Database, statement: str, *arguments: object) -> str:
    """As it is once the statement was prepared and is planned for any values."""
    async with db.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
        await connection.execute("RESET plan_cache_mode")
    return "\n".join(row[0] for row in rows)


async def test_marks_are_found_by_one_look_each(make_database: Databases) -> None:
    db = await make_database()
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO inbox (consumer, topic, key, sequence) SELECT 'c', 't', 'k' || n, 1 FROM generate_series(1, $1) n",
            MARKS,
        )
    keys = [f"k{n}" for n in range(20)]
    assert "(topic = w.topic) AND (key = w.key)" in await plan(db, marks._LOCK, "c", ["t"] * 20, keys)


async def test_what_has_left_the_outbox_is_not_looked_at_for_ever(make_database: Databases) -> None:
    db = await make_database(service="certification")
    for _ in range(3):
        await _say(db, CHURNED // 3)
        async with db.transaction() as tx:
            await tx.execute("DELETE FROM outbox")
    await _say(db, WAITING)
    claim: tuple[Any, ...] = (0, [], [], relay.BATCH, relay.BATCH_BYTES)
    assert "Bitmap" not in await plan(db, relay._CLAIM, *claim)
    assert len(await db.fetch(relay._CLAIM, *claim)) == WAITING


async def _say(db: Database, count: int) -> None:
    event: EnterpriseRegistered = registered(name="a")
    async with db.transaction() as tx:
        tx.publish(*[event] * count)
