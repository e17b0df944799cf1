"""/v1/experts and /v1/interests: the directory, and who is tied to which enterprise."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, model_validator

from casework import expert_store, use_cases
from casework.api.cases import last_seen
from casework.api.words import in_the_callers_words
from casework.expert import Entry, Expert, Ground, Interest, Line, Person, Subject
from casework.panel import FieldName, Kind
from casework.policy import POLICY
from chassis.auth import authorize
from chassis.http import Body, Db, IfMatch, Page, Paged, Tx, Who, etag, page, router
from contracts.values import Day, EnterpriseId


class EntryGiven(Body):
    """The whole entry: what is left out is not known. `subject` is who signs in; `active: false` is who left."""

    subject: Subject
    name: Line
    kind: Kind
    fields: Annotated[list[FieldName], Field(max_length=50)] = Field(default_factory=list)
    employer_id: EnterpriseId | None = None
    employer_name: Line | None = None
    holdings: Annotated[list[EnterpriseId], Field(max_length=100)] = Field(default_factory=list)
    available_from: Day | None = None
    available_until: Day | None = None
    active: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> "EntryGiven":
        if self.available_from and self.available_until and self.available_until < self.available_from:
            raise ValueError("available_until lies before available_from")
        return self

    def entry(self) -> Entry:
        return Entry.model_validate(self.model_dump())


class InterestGiven(Body):
    """`person` (`officer:li`, `expert:chen`) is left out for oneself."""

    enterprise_id: EnterpriseId
    ground: Ground
    person: Person | None = None
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None


def expert_router() -> APIRouter:
    routes = router("/v1", ["experts"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_directory(routes)
    _add_interests(routes)
    return routes


def _add_directory(routes: APIRouter) -> None:
    @routes.post("/experts", status_code=201)
    async def add(body: EntryGiven, tx: Tx, response: Response) -> Expert:
        expert = await use_cases.add_expert(tx, body.entry())
        response.headers["Location"] = f"/v1/experts/{expert.expert_id}"
        response.headers["ETag"] = etag(expert.version)
        return expert

    @routes.put("/experts/{expert_id}")
    async def change(expert_id: UUID, body: EntryGiven, tx: Tx, seen: IfMatch, response: Response) -> Expert:
        expert = await use_cases.change_expert(tx, expert_id, body.entry(), expected=seen)
        response.headers["ETag"] = etag(expert.version)
        return expert

    @routes.get("/experts")
    async def experts(
        db: Db, who: Who, asked: Paged, *, kind: Kind | None = None, active: bool | None = None
    ) -> Page[Expert]:
        authorize(POLICY, who, "expert.list")
        rows = await expert_store.list_experts(
            db, kind=kind, active=active, after=last_seen(asked), limit=asked.limit + 1
        )
        return page(rows, asked, key=lambda expert: [expert.expert_id], item=lambda expert: expert)

    @routes.get("/experts/{expert_id}")
    async def expert(expert_id: UUID, db: Db, who: Who, response: Response) -> Expert:
        found = await use_cases.read_expert(db, who, expert_id)
        response.headers["ETag"] = etag(found.version)
        return found


def _add_interests(routes: APIRouter) -> None:
    @routes.post("/interests", status_code=201)
    async def declare(body: InterestGiven, tx: Tx) -> Interest:
        return await use_cases.declare_interest(
            tx, body.enterprise_id, body.ground, person=body.person, note=body.note
        )

    @routes.post("/interests/{interest_id}/end")
    async def end(interest_id: UUID, tx: Tx) -> Interest:
        return await use_cases.end_interest(tx, interest_id)

    @routes.get("/interests")
    async def interests(
        db: Db, who: Who, asked: Paged, *, person: Person | None = None, enterprise: str | None = None
    ) -> Page[Interest]:
        """An expert sees its own."""
        authorize(POLICY, who, "interest.list")
        rows = await expert_store.list_interests(
            db, person=str(who) if who.role == "expert" else person, enterprise_id=enterprise,
            after=last_seen(asked), limit=asked.limit + 1,
        )  # fmt: skip
        return page(rows, asked, key=lambda tie: [tie.interest_id], item=lambda tie: tie)
