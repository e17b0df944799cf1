"""/v1/cases/{case_id}: the panel, recusals, sheets and scores; /v1/seats, where an expert sits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from casework import panel_store, use_cases
from casework.api.bureau import Reason
from casework.api.cases import last_seen
from casework.api.cases import shown as shown_case
from casework.api.views import CaseView, View
from casework.api.words import in_the_callers_words
from casework.expert import Answer
from casework.panel import Kind, Place
from casework.policy import POLICY
from casework.score_sheets import Line, Scores
from casework.use_cases import Casework
from casework.use_cases.marking import Form
from chassis.auth import authorize
from chassis.http import Body, Db, IfMatch, Page, Paged, Tx, Who, etag, page, router


class Recused(Body):
    expert_id: UUID
    reason: Reason


class SheetGiven(Body):
    """Names of the sheet's lines, each with true, false, whole points or a coefficient; what is left out is open."""

    given: dict[str, Any]


class SeatView(View):
    case_id: UUID
    draw_id: UUID
    expert_id: UUID
    kind: Kind
    head: bool
    name: str
    seated_at: datetime
    recused_at: datetime | None
    reason: str | None
    handed_in_at: datetime | None


class PanelView(BaseModel):
    """Who sits, and who left. `places` says of each expert down to the last seat why seated or passed over."""

    seats: list[SeatView]
    places: list[Place]
    opened_at: datetime | None


class SheetView(BaseModel):
    """An expert's own sheet. `version` is also its ETag."""

    case_id: UUID
    expert_id: UUID
    kind: Kind
    head: bool
    version: int
    lines: list[Line]
    given: dict[str, Answer]
    handed_in_at: datetime | None
    opened_at: datetime | None


def panel_router(work: Casework) -> APIRouter:
    routes = router("/v1", ["panels"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_panel(routes, work)
    _add_sheets(routes, work)
    return routes


def _add_panel(routes: APIRouter, work: Casework) -> None:
    @routes.get("/cases/{case_id}/panel")
    async def panel(case_id: UUID, db: Db, who: Who) -> PanelView:
        """For the bureau and those who sit on it."""
        seats, ranking = await use_cases.read_panel(db, who, case_id)
        return PanelView(
            seats=[SeatView.of(seat) for seat in seats],
            places=list(ranking.places),
            opened_at=seats[0].opened_at,
        )

    @routes.post("/cases/{case_id}/recusals")
    async def recuse(case_id: UUID, body: Recused, tx: Tx, seen: IfMatch) -> list[SeatView]:
        seats = await use_cases.recuse_expert(
            work, tx, case_id, body.expert_id, reason=body.reason, expected=seen
        )
        return [SeatView.of(seat) for seat in seats]

    @routes.post("/cases/{case_id}/panel/end")
    async def end(case_id: UUID, body: Recused, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        """Ends a panel that this expert has to leave and that nobody can fill; the case may then be drawn for anew."""
        case = await use_cases.end_panel(work, tx, case_id, body.expert_id, reason=body.reason, expected=seen)
        return shown_case(case, response)

    @routes.get("/seats")
    async def seats(db: Db, who: Who, asked: Paged) -> Page[SeatView]:
        """Where the expert who asks sits now."""
        authorize(POLICY, who, "sheet.read")
        rows = await panel_store.list_seats_of(db, who.subject, after=last_seen(asked), limit=asked.limit + 1)
        return page(rows, asked, key=lambda seat: [seat.case_id], item=SeatView.of)

    @routes.get("/cases/{case_id}/scores")
    async def scores(case_id: UUID, db: Db, who: Who) -> Scores:
        """For the head of the panel and the bureau, once every sheet is in."""
        return await use_cases.read_scores(work, db, who, case_id)


def _add_sheets(routes: APIRouter, work: Casework) -> None:
    def shown(form: Form, response: Response) -> SheetView:
        seat, sheet = form.seat, form.sheet
        response.headers["ETag"] = etag(sheet.version)
        return SheetView(
            case_id=seat.case_id, expert_id=seat.expert_id, kind=seat.kind, head=seat.head, version=sheet.version,
            lines=form.lines, given=dict(sheet.given), handed_in_at=sheet.handed_in_at, opened_at=seat.opened_at,
        )  # fmt: skip

    @routes.get("/cases/{case_id}/sheet")
    async def sheet(case_id: UUID, db: Db, who: Who, response: Response) -> SheetView:
        return shown(await use_cases.read_sheet(work, db, who, case_id), response)

    @routes.put("/cases/{case_id}/sheet")
    async def fill(case_id: UUID, body: SheetGiven, tx: Tx, seen: IfMatch, response: Response) -> SheetView:
        return shown(await use_cases.fill_sheet(work, tx, case_id, body.given, expected=seen), response)

    @routes.post("/cases/{case_id}/sheet/hand-in")
    async def hand_in(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> SheetView:
        """Closes the sheet; the last one opens all of them."""
        return shown(await use_cases.hand_in_sheet(work, tx, case_id, expected=seen), response)
