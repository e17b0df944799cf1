"""What may be wrong with a list of decisions, cell by cell, before anything is known of its firms."""

from datetime import date
from typing import Any

import pytest

from casework.decision_list import read_decisions
from casework.form import DecisionForm
from casework.use_cases import Casework
from casework_way import USCC
from decision_way import HEADINGS, NAME, Row, as_csv, book, firm_number, granted, saved, turned_down


@pytest.fixture
def form(work: Casework) -> DecisionForm:
    return work.form_of(DecisionForm, work.rulebooks.edition("hnte", date(2016, 1, 1)))


def found(content: bytes, form: DecisionForm) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.rule) for one in read_decisions(content, form).refusals]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_utf_8_or_gbk_says_the_same_as_a_workbook(form: DecisionForm, encoding: str) -> None:
    rows = granted(USCC, until="2019-08-20"), turned_down(firm_number(1))
    for content in (
        as_csv(*rows, encoding=encoding),
        saved(book(*rows, title="2016年第二批高新技术企业名单")),
    ):
        read = read_decisions(content, form)
        assert list(read.refusals) == []
        first, second = (record.values for record in read.records)
        assert (first["result"], first["number"], first["granted_on"], first["valid_until"]) == (
            "grant", "GR201644000007", date(2016, 8, 20), date(2019, 8, 20),
        )  # fmt: skip
        assert (second["result"], second["reason"]) == ("refuse", "研发费用占比不足")


def test_columns_come_in_any_order_under_their_other_names_and_some_are_passed_over(
    form: DecisionForm,
) -> None:
    headings = ("序号", "证书编号", "认定结果", "单位名称", "信用代码", "发证日期", "所属区（行政区划代码）")
    row = (1, "GR201644000007", "通过", NAME, USCC, "2016年8月20日", "441702")
    (record,) = read_decisions(as_csv(row, headings=headings), form).records
    assert record.values["enterprise_id"] == USCC
    assert record.values["granted_on"] == date(2016, 8, 20)
    assert found(as_csv(row, headings=headings), form) == []


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (granted(USCC, number=""), "证书编号", "blank"),
        (granted(USCC, on=""), "发证日期", "blank"),
        (granted(USCC, on="2016-02-30"), "发证日期", "not-a-date"),
        (granted(USCC[:-1] + "0"), "统一社会信用代码", "uscc-check"),
        (granted("44170000001"), "统一社会信用代码", "uscc-length"),
        (("", USCC, "认定", "GR201644000007", "2016-08-20", "", ""), "企业名称", "blank"),
        ((NAME, USCC, "缓议", "", "", "", "待定"), "结果", "not-a-choice"),
        (turned_down(USCC, reason=""), "原因", "blank"),
        (turned_down(USCC, reason="不\x07足"), "原因", "unprintable"),
        ((NAME, USCC, "不予认定", "GR201644000007", "", "", "不足"), "证书编号", "of-a-refusal"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_taken_is_named(form: DecisionForm, row: Row, column: str, rule: str) -> None:
    assert found(as_csv(turned_down(firm_number(1)), row), form) == [(3, column, rule)]


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        (granted(USCC, number="GR201644000008"), "repeated-enterprise"),
        (turned_down(USCC), "repeated-enterprise"),
        (granted(firm_number(1)), "repeated-number"),
    ],
)
def test_a_firm_and_a_number_stand_once(form: DecisionForm, second: Row, rule: str) -> None:
    assert [(row, said) for row, _, said in found(as_csv(granted(USCC), second), form)] == [(3, rule)]


def merged() -> bytes:
    made = book(granted(USCC), granted(firm_number(1), number="GR201644000008"))
    made["认定结果名单"].merge_cells("E2:E3")
    return saved(made)


def with_a_formula() -> bytes:
    made = book(granted(USCC))
    made["认定结果名单"]["D2"] = '="GR2016"&"44000007"'
    return saved(made)


def with_two_sheets() -> bytes:
    made = book(granted(USCC))
    made.create_sheet("名单").append(HEADINGS)
    return saved(made)


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (merged(), [(2, "发证日期", "merged-cells"), (3, "发证日期", "merged-cells")]),
        (with_a_formula(), [(2, "证书编号", "no-cached-value")]),
        (saved(book(granted(USCC), sheet="Sheet9")), [(None, None, "unknown-sheet")]),
        (with_two_sheets(), [(None, None, "repeated-sheet")]),
        (saved(book(granted(USCC)[:5], headings=(*HEADINGS[:2], "结论", *HEADINGS[3:5]))), [(1, "结论", "unknown-column"), (1, None, "missing-column")]),
        (b"%PDF-1.7", [(None, None, "is-a-pdf")]),
        ("企业名称".encode("utf-16"), [(None, None, "unreadable-text")]),
    ],
    ids=["merged", "formula", "wrong sheet", "two sheets", "wrong column", "pdf", "utf-16"],
)  # fmt: skip
def test_a_broken_list_is_refused_with_the_place(form: DecisionForm, content: bytes, refused: Any) -> None:
    assert found(content, form) == refused
