from io import BytesIO
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook

from certification_rig import CHEN, LI, WANG, Counter, expect

DEMO = Path(__file__).parents[3] / "data/demo/2009/enterprises.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def spoilt() -> bytes:
    """The demo's workbook with one sales figure that is no number."""
    book = load_workbook(DEMO)
    sheet = book["年度"]
    headings = [str(cell.value) for cell in sheet[1]]
    column = next(place for place, heading in enumerate(headings, 1) if heading.startswith("销售收入"))
    sheet.cell(row=7, column=column).value = "约三千万"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


async def test_a_dry_run_tells_what_would_happen_and_keeps_nothing(counter: Counter) -> None:
    before = await counter.rows()
    async with counter.client(LI) as officer:
        report = (await expect(_import(officer, DEMO.read_bytes()), 200)).json()
    assert (report["dry_run"], report["imported"], report["registered"]) == (True, False, 60)
    assert report["rows"]["企业"] == 60
    assert await counter.rows() == before


async def test_a_workbook_is_taken_in_whole_and_a_second_time_changes_nothing(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        first = (await expect(_import(officer, DEMO.read_bytes(), dry_run=False), 200)).json()
        again = (await expect(_import(officer, DEMO.read_bytes(), dry_run=False), 200)).json()
    assert (first["imported"], first["registered"], first["refusals"]) == (True, 60, [])
    assert (again["registered"], again["changed"], again["unchanged"]) == (0, 0, 60)
    rows = await counter.rows()
    assert (rows["enterprises"], rows["enterprise_facts"], rows["events"]) == (60, 60, 60)


@pytest.mark.parametrize(("language", "reason"), [("zh-CN", "不是数字"), ("en", "is not a number")])
async def test_one_refused_cell_keeps_the_whole_workbook_out_and_is_named(
    counter: Counter, spoilt: bytes, language: str, reason: str
) -> None:
    async with counter.client(LI, language) as officer:
        report = (await expect(_import(officer, spoilt, dry_run=False), 422)).json()
    assert not report["imported"]
    (refusal,) = report["refusals"]
    assert (refusal["sheet"], refusal["row"]) == ("年度", 7)
    assert refusal["column"].startswith("销售收入")
    assert reason in refusal["reason"]
    rows = await counter.rows()
    assert (rows["enterprises"], rows["enterprise_facts"], rows["events"], rows["imports"]) == (0, 0, 0, 0)


async def test_a_form_with_the_file_does_the_same(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        sent = officer.post("/v1/imports", files={"file": ("企业.xlsx", DEMO.read_bytes(), XLSX)})
        assert (await expect(sent, 200)).json()["registered"] == 60


async def test_what_is_no_workbook_is_refused_with_a_reason(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        report = (await expect(_import(officer, b"%PDF-1.7"), 200)).json()
    assert [refusal["rule"] for refusal in report["refusals"]] == ["is-a-pdf"]


async def test_only_the_bureau_imports(counter: Counter) -> None:
    for actor in (WANG, CHEN, None):
        async with counter.client(actor) as client:
            await expect(_import(client, DEMO.read_bytes()), 403 if actor else 401)


async def _import(client: httpx.AsyncClient, content: bytes, *, dry_run: bool = True) -> httpx.Response:
    query = {"dry_run": str(dry_run).lower()}
    return await client.post("/v1/imports", content=content, params=query, headers={"Content-Type": XLSX})
