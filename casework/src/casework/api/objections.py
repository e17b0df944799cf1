"""Objections: anybody lodges one to a notice, officers answer, whoever holds its number reads the answer."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from casework import objection_store, use_cases
from casework.api.bureau import Reasons
from casework.api.cases import shown
from casework.api.views import CaseView, View
from casework.api.words import in_the_callers_words
from casework.objection import Line, ObjectionState, Statement
from casework.use_cases import Casework
from casework.use_cases.objecting import Answer
from casework.use_cases.steps import look_at
from chassis.http import Body, Db, IfMatch, Tx, Who, router


class NewObjection(Body):
    """`name` is the real name of who objects, `unit` the organisation if one does; `contact` is where they are reached."""

    name: Line
    unit: Line | None = None
    contact: Line
    statement: Statement


class Answered(Body):
    """Reasons are for the applicant and for whoever objected; they name nobody."""

    decision: Answer
    reasons: Reasons


class ObjectionAnswer(View):
    """What whoever holds the number of an objection may read of it."""

    objection_id: UUID
    case_id: UUID
    lodged_at: datetime
    state: ObjectionState
    decided_at: datetime | None
    reasons: list[str]


class ObjectionView(ObjectionAnswer):
    """The whole objection, for officers and auditors."""

    name: str
    unit: str | None
    contact: str
    statement: str
    lodged_by: str
    decided_by: str | None


def objection_router(work: Casework) -> APIRouter:
    routes = router("/v1", ["objections"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_public(routes, work)
    _add_answering(routes, work)
    return routes


def _add_public(routes: APIRouter, work: Casework) -> None:
    @routes.post("/notices/{case_id}/objections", status_code=201)
    async def lodge(case_id: UUID, body: NewObjection, tx: Tx, response: Response) -> ObjectionAnswer:
        """Objects in writing to what is on notice. Keep the number: the answer is read with it."""
        objection = await use_cases.lodge_objection(work, tx, case_id, **body.model_dump())
        response.headers["Location"] = f"/v1/notices/{case_id}/objections/{objection.objection_id}"
        return ObjectionAnswer.of(objection)

    @routes.get("/notices/{case_id}/objections/{objection_id}")
    async def answer(case_id: UUID, objection_id: UUID, db: Db) -> ObjectionAnswer:
        return ObjectionAnswer.of(await use_cases.read_answer(db, case_id, objection_id))


def _add_answering(routes: APIRouter, work: Casework) -> None:
    @routes.get("/cases/{case_id}/objections")
    async def objections(case_id: UUID, db: Db, who: Who) -> list[ObjectionView]:
        """All to this case, in their order, with the names."""
        await look_at(db, who, case_id, "objection.list")
        return [ObjectionView.of(one) for one in await objection_store.list_objections(db, case_id)]

    @routes.post("/cases/{case_id}/objections/{objection_id}/decision")
    async def decide(
        case_id: UUID, objection_id: UUID, body: Answered, tx: Tx, *, seen: IfMatch, response: Response
    ) -> CaseView:
        """Dismisses or upholds; with the last answer the case goes back on notice or into review."""
        case = await use_cases.decide_objection(
            work, tx, case_id, objection_id, decision=body.decision, reasons=body.reasons, expected=seen
        )
        return shown(case, response)
