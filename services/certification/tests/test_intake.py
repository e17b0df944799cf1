"""What a bureau's workbook becomes, and every reason for which it becomes nothing."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest

from bureau_workbook import HERBS, KNIVES, Sheets, read, refusals, saved, sheets, workbook
from casework.facts import facts_from
from certification.intake import read_workbook


def test_a_good_workbook_becomes_enterprises_with_exact_facts() -> None:
    knives, herbs = read(sheets()).enterprises
    assert (knives.enterprise_id, knives.region, knives.established_on) == (
        KNIVES,
        "441702",
        date(2003, 5, 6),
    )
    assert (herbs.region, herbs.contact_email, herbs.language) == ("441781", None, "zh-CN")
    assert [year["year"] for year in knives.facts["years"]] == [2007, 2008]
    assert knives.facts["years"][1] == {
        "year": 2008, "sales_revenue": "42000000.50", "total_revenue": "44005000", "high_tech_revenue": "34440000",
        "net_assets": "-100", "total_assets": "26000000", "rd_spend": "3000000", "rd_spend_domestic": "2700000",
        "staff": {"total": 80, "st": "24.5", "college": 41, "rd": 12},
    }  # fmt: skip
    assert knives.facts["ip"][0] == {
        "id": "ZL200510000001.1", "kind": "invention", "acquired": "self", "granted_on": "2007-06-06",
        "in_force": True, "owned": True, "related": True,
    }  # fmt: skip
    assert knives.facts["conversions"] == [{"result": "R1", "year": 2008}]
    assert (knives.facts["incidents"], herbs.facts["ip"]) == ([], [])
    assert herbs.facts["incidents"] == [{"kind": "quality", "on": "2008-03-04", "major": False}]


def test_research_spend_given_as_items_stays_items() -> None:
    herbs = read(sheets()).enterprises[1]
    assert "rd_spend" not in herbs.facts["years"][0]
    assert herbs.facts["years"][0]["rd_items"] == {
        "personnel": "100000", "direct_input": "50000", "depreciation": "0", "amortisation": "0", "design": "0",
        "commissioning": "0", "entrusted_domestic": "0", "entrusted_abroad": "0", "other": "50000",
    }  # fmt: skip


def test_what_a_right_was_used_for_is_kept() -> None:
    content = sheets()
    content["知识产权"][0].append("已用于申报")
    content["知识产权"][2].append("高新技术企业 2005；高企2008年")
    used = read(content).enterprises[0].facts["ip"][1]["used_for"]
    assert used == [{"programme": "hnte", "year": 2005}, {"programme": "hnte", "year": 2008}]


def test_facts_are_those_that_the_rule_engine_reads() -> None:
    for enterprise in read(sheets()).enterprises:
        assert facts_from(enterprise.facts).years


def test_without_a_sheet_of_incidents_they_are_unknown_not_none() -> None:
    content = sheets()
    del content["事故"]
    assert all("incidents" not in enterprise.facts for enterprise in read(content).enterprises)


def test_blank_rows_and_a_title_above_the_headings_are_passed_over() -> None:
    content = sheets()
    content["年度"].insert(0, ["2009年企业年度数据表"])
    content["年度"].insert(3, [None, None])
    content["企业"].append(["", "  "])
    book = workbook(content)
    book["年度"].merge_cells("A1:M1")
    assert len(read_workbook(saved(book)).enterprises) == 2


def test_a_stored_dimension_that_lies_cuts_no_row_off() -> None:
    source, target = zipfile.ZipFile(io.BytesIO(saved(workbook(sheets())))), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in source.infolist():
            content = source.read(part)
            archive.writestr(part, content.replace(b'ref="A1:G3"', b'ref="A1"'))
    assert len(read_workbook(target.getvalue()).enterprises) == 2


def put(sheet: str, row: int, column: int, value: object) -> Callable[[Sheets], None]:
    def change(content: Sheets) -> None:
        content[sheet][row - 1][column - 1] = value

    return change


def add(sheet: str, *values: object) -> Callable[[Sheets], None]:
    return lambda content: content[sheet].append(list(values))


CELLS = [
    (put("企业", 2, 1, KNIVES[:-1] + "8"), ("企业", 2, "A2", "uscc-check")),
    (put("企业", 2, 1, KNIVES[:-1]), ("企业", 2, "A2", "uscc-length")),
    (put("企业", 2, 1, "O" + KNIVES[1:]), ("企业", 2, "A2", "uscc-character")),
    (put("企业", 2, 1, 914417027654321000), ("企业", 2, "A2", "uscc-number")),
    (put("企业", 2, 2, None), ("企业", 2, "B2", "blank")),
    (put("企业", 2, 3, "44170"), ("企业", 2, "C2", "not-a-region")),
    (put("企业", 2, 4, 37747), ("企业", 2, "D2", "not-a-date")),
    (put("企业", 2, 4, "2009-02-30"), ("企业", 2, "D2", "not-a-date")),
    (put("企业", 2, 5, "大概"), ("企业", 2, "E2", "not-yes-or-no")),
    (put("企业", 2, 6, "a@b"), ("企业", 2, "F2", "not-an-email")),
    (put("企业", 2, 7, "法文"), ("企业", 2, "G2", "not-a-choice")),
    (put("企业", 1, 6, "传真"), ("企业", 1, "F1", "unknown-column")),
    (put("企业", 1, 6, "名称"), ("企业", 1, "F1", "repeated-column")),
    (put("企业", 1, 6, None), ("企业", 2, "F2", "no-heading")),
    (put("企业", 1, 3, None), ("企业", 1, None, "missing-column")),
    (add("企业", KNIVES, "又一家", "441702", "2003-05-06", "是"), ("企业", 4, "A4", "repeated-row")),
    (put("年度", 1, 3, "销售收入"), ("年度", 1, "C1", "no-unit")),
    (put("年度", 2, 3, "42.000,00"), ("年度", 2, "C2", "not-a-number")),
    (put("年度", 2, 3, "约4200万"), ("年度", 2, "C2", "not-a-number")),
    (put("年度", 2, 3, -1), ("年度", 2, "C2", "negative")),
    (put("年度", 2, 4, 4400.1234567), ("年度", 2, "D2", "too-fine")),
    (put("年度", 2, 4, 1e15), ("年度", 2, "D2", "too-big")),
    (put("年度", 2, 5, "#DIV/0!"), ("年度", 2, "E2", "error-value")),
    (put("年度", 2, 5, "=C2*0.8"), ("年度", 2, "E2", "no-cached-value")),
    (put("年度", 2, 5, 44005001), ("年度", 2, "E2", "part-exceeds-whole")),
    (put("年度", 2, 11, 81), ("年度", 2, "K2", "part-exceeds-whole")),
    (put("年度", 3, 1, 2008), ("年度", 3, "A3", "repeated-row")),
    (put("年度", 3, 1, 2006), ("年度", 2, "A2", "years-apart")),
    (put("年度", 3, 1, "去年"), ("年度", 3, "A3", "not-a-year")),
    (put("年度", 4, 8, 100000), ("研发费用", 2, "B2", "spend-given-twice")),
    (put("研发费用", 2, 2, 2007), ("研发费用", 2, "B2", "year-without-row")),
    (add("年度", 2003, HERBS, 1, 1, 1, 1, 1, None, None, 1), ("年度", 5, "A5", "before-founding")),
    (put("知识产权", 2, 2, "91441702000000000C"), ("知识产权", 2, "B2", "unknown-enterprise")),
    (put("知识产权", 2, 3, "发现"), ("知识产权", 2, "C2", "not-a-choice")),
    (put("知识产权", 2, 5, "2003-05-05"), ("知识产权", 2, "E2", "before-founding")),
    (put("知识产权", 3, 1, "ZL200510000001.1"), ("知识产权", 3, "A3", "repeated-row")),
    (put("成果转化", 2, 3, 2002), ("成果转化", 2, "C2", "before-founding")),
    (put("事故", 2, 3, "2004-07-07"), ("事故", 2, "C2", "before-founding")),
]


@pytest.mark.parametrize(
    ("change", "expected"), CELLS, ids=[f"{case[1][0]}-{case[1][3]}-{i}" for i, case in enumerate(CELLS)]
)
def test_a_cell_that_cannot_be_trusted_is_refused_at_its_address(
    change: Callable[[Sheets], None], expected: tuple[str, int, str | None, str]
) -> None:
    content = sheets()
    change(content)
    assert expected in refusals(read(content))


def test_the_right_check_character_is_told() -> None:
    content = sheets()
    put("企业", 2, 1, KNIVES[:-1] + "8")(content)
    found = read(content).refusals[0]
    assert str(found).endswith(f"its check character is {KNIVES[-1]}.")
    assert found.column == "统一社会信用代码"


def test_every_refused_row_is_reported_in_the_order_of_the_workbook() -> None:
    content = sheets()
    for change in (
        put("成果转化", 2, 3, "x"),
        put("企业", 2, 3, "x"),
        put("企业", 3, 3, "y"),
        put("年度", 4, 3, "z"),
    ):
        change(content)
    assert refusals(read(content)) == [
        ("企业", 2, "C2", "not-a-region"),
        ("企业", 3, "C3", "not-a-region"),
        ("年度", 4, "C4", "not-a-number"),
        ("成果转化", 2, "C2", "not-a-year"),
    ]


def test_each_merged_cell_below_the_headings_is_refused() -> None:
    book = workbook(sheets())
    book["年度"].merge_cells("B2:B3")
    found = refusals(read_workbook(saved(book)))
    assert ("年度", 2, "B2", "merged-cells") in found
    assert ("年度", 3, "B3", "merged-cells") in found


def test_a_formula_with_its_stored_result_is_read() -> None:
    content = saved(workbook(sheets()))
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in source.infolist():
            archive.writestr(
                part, source.read(part).replace(b"<v>34440000</v>", b"<f>41*840000</f><v>34440000</v>")
            )
    assert (
        read_workbook(target.getvalue()).enterprises[0].facts["years"][1]["high_tech_revenue"] == "34440000"
    )


def test_a_missing_and_an_unknown_sheet_are_refused_and_notes_are_not() -> None:
    content = sheets()
    content["说明"] = [["请勿合并单元格"]]
    content["汇总"] = [["合计"]]
    del content["成果转化"]
    found = [(refusal.sheet, refusal.rule) for refusal in read(content).refusals]
    assert sorted(found) == [("成果转化", "missing-sheet"), ("汇总", "unknown-sheet")]


def test_an_empty_sheet_has_no_headings() -> None:
    content = sheets()
    content["成果转化"] = []
    assert ("成果转化", None, None, "empty-sheet") in refusals(read(content))
