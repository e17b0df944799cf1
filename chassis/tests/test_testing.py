from pathlib import Path

import pytest

from chassis import kafka_admin
from chassis.kafka_admin import Broker
from chassis.testing import Databases

ONE = "CREATE TABLE notes (id int PRIMARY KEY, text text NOT NULL);"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "notes" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_pre_notes.sql").write_text(ONE)
    return folder


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_has_an_empty_database(
    make_database: Databases, migrations: Path, round_: int
) -> None:
    db = await make_database([migrations])
    assert await db.fetchval("SELECT count(*) FROM notes") == 0
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO notes VALUES ($1, 'here')", round_)


async def test_databases_of_one_test_are_apart(make_database: Databases, migrations: Path) -> None:
    first, second = await make_database([migrations]), await make_database([str(migrations)])
    async with first.transaction() as tx:
        await tx.execute("INSERT INTO notes VALUES (1, 'here')")
    assert await second.fetchval("SELECT count(*) FROM notes") == 0


async def test_changed_migrations_make_another_template(make_database: Databases, migrations: Path) -> None:
    await make_database([migrations])
    (migrations / "0002_pre_more.sql").write_text("ALTER TABLE notes ADD more text;")
    db = await make_database([migrations])
    assert await db.fetchval("SELECT count(more) FROM notes") == 0


async def test_databases_are_dropped_after_the_test(make_database: Databases) -> None:
    url = await make_database.url()
    await make_database.close()
    other = await make_database()
    assert not await other.fetchval(
        "SELECT count(*) FROM pg_database WHERE datname = $1", url.rpartition("/")[2]
    )


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_has_a_broker_without_the_topics_of_others(broker: Broker, round_: int) -> None:
    assert await kafka_admin.list_topics(broker.client) == []
    await kafka_admin.create_topics(broker.client, {"left-behind": 1})


async def test_clean_topics_are_those_of_the_contracts(clean_topics: Broker) -> None:
    topics = await kafka_admin.list_topics(clean_topics.client)
    assert "certification.titles" in topics
    assert not [name for name in topics if "{" in name]
