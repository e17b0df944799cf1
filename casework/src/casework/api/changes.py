"""/v1/titles/{number}/changes: what its holder reports to have changed, and what an officer decides on it."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from casework import change_store, use_cases
from casework.api.bureau import Reason, Reasons
from casework.api.duties import DutyId, held_title
from casework.api.words import in_the_callers_words
from casework.case import Change
from casework.use_cases import Casework
from chassis.exact import WrittenDay
from chassis.http import Body, Db, Tx, Who, router

Name = Annotated[Reason, Field(min_length=1, max_length=200)]


class Reported(Body):
    """`change` is one that the edition of the title names; `new_name` where it is a rename."""

    change: DutyId
    changed_on: WrittenDay
    description: Annotated[Reason, Field(min_length=1)]
    new_name: Name | None = None


class Decided(Body):
    """`result` is one that the edition names for this change."""

    result: DutyId
    reasons: Reasons


class ChangeView(BaseModel):
    change_id: UUID
    change: str
    changed_on: date
    reported_on: date
    late: bool
    description: str
    new_name: str | None
    reported_by: str | None
    result: str | None
    reasons: list[str]

    @classmethod
    def of(cls, change: Change) -> "ChangeView":
        shown = change.model_dump(include=set(cls.model_fields))
        return cls.model_validate(shown | {"change": change.rule})


def change_router(work: Casework) -> APIRouter:
    routes = router("/v1/titles/{number}/changes", ["titles"])
    routes.dependencies.append(Depends(in_the_callers_words))

    @routes.post("", status_code=201)
    async def report(number: str, body: Reported, tx: Tx) -> ChangeView:
        reported = await use_cases.report_change(
            work, tx, number, change=body.change, changed_on=body.changed_on, description=body.description,
            new_name=body.new_name,
        )  # fmt: skip
        return ChangeView.of(reported)

    @routes.post("/{change_id}/decision")
    async def decide(number: str, change_id: UUID, body: Decided, tx: Tx) -> ChangeView:
        """Keeps the title, with its new name, or proposes that it ends."""
        decided = await use_cases.decide_change(
            work, tx, number, change_id, result=body.result, reasons=body.reasons
        )
        return ChangeView.of(decided)

    @routes.get("")
    async def changes(number: str, db: Db, who: Who) -> list[ChangeView]:
        title = await held_title(db, who, number)
        return [ChangeView.of(change) for change in await change_store.list_changes(db, title.title_id)]

    return routes
