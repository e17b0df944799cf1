"""The HTTP side of the register: /v1/imports and /v1/assets."""

import asyncio
from typing import Annotated, NoReturn

from fastapi import Header, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from casework.facts import IpKind
from casework.sheets import Refusal
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import Invalid
from chassis.http import Db, Page, Paged, Tx, Who, page, router
from chassis.messages import Catalogue, Language, language_of
from contracts.values import EnterpriseId
from ip_enterprise import store, use_cases
from ip_enterprise.domain import Asset
from ip_enterprise.intake import ASSETS, Register, read_register

MAX_LIST = 32 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = Catalogue(["ip_enterprise", "casework"])
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"content": {XLSX: _FILE, "text/csv": _FILE}, "required": True}
imports = router("/v1/imports", ["imports"])
assets = router("/v1/assets", ["assets"])
routers = [imports, assets]


class RefusedRow(BaseModel):
    """Where the list cannot be taken in, and why, in the caller's language. `rule` is stable."""

    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    rule: str
    reason: str

    @classmethod
    def of(cls, refusal: Refusal, language: Language) -> "RefusedRow":
        return cls(
            sheet=refusal.sheet, row=refusal.row, column=refusal.column, cell=refusal.cell, rule=refusal.rule,
            reason=_WORDS.text(refusal.message_id, language, **refusal.fields),
        )  # fmt: skip


class ImportReport(BaseModel):
    """What a list did, or would do in a dry run. One refusal keeps all of it out."""

    dry_run: bool
    imported: bool
    rows: dict[str, int]
    recorded: int
    changed: int
    unchanged: int
    refusals: list[RefusedRow]


class _OnlyLooking(Exception):
    """Rolls a dry run back."""


@imports.post(
    "",
    max_body_size=MAX_LIST,
    openapi_extra={"requestBody": _BODY},
    responses={422: {"model": ImportReport}},
)
async def import_register(
    request: Request,
    tx: Tx,
    who: Who,
    accept_language: Annotated[str | None, Header()] = None,
    *,
    dry_run: bool = True,
) -> Response:
    """Takes an .xlsx or a CSV file as the body, or a form with one file. Nothing is kept in a dry run."""
    authorize(use_cases.POLICY, who, "import.run")
    content = await _list_of(request)
    register = await asyncio.to_thread(read_register, content)
    counts = (
        await _look(tx, content, register)
        if dry_run
        else await use_cases.import_register(tx, content, register)
    )
    language = language_of(accept_language)
    report = ImportReport(
        dry_run=dry_run,
        imported=not dry_run and not register.refusals,
        rows={ASSETS.sheet: register.rows},
        recorded=counts.recorded,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refusals=[RefusedRow.of(refusal, language) for refusal in register.refusals],
    )
    status = 422 if register.refusals and not dry_run else 200
    return Response(report.model_dump_json(), status_code=status, media_type="application/json")


async def _look(tx: Transaction, content: bytes, register: Register) -> use_cases.Imported:
    counts = use_cases.Imported()
    try:
        async with tx.savepoint():
            counts = await use_cases.import_register(tx, content, register)
            _roll_back()
    except _OnlyLooking:
        return counts


def _roll_back() -> NoReturn:
    raise _OnlyLooking


async def _list_of(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form(max_files=1, max_part_size=MAX_LIST) as form:
        for part in form.values():
            if isinstance(part, UploadFile):
                return await part.read()
    raise Invalid(field="body", rule_broken="this is needed")


@assets.get("")
async def list_assets(
    db: Db,
    who: Who,
    asked: Paged,
    *,
    enterprise: EnterpriseId | None = None,
    kind: IpKind | None = None,
    in_force: bool | None = None,
) -> Page[Asset]:
    """The register by enterprise and number: an enterprise's own, all for the bureau."""
    wanted = (enterprise or who.enterprise_id) if who.role == "enterprise" else enterprise
    authorize(use_cases.POLICY, who, "asset.list", enterprise_id=wanted)
    last = asked.after(str, str)
    rows = await store.list_assets(
        db, enterprise_id=wanted, kind=kind, in_force=in_force, after=last and (last[0], last[1]), limit=asked.limit + 1
    )  # fmt: skip
    return page(rows, asked, key=store.key_of, item=lambda asset: asset)
