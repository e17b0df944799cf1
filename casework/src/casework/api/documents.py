"""/v1/files, the files of an enterprise, and the documents of a case with their bytes."""

import re
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from casework import file_store, use_cases
from casework.api.cases import last_seen
from casework.api.views import View
from casework.case import PaperId
from casework.file_types import taken_types
from casework.use_cases.filing import Opened
from casework.use_cases.permitting import enterprise_meant, permit
from chassis.errors import Invalid
from chassis.http import Db, IncomingFile, ObjectStorage, Page, Paged, Who, page, router

_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_FORM: Final[dict[str, Any]] = {
    "schema": {"type": "object", "properties": {"file": _BYTES["schema"]}, "required": ["file"]}
}
_BODY: Final = {
    "required": True,
    "content": {"application/octet-stream": _BYTES, "multipart/form-data": _FORM},
}
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f/\\\ud800-\udfff]{1,200}")


class FileView(View):
    """What a document of a case names: the SHA-256 of the bytes, their number and their type."""

    sha256: str
    bytes: int
    media_type: str
    file_name: str


def file_router() -> APIRouter:
    routes = router("/v1/files", ["files"])
    _add_taking(routes)
    _add_listing(routes)
    return routes


def _add_taking(routes: APIRouter) -> None:
    @routes.post(
        "",
        status_code=201,
        openapi_extra={"requestBody": _BODY},
        responses={200: {"model": FileView, "description": "The same bytes were there before"}},
    )
    async def add(
        file: IncomingFile,
        db: Db,
        who: Who,
        storage: ObjectStorage,
        response: Response,
        *,
        name: Annotated[str | None, Query(max_length=200)] = None,
        enterprise: str | None = None,
    ) -> FileView:
        """Takes the bytes as the body, or a form with one file. Which type they are, they say themselves.

        A member by invitation names the `enterprise` whose file it becomes.
        """
        owner = enterprise_meant(who, enterprise, "enterprise")
        # Before a byte is read: a form would lie on the disk already.
        await permit(db, who, "file.add", owner)
        async with file.opened() as incoming:
            called = _checked_name(name or incoming.file_name)
            added = await use_cases.keep_file(db, storage, who, incoming.chunks, called, enterprise_id=owner)
        response.status_code = 201 if added.is_new else 200
        return FileView.of(added.file)


def _add_listing(routes: APIRouter) -> None:
    @routes.get("")
    async def files(db: Db, who: Who, asked: Paged, enterprise: str | None = None) -> Page[FileView]:
        owner = enterprise_meant(who, enterprise, "enterprise")
        await permit(db, who, "file.list", owner)
        rows = await file_store.list_files(
            db, enterprise_id=owner or "", after=last_seen(asked), limit=asked.limit + 1
        )
        return page(rows, asked, key=lambda file: [file.file_id], item=FileView.of)


def _checked_name(given: str | None) -> str | None:
    if given and not _NAME.fullmatch(given):
        raise Invalid(field="name", rule_broken="a file name of at most 200 characters")
    return given or None


def document_router() -> APIRouter:
    routes = router("/v1/cases/{case_id}/documents", ["cases"])

    @routes.get(
        "/{paper}",
        response_class=StreamingResponse,
        responses={200: {"content": dict.fromkeys(taken_types(), _BYTES)}},
    )
    async def document(
        case_id: UUID, paper: PaperId, db: Db, who: Who, storage: ObjectStorage
    ) -> StreamingResponse:
        """The bytes of one document, for who may read the case. The ETag is their SHA-256."""
        opened = await use_cases.open_document(db, storage, who, case_id, paper)
        return StreamingResponse(opened.chunks, media_type=opened.media_type, headers=_headers(opened))

    return routes


def _headers(opened: Opened) -> dict[str, str]:
    """RFC 6266: the name in UTF-8, and the paper's for who does not read that."""
    named = quote(opened.document.file_name, safe="")
    return {
        "Content-Length": str(opened.size),
        "Content-Disposition": f"attachment; filename=\"{opened.document.paper}\"; filename*=UTF-8''{named}",
        "ETag": f'"{opened.document.sha256}"',
    }
