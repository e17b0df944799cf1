"""The application on the authority's own form: what was judged, exactly, and nothing that was not given."""

import asyncio
import hashlib
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from casework import use_cases
from casework.api.files import XLSX
from casework.case import Case
from casework.form import Forms
from casework.form_facts import number_of
from casework.use_cases.refusals_of_files import NoForm
from casework_way import APPLICANT, EXPERT, FIRM, OFFICER, STRANGER, Door, Way
from chassis.errors import NotFound
from export_way import workbook

SECTIONS = [
    "一、主要情况", "二、知识产权汇总表", "三、人力资源情况表", "四、企业研究开发活动情况表", "五、研究开发费用结构明细表",
    "六、高新技术产品（服务）情况表", "七、企业创新能力", "附、自评",
]  # fmt: skip


async def filled(way: Way, case: Case) -> bytes:
    form = await use_cases.fill_form(way.work, way.db, OFFICER, case.case_id)
    assert form.title == "高新技术企业认定申请书"
    return form.content


def line_of(sheet: Worksheet, heading: str, nth: int = 1) -> list[Any]:
    """What stands beside the heading, the `nth` time it comes."""
    found = [row for row in sheet.iter_rows(values_only=True) if row[0] == heading]
    return list(found[nth - 1][1:])


def known(monkeypatch: pytest.MonkeyPatch, way: Way, facts: dict[str, Any]) -> None:
    async def facts_of(_tx: object, _enterprise_id: str) -> dict[str, Any]:
        return facts

    monkeypatch.setattr(way.work, "facts_of", facts_of)


async def test_the_form_has_a_sheet_for_each_section_and_says_what_is_judged(way: Way) -> None:
    book = workbook(await filled(way, await way.judged()))
    assert book.sheetnames == SECTIONS
    sheet = book["一、主要情况"]
    assert line_of(sheet, "企业名称")[0] == FIRM["enterprise"]["name"]
    assert str(line_of(sheet, "注册时间")[0]) == "2010-03-15 00:00:00"
    assert line_of(sheet, "申请类型")[0] == "首次认定"
    assert line_of(sheet, "销售收入")[:3] == [2400, 3200, 4200]
    assert line_of(sheet, "项目", nth=2)[:3] == ["2013年", "2014年", "2015年"]
    assert line_of(sheet, "企业总收入")[0] == 4400
    share = line_of(sheet, "上年度高新技术产品（服务）收入占企业同期总收入比例")[0]
    assert share == pytest.approx(34440000 / 44000000, abs=1e-15)
    rights = list(book["二、知识产权汇总表"].iter_rows(min_row=4, values_only=True))
    assert [row[4] for row in rights] == [right["id"] for right in FIRM["ip"]]
    assert {row[2] for row in rights} == {"发明专利"}
    own = book["附、自评"]
    assert line_of(own, "结论")[0] == "符合"
    assert line_of(own, "创新能力得分（下限）")[0] == 83
    assert [row[1] for row in own.iter_rows(values_only=True)].count("企业创新能力评价得分") == 1


async def test_a_fact_that_is_not_given_is_an_empty_cell_and_a_zero_is_a_zero(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = {**FIRM["years"][2], "net_assets": "0"}
    del latest["total_revenue"]
    known(monkeypatch, way, FIRM | {"years": [*FIRM["years"][:2], latest]})
    sheet = workbook(await filled(way, await way.submitted()))["一、主要情况"]
    assert line_of(sheet, "净资产")[:3] == [1000, 1250, 0]
    assert line_of(sheet, "企业总收入")[0] is None
    assert line_of(sheet, "主要产品（服务）所属技术领域")[0] is None


async def test_costs_by_items_and_staff_by_months_are_counted_as_the_edition_does(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"personnel": "1000000", "entrusted_domestic": "500000", "other": "1000000"}
    items = dict.fromkeys(
        ("direct_input", "depreciation", "amortisation", "design", "commissioning", "entrusted_abroad"), "0"
    )
    latest = {
        name: value
        for name, value in FIRM["years"][2].items()
        if name not in ("rd_spend", "rd_spend_domestic", "staff")
    }
    latest |= {"rd_items": costs | items, "staff_monthly": {"total": [[80, 81], [81, 84], [84, 84]]}}
    known(monkeypatch, way, FIRM | {"years": [*FIRM["years"][:2], latest]})
    book = workbook(await filled(way, await way.submitted()))
    spent = book["五、研究开发费用结构明细表"]
    assert line_of(spent, "人员人工费用")[:3] == [None, None, 100]
    # 100 own, 80 % of 50 entrusted, and of 100 other costs a quarter of both
    assert line_of(spent, "研究开发费用合计")[:3] == [150, 220, 175]
    assert line_of(book["一、主要情况"], "研究开发费用总额")[:3] == [150, 220, 175]
    assert line_of(book["三、人力资源情况表"], "企业职工")[0] == pytest.approx(
        float(Fraction(494, 6)), abs=1e-12
    )


async def test_the_form_of_a_draft_has_what_is_known_now(way: Way) -> None:
    book = workbook(await filled(way, await way.drafted()))
    assert line_of(book["一、主要情况"], "企业名称")[0] == FIRM["enterprise"]["name"]
    assert line_of(book["一、主要情况"], "销售收入")[:3] == [2400, 3200, 4200]
    assert line_of(book["附、自评"], "结论")[0] is None


async def test_the_same_application_gives_the_same_bytes(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await way.judged()
    first = await filled(way, case)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400 * 400)
    assert await filled(way, case) == first
    at = workbook(first).properties.modified
    assert at is not None
    assert at.date() == case.changed_at.date()


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("http://a")', "+86有限公司", "@示例"])
async def test_no_text_of_a_form_is_taken_for_a_formula(
    way: Way, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known(monkeypatch, way, FIRM | {"enterprise": FIRM["enterprise"] | {"name": name}})
    sheet = workbook(await filled(way, await way.submitted()))["一、主要情况"]
    (cell,) = (row[1] for row in sheet.iter_rows() if row[0].value == "企业名称")
    assert (cell.data_type, cell.value) == ("s", name)


@pytest.mark.parametrize(
    ("exact", "kept"),
    [
        ("150.000055", Decimal("150.000055")), ("-1.5", Decimal("-1.5")), ("0", Decimal(0)),
        ("12345678901234.56", "12345678901234.56"), ("17/300", Decimal("0.0566666666666667")),
    ],
)  # fmt: skip
def test_a_number_keeps_all_its_digits(exact: str, kept: object) -> None:
    assert number_of(Fraction(exact)) == kept


async def test_the_loop_goes_on_while_a_form_is_written(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await way.submitted()
    beats: list[float] = []
    loop = asyncio.get_running_loop()

    def slow(*_: Any) -> bytes:
        done = asyncio.run_coroutine_threadsafe(_beat(beats), loop)
        done.result(timeout=10)
        return b"PK"

    monkeypatch.setattr("casework.use_cases.forming.write_application", slow)
    await use_cases.fill_form(way.work, way.db, OFFICER, case.case_id)
    assert beats


async def _beat(beats: list[float]) -> None:
    beats.append(time.monotonic())


async def test_an_edition_without_a_form_says_so(way: Way) -> None:
    case = await way.submitted()
    way.work.forms = Forms()
    with pytest.raises(NoForm, match="hnte of 2016-01-01"):
        await use_cases.fill_form(way.work, way.db, OFFICER, case.case_id)
    with pytest.raises(NotFound):
        await use_cases.fill_form(way.work, way.db, OFFICER, uuid4())


async def test_who_may_read_the_case_takes_its_form(way: Way, door: Door) -> None:
    address = f"/v1/cases/{(await way.submitted()).case_id}/form"
    for actor, status in ((APPLICANT, 200), (OFFICER, 200), (EXPERT, 200), (STRANGER, 404), (None, 401)):
        async with door.client(actor) as client:
            assert (await client.get(address)).status_code == status
    async with door.client(APPLICANT) as client:
        answer = await client.get(address)
    assert answer.headers["Content-Type"] == XLSX
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert 'filename="application-form.xlsx"' in answer.headers["Content-Disposition"]
