"""Whole lists as files: complete, of one moment, once, and not for ever."""

import asyncio
import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from casework import export_files
from casework.case import Title
from casework.export import Format
from casework.use_cases.refusals_of_files import ExportLost, ExportRemoved, ExportTooLong, ExportWaits
from casework_way import APPLICANT, EXPERT, OFFICER, USCC, Way, kept
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.work import Done
from export_way import ExportWay, add_cases, records, workbook

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)


@pytest.fixture
def exports(way: Way) -> ExportWay:
    return ExportWay(way)


async def test_an_export_waits_for_its_file_and_then_tells_rows_hash_and_moment(
    exports: ExportWay, db: Database
) -> None:
    await add_cases(db, 7)
    asked = await exports.asked("cases")
    assert (asked.state, asked.asked_by) == ("waiting", str(OFFICER))
    with pytest.raises(ExportWaits):
        await exports.content(asked.export_id)
    await exports.worked()
    done, content = await exports.read(asked.export_id), await exports.content(asked.export_id)
    assert (done.state, done.rows, done.as_of) == ("done", 7, db.clock.now())
    assert (done.bytes, done.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert len(records(content)) == 7


class Writer:
    """Each transaction gives the first and the last case the next generation and adds one case between them."""

    def __init__(self, db: Database) -> None:
        self.db, self.generation, self.is_wanted = db, 0, True

    async def run(self) -> None:
        while self.is_wanted:
            async with self.db.transaction() as tx:
                self.generation += 1
                await tx.execute(
                    "UPDATE cases SET level = $1 WHERE case_id = ANY($2)", str(self.generation), [FIRST, LAST]
                )
                await tx.execute(
                    "INSERT INTO cases (case_id, enterprise_id, programme, case_type, drafted_at, changed_at)"
                    " VALUES ($1, '9144', 'late', 'first', now(), now())",
                    uuid4(),
                )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_is_of_one_moment_however_much_is_written_meanwhile(
    exports: ExportWay, db: Database, kind: Format
) -> None:
    await add_cases(db, 4000, level="0")
    for end in (FIRST, LAST):
        await db.fetch("UPDATE cases SET case_id = $1 WHERE case_id = (SELECT max(case_id::text)::uuid FROM cases)", end)  # fmt: skip
    writer = Writer(db)
    writing = asyncio.create_task(writer.run())
    export = await exports.asked("cases", kind)
    await exports.worked()
    writer.is_wanted = False
    await writing
    content = await exports.content(export.export_id)
    if kind == "csv":
        found = [(row["案件编号"], row["认定项目"], row["级别"]) for row in records(content)]
    else:
        rows = workbook(content)["名单"].iter_rows(min_row=2, values_only=True)
        found = [(str(row[0]), str(row[4]), str(row[5])) for row in rows]
    generations = {level for case_id, _, level in found if UUID(case_id) in (FIRST, LAST)}
    late = sum(programme == "late" for _, programme, _ in found)
    assert generations == {str(late)}
    assert late < writer.generation
    assert (await exports.read(export.export_id)).rows == len(found) == 4000 + late


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_ten_thousand_rows_are_never_held_at_once(
    exports: ExportWay, db: Database, kind: Format
) -> None:
    await add_cases(db, 10_000, "企" * 2000)
    export = await exports.asked("cases", kind)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    before = resident("VmRSS")
    await exports.worked()
    assert resident("VmHWM") - before < 30_000_000
    assert (await exports.read(export.export_id)).rows == 10_000


def resident(peak_or_now: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{peak_or_now}:"))


async def test_titles_are_narrowed_by_the_day_on_which_they_hold(exports: ExportWay, title: Title) -> None:
    for day, count in ((title.granted_on, 1), (title.valid_until, 1), (date(2016, 8, 1), 0), (date(2019, 9, 1), 0)):  # fmt: skip
        content = await exports.exported("titles", valid_on=day)
        assert len(records(content)) == count, day
    (row,) = records(await exports.exported("titles", region="4417"))
    assert (row["证书编号"], row["统一社会信用代码"], row["有效期至"]) == (title.number, USCC, "2019-08-31")
    assert records(await exports.exported("titles", region="4401")) == []


async def test_cases_are_narrowed_by_each_of_their_filters(exports: ExportWay, db: Database) -> None:
    await add_cases(db, 2, programme="sme")
    await add_cases(db, 3, level="national")
    for filters, count in (
        ({"programme": "sme"}, 2), ({"level": "national"}, 3), ({"state": "draft"}, 5), ({"state": "granted"}, 0),
        ({"region": "44"}, 5), ({"region": "441702"}, 5), ({"region": "45"}, 0), ({"round_id": FIRST}, 0),
        ({"programme": "hnte", "level": "national"}, 3),
    ):  # fmt: skip
        assert len(records(await exports.exported("cases", **filters))) == count, filters


@pytest.mark.parametrize(
    ("name", "filters", "field"),
    [
        ("titles", {"state": "granted"}, "state"),
        ("cases", {"valid_on": date(2016, 8, 1)}, "valid_on"),
        ("recommendation", {"round_id": FIRST, "programme": "hnte"}, "programme"),
        ("recommendation", {}, "round_id"),
    ],
)
async def test_a_filter_that_does_not_fit_the_list_is_refused_by_its_name(
    exports: ExportWay, db: Database, name: Any, filters: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await exports.asked(name, **filters)
    assert refused.value.fields["field"] == field
    with pytest.raises(NotFound, match="round"):
        await exports.asked("recommendation", round_id=FIRST)
    assert await db.fetchval("SELECT count(*) FROM exports") == 0


async def test_where_the_row_could_not_be_written_after_the_bytes_the_next_attempt_is_the_file(
    exports: ExportWay, db: Database, clock: FixedClock, tmp_path: Path
) -> None:
    export = await exports.asked("cases")
    await db.fetch("ALTER TABLE exports ADD CONSTRAINT broken CHECK (state <> 'done')")
    await exports.worked()
    assert len(kept(tmp_path)) == 1
    with pytest.raises(ExportWaits):
        await exports.content(export.export_id)
    await db.fetch("ALTER TABLE exports DROP CONSTRAINT broken")
    await add_cases(db, 4)
    await exports.worked()
    done, content = await exports.read(export.export_id), await exports.content(export.export_id)
    assert (done.rows, len(records(content)), done.attempts) == (4, 4, 2)
    assert done.sha256 == hashlib.sha256(content).hexdigest()
    clock.advance(timedelta(days=30))
    await exports.worked()
    assert kept(tmp_path) == []


async def test_of_two_attempts_at_once_one_file_stays(
    exports: ExportWay, db: Database, tmp_path: Path
) -> None:
    await add_cases(db, 1000)
    export = await exports.asked("cases")
    (slow,), (again,) = await exports.leased(), await exports.leased()
    await asyncio.gather(exports.exporting.write(slow), exports.exporting.write(again))
    done, content = await exports.read(export.export_id), await exports.content(export.export_id)
    assert (done.state, done.attempts) == ("done", 2)
    assert done.sha256 == hashlib.sha256(content).hexdigest()
    assert [str(path.relative_to(tmp_path / "kept")) for path in kept(tmp_path)] == [done.file_key]


async def test_an_export_that_is_written_is_not_written_again(
    exports: ExportWay, db: Database, tmp_path: Path
) -> None:
    export = await exports.asked("cases")
    (job,) = await exports.leased()
    await exports.exporting.write(job)
    before = await exports.read(export.export_id)
    await add_cases(db, 1)
    assert await exports.exporting.write(job) == Done()
    assert await exports.read(export.export_id) == before
    assert len(kept(tmp_path)) == 1


async def test_while_the_storage_is_away_an_export_waits_and_is_then_written(
    exports: ExportWay, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("no folder")
    export = await exports.asked("titles")
    await exports.worked()
    assert (await exports.read(export.export_id)).state == "waiting"
    (tmp_path / "kept").unlink()
    await exports.worked()
    assert records(await exports.content(export.export_id)) == []


async def test_a_list_that_no_workbook_holds_fails_and_says_why(
    exports: ExportWay, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_files, "MOST_ROWS", 2)
    await add_cases(db, 3)
    export = await exports.asked("cases", "xlsx")
    await exports.worked()
    failed = await exports.read(export.export_id)
    assert (failed.state, failed.reason) == ("failed", "export-too-long")
    with pytest.raises(ExportTooLong):
        await exports.content(export.export_id)
    assert await exports.worked() == 0


async def test_a_file_is_taken_away_after_its_days_and_the_row_tells_who_took_it(
    exports: ExportWay, clock: FixedClock, tmp_path: Path
) -> None:
    export = await exports.asked("titles")
    await exports.worked()
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert await exports.worked() == 0
    assert len(kept(tmp_path)) == 1
    clock.advance(timedelta(seconds=1))
    assert await exports.worked() == 1
    assert kept(tmp_path) == []
    removed = await exports.read(export.export_id)
    assert (removed.asked_by, removed.removed_at) == (str(OFFICER), clock.now())
    with pytest.raises(ExportRemoved):
        await exports.content(export.export_id)


async def test_a_file_that_is_not_whole_in_the_storage_is_not_handed_out(
    exports: ExportWay, tmp_path: Path
) -> None:
    export = await exports.asked("titles")
    await exports.worked()
    (path,) = kept(tmp_path)
    path.write_bytes(b"half")
    with pytest.raises(ExportLost):
        await exports.content(export.export_id)


@pytest.mark.parametrize("actor", [APPLICANT, EXPERT], ids=["enterprise", "expert"])
async def test_nobody_but_officers_and_auditors_asks_for_a_list(exports: ExportWay, actor: Any) -> None:
    with pytest.raises(Forbidden):
        await exports.asked("titles", actor=actor)


async def test_a_moment_is_written_as_shanghai_reads_it(
    exports: ExportWay, db: Database, clock: FixedClock
) -> None:
    await add_cases(db, 1)
    await db.fetch("UPDATE cases SET drafted_at = $1", datetime(2016, 8, 31, 16, 30, tzinfo=UTC))
    (row,) = records(await exports.exported("cases"))
    assert row["起草时间"] == "2016-09-01T00:30:00+08:00"
