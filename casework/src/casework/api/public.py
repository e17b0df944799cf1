"""What anybody may read: titles, notices, and the law as data."""

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
        rows = await store.list_titles(
            db, programme=programme, level=level, enterprise_id=enterprise, valid_on=valid_on,
            after=last_seen(asked), limit=asked.limit + 1,
        )  # fmt: skip
        today = db.clock.today()
        return page(
            rows, asked, key=lambda title: [title.title_id], item=lambda title: TitleView.of(title, today)
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
