"""`huiqi import` against running services: looked through first, taken in whole, refused row by row."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from chassis.clock import SHANGHAI
from chassis.testing import given_kafka
from huiqi.cli import main
from huiqi.house import House
from huiqi.services import Named

DEMO = Path(__file__).parents[2] / "data/demo/2009"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    services = [Named("certification"), Named("ip-enterprise")]
    at = datetime(2009, 1, 5, 9, tzinfo=SHANGHAI)
    with House(services=services, clock_at=at, broker=given_kafka(), fsync=False) as house:
        yield house


def take_in(house: House, file: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["import", "--house", str(house.directory), str(file), *options])


def test_a_workbook_is_looked_through_until_it_is_applied(house: House) -> None:
    file = DEMO / "enterprises.xlsx"
    for options, counts in (
        ((), "registered 60"),
        (("--apply",), "registered 60"),
        (("--apply",), "registered 0, changed 0, unchanged 60"),
    ):
        result = take_in(house, file, *options)
        assert result.exit_code == 0, result.output
        assert counts in result.output


def test_the_register_of_ip_assets_goes_to_its_own_service(house: House) -> None:
    result = take_in(house, DEMO / "assets.xlsx", "--service", "ip-enterprise", "--apply")
    assert result.exit_code == 0, result.output
    assert "recorded 144" in result.output


@pytest.mark.parametrize(("language", "reason"), [("zh-CN", "不是数字"), ("en", "is not a number")])
def test_a_refused_row_is_named_with_sheet_row_column_and_reason(
    house: House, tmp_path: Path, language: str, reason: str
) -> None:
    book, spoilt = load_workbook(DEMO / "enterprises.xlsx"), BytesIO()
    book["年度"].cell(row=7, column=3).value = "很多"
    book.save(spoilt)
    file = tmp_path / "spoilt.xlsx"
    file.write_bytes(spoilt.getvalue())
    result = take_in(house, file, "--apply", "--language", language)
    assert result.exit_code == 1
    row = next(line for line in result.output.splitlines() if reason[:3] in line)
    assert "年度" in row
    assert " 7 " in row
    assert str(book["年度"].cell(row=1, column=3).value)[:4] in row


def test_a_list_of_decisions_goes_to_its_round(house: House, tmp_path: Path) -> None:
    call = {
        "programme": "hnte", "name": "2016年第一批", "opens_on": "2016-05-03", "closes_on": "2016-06-20",
        "forwards_on": "2016-07-15", "source": "粤科函",
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {house.issuer.token('li', 'officer', 'certification')}"}
    url = f"{house.services['certification'].url}/v1/rounds"
    called = httpx.post(url, json=call, headers=headers, trust_env=False)
    file = tmp_path / "list.csv"
    headings = "企业名称,统一社会信用代码,结果,证书编号,发证日期,原因"
    file.write_text(f"{headings}\n示例有限公司,91441702MA4UABCD1F,不予认定,,,不足\n", encoding="gb18030")
    result = take_in(house, file, "--round", called.json()["round_id"], "--language", "en")
    assert result.exit_code == 1
    assert "rows: 认定结果名单 1" in result.output
    assert "unknown-applicant" in result.output
