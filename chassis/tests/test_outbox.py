"""The transaction is the outbox."""

import asyncio
from typing import Any

import pytest

from chassis.outbox import EventTooLarge
from chassis.testing import Databases
from contracts.certification import CaseReturned
from contracts.envelope import MalformedEnvelope
from facts import FIRM, OTHER_FIRM, granted, registered


async def test_an_event_is_written_with_its_rows_and_waits_for_the_relay(make_database: Databases) -> None:
    db = await make_database()
    async with db.transaction() as tx:
        tx.publish(registered())
    row = await db.fetchrow("SELECT e.* FROM events e JOIN outbox o ON o.id = e.id")
    assert row is not None
    assert (row["topic"], row["key"], row["sequence"]) == ("certification.enterprises", FIRM, 1)


async def test_a_transaction_that_rolls_back_says_nothing(make_database: Databases) -> None:
    db = await make_database()
    with pytest.raises(RuntimeError):
        async with db.transaction() as tx:
            tx.publish(registered())
            raise RuntimeError
    assert await db.fetchval("SELECT count(*) FROM events") == 0
    assert await db.fetchval("SELECT count(*) FROM event_keys") == 0


async def test_a_rolled_back_savepoint_says_nothing_but_the_rest_is_said(make_database: Databases) -> None:
    db = await make_database()
    async with db.transaction() as tx:
        tx.publish(registered(name="before"))
        with pytest.raises(RuntimeError):
            async with tx.savepoint():
                tx.publish(registered(name="inside"))
                raise RuntimeError
        tx.publish(registered(name="after"))
    names = await db.fetch("SELECT payload ->> 'name' AS name, sequence FROM events ORDER BY id")
    assert [(r["name"], r["sequence"]) for r in names] == [("before", 1), ("after", 2)]


async def test_numbers_of_a_key_are_gap_free_and_in_commit_order_under_concurrent_writers(
    make_database: Databases,
) -> None:
    db = await make_database()

    async def write(n: int) -> None:
        try:
            async with db.transaction() as tx:
                tx.publish(registered(name=str(n)), granted(), registered(OTHER_FIRM, str(n)))
                if n % 5 == 0:
                    raise RuntimeError
        except RuntimeError:
            return

    await asyncio.gather(*(write(n) for n in range(40)))
    rows = await db.fetch(
        "SELECT topic, key, array_agg(sequence ORDER BY id) AS numbers FROM events GROUP BY 1, 2"
    )
    assert len(rows) == 3
    for row in rows:
        assert row["numbers"] == list(range(1, 33))


async def test_an_event_that_kafka_would_refuse_is_refused_before_it_is_written(
    make_database: Databases,
) -> None:
    db = await make_database()
    case: Any = granted()
    huge = CaseReturned(
        case_id=case.case_id, enterprise_id=FIRM, programme="hnte", level=None, case_type="first",
        edition=case.granted_on, defects=["缺" * 4_000] * 100,
    )  # fmt: skip
    with pytest.raises(EventTooLarge):
        async with db.transaction() as tx:
            tx.publish(huge)
    assert await db.fetchval("SELECT count(*) FROM events") == 0


async def test_an_event_that_no_reader_would_take_is_refused_before_it_is_written(
    make_database: Databases,
) -> None:
    db = await make_database()
    for key in ("", "a\nb", "x" * 501):
        event = registered().model_copy(update={"enterprise_id": key})
        with pytest.raises(MalformedEnvelope, match="partitionkey"):
            async with db.transaction() as tx:
                tx.publish(event)
    assert await db.fetchval("SELECT count(*) FROM events") == 0


@pytest.mark.parametrize("statement", ["UPDATE events SET key = 'x'", "DELETE FROM events"])
async def test_events_cannot_be_rewritten(make_database: Databases, statement: str) -> None:
    db = await make_database()
    async with db.transaction() as tx:
        tx.publish(registered())
    with pytest.raises(Exception, match="append-only"):
        async with db.transaction() as tx:
            await tx.execute(statement)
