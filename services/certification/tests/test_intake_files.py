"""Files that are no workbook, or too much of one."""

import io
import zipfile
from importlib.resources import files

import pytest
from babel.messages.pofile import read_po

from bureau_workbook import read, refusals, saved, sheets, workbook
from casework.sheets import Reason
from casework.sheets.refusals import BEFORE_FOUNDING
from certification import intake_checks
from certification.intake import read_workbook
from certification.intake_tables import NOT_A_USE


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
    known = [*vars(intake_checks).values(), NOT_A_USE]
    reasons = [value for value in known if isinstance(value, Reason) and value is not BEFORE_FOUNDING]
    assert len(reasons) == 7
    assert all(reason.message_id in catalogue for reason in reasons)
