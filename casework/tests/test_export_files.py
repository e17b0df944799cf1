"""What stands in the files of exports, byte for byte and cell for cell."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from casework import export_files
from casework.export import Column, Format
from casework.export_files import WorkbookFull, list_file
from export_way import workbook

COLUMNS = (Column("name", "企业名称", 36), Column("score", "得分", 10), Column("on", "日期", 12))
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://a","b")', "#N/A")  # fmt: skip


def written(kind: Format, *rows: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    writing = list_file(kind, COLUMNS, file)
    try:
        writing.add(rows)
    finally:
        writing.finish()
    return file.getvalue()


def row(name: object, score: object = None, on: object = None) -> dict[str, Any]:
    return {"name": name, "score": score, "on": on}


def test_a_csv_opens_in_excel_and_quotes_as_rfc_4180_says() -> None:
    content = written("csv", row('广州"示例",有限公司\n分公司', Decimal("85.50"), date(2016, 8, 31)))
    assert content == (
        b"\xef\xbb\xbf"
        + '企业名称,得分,日期\r\n"广州""示例"",有限公司\n分公司",85.50,2016-08-31\r\n'.encode()
    )


@pytest.mark.parametrize("text", FORMULAS[:-1])
def test_no_text_of_a_csv_is_taken_for_a_formula(text: str) -> None:
    line = written("csv", row(text)).decode("utf-8-sig").split("\r\n", 1)[1]
    assert line.lstrip('"').startswith("'" + text[0])


def test_a_number_of_a_csv_stays_a_number_also_below_zero() -> None:
    assert "甲,-1.5," in written("csv", row("甲", Decimal("-1.5"))).decode()


@pytest.mark.parametrize("text", FORMULAS)
def test_every_text_of_a_workbook_is_a_text(text: str) -> None:
    cell = workbook(written("xlsx", row(text)))["名单"]["A2"]
    assert (cell.data_type, cell.value) == ("s", text)


def test_a_workbook_has_numbers_days_and_times_of_its_own_kind() -> None:
    one = UUID(int=7)
    at = datetime(2016, 8, 31, 16, 30, tzinfo=UTC)
    sheet = workbook(written("xlsx", row(one, Decimal("85.5"), date(2016, 8, 31)), row("乙", 3, at)))["名单"]
    assert [[str(cell.value) for cell in cells] for cells in sheet.iter_rows(min_row=2)] == [
        [str(one), "85.5", "2016-08-31 00:00:00"],
        ["乙", "3", "2016-09-01 00:30:00"],
    ]
    assert [sheet[place].data_type for place in ("A2", "B2", "C2")] == ["s", "n", "d"]
    assert sheet["C2"].number_format == "yyyy-mm-dd"


def test_a_workbook_tells_the_name_of_each_column_and_keeps_its_headings_in_sight() -> None:
    book = workbook(written("xlsx"))
    sheet = book["名单"]
    assert [cell.value for cell in sheet[1]] == ["企业名称", "得分", "日期"]
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width == 36
    assert [[cell.value for cell in cells] for cells in book["字段"].iter_rows(min_row=2)] == [
        ["企业名称", "name"], ["得分", "score"], ["日期", "on"],
    ]  # fmt: skip


def test_a_character_that_no_workbook_may_hold_does_not_stop_it() -> None:
    assert workbook(written("xlsx", row("甲\x01乙")))["名单"]["A2"].value == "甲\ufffd乙"


def test_a_workbook_takes_no_more_rows_than_a_sheet_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "MOST_ROWS", 2)
    assert workbook(written("xlsx", row("甲"), row("乙")))["名单"].max_row == 3
    with pytest.raises(WorkbookFull):
        written("xlsx", row("甲"), row("乙"), row("丙"))
