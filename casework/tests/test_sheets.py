"""Single cells, exactly read; and every refusal speaks Chinese."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from importlib.resources import files
from string import Formatter
from typing import Any

import pytest
from babel.messages.pofile import read_po

from casework.sheets import Cell, Reason
from casework.sheets.values import (
    NotReadable,
    Reader,
    choice,
    day,
    money,
    number,
    quantity,
    signed_money,
    uscc,
    year,
    yes_no,
)

READ: list[tuple[Reader, Any, object]] = [
    (number, "１，２３４．５０", Decimal("1234.50")),
    (number, " 1,234,567 ", Decimal(1234567)),
    (quantity, Decimal("24.50"), "24.5"),
    (quantity, Decimal(24), 24),
    (money(10_000), Decimal("1234.5678"), "12345678"),
    (money(10_000), Decimal("0.000001"), "0.01"),
    (money(1), "1,234.50", "1234.50"),
    (signed_money(10_000), Decimal("-3.5"), "-35000"),
    (day, "2009年3月1日", date(2009, 3, 1)),
    (day, "2009/3/1", date(2009, 3, 1)),
    (day, "2009.03.01", date(2009, 3, 1)),
    (year, "2008年度", 2008),
    (year, Decimal(2008), 2008),
    (yes_no, "√", True),
    (yes_no, False, False),
    (choice({"实用新型": "utility_model"}), "实用 新型", "utility_model"),
    (choice({"实用新型": "utility_model"}), "utility_model", "utility_model"),
    (uscc, "９１441702ma4uabcd1f", "91441702MA4UABCD1F"),
]

REFUSED: list[tuple[Reader, Any, str]] = [
    (number, "1,23,4", "not-a-number"),
    (number, "1.2万", "not-a-number"),
    (number, True, "not-a-number"),
    (number, date(2009, 3, 1), "not-a-number"),
    (number, Decimal("Infinity"), "not-a-number"),
    (quantity, Decimal(-1), "negative"),
    (money(1), Decimal("0.001"), "too-fine"),
    (money(10_000), Decimal("0.30000000000000004"), "too-fine"),
    (money(10_000), Decimal(10) ** 15, "too-big"),
    (day, "2009-3-32", "not-a-date"),
    (day, "09-03-01", "not-a-date"),
    (day, "2009-03/01", "not-a-date"),
    (day, Decimal(39873), "not-a-date"),
    (year, Decimal("2008.5"), "not-a-year"),
    (uscc, "91441702MA4UABCD1G", "uscc-check"),
    (uscc, "91441702MA4UABCD1", "uscc-length"),
    (uscc, "91441702MA4UABCDIF", "uscc-character"),
]


@pytest.mark.parametrize(("reader", "value", "expected"), READ)
def test_a_cell_is_read_exactly(reader: Reader, value: Any, expected: object) -> None:
    assert reader(Cell(2, 1, value)) == expected


@pytest.mark.parametrize(("reader", "value", "rule"), REFUSED)
def test_what_is_not_exact_is_refused(reader: Reader, value: Any, rule: str) -> None:
    with pytest.raises(NotReadable) as refused:
        reader(Cell(2, 1, value))
    assert refused.value.reason.rule == rule


def reasons(module: str) -> Iterator[Reason]:
    return (value for value in vars(import_module(module)).values() if isinstance(value, Reason))


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


@pytest.mark.parametrize(
    "module", ["casework.sheets.refusals", "casework.decision_list", "casework.decision_plan"]
)
def test_every_refusal_has_its_chinese_with_the_same_placeholders(module: str) -> None:
    with files("casework").joinpath("locale/zh_CN.po").open("rb") as stream:
        catalogue = read_po(stream, locale="zh_CN")
    for reason in reasons(module):
        message = catalogue.get(reason.message_id)
        assert message is not None, reason.message_id
        assert placeholders(str(message.string)) == placeholders(reason.message_id)
