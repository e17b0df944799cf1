"""/v1/rounds/{round_id}/decision-list: the recognition authority's decisions, from its own list."""

import asyncio
import hashlib
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from casework import use_cases
from casework.api.cases import last_seen
from casework.api.files import MAX_FILE, XLSX, RefusedRow, file_of, refused_rows
from casework.api.words import in_the_callers_words
from casework.decision_list import read_decisions
from casework.decision_list_store import TakenList
from casework.decision_plan import Decided, Plan
from casework.use_cases import Casework
from chassis.http import Db, ObjectStorage, Page, Paged, Who, page, router
from chassis.messages import Catalogue, Language, language_of

_WORDS = Catalogue(["casework"])
_CSV: Final = "text/csv"
_FILE: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final = {"content": {XLSX: _FILE, _CSV: _FILE}, "required": True}
_BYTES: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {XLSX: _FILE, _CSV: _FILE}}}
_MEDIA_TYPES: Final = {"xlsx": XLSX, "csv": _CSV}


class DecidedRow(BaseModel):
    """What one row of the list would do."""

    row: int
    enterprise_id: str
    enterprise_name: str | None
    case_id: UUID
    outcome: Literal["granted", "refused", "unchanged"]
    number: str | None
    granted_on: date | None
    reason: str | None


class DecisionReport(BaseModel):
    """What a list of decisions did, or would do in a dry run. One refusal keeps all of it out.

    `unchanged` rows say what was decided here before. `decisions` are those of a dry run.
    """

    dry_run: bool
    imported: bool
    sha256: str
    rows: dict[str, int]
    granted: int
    refused: int
    unchanged: int
    decisions: list[DecidedRow]
    refusals: list[RefusedRow]


def decision_list_router(work: Casework) -> APIRouter:
    routes = router("/v1/rounds/{round_id}/decision-list", ["rounds"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_taking_in(routes, work)
    _add_reading(routes)
    return routes


def _add_taking_in(routes: APIRouter, work: Casework) -> None:
    @routes.post(
        "", max_body_size=MAX_FILE, openapi_extra={"requestBody": _BODY}, response_model=DecisionReport,
        responses={422: {"model": DecisionReport}},
    )  # fmt: skip
    async def take_in(
        round_id: UUID,
        request: Request,
        db: Db,
        who: Who,
        storage: ObjectStorage,
        *,
        accept_language: Annotated[str | None, Header()] = None,
        dry_run: bool = True,
    ) -> Response:
        """Takes an .xlsx or a CSV file as the body, or a form with one file. Nothing is kept in a dry run.

        The same list again changes nothing.
        """
        form = await use_cases.decision_form(work, db, who, round_id)
        content = await file_of(request)
        listed = await asyncio.to_thread(read_decisions, content, form)
        if dry_run:
            plan = await use_cases.look_through_list(work, db, who, round_id, listed)
        else:
            plan = await use_cases.take_in_list(
                work, db, storage, who, round_id=round_id, content=content, listed=listed
            )
        rows = {form.sheet: len(listed.records)}
        report = _report(plan, content, rows, language_of(accept_language), dry_run=dry_run)
        status = 422 if plan.refusals and not dry_run else 200
        return Response(report.model_dump_json(), status_code=status, media_type="application/json")


def _report(
    plan: Plan, content: bytes, rows: dict[str, int], language: Language, *, dry_run: bool
) -> DecisionReport:
    return DecisionReport(
        dry_run=dry_run,
        imported=not dry_run and not plan.refusals,
        sha256=hashlib.sha256(content).hexdigest(),
        rows=rows,
        granted=plan.count("granted"),
        refused=plan.count("refused"),
        unchanged=plan.count("unchanged"),
        decisions=[_row(one) for one in plan.decided] if dry_run else [],
        refusals=refused_rows(plan.refusals, _WORDS, language),
    )


def _row(one: Decided) -> DecidedRow:
    case = one.case
    return DecidedRow(
        row=one.row, enterprise_id=case.enterprise_id, enterprise_name=case.enterprise_name, case_id=case.case_id,
        outcome=one.outcome, number=one.number, granted_on=one.granted_on, reason=one.reason,
    )  # fmt: skip


def _add_reading(routes: APIRouter) -> None:
    @routes.get("")
    async def lists(round_id: UUID, db: Db, who: Who, asked: Paged) -> Page[TakenList]:
        """The lists that decided this round, by their hashes: decisions name the one that they rest on."""
        rows = await use_cases.list_taken_lists(
            db, who, round_id, after=last_seen(asked), limit=asked.limit + 1
        )
        return page(rows, asked, key=lambda one: [one.list_id], item=lambda one: one)

    @routes.get("/{list_id}/file", response_class=StreamingResponse, responses=_BYTES)
    async def file(
        round_id: UUID, list_id: UUID, db: Db, who: Who, storage: ObjectStorage
    ) -> StreamingResponse:
        """The bytes as they were taken in. The ETag is their SHA-256."""
        opened = await use_cases.open_taken_list(db, storage, who, round_id, list_id)
        taken = opened.taken
        headers = {
            "Content-Length": str(taken.bytes),
            "Content-Disposition": f'attachment; filename="decision-list-{taken.list_id}.{taken.format}"',
            "ETag": f'"{taken.sha256}"',
        }
        return StreamingResponse(opened.chunks, media_type=_MEDIA_TYPES[taken.format], headers=headers)
