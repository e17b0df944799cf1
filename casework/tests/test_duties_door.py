"""/v1/titles/{number}/duties, reports and assessments as their callers meet them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from casework.case import Title
from casework_way import APPLICANT, Way, casework_door
from chassis.clock import FixedClock

REPORT: dict[str, Any] = {"duty": "annual_report", "year": 2016, "contents": {"sales_revenue": "42000000.00"}}


@pytest.fixture
async def firm(way: Way, title: Title, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with casework_door(way.db, tmp_path, way.work).client(APPLICANT) as client:
        client.base_url = httpx.URL(f"http://test/v1/titles/{title.number}")
        yield client


async def test_the_holder_sees_what_is_owed_with_its_source_and_how_it_stands(
    firm: httpx.AsyncClient, clock: FixedClock
) -> None:
    clock.set(datetime(2017, 6, 2, tzinfo=UTC))
    first, second, _ = (await firm.get("/duties")).json()
    assert (first["year"], first["due_on"], first["standing"]) == (2016, "2017-05-31", "overdue")
    assert (second["year"], second["opens_on"], second["standing"]) == (2017, "2018-01-01", "to_come")
    assert first["source"] == {"instrument": "国科发火〔2016〕32号", "article": "第十三条"}
    assert first["verified"] is False


async def test_a_report_is_answered_with_how_the_duty_stands_and_is_read_back_as_given(
    firm: httpx.AsyncClient, clock: FixedClock
) -> None:
    clock.set(datetime(2017, 5, 31, tzinfo=UTC))
    answer = await firm.post("/reports", json=REPORT)
    assert (answer.status_code, answer.json()["standing"]) == (201, "done")
    [kept] = (await firm.get("/reports")).json()
    assert (kept["year"], kept["late"], kept["contents"]) == (2016, False, REPORT["contents"])


async def test_a_report_that_is_not_owed_is_refused_with_what_is(
    firm: httpx.AsyncClient, clock: FixedClock
) -> None:
    clock.set(datetime(2017, 5, 31, tzinfo=UTC))
    refused = await firm.post("/reports", json=REPORT | {"year": 2015}, headers={"Accept-Language": "zh-CN"})
    assert refused.status_code == 409
    assert "annual_report 2016" in refused.json()["detail"]
    assert "尚须完成" in refused.json()["detail"]


@pytest.mark.parametrize("wrong", [{"contents": {}}, {"contents": []}, {"year": 20160}, {"late": True}])
async def test_a_report_of_another_form_is_refused(firm: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await firm.post("/reports", json=REPORT | wrong)).status_code == 422
