"""Migrations are applied once, in order, and cannot be changed afterwards."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from chassis.migrate import MigrationError, chassis_sql, migrate
from chassis.testing import Databases


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_pre_add_goods.sql").write_text("CREATE TABLE goods (id int);")
    (folder / "0002_post_drop_id.sql").write_text("ALTER TABLE goods DROP COLUMN id;")
    return folder


async def test_each_file_is_applied_once_even_by_many_at_the_same_time(
    make_database: Databases, source: Path
) -> None:
    url = await make_database.url()
    applied = await asyncio.gather(*(migrate(url, [chassis_sql(), source]) for _ in range(5)))
    assert max(applied) == ["shop/0001_pre_add_goods.sql", "shop/0002_post_drop_id.sql"]
    assert sum(map(len, applied)) == 2


async def test_post_files_wait_for_their_phase(make_database: Databases, source: Path) -> None:
    url = await make_database.url()
    assert await migrate(url, [source], "pre") == ["shop/0001_pre_add_goods.sql"]
    assert await migrate(url, [source]) == ["shop/0002_post_drop_id.sql"]


async def test_a_file_changed_after_it_was_applied_stops_the_run(
    make_database: Databases, source: Path
) -> None:
    url = await make_database.url()
    await migrate(url, [source])
    (source / "0001_pre_add_goods.sql").write_text("CREATE TABLE goods (id bigint);")
    with pytest.raises(MigrationError, match="0001_pre_add_goods.sql changed"):
        await migrate(url, [source])


async def test_a_file_that_went_missing_stops_the_run(make_database: Databases, source: Path) -> None:
    url = await make_database.url()
    await migrate(url, [source])
    (source / "0001_pre_add_goods.sql").unlink()
    with pytest.raises(MigrationError, match="is gone"):
        await migrate(url, [source])


async def test_a_misnamed_file_stops_the_run(make_database: Databases, source: Path) -> None:
    (source / "3_add.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="not named"):
        await migrate(await make_database.url(), [source])


async def test_a_failing_file_leaves_nothing_behind(make_database: Databases, source: Path) -> None:
    url = await make_database.url()
    (source / "0001_pre_add_goods.sql").write_text("CREATE TABLE goods (id int); SELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(url, [source])
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT to_regclass('goods')") is None
    await connection.close()
