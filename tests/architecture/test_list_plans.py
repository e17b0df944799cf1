"""Each way in which a list may be narrowed has an index that gives its pages in order, whatever the values are."""

import re
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import pytest

from casework import (
    decision_list_store,
    expert_store,
    file_store,
    inspection_store,
    kept_objects,
    member_store,
    panel_store,
    round_store,
)
from casework import store as casework_store
from casework.store import casework_sql
from chassis.database import Database
from chassis.listing import Listing
from chassis.migrate import sql_of
from chassis.testing import Databases

# Ways without an index of their own, and why they need none.
REVIEWED = {
    "finance_link _PRODUCTS": "a handful of rows",
    "casework _EXPERTS": "a directory of some hundreds",
    "casework _EXPORTS there": "most are, and an operator's command reads all of them",
    "casework _INTERESTS": "what people declare of themselves: some thousands",
    "casework _SEATS": "the panels of one person",
    "finance_link _REFERRALS only_sent": "most are",
    "ip_enterprise _ASSETS in_force": "most are",
    "notifier _MESSAGES unread": "always of one inbox",
    "notifier _NOTIFICATIONS channel": "each is a good part of all",
    "notifier _NOTIFICATIONS caused_by": "a few rows each",
}
PLANS_AS_IF_LARGE = "SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan"


@dataclass(frozen=True)
class Way:
    package: str
    name: str
    listing: Listing
    condition: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.name} {self.condition or 'all'}"


def ways_of(package: str, module: ModuleType) -> list[Way]:
    found = []
    for name, listing in vars(module).items():
        if isinstance(listing, Listing) and f"{package} {name}" not in REVIEWED:
            single = [None, *(c for c in listing._conditions if c != "after")]
            found += [Way(package, name, listing, condition) for condition in single]
    return [way for way in found if str(way) not in REVIEWED]


def all_ways() -> list[Way]:
    stores = {
        "certification": ["certification.store"], "ip_enterprise": ["ip_enterprise.store"],
        "finance_link": [f"finance_link.store.{name}" for name in ("consents", "products", "referrals")],
        "notifier": ["notifier.store.notifications"],
    }  # fmt: skip
    own = [
        way
        for package, names in stores.items()
        for name in names
        for way in ways_of(package, import_module(name))
    ]
    shared = [
        way
        for module in (
            casework_store,
            decision_list_store,
            expert_store,
            file_store,
            inspection_store,
            kept_objects,
            member_store,
            panel_store,
            round_store,
        )
        for way in ways_of("casework", module)
    ]
    return shared + own


async def plan(db: Database, way: Way) -> str:
    begins = "after" if "after" in way.listing._conditions else "before"
    names = [way.condition, begins] if way.condition and way.condition != begins else [begins]
    if way.listing is casework_store._VALID_TITLES and "from_day" not in names:
        names = ["from_day", *names]
    statement = way.listing._written(names, is_limited=True)
    async with db.connection() as connection:
        await connection.execute(PLANS_AS_IF_LARGE)
        await connection.execute(f"PREPARE look AS {statement}")
        nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement))))
        rows = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE look({nothing})")
        return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("way", all_ways(), ids=str)
async def test_pages_come_from_an_index(make_database: Databases, way: Way) -> None:
    package = "certification" if way.package == "casework" else way.package
    sources = [casework_sql()] if package in ("certification", "ip_enterprise") else []
    db = await make_database([*sources, sql_of(package)])
    found = await plan(db, way)
    assert "Sort" not in found, found
    assert "Seq Scan" not in found, found
    assert "Filter" not in found or way.listing is casework_store._VALID_TITLES, found
