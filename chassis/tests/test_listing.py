"""Lists in key order, narrowed by what is asked for and by nothing else."""

import pytest

from chassis.database import Database
from chassis.listing import Listing
from chassis.testing import Databases

THINGS = Listing(
    "SELECT kind, number FROM things", order="kind, number", kind="kind = {}", ended="NOT is_open",
    after="(kind, number) > ({}, {})",
)  # fmt: skip
Rows = list[tuple[str, int]]


@pytest.fixture
async def db(make_database: Databases) -> Database:
    made = await make_database()
    async with made.transaction() as tx:
        await tx.execute("CREATE TABLE things (kind text, number int, is_open bool)")
        rows = [(kind, number, number % 2 == 0) for kind in "ab" for number in range(5)]
        await tx.executemany("INSERT INTO things VALUES ($1, $2, $3)", rows)
    return made


async def rows(db: Database, limit: int | None, **wanted: object) -> Rows:
    return [(row["kind"], row["number"]) for row in await THINGS.rows(db, limit, **wanted)]


async def test_what_is_not_asked_for_narrows_nothing(db: Database) -> None:
    assert len(await rows(db, None, kind=None, ended=False, after=None)) == 10


async def test_conditions_hold_together(db: Database) -> None:
    assert await rows(db, None, kind="b", ended=True) == [("b", 1), ("b", 3)]


async def test_pages_follow_each_other_without_a_gap_or_a_double(db: Database) -> None:
    seen: Rows = []
    while found := await rows(db, 3, ended=True, after=seen[-1] if seen else None):
        seen += found
    assert seen == [("a", 1), ("a", 3), ("b", 1), ("b", 3)]


async def test_a_value_is_a_value_whatever_it_holds(db: Database) -> None:
    assert await rows(db, 5, kind="b' OR true --") == []


async def test_an_unknown_condition_is_a_mistake_of_ours(db: Database) -> None:
    with pytest.raises(KeyError):
        await rows(db, 5, colour="red")
