"""/v1/cases for the applicant, and for everybody who may read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from casework import store, use_cases
from casework.api.views import CaseView, FullCase, NoticeView, StepView, TitleView
from casework.api.words import in_the_callers_words
from casework.calendar import CalendarUnknown
from casework.case import Case, Decision, Document, FileName, MediaType, PaperId, Sha256, Size
from casework.edition import CaseType, State
from casework.lifecycle import open_steps
from casework.policy import POLICY
from casework.unusable import UnusableInput
from casework.use_cases import Casework
from casework.use_cases.permitting import enterprise_meant, permit
from casework.use_cases.refusals import EditionNotLoaded
from casework.use_cases.steps import look_at
from chassis.auth import authorize
from chassis.clock import SHANGHAI
from chassis.database import Database
from chassis.errors import Forbidden
from chassis.http import Body, Db, IfMatch, Page, Paged, Paging, Tx, Who, etag, page, router
from chassis.identity import Actor


class GivenDocument(Body):
    """One paper of the edition's list: its id there, and the file with its size in bytes and SHA-256."""

    paper: PaperId
    file_name: FileName
    media_type: MediaType = "application/pdf"
    bytes: Size
    sha256: Sha256


class NewCase(Body):
    """`enterprise_id` may be left out by who acts for its own enterprise; `level` where the programme has one only."""

    programme: str
    case_type: CaseType
    level: str | None = None
    enterprise_id: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    documents: list[GivenDocument] = Field(default_factory=list, max_length=100)


class Revision(Body):
    """What is left out stays as it is; what is given replaces."""

    facts: dict[str, Any] | None = None
    documents: list[GivenDocument] | None = Field(default=None, max_length=100)


def documents_of(given: list[GivenDocument]) -> list[Document]:
    return [Document.model_validate(document.model_dump()) for document in given]


def shown(case: Case, response: Response) -> CaseView:
    response.headers["ETag"] = etag(case.version)
    return CaseView.of(case)


def last_seen(asked: Paging) -> UUID | None:
    key = asked.after(UUID)
    return None if key is None else UUID(str(key[0]))


def case_router(work: Casework) -> APIRouter:
    routes = router("/v1/cases", ["cases"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_writing(routes, work)
    _add_listing(routes)
    _add_reading(routes, work)
    return routes


def _add_writing(routes: APIRouter, work: Casework) -> None:
    @routes.post("", status_code=201)
    async def draft(body: NewCase, tx: Tx, who: Who, response: Response) -> CaseView:
        enterprise_id = enterprise_meant(who, body.enterprise_id, "enterprise_id")
        case = await use_cases.draft_case(
            work, tx, enterprise_id=enterprise_id, programme=body.programme, case_type=body.case_type,
            level=body.level, facts=body.facts, documents=documents_of(body.documents),
        )  # fmt: skip
        response.headers["Location"] = f"/v1/cases/{case.case_id}"
        return shown(case, response)

    @routes.put("/{case_id}")
    async def revise(case_id: UUID, body: Revision, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        documents = None if body.documents is None else documents_of(body.documents)
        case = await use_cases.revise_case(
            work, tx, case_id, expected=seen, facts=body.facts, documents=documents
        )
        return shown(case, response)

    @routes.post("/{case_id}/submit")
    async def submit(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        return shown(await use_cases.submit_case(work, tx, case_id, expected=seen), response)

    @routes.post("/{case_id}/withdraw")
    async def withdraw(case_id: UUID, tx: Tx, seen: IfMatch, response: Response) -> CaseView:
        return shown(await use_cases.withdraw_case(work, tx, case_id, expected=seen), response)


def _add_listing(routes: APIRouter) -> None:
    @routes.get("")
    async def cases(
        db: Db,
        who: Who,
        asked: Paged,
        *,
        programme: str | None = None,
        state: State | None = None,
        enterprise: str | None = None,
        round_id: UUID | None = None,
    ) -> Page[CaseView]:
        wanted = enterprise_meant(who, enterprise, "enterprise")
        await permit(db, who, "case.list", wanted)
        rows = await store.list_cases(
            db, enterprise_id=wanted, programme=programme, state=state, round_id=round_id,
            after=last_seen(asked), limit=asked.limit + 1,
        )  # fmt: skip
        return page(rows, asked, key=lambda case: [case.case_id], item=CaseView.of)


def _add_reading(routes: APIRouter, work: Casework) -> None:
    @routes.get("/{case_id}")
    async def case(case_id: UUID, db: Db, who: Who, response: Response) -> FullCase:
        found = await look_at(db, who, case_id, "case.read")
        response.headers["ETag"] = etag(found.version)
        notice = await store.find_notice(db, case_id)
        title = await store.find_title_of_case(db, case_id)
        decisions, sees_judges = await store.list_decisions(db, case_id), _sees_judges(who)
        return FullCase(
            case=CaseView.of(found),
            facts=found.facts,
            answer=found.answer,
            documents=await store.list_documents(db, case_id),
            judgements=await store.list_judgements(db, case_id) if sees_judges else None,
            decisions=decisions if sees_judges else [unnamed(decision) for decision in decisions],
            next=await next_steps(work, db, found, decisions),
            notice=notice and NoticeView.of(notice),
            title=title and TitleView.of(title, db.clock.today()),
        )


async def next_steps(
    work: Casework, db: Database, case: Case, decisions: Sequence[Decision]
) -> list[StepView]:
    """What may come next, and what stands in its way. A state begins with the decision that led into it."""
    today = db.clock.today()
    into = [one.at for one in decisions if one.to_state == case.state and one.from_state != case.state]
    since = into[-1].astimezone(SHANGHAI).date() if into else today
    try:
        edition = work.edition_of(case, today)
        steps = open_steps(edition, case.case_type, case.state, since)
    except (EditionNotLoaded, UnusableInput, CalendarUnknown):
        return []
    waits = await use_cases.kept_back(work, db, edition, case, [step.verb for step in steps])
    return [StepView(**step._asdict(), waits_for=waits.get(step.verb, [])) for step in steps]


def unnamed(decision: Decision) -> Decision:
    """Who judges as an expert, and who objects, is not for the applicant nor for other experts."""
    if decision.verb == "object":
        return decision.model_copy(update={"actor": "public"})
    is_expert = decision.actor.startswith("expert:")
    return decision.model_copy(update={"actor": "expert"}) if is_expert else decision


def _sees_judges(who: Actor) -> bool:
    try:
        authorize(POLICY, who, "case.judgements")
    except Forbidden:
        return False
    return True
