"""`huiqi files`: objects that no row names, and rows whose object is not as it was put."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import click.testing
import pytest
import yaml

from casework.kept_objects import decisions_key, export_key, file_key
from casework.store import casework_sql
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.storage import Storage
from chassis.testing import Databases
from huiqi import files
from huiqi.cli import main
from huiqi.files import Swept, checked, swept
from huiqi.installation import Installation, find_installation

CONTENT = b"%PDF-1.7 a page"
NAMED, ORPHAN, EXPORT, LIST = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
FOREIGN = "lost+found/note"


async def pieces(content: bytes = CONTENT) -> AsyncIterator[bytes]:
    yield content


@dataclass
class Kept:
    """A service with one file, one decision list, an orphan of each, an export of two attempts, and an object of somebody else."""

    url: str
    db: Database
    folder: Path
    storage: Storage

    async def fill(self) -> None:
        digest = hashlib.sha256(CONTENT).hexdigest()
        file = "INSERT INTO files VALUES ('9144', $1, $2, $3, 'application/pdf', 'a.pdf', now(), 'enterprise:wang')"
        await self.db.fetch(file, digest, NAMED, len(CONTENT))
        export = (
            "INSERT INTO exports (export_id, list, format, asked_by, asked_at, attempts, state, file_key, rows, bytes, sha256,"
            " as_of, done_at) VALUES ($1, 'cases', 'csv', 'officer:li', now(), 2, 'done', $2, 1, $3, $4, now(), now())"
        )
        await self.db.fetch(export, EXPORT, export_key(EXPORT, 1), len(CONTENT), digest)
        await self.db.fetch(
            "INSERT INTO rounds VALUES ($1, 'hnte', NULL, 'first', '2016-01-01', '2016-02-01', '2016-03-01', 5, '16', 1, now())",
            LIST,
        )
        taken = "INSERT INTO decision_lists VALUES ($1, $1, 'csv', $2, $3, 1, 0, 0, 'officer:li', now())"
        await self.db.fetch(taken, LIST, digest, len(CONTENT))
        exports = [export_key(EXPORT, attempt) for attempt in (1, 2, 3)]
        lists = [decisions_key(LIST), decisions_key(ORPHAN)]
        for key in (file_key(NAMED), file_key(ORPHAN), *lists, *exports, FOREIGN):
            await self.storage.put(key, pieces())

    def left(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    async def sweep(self, *, delete: bool, hours: float) -> Swept:
        """With everything put before so many hours from now as old enough."""
        before = datetime.now(UTC) + timedelta(hours=hours)
        return await swept("certification", self.db, self.storage, before, delete=delete, told=lambda _: None)


@pytest.fixture
async def kept(make_database: Databases, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Kept]:
    url = await make_database.url([casework_sql()])
    db = await Database.open(url, service="certification", clock=clock, pool_size=2)
    found = Kept(url, db, tmp_path / "kept", Storage((tmp_path / "kept").as_uri()))
    await found.fill()
    yield found
    await db.close()


@pytest.fixture
def installed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """The commands find this one service."""
    installation = Installation({"certification": kept.url}, {}, {}, storages={"certification": kept.storage})
    monkeypatch.setattr(files, "find_installation", lambda _house, _file: installation)
    return kept


async def huiqi(*arguments: str) -> click.testing.Result:
    return await asyncio.to_thread(click.testing.CliRunner().invoke, main, ["files", *arguments])


async def test_a_dry_run_counts_what_no_row_names_and_takes_nothing(kept: Kept) -> None:
    before = kept.left()
    found = await kept.sweep(delete=False, hours=1)
    assert (found.objects, found.bytes) == (8, 8 * len(CONTENT))
    assert (found.orphans, found.orphan_bytes, found.deleted) == (3, 3 * len(CONTENT), 0)
    assert (found.recent, found.foreign) == (0, 1)
    assert kept.left() == before


async def test_what_no_row_names_is_taken_away_and_nothing_else(kept: Kept) -> None:
    assert (await kept.sweep(delete=True, hours=1)).deleted == 3
    exports = {export_key(EXPORT, 1), export_key(EXPORT, 2)}
    assert kept.left() == {file_key(NAMED), decisions_key(LIST), *exports, FOREIGN}


async def test_what_may_still_get_its_row_stays(kept: Kept) -> None:
    before = kept.left()
    found = await kept.sweep(delete=True, hours=-1)
    assert (found.recent, found.orphans, found.deleted) == (3, 0, 0)
    assert kept.left() == before


async def test_a_row_that_comes_while_the_objects_are_listed_keeps_its_object(kept: Kept) -> None:
    listed = kept.storage.listed

    async def slowly() -> AsyncIterator[object]:
        async for batch in listed():
            await kept.db.fetch("UPDATE files SET file_id = $1", ORPHAN)
            yield batch

    kept.storage.listed = slowly  # type: ignore[method-assign,assignment]  # what happens between the two
    await kept.sweep(delete=True, hours=1)
    assert file_key(ORPHAN) in kept.left()


async def test_every_attempt_at_an_export_that_was_taken_away_is_an_orphan(kept: Kept) -> None:
    await kept.db.fetch("UPDATE exports SET removed_at = now()")
    assert (await kept.sweep(delete=True, hours=1)).deleted == 5
    assert kept.left() == {file_key(NAMED), decisions_key(LIST), FOREIGN}


async def test_the_command_deletes_only_when_it_is_told_to(installed: Kept) -> None:
    before = installed.left()
    said = await huiqi("sweep")
    assert (said.exit_code, installed.left()) == (0, before), said.output
    told = await huiqi("sweep", "--delete", "--format", "json")
    assert [one["recent"] for one in json.loads(told.stdout)] == [3]
    assert installed.left() == before
    assert (await huiqi("sweep", "--older-than", "0.5")).exit_code == 2


@pytest.mark.parametrize("options", [[], ["--sizes-only"]])
@pytest.mark.parametrize("key", [file_key(NAMED), decisions_key(LIST)])
async def test_a_row_without_its_object_is_named_and_exits_1(
    installed: Kept, key: str, options: list[str]
) -> None:
    assert (await huiqi("check", *options)).exit_code == 0
    (installed.folder / key).unlink()
    said = await huiqi("check", *options)
    assert said.exit_code == 1
    assert f"certification {key}: is missing" in said.stdout


@pytest.mark.parametrize(
    ("content", "why", "by_size"), [(CONTENT[:-1], "has 14 bytes", True), (b"#" + CONTENT[1:], "its SHA-256 is", False)]
)  # fmt: skip
async def test_an_object_that_is_not_as_it_was_put_is_named(
    installed: Kept, content: bytes, why: str, by_size: bool
) -> None:
    (installed.folder / export_key(EXPORT, 1)).write_bytes(content)
    said = await huiqi("check", "--format", "json")
    ((fault,),) = (one["faults"] for one in json.loads(said.stdout))
    assert (said.exit_code, fault.startswith(f"{export_key(EXPORT, 1)}: {why}")) == (1, True), fault
    assert (await huiqi("check", "--sizes-only")).exit_code == int(by_size)


async def test_the_file_of_an_export_that_was_taken_away_is_not_missed(installed: Kept) -> None:
    await installed.db.fetch("UPDATE exports SET removed_at = now()")
    (installed.folder / export_key(EXPORT, 1)).unlink()
    assert (await huiqi("check")).exit_code == 0


async def test_the_file_of_an_export_that_is_taken_away_while_it_is_looked_for_is_not_missed(
    kept: Kept,
) -> None:
    size = kept.storage.size

    async def taken_away(key: str) -> int:
        if key == export_key(EXPORT, 1):
            await kept.db.fetch("UPDATE exports SET removed_at = now()")
            await kept.storage.delete(key)
        return await size(key)

    kept.storage.size = taken_away  # type: ignore[method-assign]  # what happens between the two
    found = await checked("certification", kept.db, kept.storage, sizes_only=False, told=lambda _: None)
    assert (found.objects, found.faults) == (3, [])


def test_a_storage_is_read_from_an_installation_file_with_its_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    names = ("certification", "ip-enterprise", "finance-link", "notifier")
    given = {
        "services": dict.fromkeys(names, "postgresql://x"),
        "kafka": {"bootstrap": "127.0.0.1:1"},
        "storage": {"certification": {"address": "s3://kept/a", "key": "k", "secret": {"file": str(tmp_path / "secret")}}},
    }  # fmt: skip
    file = tmp_path / "installation.yaml"
    file.write_text(yaml.safe_dump(given))
    found = find_installation(None, file)
    assert list(found.storages) == ["certification"]
    assert found.storages["certification"]._options["secret_access_key"] == "hidden"
    assert "hidden" not in repr(found)
