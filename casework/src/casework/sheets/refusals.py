"""What is wrong with a cell, a row or a file: a rule's name, an English message with placeholders, its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Reason(NamedTuple):
    """`rule` is stable and for programs; `message_id` is English, for people, translated by the catalogue."""

    rule: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a workbook cannot be imported.

    `row` counts from 1 as the spreadsheet shows it; `column` is the heading as written; `cell` is an address
    such as "C7". A reason about the whole sheet or file leaves them None.
    """

    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    rule: str
    message_id: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message_id.format(**self.fields)


def refuse(
    sheet: str,
    reason: Reason,
    /,
    *,
    row: int | None = None,
    column: str | None = None,
    cell: str | None = None,
    **fields: str,
) -> Refusal:
    return Refusal(sheet, row, column, cell, reason.rule, reason.message_id, fields)


# the file
NOT_A_WORKBOOK = Reason("not-a-workbook", "The file is not an Excel workbook (.xlsx).")
IS_A_PDF = Reason("is-a-pdf", "The file is a PDF, not an Excel workbook (.xlsx), whatever its name says.")
IS_AN_OLD_WORKBOOK = Reason(
    "is-an-old-workbook", "The file is an old .xls or a password-protected workbook; save it as .xlsx."
)
TOO_LARGE = Reason("too-large", "Unpacked, the file would take {size} MiB; at most {limit} MiB are read.")
UNREADABLE = Reason("unreadable", "The workbook is damaged and cannot be read: {detail}.")
UNREADABLE_TEXT = Reason("unreadable-text", "The file is neither UTF-8 nor GBK text.")
TOO_MANY_ROWS = Reason("too-many-rows", "The sheet has more than {limit} rows.")
TOO_MANY_COLUMNS = Reason("too-many-columns", "The sheet has more than {limit} columns.")

# sheets and headings
MISSING_SHEET = Reason("missing-sheet", "The sheet {sheet} is missing.")
UNKNOWN_SHEET = Reason("unknown-sheet", "The sheet {sheet} is not known; known are: {known}.")
REPEATED_SHEET = Reason("repeated-sheet", "The sheets {sheet} and {other} hold the same kind of fact.")
EMPTY_SHEET = Reason("empty-sheet", "The sheet has no row of headings.")
MISSING_COLUMN = Reason("missing-column", "The column {heading} is missing.")
UNKNOWN_COLUMN = Reason("unknown-column", "The column {heading} is not known; known are: {known}.")
REPEATED_COLUMN = Reason("repeated-column", "The columns {heading} and {other} mean the same.")
NO_UNIT = Reason(
    "no-unit", "The heading {heading} does not say its unit; write {heading}（元） or {heading}（万元）."
)
NO_HEADING = Reason("no-heading", "The cell holds {value} but its column has no heading.")

# cells
MERGED = Reason("merged-cells", "The cells {range} are merged; every row needs its own value.")
NO_CACHED_VALUE = Reason(
    "no-cached-value",
    "The cell holds a formula without a stored result; save the workbook in Excel or WPS first.",
)
ERROR_VALUE = Reason("error-value", "The cell holds the error {value}.")
BLANK = Reason("blank", "The cell is empty and must be filled.")
NOT_A_NUMBER = Reason("not-a-number", "{value} is not a number.")
NEGATIVE = Reason("negative", "{value} is negative.")
TOO_FINE = Reason("too-fine", "{value} yuan is finer than one fen.")
TOO_BIG = Reason("too-big", "{value} is too big.")
NOT_A_YEAR = Reason("not-a-year", "{value} is not a year.")
NOT_A_DATE = Reason("not-a-date", "{value} is not a date such as 2009-03-01 or 2009年3月1日.")
NOT_YES_OR_NO = Reason("not-yes-or-no", "{value} is neither 是 nor 否.")
NOT_A_CHOICE = Reason("not-a-choice", "{value} is not one of: {known}.")
NOT_A_REGION = Reason("not-a-region", "{value} is not a division code of six digits.")
NOT_AN_EMAIL = Reason("not-an-email", "{value} is not an e-mail address.")
BEFORE_FOUNDING = Reason("before-founding", "{value} is before the founding of the enterprise on {founded}.")
TOO_LONG = Reason("too-long", "The text has {length} characters; at most {limit} are kept.")
USCC_LENGTH = Reason(
    "uscc-length", "The unified social credit code {value} has {length} characters instead of 18."
)
USCC_CHARACTER = Reason(
    "uscc-character", "The unified social credit code {value} holds {character}, which these codes never use."
)
USCC_CHECK = Reason(
    "uscc-check", "The unified social credit code {value} ends in {found}; its check character is {expected}."
)
USCC_NUMBER = Reason(
    "uscc-number",
    "The code is stored as a number and has lost digits; format the column as text and enter it anew.",
)
