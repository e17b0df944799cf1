"""The HTTP side of the register: /v1/imports and /v1/assets."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel

from casework.api.files import MAX_FILE, XLSX, RefusedRow, file_of, look, refused_rows
from casework.facts import IpKind
from casework.use_cases.permitting import enterprise_meant, permit
from chassis.auth import authorize
from chassis.http import Db, Page, Paged, Tx, Who, page, router
from chassis.messages import Catalogue, language_of
from contracts.values import EnterpriseId
from ip_enterprise import store, use_cases
from ip_enterprise.domain import Asset
from ip_enterprise.intake import ASSETS, read_register

_WORDS = Catalogue(["ip_enterprise", "casework"])
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"content": {XLSX: _FILE, "text/csv": _FILE}, "required": True}
imports = router("/v1/imports", ["imports"])
assets = router("/v1/assets", ["assets"])
routers = [imports, assets]


class ImportReport(BaseModel):
    """What a list did, or would do in a dry run. One refusal keeps all of it out."""

    dry_run: bool
    imported: bool
    rows: dict[str, int]
    recorded: int
    changed: int
    unchanged: int
    refusals: list[RefusedRow]


@imports.post(
    "",
    max_body_size=MAX_FILE,
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
    content = await file_of(request)
    register = await use_cases.held_against_founding(tx, await asyncio.to_thread(read_register, content))
    take_in = partial(use_cases.import_register, tx, content, register)
    counts = await look(tx, take_in, use_cases.Imported()) if dry_run else await take_in()
    language = language_of(accept_language)
    report = ImportReport(
        dry_run=dry_run,
        imported=not dry_run and not register.refusals,
        rows={ASSETS.sheet: register.rows},
        recorded=counts.recorded,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refusals=refused_rows(register.refusals, _WORDS, language),
    )
    status = 422 if register.refusals and not dry_run else 200
    return Response(report.model_dump_json(), status_code=status, media_type="application/json")


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
    wanted = enterprise_meant(who, enterprise, "enterprise")
    await permit(db, who, "asset.list", wanted, use_cases.ASSETS)
    last = asked.after(str, str)
    rows = await store.list_assets(
        db, enterprise_id=wanted, kind=kind, in_force=in_force, after=last and (last[0], last[1]), limit=asked.limit + 1
    )  # fmt: skip
    return page(rows, asked, key=store.key_of, item=lambda asset: asset)
