"""The web application of one service: its routers, and around them what every service answers the same way."""

import re
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from chassis.bodies import BodyLimit
from chassis.errors import Invalid, Refused, Unavailable
from chassis.messages import Catalogue
from chassis.problems import MEDIA_TYPE, Problem, Problems
from chassis.telemetry import METRICS, continue_trace

if TYPE_CHECKING:
    from chassis.service import Context

_REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_QUIET: Final = ("/healthz", "/readyz", "/metrics")
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_SWAGGER: Final = (
    "fastapi_offline"  # a package that carries the page's assets: the bureau's network may be closed
)

log = structlog.get_logger()


def build_app(*, title: str, routers: Sequence[APIRouter], context: "Context", package: str) -> FastAPI:
    """The application with the routers, problems, /healthz, /readyz, /metrics, /openapi.json and /docs.

    `package` holds the catalogue of the service's messages. Handlers find the context in `app.state.context`.
    """
    problems = Problems(Catalogue([package]))
    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        max_body_size=None,
        redirect_slashes=False,  # the redirect would name whatever host the request named
        responses={"4XX": _PROBLEM_ANSWER, "5XX": _PROBLEM_ANSWER},
    )
    app.state.context = context
    for kind in (Refused, Unavailable, RequestValidationError):
        app.add_exception_handler(kind, problems.of)

    def of_http(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": ", ".join(_methods_at(app, request.scope))}
        return problems.of(request, error)

    app.add_exception_handler(HTTPException, of_http)
    app.add_middleware(Doorway, problems=problems, max_body_bytes=context.settings.max_body_bytes)
    for routes in routers:
        app.include_router(routes)
    _add_operations(app, context)
    _add_documentation(app)
    return app


def _methods_at(app: FastAPI, scope: Scope) -> list[str]:
    """What the address takes. Starlette names the methods of its first route only."""
    asked = {name: scope[name] for name in ("type", "path", "root_path", "headers")}
    return [
        method
        for method in sorted(_METHODS)
        if any(route.matches({**asked, "method": method})[0] is Match.FULL for route in app.router.routes)
    ]


class Doorway:
    """Around every request: its id and trace, the size limit, one access log line, metrics, and no leak of a bug."""

    def __init__(self, app: ASGIApp, *, problems: Problems, max_body_bytes: int) -> None:
        self._app = app
        self._problems = problems
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: text.decode("latin-1") for name, text in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        scope["chassis.request_id"] = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        with (
            structlog.contextvars.bound_contextvars(request_id=scope["chassis.request_id"]),
            continue_trace(headers.get(b"traceparent"), "http"),
        ):
            await self._served(scope, BodyLimit(scope, receive, self._max_body_bytes).receive, send)

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                marked = MutableHeaders(scope=message)
                marked["X-Request-ID"] = scope["chassis.request_id"]
                marked["X-Content-Type-Options"] = "nosniff"
                marked.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            _refuse_nul(scope)
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            status = 499
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("http.bug", error=repr(error))
            if status:
                raise  # half an answer is out: only a broken connection tells the client
            await self._problems.of(Request(scope), error)(scope, receive, send_marked)
        finally:
            _note(scope, status, time.perf_counter() - began)


def _refuse_nul(scope: Scope) -> None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise Invalid(field="url", rule_broken="a text holds a NUL character")


def _note(scope: Scope, status: int, seconds: float) -> None:
    """One line and one measurement. The route's template and no query: those may hold personal fields."""
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    route = getattr(scope.get("route"), "path", "unmatched")
    METRICS.http_requests.labels(method, route, str(status)).inc()
    METRICS.http_seconds.labels(method, route).observe(seconds)
    if route not in _QUIET:
        log.info("http", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _add_operations(app: FastAPI, context: "Context") -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> Response:
        found = await context.readiness()
        body = orjson.dumps({"ready": found.ready, "checks": found.checks})
        return Response(body, status_code=200 if found.ready else 503, media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        METRICS.pool_in_use.set(context.db.pool.get_size() - context.db.pool.get_idle_size())
        try:
            await context.observe()
        except Unavailable as error:
            log.warning("metrics.incomplete", reason=error.reason)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_documentation(app: FastAPI) -> None:
    spec = find_spec(_SWAGGER)
    if spec is not None and spec.submodule_search_locations:
        assets = Path(spec.submodule_search_locations[0]) / "static"

        @app.get("/docs", include_in_schema=False)
        async def documentation() -> Response:
            return get_swagger_ui_html(
                openapi_url="openapi.json", title=app.title, swagger_js_url="docs/swagger-ui-bundle.js",
                swagger_css_url="docs/swagger-ui.css", swagger_favicon_url="data:,",
            )  # fmt: skip

        for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
            app.add_api_route(f"/docs/{name}", _asset(assets / name), include_in_schema=False)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            parts = schema.setdefault("components", {})
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts.setdefault("schemas", {}).update({**problem.pop("$defs"), "Problem": problem})
            parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            schema["security"] = [{"bearer": []}, {}]
            _promise_problems(schema)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _promise_problems(schema: dict[str, Any]) -> None:
    """Where a route describes a refusal of its own, that status may be told as a problem too."""
    for operation in (operation for path in schema.get("paths", {}).values() for operation in path.values()):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")):
                answer.setdefault("content", {}).update(_PROBLEM_ANSWER["content"])


def _asset(path: Path) -> Any:
    async def asset() -> Response:
        return FileResponse(path, headers={"Cache-Control": "max-age=86400"})

    return asset


_PROBLEM_ANSWER: Final[dict[str, Any]] = {
    "description": "Refused, with the rule that says no",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
