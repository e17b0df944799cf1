"""/v1/imports: a bureau's workbook, looked through first and taken in whole or not at all."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel

from casework.api.files import MAX_FILE, XLSX, RefusedRow, file_of, look, refused_rows
from certification import use_cases
from certification.intake import read_workbook
from chassis.auth import authorize
from chassis.http import Tx, Who, router
from chassis.messages import Catalogue, language_of

_WORDS = Catalogue(["certification", "casework"])
_BODY = {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}, "required": True}

imports = router("/v1/imports", ["imports"])


class ImportReport(BaseModel):
    """What a workbook did, or would do in a dry run. One refusal keeps all of it out."""

    dry_run: bool
    imported: bool
    rows: dict[str, int]
    registered: int
    changed: int
    unchanged: int
    refusals: list[RefusedRow]


@imports.post(
    "",
    max_body_size=MAX_FILE,
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
    content = await file_of(request)
    intake = await asyncio.to_thread(read_workbook, content)
    take_in = partial(use_cases.import_workbook, tx, content, intake)
    counts = await look(tx, take_in, use_cases.Imported()) if dry_run else await take_in()
    language = language_of(accept_language)
    report = ImportReport(
        dry_run=dry_run,
        imported=not dry_run and not intake.refusals,
        rows=dict(intake.rows),
        registered=counts.registered,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refusals=refused_rows(intake.refusals, _WORDS, language),
    )
    status = 422 if intake.refusals and not dry_run else 200
    return Response(report.model_dump_json(), status_code=status, media_type="application/json")
