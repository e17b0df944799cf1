"""Inspections: what is due, what was found, and the draw of the titles that are looked at."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field, model_validator

from casework import inspection_store, use_cases
from casework.api.cases import GivenDocument, documents_of, last_seen, shown
from casework.api.views import CaseView, View
from casework.api.words import in_the_callers_words
from casework.case import Document
from casework.edition import Source, Text
from casework.expert import Line, Subject
from casework.inspection import InspectionKind, InspectionState, Look, LookOutcome
from casework.objection import Statement
from casework.policy import POLICY
from casework.sample import Sample
from casework.sample_store import Whole
from casework.use_cases import Casework
from casework.use_cases.inspecting import Standing
from chassis.auth import authorize
from chassis.exact import WrittenDay
from chassis.http import Body, Db, IfMatch, Page, Paged, Tx, Who, page, router

InspectionId = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]


class Found(Body):
    """How a look came out. `officers` are those who went, by the names with which they sign in."""

    outcome: LookOutcome
    held_on: WrittenDay
    officers: Annotated[list[Subject], Field(min_length=1, max_length=20)]
    findings: Statement
    documents: Annotated[list[GivenDocument], Field(max_length=100)] = Field(default_factory=list)

    def look(self) -> Look:
        given = self.model_dump(exclude={"documents"})
        return Look(**given, documents=tuple(documents_of(self.documents)))


class SampleWanted(Body):
    """Of which batch is drawn: that of a round, or the titles of one year whose applications went into none."""

    programme: Line
    level: Line | None = None
    inspection: InspectionId
    round_id: UUID | None = None
    year: Annotated[int, Field(ge=1949, le=9999)] | None = None
    beacon_named: Line | None = None

    @model_validator(mode="after")
    def _one_batch(self) -> Self:
        if (self.round_id is None) == (self.year is None):
            raise ValueError("either round_id or year is needed")
        return self

    def whole(self) -> Whole:
        return Whole(self.programme, self.level, self.round_id, self.year)


class SampleRevealed(Body):
    """`beacon`: the public number, where the commitment named one."""

    beacon: Line | None = None


class InspectionView(View):
    """One inspection in the list. `state` is as the newest look has it."""

    inspection_id: UUID
    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    round_id: UUID | None
    inspection: str
    kind: InspectionKind
    draw_id: UUID | None
    due_on: date | None
    overdue_on: date | None
    state: InspectionState
    added_at: datetime


class OutcomeView(View):
    number: int
    outcome: LookOutcome
    held_on: date
    officers: list[str]
    findings: str
    documents: list[Document]
    recorded_at: datetime


class CaseInspection(BaseModel):
    """One inspection of a case with its source, why it is due, and what was found each time.

    `always`: every application of the case's type is looked at. `not_met`: the bounds that would spare it. `needs`: what
    would have to be known. `ground`: once it is failed, the ground on which the revocation may be proposed.
    """

    inspection: str
    title: Text
    kind: InspectionKind
    before: str | None
    state: InspectionState
    draw_id: UUID | None
    due_on: date | None
    always: bool
    not_met: list[Text]
    needs: list[str]
    ground: str | None
    outcomes: list[OutcomeView]
    source: Source
    verified: bool

    @classmethod
    def of(cls, standing: Standing) -> Self:
        rule, due, row, outcomes = standing
        parts = () if due is None or isinstance(due.because, str) else due.because
        shown = {name: getattr(rule, name) for name in ("title", "kind", "before", "source", "verified")}
        return cls.model_validate(
            {
                **shown,
                "inspection": rule.id,
                "state": standing.state,
                "draw_id": row and row.draw_id,
                "due_on": row and row.due_on,
                "always": due is not None and due.because == "case_type",
                "not_met": [part.title for part in parts],
                "needs": [] if due is None else list(due.needs),
                "ground": rule.ground if standing.state == "failed" else None,
                "outcomes": [OutcomeView.of(one) for one in outcomes],
            }
        )


def inspection_router(work: Casework) -> APIRouter:
    routes = router("/v1", ["inspections"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_looking(routes, work)
    _add_drawing(routes, work)
    return routes


def _add_looking(routes: APIRouter, work: Casework) -> None:
    @routes.get("/inspections")
    async def inspections(
        db: Db,
        who: Who,
        asked: Paged,
        *,
        programme: str | None = None,
        round_id: UUID | None = None,
        state: InspectionState | None = None,
    ) -> Page[InspectionView]:
        """What is to be looked at and what was, in the order in which it fell due."""
        authorize(POLICY, who, "inspection.list")
        rows = await inspection_store.list_inspections(
            db, programme=programme, round_id=round_id, state=state, after=last_seen(asked), limit=asked.limit + 1
        )  # fmt: skip
        return page(rows, asked, key=lambda row: [row.inspection_id], item=InspectionView.of)

    @routes.get("/cases/{case_id}/inspections")
    async def of_case(case_id: UUID, db: Db, who: Who) -> list[CaseInspection]:
        return [CaseInspection.of(one) for one in await use_cases.read_inspections(work, db, who, case_id)]

    @routes.post("/cases/{case_id}/inspections/{inspection}/outcomes", status_code=201)
    async def record(
        case_id: UUID, inspection: InspectionId, body: Found, tx: Tx, *, seen: IfMatch, response: Response
    ) -> CaseView:
        """Records a look; the newest counts, and none is changed."""
        case = await use_cases.record_inspection(work, tx, case_id, inspection, body.look(), expected=seen)
        return shown(case, response)


def _add_drawing(routes: APIRouter, work: Casework) -> None:
    @routes.post("/inspection-draws", status_code=201)
    async def commit(body: SampleWanted, tx: Tx) -> Sample:
        return await use_cases.commit_sample(
            work, tx, body.inspection, body.whole(), beacon_named=body.beacon_named
        )

    @routes.post("/inspection-draws/{draw_id}/reveal")
    async def reveal(draw_id: UUID, body: SampleRevealed, tx: Tx) -> Sample:
        return await use_cases.reveal_sample(work, tx, draw_id, beacon=body.beacon)

    @routes.get("/inspection-draws/{draw_id}")
    async def draw(draw_id: UUID, db: Db) -> Sample:
        """The published file, which `huiqi verify draw` draws again. Cases are named by their ids."""
        return await use_cases.read_sample(db, draw_id)
