"""No request waits for a thread: what a route depends on is a coroutine."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from chassis.http import router

SERVICES = ("certification", "ip_enterprise", "finance_link", "notifier")


def calls_of(dependant: Dependant) -> Iterator[Any]:
    if dependant.call is not None:
        yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def waiting_for_threads(routers: list[APIRouter]) -> set[str]:
    """What FastAPI would call in a thread: plain functions, generators and classes."""
    routes = [route for one in routers for route in one.routes if isinstance(route, APIRoute)]
    calls = {call for route in routes for call in calls_of(route.dependant)}
    return {
        f"{call.__module__}.{call.__qualname__}"
        for call in calls
        if not inspect.iscoroutinefunction(call) and not inspect.isasyncgenfunction(call)
    }


@pytest.mark.parametrize("package", SERVICES)
def test_what_a_route_depends_on_is_a_coroutine(package: str) -> None:
    assert waiting_for_threads(import_module(f"{package}.main").service.routers) == set()


def test_a_plain_dependency_would_be_seen() -> None:
    def plain() -> int:
        return 1

    routes = router("/v1")
    routes.dependencies.append(Depends(plain))

    @routes.get("/thing")
    async def thing() -> int:
        return 1

    assert len(waiting_for_threads([routes])) == 1
