"""What a bureau and its enterprises really send: each is refused with its place and its rule, in Chinese and English."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from bureau_workbook import KNIVES, Sheets, saved, sheets, workbook
from certification_rig import ENTERPRISE, LI, OTHER, USCC, WANG, WHOLE_FIRM, Counter, expect
from chassis.testing import PDF

Reasons = tuple[str, str]
NO_UNPACKING = 40 * 1024 * 1024


def spoilt(sheet: str, row: int, column: int, value: object) -> Callable[[], bytes]:
    def made() -> bytes:
        content: Sheets = sheets()
        content[sheet][row - 1][column - 1] = value
        return saved(workbook(content))

    return made


def merged() -> bytes:
    book: Workbook = workbook(sheets())
    book["年度"].merge_cells("B2:B3")
    return saved(book)


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * NO_UNPACKING)
    return stream.getvalue()


def long_pdf() -> bytes:
    return PDF + b"4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n" * 300


def gbk_csv() -> bytes:
    return "统一社会信用代码,企业名称\n9144,示例公司\n".encode("gbk")


WORKBOOKS: dict[str, tuple[Callable[[], bytes], str | None, str, Reasons]] = {
    "a wrong check character": (
        spoilt("企业", 2, 1, KNIVES[:-1] + "8"), "A2", "uscc-check", ("校验码应为Q", "its check character is Q")),
    "one year twice": (spoilt("年度", 3, 1, 2008), "A3", "repeated-row", ("第2行", "Row 2 already holds")),
    "negative money": (spoilt("年度", 2, 3, -1), "C2", "negative", ("-1为负", "-1 is negative")),
    "a right before the founding": (
        spoilt("知识产权", 2, 5, "2003-05-05"), "E2", "before-founding",
        ("早于企业成立日期2003-05-06", "before the founding of the enterprise on 2003-05-06")),
    "a formula without its result": (
        spoilt("年度", 2, 5, "=C2*0.8"), "E2", "no-cached-value", ("公式", "a formula without a stored result")),
    "merged cells": (merged, "B2", "merged-cells", ("合并", "are merged")),
    "a PDF of 300 pages called .xlsx": (long_pdf, None, "is-a-pdf", ("PDF", "is a PDF, not an Excel workbook")),
    "a CSV in GBK": (gbk_csv, None, "not-a-workbook", ("不是", "is not an Excel workbook")),
    "a zip bomb": (bomb, None, "too-large", ("40", "would take 40 MiB")),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKBOOKS)
async def test_a_workbook_that_cannot_be_trusted_is_refused_at_its_cell(counter: Counter, name: str) -> None:
    made, cell, rule, reasons = WORKBOOKS[name]
    for language, reason in zip(("zh-CN", "en"), reasons, strict=True):
        async with counter.client(LI, language) as officer:
            form = {"file": ("企业.xlsx", made())}
            sent = officer.post("/v1/imports", files=form, params={"dry_run": "false"})
            found = (await expect(sent, 422)).json()["refusals"]
        assert (cell, rule) in [(one["cell"], one["rule"]) for one in found]
        assert any(reason in one["reason"] for one in found if one["rule"] == rule), found
    assert (await counter.rows())["enterprises"] == 0


YEAR = {"year": 2015, "sales_revenue": "1"}
OWN = {"id": "ZL1", "kind": "invention", "acquired": "self", "granted_on": "2010-03-14"}
FACTS: dict[str, tuple[dict[str, Any], str, Reasons]] = {
    "one year twice": ({"years": [YEAR, YEAR]}, "years", ("会计年度2015重复", "fiscal year 2015 appears twice")),
    "negative money": (
        {"years": [{**YEAR, "sales_revenue": "-1"}]}, "years[0].sales_revenue",
        ("不得为负：-1", "must not be negative: -1")),
    "a right before the founding": (
        {"ip": [{**OWN, "granted_on": "2010-03-15", "id": "ZL0"}, OWN]}, "ip[1].granted_on",
        ("2010-03-14早于企业成立日期2010-03-15", "2010-03-14 is before the founding of the enterprise on 2010-03-15")),
    "one right twice": ({"ip": [OWN, OWN]}, "ip", ("编号“ZL1”重复", "the id “ZL1” appears twice")),
}  # fmt: skip


@pytest.mark.parametrize("name", FACTS)
async def test_a_fact_that_cannot_be_true_is_refused_with_its_path(counter: Counter, name: str) -> None:
    facts, field, reasons = FACTS[name]
    whole = {**WHOLE_FIRM, **facts}
    async with counter.client(LI) as officer:
        await expect(officer.put(f"/v1/enterprises/{USCC}", json=ENTERPRISE), 201)
    for language, reason in zip(("zh-CN", "en"), reasons, strict=True):
        async with counter.client(LI, language) as officer:
            for sent in (
                officer.put(f"/v1/enterprises/{USCC}/facts", json=facts),
                officer.post("/v1/self-checks", json=whole),
            ):
                (error,) = (await expect(sent, 422)).json()["errors"]
                assert (error["field"], reason in error["rule"]) == (field, True), error


@pytest.mark.parametrize("name", ["one year twice", "negative money", "one right twice"])
async def test_an_application_is_refused_for_what_its_facts_cannot_be(counter: Counter, name: str) -> None:
    facts, field, reasons = FACTS[name]
    application = {"programme": "hnte", "case_type": "first", "facts": facts}
    for language, reason in zip(("zh-CN", "en"), reasons, strict=True):
        async with counter.client(WANG, language) as own:
            (error,) = (await expect(own.post("/v1/cases", json=application), 422)).json()["errors"]
        assert (error["field"], reason in error["rule"]) == (field, True), error


async def test_a_right_that_came_from_others_may_be_older_than_the_enterprise(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        await expect(officer.put(f"/v1/enterprises/{USCC}", json=ENTERPRISE), 201)
        bought = {"ip": [{**OWN, "acquired": "transfer"}]}
        await expect(officer.put(f"/v1/enterprises/{USCC}/facts", json=bought), 200)


@pytest.mark.parametrize(
    ("language", "reason"), [("zh-CN", "末位为校验码"), ("en", "the last one a check character")]
)
async def test_a_code_with_a_wrong_check_character_is_refused(
    counter: Counter, language: str, reason: str
) -> None:
    wrong = OTHER[:-1] + "5"
    async with counter.client(LI, language) as officer:
        for sent, field in (
            (officer.put(f"/v1/enterprises/{wrong}", json=ENTERPRISE), "uscc"),
            (
                officer.post("/v1/self-checks", json={**WHOLE_FIRM, "enterprise": {"uscc": wrong}}),
                "enterprise.uscc",
            ),
        ):
            (error,) = (await expect(sent, 422)).json()["errors"]
            assert (error["field"], reason in error["rule"]) == (field, True), error
