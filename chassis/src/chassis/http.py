"""The HTTP door: one transaction per request that changes something, committed before the answer leaves."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, TypeVar, cast

import orjson
import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_typed_return_annotation
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic import BaseModel

from chassis import idempotency
from chassis.auth import Unauthenticated
from chassis.bodies import Upload, read_body
from chassis.database import Database, Transaction
from chassis.errors import Invalid, PreconditionFailed, Refused
from chassis.exact import Body, exact_json
from chassis.identity import Actor
from chassis.storage import Storage

if TYPE_CHECKING:
    from chassis.service import Context
else:
    Context = Any

__all__ = [
    "Body", "Ctx", "Db", "IfMatch", "IncomingFile", "ObjectStorage", "Page", "Paged", "Paging", "Tx", "Who", "etag", "page",
    "router",
]  # fmt: skip

MAX_PAGE: Final = 200
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class UnsupportedMediaType(Refused):
    """The request's Content-Type must be {expected}."""

    status: ClassVar[int] = 415


class PreconditionRequired(Refused):
    """Say in If-Match which version you have seen."""

    status: ClassVar[int] = 428


class _ExactRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = exact_json(await self.body())
        return self._json


class _Answered(Exception):
    """Leaves the transaction with an answer that is no success, so that it rolls back."""

    def __init__(self, response: Response) -> None:
        self.response = response


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TransactionalRoute(APIRoute):
    """Knows who asks and has read the whole request before the handler runs, unless that takes an `IncomingFile`.

    A handler that takes a `Tx` runs in one transaction: committed before the answer leaves, rolled back by any
    exception and any answer of 400 or more. There the Idempotency-Key is honoured. `max_body_size` in bytes replaces
    the service's limit for officers and operators.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, max_body_size: int | None = None, **options: Any
    ) -> None:
        # Set before the parent builds the handler. FastAPI's own limit answers in plain text, so it is not used.
        self.max_body_bytes = max_body_size
        super().__init__(path, endpoint, **options)
        self.opens_transaction = _takes(self.dependant, transaction)
        if self.opens_transaction:
            if _SAFE.intersection(self.methods or ()):
                raise TypeError(f"{path}: a request that only reads takes Db, not Tx")
            self.openapi_extra = {**(self.openapi_extra or {}), "parameters": [_KEY_PARAMETER]}
        self.reads_itself = _takes(self.dependant, incoming_file)
        if self.reads_itself and self.opens_transaction:
            raise TypeError(f"{path}: no transaction waits for a file to arrive")
        if self.body_field is not None and not self._embed_body_fields:
            kind = self.body_field.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, Body):
                raise TypeError(f"{path}: what a request brings is a Body, not {kind.__name__}")
        if self.response_field is None and self.status_code != 204 and not _answers_itself(endpoint):
            raise TypeError(f"{path}: say what is answered, or amounts leave as floats")

    def get_route_handler(self) -> Handler:
        run = super().get_route_handler()

        async def answer(plain: Request) -> Response:
            request = _ExactRequest(plain.scope, plain.receive)
            context = request.app.state.context
            actor = await context.authenticator.actor(_authorization(request))
            request.state.actor = actor
            structlog.contextvars.bind_contextvars(actor=str(actor))
            if not self.reads_itself:
                await self._read(request)
            if not self.opens_transaction:
                return await run(request)
            try:
                return await _in_transaction(context.db, request, run)
            except _Answered as answered:
                return answered.response

        return answer

    async def _read(self, request: Request) -> None:
        """Takes in the whole body, so that no transaction waits for a slow client."""
        body = await read_body(request, request.state.actor, self.max_body_bytes)
        if body and self.body_field is not None and not isinstance(self.body_field.field_info, Form):
            media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != "application/json" and not media.endswith("+json"):
                raise UnsupportedMediaType(expected="application/json")
            await request.json()


def _authorization(request: Request) -> str | None:
    """Raises Unauthenticated where two are given: which one counts would be anybody's guess."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise Unauthenticated(reason="a bearer token is needed")
    return given[0] if given else None


async def _in_transaction(db: Database, request: Request, run: Handler) -> Response:
    async with db.transaction(request.state.actor) as tx:
        request.state.tx = tx
        claimed = await idempotency.claim(tx, request)
        if isinstance(claimed, Response):
            return claimed
        response = await run(request)
        if response.status_code >= 400:
            raise _Answered(response)
        if claimed is not None:
            await idempotency.keep(tx, claimed, response)
    return response


_KEY_PARAMETER: Final = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "The same key and request give the same answer and one effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]*$"},
}


def _takes(dependant: Dependant, call: Callable[..., Any]) -> bool:
    return any(inner.call is call or _takes(inner, call) for inner in dependant.dependencies)


def _answers_itself(endpoint: Callable[..., Any]) -> bool:
    answer = get_typed_return_annotation(endpoint)
    return isinstance(answer, type) and issubclass(answer, Response)


def router(prefix: str = "", tags: Sequence[str] = ()) -> APIRouter:
    """A router whose routes are TransactionalRoutes, e.g. `router("/v1/cases", ["cases"])`."""
    return APIRouter(prefix=prefix, tags=list(tags), route_class=TransactionalRoute)


# Dependencies are coroutines: FastAPI sends a plain function to a thread, and every request would wait for one.
async def transaction(request: Request) -> Transaction:
    return cast("Transaction", request.state.tx)


async def current_actor(request: Request) -> Actor:
    return cast("Actor", request.state.actor)


async def current_context(request: Request) -> Context:
    return cast("Context", request.app.state.context)


async def database(request: Request) -> Database:
    return cast("Database", request.app.state.context.db)


async def storage(request: Request) -> Storage:
    return cast("Storage", request.app.state.context.storage)


async def incoming_file(request: Request) -> Upload:
    settings = request.app.state.context.settings
    return Upload(request, allowed=settings.max_upload_bytes, seconds=settings.upload_timeout)


async def if_match(
    if_match: Annotated[str | None, Header(description='the ETag that was read, e.g. "3"')] = None,
) -> int:
    """The version the client has seen; a tag that was never ours is version -1, which nothing has."""
    if if_match is None:
        raise PreconditionRequired
    return version_of(if_match)


def version_of(tag: str) -> int:
    """The version that an ETag of ours names; -1 for any other."""
    number = tag.strip().strip('"')
    return int(number) if tag.strip() == f'"{number}"' and number.isdecimal() and len(number) < 19 else -1


Tx = Annotated[Transaction, Depends(transaction)]
Who = Annotated[Actor, Depends(current_actor)]
Ctx = Annotated[Context, Depends(current_context)]
Db = Annotated[Database, Depends(database)]
ObjectStorage = Annotated[Storage, Depends(storage)]
IncomingFile = Annotated[Upload, Depends(incoming_file)]
IfMatch = Annotated[int, Depends(if_match)]


def etag(version: int) -> str:
    return f'"{version}"'


def require_version(expected: int, version: int) -> None:
    """Raises PreconditionFailed when somebody else was faster."""
    if expected != version:
        raise PreconditionFailed(version=version)


T = TypeVar("T")
Row = TypeVar("Row")


class Page(BaseModel, Generic[T]):
    """Some items in key order; `cursor` asks for those after them and is null on the last page."""

    items: list[T]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for. `limit` counts its items; ask the database for `limit + 1` rows."""

    limit: int
    cursor: str | None

    def after(self, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """The key of the last item seen, each part read by its kind, e.g. `after(date.fromisoformat, UUID)`.

        None on the first page. Raises Invalid for a cursor that was not given out here.
        """
        if self.cursor is None:
            return None
        try:
            parts = orjson.loads(urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
            return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise Invalid(field="cursor", rule_broken="a cursor that this list gave out") from error


async def paging(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
) -> Paging:
    return Paging(limit, cursor)


Paged = Annotated[Paging, Depends(paging)]


def page(
    rows: Sequence[Row], asked: Paging, *, key: Callable[[Row], Sequence[object]], item: Callable[[Row], T]
) -> Page[T]:
    """The page of at most `asked.limit` of the rows; one row more says that there is a next page."""
    shown = rows[: asked.limit]
    cursor = None
    if len(rows) > asked.limit:
        cursor = urlsafe_b64encode(orjson.dumps([str(part) for part in key(shown[-1])])).decode().rstrip("=")
    return Page[Any](items=[item(row) for row in shown], cursor=cursor)
