"""One cell to one value of the facts' vocabulary; NotReadable says what is wrong with it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from casework.sheets import refusals
from casework.sheets.refusals import Reason
from casework.sheets.workbook import Cell
from casework.uscc import check_character

Reader = Callable[[Cell], object]

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_LENGTH = 18
MAX_AMOUNT = Decimal(10) ** 16
MAX_TEXT = 200

_GROUPED = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
)
_YEAR = re.compile(r"(\d{4})(年|年度)?")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(\.[^@\s,;.]+)+")
_YES_NO = {"是": True, "有": True, "y": True, "yes": True, "true": True, "1": True, "√": True} | {
    "否": False, "无": False, "n": False, "no": False, "false": False, "0": False, "×": False
}  # fmt: skip


class NotReadable(Exception):
    """The cell's value is not of the column's kind; `reason` and `fields` say how."""

    def __init__(self, reason: Reason, /, **fields: str) -> None:
        super().__init__(reason.message_id.format(**fields))
        self.reason = reason
        self.fields = fields


def plain(text: str) -> str:
    """Full-width letters, digits and brackets to their plain forms, without white space, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def shown(cell: Cell) -> str:
    """The value as a person would recognise it, shortened."""
    value = f"{cell.value:f}" if isinstance(cell.value, Decimal) else str(cell.value)
    return value if len(value) <= 40 else value[:39] + "…"


def text(cell: Cell) -> str:
    value = f"{cell.value:f}" if isinstance(cell.value, Decimal) else str(cell.value)
    if len(value) > MAX_TEXT:
        raise NotReadable(refusals.TOO_LONG, length=str(len(value)), limit=str(MAX_TEXT))
    return value


def number(cell: Cell) -> Decimal:
    """Exact; thousands separators allowed in text."""
    if isinstance(cell.value, Decimal):
        value = cell.value
    elif isinstance(cell.value, str) and _GROUPED.fullmatch(plain(cell.value)):
        value = Decimal(plain(cell.value).replace(",", ""))
    else:
        raise NotReadable(refusals.NOT_A_NUMBER, value=shown(cell))
    if not value.is_finite():
        raise NotReadable(refusals.NOT_A_NUMBER, value=shown(cell))
    if abs(value) >= MAX_AMOUNT:
        raise NotReadable(refusals.TOO_BIG, value=shown(cell))
    return value


def quantity(cell: Cell) -> int | str:
    """A number of people, a yearly mean: whole numbers as int, others as an exact decimal string; never negative."""
    value = number(cell)
    if value < 0:
        raise NotReadable(refusals.NEGATIVE, value=shown(cell))
    return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"


def signed_money(factor: int) -> Reader:
    """Yuan as a decimal string, from a column in units of `factor` yuan; exact, at most two decimal places."""

    def read(cell: Cell) -> str:
        yuan = number(cell) * factor
        if abs(yuan) >= MAX_AMOUNT:
            raise NotReadable(refusals.TOO_BIG, value=shown(cell))
        exact = yuan.quantize(Decimal("0.01"))
        if exact != yuan:
            raise NotReadable(refusals.TOO_FINE, value=f"{yuan.normalize():f}")
        return f"{exact:f}".removesuffix(".00")

    return read


def money(factor: int) -> Reader:
    """As signed_money, and never negative."""
    signed = signed_money(factor)

    def read(cell: Cell) -> object:
        if number(cell) < 0:
            raise NotReadable(refusals.NEGATIVE, value=shown(cell))
        return signed(cell)

    return read


def day(cell: Cell) -> date:
    """A date cell, or text such as 2009-03-01, 2009/3/1, 2009.3.1 and 2009年3月1日."""
    if isinstance(cell.value, date):
        return cell.value
    found = _DATE.fullmatch(plain(cell.value)) if isinstance(cell.value, str) else None
    if found is None:
        raise NotReadable(refusals.NOT_A_DATE, value=shown(cell))
    year, month, day_of_month = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day_of_month)
    except ValueError as error:
        raise NotReadable(refusals.NOT_A_DATE, value=shown(cell)) from error


def year(cell: Cell) -> int:
    """2008, 2008年 or 2008年度."""
    found = _YEAR.fullmatch(plain(shown(cell)))
    if found is None or not 1900 <= int(found[1]) <= 2999:
        raise NotReadable(refusals.NOT_A_YEAR, value=shown(cell))
    return int(found[1])


def yes_no(cell: Cell) -> bool:
    answer = _YES_NO.get(plain(shown(cell)))
    if answer is None:
        raise NotReadable(refusals.NOT_YES_OR_NO, value=shown(cell))
    return answer


def choice(codes: Mapping[str, str]) -> Reader:
    """Words to codes; the codes themselves are accepted too."""
    by_word = {plain(word): code for word, code in codes.items()} | {code: code for code in codes.values()}

    def read(cell: Cell) -> str:
        code = by_word.get(plain(shown(cell)))
        if code is None:
            raise NotReadable(refusals.NOT_A_CHOICE, value=shown(cell), known="、".join(codes))
        return code

    return read


def region(cell: Cell) -> str:
    """A GB/T 2260 code."""
    value = plain(shown(cell))
    if not re.fullmatch(r"\d{6}", value, re.ASCII):
        raise NotReadable(refusals.NOT_A_REGION, value=shown(cell))
    return value


def email(cell: Cell) -> str:
    value = unicodedata.normalize("NFKC", shown(cell))
    if not _EMAIL.fullmatch(value):
        raise NotReadable(refusals.NOT_AN_EMAIL, value=shown(cell))
    return value


def uscc(cell: Cell) -> str:
    """A unified social credit code (GB 32100-2015) with its right check character."""
    if isinstance(cell.value, Decimal):
        raise NotReadable(refusals.USCC_NUMBER)
    value = plain(str(cell.value)).upper()
    if len(value) != USCC_LENGTH:
        raise NotReadable(refusals.USCC_LENGTH, value=value[:40], length=str(len(value)))
    for character in value:
        if character not in USCC_ALPHABET:
            raise NotReadable(refusals.USCC_CHARACTER, value=value, character=character)
    if value[-1] != (expected := check_character(value[:-1])):
        raise NotReadable(refusals.USCC_CHECK, value=value, found=value[-1], expected=expected)
    return value
