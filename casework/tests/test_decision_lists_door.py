"""/v1/rounds/{round_id}/decision-list as officers and auditors meet it."""

import hashlib
from typing import Any

import pytest

from casework.api.files import XLSX
from casework_way import APPLICANT, EXPERT, OFFICER, USCC, Door, Way
from chassis.clock import FixedClock
from chassis.identity import Actor
from decision_way import as_csv, book, firm_number, granted, round_to_decide, saved, turned_down

AUDITOR = Actor("qian", "auditor")
SECOND = firm_number(1)


@pytest.fixture
async def address(way: Way, clock: FixedClock) -> str:
    return f"/v1/rounds/{(await round_to_decide(way, clock)).round_id}/decision-list"


async def test_a_list_is_looked_through_taken_in_and_read_again(door: Door, address: str) -> None:
    content = saved(book(granted(USCC), turned_down(SECOND)))
    digest = hashlib.sha256(content).hexdigest()
    async with door.client(OFFICER) as officer:
        dry = (await officer.post(address, content=content, headers={"Content-Type": XLSX})).json()
        assert [dry[name] for name in ("dry_run", "imported", "granted", "refused", "unchanged")] == [
            True,
            False,
            1,
            1,
            0,
        ]
        assert [(row["row"], row["outcome"]) for row in dry["decisions"]] == [(2, "granted"), (3, "refused")]
        sent: dict[str, Any] = {
            "files": {"file": ("名单.xlsx", content, XLSX)},
            "params": {"dry_run": "false"},
        }
        for outcome in ([True, 1, 1, 0], [True, 0, 0, 2]):
            told = (await officer.post(address, **sent)).json()
            assert [told[name] for name in ("imported", "granted", "refused", "unchanged")] == outcome
            assert (told["sha256"], told["rows"], told["decisions"]) == (digest, {"认定结果名单": 2}, [])
    async with door.client(AUDITOR) as auditor:
        (taken,) = (await auditor.get(address)).json()["items"]
        file = await auditor.get(f"{address}/{taken['list_id']}/file")
    assert (file.content, file.headers["ETag"], file.headers["Content-Type"]) == (
        content,
        f'"{digest}"',
        XLSX,
    )


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "is not a number of the form"), ("zh-CN", "不符合编号格式")]
)
async def test_a_refused_row_is_named_in_the_callers_language(
    door: Door, address: str, language: str, reason: str
) -> None:
    content = as_csv(granted(USCC, number="2016号"), encoding="gb18030")
    async with door.client(OFFICER, language) as officer:
        report = await officer.post(address, content=content, params={"dry_run": "false"})
    assert report.status_code == 422
    (refusal,) = report.json()["refusals"]
    assert (refusal["row"], refusal["column"], refusal["cell"], refusal["rule"]) == (
        2,
        "证书编号",
        "D2",
        "not-a-title-number",
    )
    assert reason in refusal["reason"]


async def test_officers_take_lists_in_and_auditors_read_them(door: Door, address: str) -> None:
    for actor, taking, reading in (
        (AUDITOR, 403, 200),
        (EXPERT, 403, 403),
        (APPLICANT, 403, 403),
        (None, 401, 401),
    ):
        async with door.client(actor) as client:
            assert (await client.post(address, content=b"x")).status_code == taking
            assert (await client.get(address)).status_code == reading
