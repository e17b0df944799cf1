"""/v1/rounds: when which programme takes applications."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, model_validator

from casework import round_store, use_cases
from casework.api.cases import last_seen
from casework.api.words import in_the_callers_words
from casework.ranking import Ranked
from casework.round import Call, Line, Round
from casework.use_cases import Casework
from chassis.errors import NotFound
from chassis.exact import WrittenDay
from chassis.http import Body, Db, IfMatch, Page, Paged, Tx, Who, etag, page, router


class CallGiven(Body):
    """Enterprises hand in from `opens_on` to `closes_on`, the city recommends until `forwards_on`; all days included."""

    programme: Line
    level: Line | None = None
    name: Line
    opens_on: WrittenDay
    closes_on: WrittenDay
    forwards_on: WrittenDay
    quota: int | None = Field(default=None, gt=0, le=1_000_000)
    source: Line

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        self.call()
        return self

    def call(self) -> Call:
        return Call.model_validate(self.model_dump())


def round_router(work: Casework) -> APIRouter:
    routes = router("/v1/rounds", ["rounds"])
    routes.dependencies.append(Depends(in_the_callers_words))

    @routes.post("", status_code=201)
    async def call(body: CallGiven, tx: Tx, response: Response) -> Round:
        called = await use_cases.call_round(work, tx, body.call())
        response.headers["Location"] = f"/v1/rounds/{called.round_id}"
        response.headers["ETag"] = etag(called.version)
        return called

    @routes.put("/{round_id}")
    async def change(round_id: UUID, body: CallGiven, tx: Tx, seen: IfMatch, response: Response) -> Round:
        """The whole round as it is from now on; a deadline is extended by a later day."""
        changed = await use_cases.change_round(tx, round_id, body.call(), expected=seen)
        response.headers["ETag"] = etag(changed.version)
        return changed

    @routes.get("")
    async def rounds(db: Db, asked: Paged, programme: str | None = None) -> Page[Round]:
        rows = await round_store.list_rounds(
            db, programme=programme, after=last_seen(asked), limit=asked.limit + 1
        )
        return page(rows, asked, key=lambda one: [one.round_id], item=lambda one: one)

    @routes.get("/{round_id}")
    async def one_round(round_id: UUID, db: Db, response: Response) -> Round:
        found = await round_store.find_round(db, round_id)
        if found is None:
            raise NotFound(thing="round")
        response.headers["ETag"] = etag(found.version)
        return found

    @routes.get("/{round_id}/ranking")
    async def ranking(round_id: UUID, db: Db, who: Who) -> list[Ranked]:
        """The applications in review and after it by their score: who is listed, who is in reserve, where a tie is cut."""
        return await use_cases.rank_round(db, who, round_id)

    return routes
