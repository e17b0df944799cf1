"""/v1/titles/{number}/revocation: how a title is taken away."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from casework import revocation_store, store, use_cases
from casework.api.bureau import Reasons
from casework.api.words import in_the_callers_words
from casework.case import Revocation
from casework.use_cases import Casework
from casework.use_cases.permitting import permit
from casework.use_cases.revoking import Decided
from chassis.errors import NotFound
from chassis.exact import WrittenDay
from chassis.http import Body, Db, Tx, Who, router


class Proposed(Body):
    """`ground` is the id of a ground in the edition of the title; `conduct_on` the day on which it arose."""

    ground: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
    conduct_on: WrittenDay
    reasons: Reasons


class Decision(Body):
    decision: Decided
    reasons: Reasons


class RevocationView(BaseModel):
    revocation_id: UUID
    number: str
    ground: str
    conduct_on: date
    reasons: list[str]
    state: str
    proposed_by: str
    decided_by: str | None
    decision_reasons: list[str]
    revoked_on: date | None
    barred_until: date | None

    @classmethod
    def of(cls, number: str, revocation: Revocation) -> "RevocationView":
        shown = revocation.model_dump(exclude={"title_id", "proposed_at", "decided_at"})
        return cls.model_validate({"number": number, **shown})


def revocation_router(work: Casework) -> APIRouter:
    routes = router("/v1/titles/{number}/revocation", ["titles"])
    routes.dependencies.append(Depends(in_the_callers_words))

    @routes.post("", status_code=201)
    async def propose(number: str, body: Proposed, tx: Tx) -> RevocationView:
        proposed = await use_cases.propose_revocation(
            work, tx, number, ground=body.ground, conduct_on=body.conduct_on, reasons=body.reasons
        )
        return RevocationView.of(number, proposed)

    @routes.post("/decision")
    async def decide(number: str, body: Decision, tx: Tx) -> RevocationView:
        """Takes the title away or drops the proposal; somebody else than who proposed it."""
        decided = await use_cases.decide_revocation(
            work, tx, number, decision=body.decision, reasons=body.reasons
        )
        return RevocationView.of(number, decided)

    @routes.get("")
    async def revocations(number: str, db: Db, who: Who) -> list[RevocationView]:
        """All that were ever proposed of this title, in their order."""
        title = await store.find_title(db, number)
        if title is None:
            raise NotFound(thing="title")
        await permit(db, who, "title.revocations", title.enterprise_id)
        found = await revocation_store.list_revocations(db, title.title_id)
        return [RevocationView.of(number, one) for one in found]

    return routes
