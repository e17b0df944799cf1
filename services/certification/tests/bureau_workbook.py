"""A small workbook as a bureau would hold it, and how to read what became of it."""

import io
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook

from certification.intake import Intake, read_workbook

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
