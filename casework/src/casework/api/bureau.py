"""/v1/cases for officers and experts: one address for each verb."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from casework import use_cases
from casework.api.cases import shown
from casework.api.views import CaseView, TitleView
from casework.api.words import in_the_callers_words
from casework.use_cases import Casework
from chassis.http import Body, IfMatch, Tx, router

_NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Reason = Annotated[str, Field(max_length=2000, pattern=_NO_CONTROL)]
Reasons = Annotated[list[Reason], Field(max_length=50)]


class Defects(Body):
    defects: Reasons


class Given(Body):
    """Names of the edition's judgements and score items, each with true, false, points or a coefficient."""

    judgements: dict[str, Any]


class Proposed(Body):
    """Reasons are compulsory for a refusal."""

    proposal: Literal["grant", "refuse"]
    reasons: Reasons = Field(default_factory=list)


class Refusal(Body):
    reasons: Reasons


def bureau_router(work: Casework) -> APIRouter:
    routes = router("/v1/cases/{case_id}", ["cases"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_checking(routes, work)
    _add_deciding(routes, work)
    return routes


def _add_checking(routes: APIRouter, work: Casework) -> None:
    @routes.post("/accept")
    async def accept(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        return shown(await use_cases.accept_case(work, tx, case_id, expected=seen), response)

    @routes.post("/return")
    async def give_back(case_id: UUID, body: Defects, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        case = await use_cases.return_case(work, tx, case_id, defects=body.defects, expected=seen)
        return shown(case, response)

    @routes.post("/review")
    async def review(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        return shown(await use_cases.start_review(work, tx, case_id, expected=seen), response)

    @routes.post("/judgements")
    async def judge(case_id: UUID, body: Given, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        case = await use_cases.judge_case(work, tx, case_id, judgements=body.judgements, expected=seen)
        return shown(case, response)


def _add_deciding(routes: APIRouter, work: Casework) -> None:
    @routes.post("/propose")
    async def propose(case_id: UUID, body: Proposed, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        case = await use_cases.propose_case(
            work, tx, case_id, proposal=body.proposal, reasons=body.reasons, expected=seen
        )
        return shown(case, response)

    @routes.post("/notice")
    async def notice(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        return shown(await use_cases.open_notice(work, tx, case_id, expected=seen), response)

    @routes.post("/grant")
    async def grant(case_id: UUID, tx: Tx, seen: IfMatch) -> TitleView:
        title = await use_cases.grant_case(work, tx, case_id, expected=seen)
        return TitleView.of(title, tx.clock.today())

    @routes.post("/refuse")
    async def refuse(case_id: UUID, body: Refusal, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        case = await use_cases.refuse_case(work, tx, case_id, reasons=body.reasons, expected=seen)
        return shown(case, response)
