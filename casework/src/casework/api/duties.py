"""/v1/titles/{number}/duties: what is owed for a title, and how it is kept."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from casework import duty_store, store, use_cases
from casework.api.bureau import Reasons
from casework.api.cases import GivenDocument, documents_of
from casework.api.words import in_the_callers_words
from casework.case import Document, Duty, Report, Title
from casework.edition import Edition, KeptBy, Source, Text
from casework.use_cases import Casework
from casework.use_cases.permitting import Desk, permit
from chassis.errors import NotFound
from chassis.http import Body, Db, Tx, Who, router
from chassis.identity import Actor

DutyId = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
Year = Annotated[int, Field(ge=1949, le=9999)]
Standing = Literal["to_come", "open", "overdue", "done", "done_late", "missed", "missed_then_done"]


class Reported(Body):
    """`duty` and `year` as `GET …/duties` names them; `contents` is the report, by the names of its form."""

    duty: DutyId
    year: Year
    contents: Annotated[dict[str, Any], Field(min_length=1, max_length=500)]
    documents: Annotated[list[GivenDocument], Field(max_length=100)] = Field(default_factory=list)


class Assessed(Body):
    """`result` is one that the edition names for this duty."""

    duty: DutyId
    year: Year
    result: DutyId
    reasons: Reasons


class DutyView(BaseModel):
    """One duty of one year with its source. `last_on` is the last day on which it is not missed."""

    duty: str
    title: Text
    year: int
    kept_by: KeptBy
    opens_on: date
    due_on: date
    last_on: date
    reminded_on: date | None
    done_on: date | None
    missed_on: date | None
    result: str | None
    standing: Standing
    source: Source
    verified: bool

    @classmethod
    def of(cls, edition: Edition, duty: Duty, today: date) -> "DutyView":
        rule = edition.duty(duty.rule)
        shown = duty.model_dump(exclude={"duty_id", "title_id", "rule", "grace_until"})
        return cls(
            duty=duty.rule, title=rule.title, source=rule.source, verified=rule.verified, last_on=duty.last_on,
            standing=standing(duty, today), **shown,
        )  # fmt: skip


class ReportView(BaseModel):
    duty: str
    year: int
    late: bool
    contents: Mapping[str, Any]
    documents: list[Document]
    handed_in_by: str
    handed_in_at: datetime

    @classmethod
    def of(cls, duty: Duty, report: Report) -> "ReportView":
        return cls(
            duty=duty.rule, year=duty.year, late=duty.is_late, contents=report.contents,
            documents=list(report.documents), handed_in_by=report.handed_in_by, handed_in_at=report.handed_in_at,
        )  # fmt: skip


def standing(duty: Duty, today: date) -> Standing:
    if duty.missed_on is not None:
        return "missed" if duty.done_on is None else "missed_then_done"
    if duty.done_on is not None:
        return "done_late" if duty.is_late else "done"
    if today > duty.due_on:
        return "overdue"
    return "open" if today >= duty.opens_on else "to_come"


def duty_router(work: Casework) -> APIRouter:
    routes = router("/v1/titles/{number}", ["titles"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_keeping(routes, work)
    _add_reading(routes, work)
    return routes


def _add_keeping(routes: APIRouter, work: Casework) -> None:
    @routes.post("/reports", status_code=201)
    async def report(number: str, body: Reported, tx: Tx) -> DutyView:
        kept = await use_cases.report_duty(
            work, tx, number, duty=body.duty, year=body.year, contents=body.contents,
            documents=documents_of(body.documents),
        )  # fmt: skip
        return DutyView.of(await _edition(work, tx, number), kept, tx.clock.today())

    @routes.post("/assessments", status_code=201)
    async def assess(number: str, body: Assessed, tx: Tx) -> DutyView:
        """Notes how an assessment came out; a result that ends the title is proposed with it."""
        kept = await use_cases.assess_title(
            work, tx, number, duty=body.duty, year=body.year, result=body.result, reasons=body.reasons
        )
        return DutyView.of(await _edition(work, tx, number), kept, tx.clock.today())


def _add_reading(routes: APIRouter, work: Casework) -> None:
    @routes.get("/duties")
    async def duties(number: str, db: Db, who: Who) -> list[DutyView]:
        """All that is and was owed for the title, by the day on which it is due."""
        title = await held_title(db, who, number)
        edition, today = work.edition_of_title(title), db.clock.today()
        return [
            DutyView.of(edition, duty, today) for duty in await duty_store.list_duties(db, title.title_id)
        ]

    @routes.get("/reports")
    async def reports(number: str, db: Db, who: Who) -> list[ReportView]:
        title = await held_title(db, who, number)
        return [ReportView.of(duty, one) for duty, one in await duty_store.list_reports(db, title.title_id)]


async def held_title(reader: Desk, who: Actor, number: str) -> Title:
    title = await store.find_title(reader, number)
    if title is None:
        raise NotFound(thing="title")
    await permit(reader, who, "title.duties", title.enterprise_id)
    return title


async def _edition(work: Casework, reader: store.Reader, number: str) -> Edition:
    title = await store.find_title(reader, number)
    if title is None:
        raise NotFound(thing="title")
    return work.edition_of_title(title)
