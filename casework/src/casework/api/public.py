"""What anybody may read: titles, notices, and the law as data."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from casework import store
from casework.api.cases import last_seen
from casework.api.views import NoticeView, Programme, Programmes, TitleView
from casework.api.words import in_the_callers_words
from casework.use_cases import Casework
from chassis.errors import NotFound
from chassis.exact import WrittenDay
from chassis.http import Db, Page, Paged, page, router


def public_router(work: Casework) -> APIRouter:
    routes = router("/v1", ["public"])
    routes.dependencies.append(Depends(in_the_callers_words))
    _add_titles(routes)
    _add_notices(routes)
    _add_programmes(routes, work)
    return routes


def _add_titles(routes: APIRouter) -> None:
    @routes.get("/titles")
    async def titles(
        db: Db,
        asked: Paged,
        *,
        programme: str | None = None,
        level: str | None = None,
        enterprise: str | None = None,
        valid_on: WrittenDay | None = None,
    ) -> Page[TitleView]:
        """By the day of the grant; those valid on a day by their last day."""
        wanted = {"programme": programme, "level": level, "enterprise_id": enterprise}
        today, limit = db.clock.today(), asked.limit + 1
        if valid_on is None:
            rows = await store.list_titles(db, **wanted, after=last_seen(asked), limit=limit)
            return page(rows, asked, key=lambda t: [t.title_id], item=lambda t: TitleView.of(t, today))
        last = asked.after(date.fromisoformat, UUID)
        after = None if last is None else (last[0], last[1])
        rows = await store.list_valid_titles(db, valid_on, **wanted, after=after, limit=limit)
        return page(
            rows, asked, key=lambda t: [t.valid_until, t.title_id], item=lambda t: TitleView.of(t, today)
        )

    @routes.get("/titles/{number}")
    async def title(number: str, db: Db) -> TitleView:
        """Verification: whether the number was granted, to whom, and whether it holds today."""
        found = await store.find_title(db, number)
        if found is None:
            raise NotFound(thing="title")
        return TitleView.of(found, db.clock.today())


def _add_notices(routes: APIRouter) -> None:
    @routes.get("/notices")
    async def notices(
        db: Db, asked: Paged, programme: str | None = None, open_only: bool = False
    ) -> Page[NoticeView]:
        rows = await store.list_notices(
            db, programme=programme, open_only=open_only, after=last_seen(asked), limit=asked.limit + 1
        )
        return page(rows, asked, key=lambda notice: [notice.case_id], item=NoticeView.of)


def _add_programmes(routes: APIRouter, work: Casework) -> None:
    @routes.get("/programmes")
    async def programmes() -> Programmes:
        rulebooks = work.rulebooks
        return Programmes(
            programmes=[
                Programme.of(name, [e for e in rulebooks.editions if e.programme == name])
                for name in rulebooks.programmes()
            ]
        )

    @routes.get("/programmes/{programme}/editions/{in_force_from}")
    async def edition(programme: str, in_force_from: WrittenDay, level: str | None = None) -> Response:
        """The rulebook as data; its hash is the ETag."""
        found = work.rulebooks.edition(programme, in_force_from, level)
        content = found.model_dump_json(by_alias=True, exclude_none=True)
        return Response(content, media_type="application/json", headers={"ETag": f'"{found.hash}"'})
