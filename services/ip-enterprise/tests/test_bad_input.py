"""Lists of IP rights as they are really sent: each is refused with its cell and its rule, in Chinese and English."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from chassis.testing import PDF
from contracts.certification import EnterpriseRegistered
from ip_rig import HEADINGS, USCC, Bureau, listed, right

FOUNDED = date(2007, 6, 7)


def book(*rows: tuple[object, ...]) -> Workbook:
    made = Workbook()
    made.worksheets[0].title = "知识产权"
    for row in (HEADINGS, *rows):
        made.worksheets[0].append(list(row))
    return made


def saved(made: Workbook) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def formula() -> bytes:
    return saved(book((*right("A")[:4], "=TODAY()", *right("A")[5:])))


def merged() -> bytes:
    made = load_workbook(io.BytesIO(saved(book(right("A"), right("B")))))
    made["知识产权"].merge_cells("B2:B3")
    return saved(made)


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 * 1024 * 1024))
    return stream.getvalue()


LISTS: dict[str, tuple[Callable[[], bytes], str | None, str, tuple[str, str]]] = {
    "a wrong check character": (
        lambda: listed(right("A", owner=USCC[:-1] + "G")), "B2", "uscc-check", ("校验码应为F", "its check character is F")),
    "one right twice": (
        lambda: listed(right("A"), right("A")), "A3", "repeated-asset", ("第2行", "Row 2 already holds")),
    "an end before the grant": (
        lambda: listed(right("A", "2001-01-01")), "F2", "expires-before-grant", ("早于授权日期", "is before the grant on")),
    "a right before the founding": (
        lambda: listed(right("A")), "E2", "before-founding",
        ("2007-06-06早于企业成立日期2007-06-07", "2007-06-06 is before the founding of the enterprise on 2007-06-07")),
    "a formula without its result": (
        formula, "E2", "no-cached-value", ("公式", "a formula without a stored result")),
    "merged cells": (merged, "B3", "merged-cells", ("合并", "are merged")),
    "a PDF of 300 pages called .xlsx": (
        lambda: PDF + b"4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n" * 300, None, "is-a-pdf", ("PDF", "is a PDF")),
    "a CSV in UTF-16": (
        lambda: listed(right("A")).decode().encode("utf-16"), None, "unreadable-text", ("GBK", "neither UTF-8 nor GBK")),
    "a zip bomb": (bomb, None, "too-large", ("40", "would take 40 MiB")),
}  # fmt: skip


async def register(bureau: Bureau) -> None:
    told = EnterpriseRegistered(
        enterprise_id=USCC, name="示例精密制造有限公司", region="441702", established_on=FOUNDED,
        language="zh-CN", contact_email=None,
    )  # fmt: skip
    await bureau.hear((told, 1))


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_that_cannot_be_trusted_is_refused_at_its_cell(bureau: Bureau, name: str) -> None:
    made, cell, rule, reasons = LISTS[name]
    await register(bureau)
    for language, reason in zip(("zh-CN", "en"), reasons, strict=True):
        refused = await bureau.take_in(made(), language=language)
        found = refused.json()["refusals"]
        assert refused.status_code == 422
        assert (cell, rule) in [(one["cell"], one["rule"]) for one in found]
        assert any(reason in one["reason"] for one in found if one["rule"] == rule), found
    assert await bureau.assets() == {}


async def test_a_list_in_gbk_is_read(bureau: Bureau) -> None:
    taken = await bureau.take_in(listed(right("A")).decode().encode("gbk"))
    assert (taken.status_code, taken.json()["recorded"]) == (200, 1)


async def test_a_right_that_came_from_others_may_be_older_than_its_owner(bureau: Bureau) -> None:
    await register(bureau)
    bought = tuple("受让" if cell == "自主研发" else cell for cell in right("A"))
    assert (await bureau.take_in(listed(bought))).json()["recorded"] == 1


async def test_of_an_enterprise_that_is_not_known_yet_no_founding_is_held_against_a_right(
    bureau: Bureau,
) -> None:
    assert (await bureau.take_in(listed(right("A")))).json()["recorded"] == 1
