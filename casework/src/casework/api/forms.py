"""/v1/cases/{case_id}/form: the application on the authority's own form."""

import hashlib
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from casework import use_cases
from casework.api.files import XLSX
from casework.api.words import in_the_callers_words
from casework.use_cases import Casework
from chassis.http import Db, Who, router

_WORKBOOK: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}
}


def form_router(work: Casework) -> APIRouter:
    routes = router("/v1/cases/{case_id}/form", ["cases"])
    routes.dependencies.append(Depends(in_the_callers_words))

    @routes.get("", response_class=Response, responses=_WORKBOOK)
    async def form(case_id: UUID, db: Db, who: Who) -> Response:
        """The application as a workbook with a sheet for each section; 404 where its edition has no form here.

        A fact that is not given is an empty cell. The ETag is the SHA-256 of the bytes.
        """
        filled = await use_cases.fill_form(work, db, who, case_id)
        named = quote(f"{filled.title}.xlsx", safe="")
        headers = {
            "Content-Disposition": f"attachment; filename=\"application-form.xlsx\"; filename*=UTF-8''{named}",
            "ETag": f'"{hashlib.sha256(filled.content).hexdigest()}"',
        }
        return Response(filled.content, media_type=XLSX, headers=headers)

    return routes
