"""/v1/draws: committed to, revealed, and for anybody to draw again."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, model_validator

from casework import panel_store, use_cases
from casework.api.cases import last_seen
from casework.api.words import in_the_callers_words
from casework.draw_file import Draw
from casework.expert import Line
from casework.panel import FieldName
from casework.use_cases import Casework
from casework.use_cases.drawing import MAX_CASES
from chassis.http import Body, Db, Page, Paged, Tx, router
from chassis.http import page as page_of


class CaseToDraw(Body):
    """`field`: what its technical experts must be of; left out, of any."""

    case_id: UUID
    field: FieldName | None = None


class DrawWanted(Body):
    """`size`: seats of each panel, by default the edition's least.

    `beacon_named` says in words which public number of a later day is mixed in when the seed is revealed.
    """

    cases: Annotated[list[CaseToDraw], Field(min_length=1, max_length=MAX_CASES)]
    size: Annotated[int, Field(ge=1, le=99)] | None = None
    beacon_named: Line | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "DrawWanted":
        if len({case.case_id for case in self.cases}) != len(self.cases):
            raise ValueError("a case stands twice in the draw")
        return self


class Reveal(Body):
    """`beacon`: the public number, where the commitment named one."""

    beacon: Line | None = None


class DrawEntry(BaseModel):
    """One draw in the list; `experts` and `cases` count what is in its pool."""

    draw_id: UUID
    programme: str
    edition: date
    pool_hash: str
    seed_hash: str
    committed_at: datetime
    revealed_at: datetime | None
    experts: int
    cases: int


def draw_router(work: Casework) -> APIRouter:
    routes = router("/v1/draws", ["draws"])
    routes.dependencies.append(Depends(in_the_callers_words))

    @routes.post("", status_code=201)
    async def commit(body: DrawWanted, tx: Tx) -> Draw:
        cases = {case.case_id: case.field for case in body.cases}
        return await use_cases.commit_draw(work, tx, cases, size=body.size, beacon_named=body.beacon_named)

    @routes.post("/{draw_id}/reveal")
    async def reveal(draw_id: UUID, body: Reveal, tx: Tx) -> Draw:
        return await use_cases.reveal_draw(work, tx, draw_id, beacon=body.beacon)

    @routes.get("")
    async def draws(db: Db, asked: Paged, programme: str | None = None) -> Page[DrawEntry]:
        rows = await panel_store.list_draws(
            db, programme=programme, after=last_seen(asked), limit=asked.limit + 1
        )
        entries = [DrawEntry.model_validate(dict(row)) for row in rows]
        return page_of(entries, asked, key=lambda entry: [entry.draw_id], item=lambda entry: entry)

    @routes.get("/{draw_id}")
    async def draw(draw_id: UUID, db: Db) -> Draw:
        """The published file, which `huiqi verify draw` draws again. Experts and cases are named by their ids."""
        return await use_cases.read_draw(db, draw_id)

    return routes
