"""What a register of IP assets becomes, from a workbook or a CSV file in either encoding."""

import io
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from openpyxl import Workbook

from ip_enterprise.intake import EXPIRES_BEFORE_GRANT, REPEATED_ASSET, AssetRow, Register, read_register

KNIVES = "91441702765432109Q"
HEADINGS = [
    "编号",
    "统一社会信用代码",
    "种类",
    "取得方式",
    "授权日期",
    "届满日期",
    "是否有效",
    "是否自有",
    "是否与主要产品相关",
]
INVENTION = ["ZL200510000001.1", KNIVES, "发明专利", "自主研发", "2007-06-06", "2025-01-10", "是", "是", "是"]
MARK = ["TM-3001234", KNIVES, "商标", "受让", "2006年1月7日", "", "是", "是", "否"]

Rows = list[list[str]]


def csv_file(rows: Rows, encoding: str) -> bytes:
    return "\r\n".join(",".join(row) for row in [HEADINGS, *rows]).encode(encoding)


def xlsx_file(rows: Rows, sheet: str = "知识产权") -> bytes:
    book, stream = Workbook(), io.BytesIO()
    book.worksheets[0].title = sheet
    for row in [HEADINGS, *rows]:
        book.worksheets[0].append(row)
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        csv_file([INVENTION, MARK], "utf-8"),
        csv_file([INVENTION, MARK], "utf-8-sig"),
        csv_file([INVENTION, MARK], "gbk"),
        csv_file([INVENTION, ["", ""], MARK], "utf-8").replace(b",", b"\t"),
        xlsx_file([INVENTION, MARK]),
    ],
    ids=["utf-8", "utf-8 with a mark", "gbk", "tabs and a blank row", "xlsx"],
)
def test_a_register_reads_the_same_from_every_kind_of_file(content: bytes) -> None:
    register = read_register(content)
    assert register.refusals == ()
    assert register.assets == (
        AssetRow(
            "ZL200510000001.1",
            KNIVES,
            "invention",
            "self",
            date(2007, 6, 6),
            date(2025, 1, 10),
            in_force=True,
            owned=True,
            related=True,
        ),
        AssetRow(
            "TM-3001234",
            KNIVES,
            "trademark",
            "transfer",
            date(2006, 1, 7),
            None,
            in_force=True,
            owned=True,
            related=False,
        ),
    )


def rules(register: Register) -> list[tuple[int | None, str | None, str]]:
    assert register.assets == ()
    return [(found.row, found.cell, found.rule) for found in register.refusals]


def test_every_refused_row_is_reported_and_nothing_is_half_imported() -> None:
    late = [*INVENTION[:5], "2007-06-05", *INVENTION[6:]]
    foreign = [INVENTION[0] + "X", KNIVES[:-1] + "0", "发现", *INVENTION[3:]]
    found = rules(read_register(csv_file([INVENTION, late, foreign], "gbk")))
    assert found == [
        (3, "A3", "repeated-asset"),
        (3, "F3", "expires-before-grant"),
        (4, "B4", "uscc-check"),
        (4, "C4", "not-a-choice"),
    ]


def test_a_short_row_leaves_its_last_cells_blank() -> None:
    assert rules(read_register(csv_file([INVENTION[:8]], "utf-8"))) == [(2, "I2", "blank")]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"%PDF-1.4", "is-a-pdf"),
        (b"PK torn", "not-a-workbook"),
        (b"\xff\xfe\x00\xff,", "unreadable-text"),
        (b"", "empty-sheet"),
        (xlsx_file([MARK], sheet="汇总"), "unknown-sheet"),
        (csv_file([INVENTION], "utf-8").replace("种类".encode(), "种属".encode()), "unknown-column"),
        (csv_file([['"' + INVENTION[0], *INVENTION[1:]]], "utf-8"), "unreadable"),
    ],
)
def test_what_is_no_register_is_refused_with_its_reason(content: bytes, rule: str) -> None:
    assert rule in {found[2] for found in rules(read_register(content))}


def test_every_refusal_of_this_intake_has_its_chinese() -> None:
    with files("ip_enterprise").joinpath("locale/zh_CN.po").open("rb") as stream:
        catalogue = read_po(stream, locale="zh_CN")
    assert REPEATED_ASSET.message_id in catalogue
    assert EXPIRES_BEFORE_GRANT.message_id in catalogue


def test_the_register_of_the_demo_year_is_read_and_three_rights_run_out_in_it() -> None:
    content = (Path(__file__).parents[3] / "data/demo/2009/assets.xlsx").read_bytes()
    register = read_register(content)
    assert register.refusals == ()
    assert len(register.assets) == register.rows > 100
    expiring = [asset for asset in register.assets if asset.expires_on and asset.expires_on.year == 2009]
    assert len(expiring) == 3
