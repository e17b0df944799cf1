"""/v1/exports as officers and auditors meet it."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from casework.case import Title
from casework.export_files import MEDIA_TYPES
from casework_way import APPLICANT, EXPERT, OFFICER, Door, Way
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.identity import Actor
from export_way import ExportWay, records, workbook

AUDITOR = Actor("qian", "auditor")
TITLES = {"list": "titles", "format": "csv"}
TOLD = ("Content-Type", "Content-Length", "Content-Disposition", "ETag")


@pytest.fixture
async def officer(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(OFFICER) as client:
        yield client


@pytest.fixture
def exports(way: Way) -> ExportWay:
    return ExportWay(way)


async def test_a_list_is_asked_for_waited_for_and_read_as_one_file(
    officer: httpx.AsyncClient, exports: ExportWay, title: Title
) -> None:
    asked = await officer.post("/v1/exports", json=TITLES | {"valid_on": "2016-12-31", "region": "44"})
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    address = asked.headers["Location"]
    early = await officer.get(f"{address}/file")
    assert (early.status_code, early.json()["code"]) == (409, "export-waits")
    await exports.worked()
    told, file = (await officer.get(address)).json(), await officer.get(f"{address}/file")
    assert (told["state"], told["rows"], told["as_of"]) == ("done", 1, told["asked_at"])
    assert told["filters"]["valid_on"] == "2016-12-31"
    assert told["sha256"] == hashlib.sha256(file.content).hexdigest()
    assert {name: file.headers[name] for name in TOLD} == {
        "Content-Type": MEDIA_TYPES["csv"], "Content-Length": str(told["bytes"]),
        "Content-Disposition": 'attachment; filename="titles-2016-08-31.csv"', "ETag": f'"{told["sha256"]}"',
    }  # fmt: skip
    assert [row["证书编号"] for row in records(file.content)] == [title.number]


async def test_a_workbook_comes_as_one(officer: httpx.AsyncClient, exports: ExportWay, title: Title) -> None:
    asked = await officer.post("/v1/exports", json={"list": "titles", "format": "xlsx"})
    await exports.worked()
    file = await officer.get(f"{asked.headers['Location']}/file")
    assert file.headers["Content-Type"] == MEDIA_TYPES["xlsx"]
    assert workbook(file.content)["名单"]["A2"].value == title.number


async def test_the_same_request_again_is_one_export(officer: httpx.AsyncClient, db: Database) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = [await officer.post("/v1/exports", json=TITLES, headers=key) for _ in range(2)]
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert await db.fetchval("SELECT count(*) FROM exports") == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "the list titles is narrowed by programme"), ("zh-CN", "名单titles只能按programme")],
)
async def test_a_filter_of_another_list_is_named_with_those_that_are_known(
    door: Door, language: str, said: str
) -> None:
    async with door.client(OFFICER, language) as client:
        refused = await client.post("/v1/exports", json=TITLES | {"state": "granted"})
    assert refused.status_code == 422
    (problem,) = refused.json()["errors"]
    assert problem["field"] == "state"
    assert said in problem["rule"]


@pytest.mark.parametrize(
    "wrong", [{"region": "4"}, {"region": "粤"}, {"valid_on": "20160831"}, {"owner": "x"}]
)
async def test_a_filter_that_is_not_well_formed_is_refused_by_its_name(
    officer: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    refused = await officer.post("/v1/exports", json=TITLES | wrong)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, *wrong)


async def test_exports_are_listed_page_by_page(officer: httpx.AsyncClient, exports: ExportWay) -> None:
    ids = [str((await exports.asked("titles")).export_id) for _ in range(3)]
    first = (await officer.get("/v1/exports", params={"limit": 2})).json()
    rest = (await officer.get("/v1/exports", params={"limit": 2, "cursor": first["cursor"]})).json()
    assert [export["export_id"] for export in first["items"] + rest["items"]] == ids
    assert rest["cursor"] is None


async def test_what_was_removed_is_gone(
    officer: httpx.AsyncClient, exports: ExportWay, clock: FixedClock
) -> None:
    address = (await officer.post("/v1/exports", json=TITLES)).headers["Location"]
    await exports.worked()
    clock.advance(timedelta(days=30))
    await exports.worked()
    gone = await officer.get(f"{address}/file")
    assert (gone.status_code, gone.json()["code"]) == (410, "export-removed")
    assert (await officer.get(address)).json()["asked_by"] == str(OFFICER)


async def test_auditors_export_and_nobody_else_beside_officers(door: Door, exports: ExportWay) -> None:
    export = await exports.asked("titles")
    await exports.worked()
    address = f"/v1/exports/{export.export_id}"
    for actor, asked, read in ((AUDITOR, 202, 200), (APPLICANT, 403, 403), (EXPERT, 403, 403), (None, 401, 401)):  # fmt: skip
        async with door.client(actor) as client:
            assert (await client.post("/v1/exports", json=TITLES)).status_code == asked
            for path in ("/v1/exports", address, f"{address}/file"):
                assert (await client.get(path)).status_code == read, path
