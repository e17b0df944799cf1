"""/v1/imports: a bureau's workbook, looked through first and taken in whole or not at all."""

import asyncio
from typing import TYPE_CHECKING, Annotated, NoReturn

from fastapi import Header, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from certification import use_cases
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import Invalid
from chassis.http import Tx, Who, router
from chassis.messages import Catalogue, Language, language_of

if TYPE_CHECKING:
    from casework.sheets import Refusal
    from certification.intake import Intake

MAX_WORKBOOK = 32 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = Catalogue(["certification", "casework"])
_BODY = {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}, "required": True}

imports = router("/v1/imports", ["imports"])


class RefusedRow(BaseModel):
    """Where the workbook cannot be taken in, and why, in the caller's language. `rule` is stable."""

    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    rule: str
    reason: str

    @classmethod
    def of(cls, refusal: "Refusal", language: Language) -> "RefusedRow":
        return cls(
            sheet=refusal.sheet, row=refusal.row, column=refusal.column, cell=refusal.cell, rule=refusal.rule,
            reason=_WORDS.text(refusal.message_id, language, **refusal.fields),
        )  # fmt: skip


class ImportReport(BaseModel):
    """What a workbook did, or would do in a dry run. One refusal keeps all of it out."""

    dry_run: bool
    imported: bool
    rows: dict[str, int]
    registered: int
    changed: int
    unchanged: int
    refusals: list[RefusedRow]


class _OnlyLooking(Exception):
    """Rolls a dry run back."""


@imports.post(
    "",
    max_body_size=MAX_WORKBOOK,
    openapi_extra={"requestBody": _BODY},
    responses={422: {"model": ImportReport}},
)
async def import_workbook(
    request: Request,
    tx: Tx,
    who: Who,
    accept_language: Annotated[str | None, Header()] = None,
    *,
    dry_run: bool = True,
) -> Response:
    """Takes the bytes of an .xlsx as the body, or a form with one file. Nothing is kept in a dry run."""
    authorize(use_cases.POLICY, who, "import.run")
    from certification.intake import read_workbook  # noqa: PLC0415 - a service that imports nothing idles lightly

    content = await workbook_of(request)
    intake = await asyncio.to_thread(read_workbook, content)
    counts = (
        await _look(tx, content, intake) if dry_run else await use_cases.import_workbook(tx, content, intake)
    )
    language = language_of(accept_language)
    report = ImportReport(
        dry_run=dry_run,
        imported=not dry_run and not intake.refusals,
        rows=dict(intake.rows),
        registered=counts.registered,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refusals=[RefusedRow.of(refusal, language) for refusal in intake.refusals],
    )
    status = 422 if intake.refusals and not dry_run else 200
    return Response(report.model_dump_json(), status_code=status, media_type="application/json")


async def _look(tx: Transaction, content: bytes, intake: "Intake") -> use_cases.Imported:
    counts = use_cases.Imported()
    try:
        async with tx.savepoint():
            counts = await use_cases.import_workbook(tx, content, intake)
            _roll_back()
    except _OnlyLooking:
        return counts


def _roll_back() -> NoReturn:
    raise _OnlyLooking


async def workbook_of(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form(max_files=1, max_part_size=MAX_WORKBOOK) as form:
        for part in form.values():
            if isinstance(part, UploadFile):
                return await part.read()
    raise Invalid(field="body", rule_broken="this is needed")
