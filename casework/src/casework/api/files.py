"""Files that come in over HTTP: their bytes, a first look that keeps nothing, and what was refused of them."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from casework.sheets import Refusal
from chassis.database import Transaction
from chassis.errors import Invalid
from chassis.messages import Catalogue, Language

MAX_FILE = 32 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Counts = TypeVar("Counts")


class RefusedRow(BaseModel):
    """Where a file cannot be taken in, and why, in the caller's language. `rule` is stable."""

    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    rule: str
    reason: str


def refused_rows(refusals: Iterable["Refusal"], words: Catalogue, language: Language) -> list[RefusedRow]:
    return [
        RefusedRow(
            sheet=refusal.sheet, row=refusal.row, column=refusal.column, cell=refusal.cell, rule=refusal.rule,
            reason=words.text(refusal.message_id, language, **refusal.fields),
        )
        for refusal in refusals
    ]  # fmt: skip


async def file_of(request: Request) -> bytes:
    """The body, or the one file of a form. Raises Invalid when there is none."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _there(await request.body())
    async with request.form(max_files=1, max_part_size=MAX_FILE) as form:
        for part in form.values():
            if isinstance(part, UploadFile):
                return _there(await part.read())
    return _there(b"")


def _there(content: bytes) -> bytes:
    if content:
        return content
    raise Invalid(field="body", rule_broken="this is needed")


class _OnlyLooking(Exception):
    """Rolls a dry run back."""


async def look(tx: Transaction, take_in: Callable[[], Awaitable[Counts]], nothing: Counts) -> Counts:
    """What `take_in` would do, in counts; it is rolled back."""
    counts = nothing
    try:
        async with tx.savepoint():
            counts = await take_in()
            _roll_back()
    except _OnlyLooking:
        return counts


def _roll_back() -> NoReturn:
    raise _OnlyLooking
