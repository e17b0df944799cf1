"""/v1/exports: whole lists as files."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from casework import use_cases
from casework.api.cases import last_seen
from casework.api.views import View
from casework.edition import State
from casework.export import Export, ExportState, Filters, Format, ListName, RegionPrefix
from casework.export_files import MEDIA_TYPES
from casework.round import Line
from chassis.clock import SHANGHAI
from chassis.exact import WrittenDay
from chassis.http import Body, Db, ObjectStorage, Page, Paged, Tx, Who, page, router

_FILE: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


class NewExport(Body):
    """Which list, as which file. A filter of another list is refused; `recommendation` needs its `round_id`."""

    list: ListName
    format: Format
    programme: Line | None = None
    level: Line | None = None
    state: State | None = None
    round_id: UUID | None = None
    region: RegionPrefix | None = None
    valid_on: WrittenDay | None = None

    def filters(self) -> Filters:
        return Filters.model_validate(self.model_dump(exclude={"list", "format"}))


class ExportView(View):
    """`rows`, `bytes` and `sha256` are the file's; what was committed by `as_of` is in it."""

    export_id: UUID
    list: ListName
    format: Format
    filters: Filters
    asked_by: str
    asked_at: datetime
    state: ExportState
    reason: str | None
    rows: int | None
    bytes: int | None
    sha256: str | None
    as_of: datetime | None
    done_at: datetime | None
    removed_at: datetime | None


def export_router() -> APIRouter:
    routes = router("/v1/exports", ["exports"])

    @routes.post("", status_code=202)
    async def ask(body: NewExport, tx: Tx, response: Response) -> ExportView:
        """Asks for a list as it is a moment from now; the file is there when `state` is `done`."""
        export = await use_cases.ask_export(tx, body.list, body.format, body.filters())
        response.headers["Location"] = f"/v1/exports/{export.export_id}"
        return ExportView.of(export)

    @routes.get("")
    async def exports(db: Db, who: Who, asked: Paged) -> Page[ExportView]:
        rows = await use_cases.list_exports(db, who, after=last_seen(asked), limit=asked.limit + 1)
        return page(rows, asked, key=lambda export: [export.export_id], item=ExportView.of)

    @routes.get("/{export_id}")
    async def one_export(export_id: UUID, db: Db, who: Who) -> ExportView:
        return ExportView.of(await use_cases.read_export(db, who, export_id))

    @routes.get(
        "/{export_id}/file",
        response_class=StreamingResponse,
        responses={200: {"content": dict.fromkeys(MEDIA_TYPES.values(), _FILE)}},
    )
    async def file(export_id: UUID, db: Db, who: Who, storage: ObjectStorage) -> StreamingResponse:
        """The bytes. The ETag is their SHA-256."""
        opened = await use_cases.open_export(db, storage, who, export_id)
        export = opened.export
        return StreamingResponse(
            opened.chunks, media_type=MEDIA_TYPES[export.format], headers=_headers(export)
        )

    return routes


def _headers(export: Export) -> dict[str, str]:
    on = (export.as_of or export.asked_at).astimezone(SHANGHAI).date()
    return {
        "Content-Length": str(export.bytes),
        "Content-Disposition": f'attachment; filename="{export.list}-{on}.{export.format}"',
        "ETag": f'"{export.sha256}"',
    }
