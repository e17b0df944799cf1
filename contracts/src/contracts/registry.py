"""Every event that is spoken in the house, by its type on the wire."""

import inspect
from functools import cache
from types import ModuleType

from contracts import certification, finance_link, ip_enterprise, notifier
from contracts.envelope import Event

SPEAKERS: tuple[ModuleType, ...] = (certification, finance_link, ip_enterprise, notifier)


class DoubledType(TypeError):
    """Two event classes have the same type on the wire."""


def event_types_of(modules: tuple[ModuleType, ...]) -> dict[str, type[Event]]:
    """The concrete event classes that these modules define themselves, by type."""
    found: dict[str, type[Event]] = {}
    for module in modules:
        for _, spoken in inspect.getmembers(module, inspect.isclass):
            if not issubclass(spoken, Event) or spoken.__module__ != module.__name__:
                continue
            if not hasattr(spoken, "type"):
                continue
            if spoken.type in found:
                raise DoubledType(f"{spoken.type}: {found[spoken.type].__name__} and {spoken.__name__}")
            found[spoken.type] = spoken
    return dict(sorted(found.items()))


@cache
def _all() -> dict[str, type[Event]]:
    return event_types_of(SPEAKERS)


def event_types() -> dict[str, type[Event]]:
    """Concrete events only, sorted by type."""
    return dict(_all())
