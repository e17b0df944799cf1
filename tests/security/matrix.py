"""The table of who may do what, and the routes that it must hold."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml
from fastapi import FastAPI
from fastapi.routing import APIRouter
from frame import SERVICES

from chassis.api import build_app
from chassis.service import Context, Service

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text(encoding="utf-8"))
COLUMNS: list[str] = TABLE.pop("columns")


@dataclass(frozen=True)
class Row:
    service: str
    route: str
    of: str
    expected: dict[str, int]

    @property
    def id(self) -> str:
        return f"{self.service} {self.route} of {self.of}"


def rows() -> Iterator[Row]:
    for services, listed in TABLE.items():
        for service in SERVICES if services == "everywhere" else services.split(", "):
            for row in listed:
                expected = dict(zip(COLUMNS, row["is"], strict=True))
                yield Row(service, row["route"], row["of"], expected)


ROWS = list(rows())


def application(service: str) -> FastAPI:
    """Its routes and documents; it answers nothing."""
    declared: Service = importlib.import_module(f"{service.replace('-', '_')}.main").service
    context = cast("Context", SimpleNamespace(settings=SimpleNamespace(max_body_bytes=1)))
    return build_app(title=service, routers=declared.routers, context=context, package=declared.package)


def routes_of(service: str) -> set[str]:
    """`METHOD /path` of everything that the application takes, told or not told in its OpenAPI document."""
    return set(_walk(application(service).routes))


def _walk(routes: Sequence[Any], prefix: str = "") -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            yield from _walk(inner.routes, prefix + route.include_context.prefix)
            continue
        assert hasattr(route, "path"), (
            f"{route!r} cannot be read: a mount or a websocket needs rows of its own"
        )
        yield from (f"{method} {prefix}{route.path}" for method in set(route.methods or ["?"]) - {"HEAD"})
