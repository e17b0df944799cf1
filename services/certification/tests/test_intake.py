"""What a bureau's workbook becomes, and every reason for which it becomes nothing."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import pytest
from babel.messages.pofile import read_po
from openpyxl import Workbook

from casework.facts import facts_from
from casework.sheets import Reason
from certification import intake_checks
from certification.intake import Intake, read_workbook
from certification.intake_tables import NOT_A_USE

KNIVES, HERBS = "91441702765432109Q", "914417810123456785"

Sheets = dict[str, list[list[Any]]]


def sheets() -> Sheets:
    return {
        "企业": [
            ["统一社会信用代码", "企业名称", "行政区划代码", "成立日期", "是否内地居民企业", "联系邮箱", "语言"],
            [KNIVES, "阳江示例刀剪有限公司", "441702", datetime(2003, 5, 6), "是", "a@example.cn", "中文"],  # noqa: DTZ001
            [HERBS, "阳春示例南药有限公司", 441781, "2004年7月8日", "是", None, None],
        ],
        "年度": [
            ["年度", "统一社会信用代码", "销售收入（元）", "总收入（万元）", "高新技术产品收入（元）", "净资产（元）",
             "总资产（元）", "研发费用（元）", "境内研发费用（元）", "职工总数", "科技人员", "大专以上人员", "研发人员"],
            [2008, KNIVES, "42,000,000.50", 4400.5, 34440000, -100, 26000000, 3000000, 2700000, 80, 24.5, 41, 12],
            [2007, KNIVES, 32000000, 3350, 25500000, 12500000, 21000000, 2200000, 1980000, 70, 20, 35, 10],
            ["2008年", HERBS, 1000000.1, 110, 800000, 500000, 900000, None, None, 20, 8, 7, 3],
        ],
        "知识产权": [
            ["编号", "统一社会信用代码", "种类", "取得方式", "授权日期", "是否有效", "是否自有", "是否与主要产品相关"],
            ["ZL200510000001.1", KNIVES, "发明专利", "自主研发", "2007-06-06", "是", "是", "是"],
            ["ZL199910000001.1", KNIVES, "实用新型", "受让", date(2000, 6, 6), "否", "是", "是"],
        ],
        "成果转化": [["统一社会信用代码", "成果编号", "转化年度"], [KNIVES, "R1", 2008]],
        "研发费用": [
            ["统一社会信用代码", "年度", "人员人工（万元）", "直接投入（元）", "折旧费用与长期待摊费用（元）",
             "无形资产摊销（元）", "设计费用（元）", "装备调试费（元）", "委托境内研发费用（元）",
             "委托境外研发费用（元）", "其他费用（元）"],
            [HERBS, 2008, 10, 50000, 0, 0, 0, 0, 0, 0, 50000],
        ],
        "事故": [["统一社会信用代码", "种类", "日期", "是否重大"], [HERBS, "质量事故", "2008/3/4", "否"]],
    }  # fmt: skip


def workbook(content: Sheets) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in content.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(content: Sheets) -> Intake:
    return read_workbook(saved(workbook(content)))


def refusals(intake: Intake) -> list[tuple[str, int | None, str | None, str]]:
    assert intake.enterprises == ()
    return [(found.sheet, found.row, found.cell, found.rule) for found in intake.refusals]


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


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 * 1024 * 1024))
    return stream.getvalue()


def damaged() -> bytes:
    source, target = zipfile.ZipFile(io.BytesIO(saved(workbook(sheets())))), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in source.infolist():
            archive.writestr(part, source.read(part)[: -40 if "sheet2" in part.filename else None])
    return target.getvalue()


def archive_of_something_else() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word.txt", "no workbook")
    return stream.getvalue()


FILES = [
    (b"%PDF-1.7 ...", "is-a-pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "is-an-old-workbook"),
    (b"", "not-a-workbook"),
    (b"PK\x03\x04 torn", "not-a-workbook"),
    (archive_of_something_else(), "not-a-workbook"),
    (bomb(), "too-large"),
    (damaged(), "unreadable"),
]


@pytest.mark.parametrize(
    ("content", "rule"),
    FILES,
    ids=[rule for _, rule in FILES[:2]] + ["empty", "torn", "zip", "bomb", "damaged"],
)
def test_what_is_no_workbook_is_refused_with_its_reason(content: bytes, rule: str) -> None:
    assert refusals(read_workbook(content)) == [("", None, None, rule)]


def far_cell(address: str) -> bytes:
    book = workbook(sheets())
    book["企业"][address] = "x"
    return saved(book)


@pytest.mark.parametrize(("address", "rule"), [("A20001", "too-many-rows"), ("XFD2", "too-many-columns")])
def test_a_sheet_beyond_the_limits_is_refused(address: str, rule: str) -> None:
    assert [(found.sheet, found.rule) for found in read_workbook(far_cell(address)).refusals] == [
        ("企业", rule)
    ]


def test_the_order_of_columns_does_not_matter() -> None:
    content = sheets()
    content["知识产权"] = [row[::-1] for row in content["知识产权"]]
    assert read(content).enterprises == read(sheets()).enterprises


def test_every_refusal_of_this_intake_has_its_chinese() -> None:
    with files("certification").joinpath("locale/zh_CN.po").open("rb") as stream:
        catalogue = read_po(stream, locale="zh_CN")
    reasons = [value for value in [*vars(intake_checks).values(), NOT_A_USE] if isinstance(value, Reason)]
    assert len(reasons) == 8
    assert all(reason.message_id in catalogue for reason in reasons)
