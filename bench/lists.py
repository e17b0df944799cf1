"""B9: every list of the APIs with a million cases in the tables beside the same list with ten thousand.

First page, a page in the middle by its cursor, and each way of narrowing, common and rare; pages hold as many rows in
both. One request after another
on one connection: what is measured is the query, not the queue.
"""

import statistics
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace

import asyncpg
import orjson
from applications import enterprise_id
from load import request, send
from rows import Row, at_most_times

from chassis.auth import DevelopmentIssuer
from huiqi.house import House

TIMES = 100
SMALL = 10_000


@dataclass(frozen=True)
class Look:
    """One list as it is asked for. `row` is the line of the results that it counts for."""

    row: str
    name: str
    service: str
    path: str


def cursor(*key: object) -> str:
    return urlsafe_b64encode(orjson.dumps([str(part) for part in key])).decode().rstrip("=")


# In braces: the cursor of a page in the middle of that list, or a firm.
LOOKS = (
    Look("B9", "cases, first page", "certification", "/v1/cases"),
    Look("B9", "cases, middle", "certification", "/v1/cases?{cases}"),
    Look("B9", "cases in review, middle", "certification", "/v1/cases?state=in_review&{cases}"),
    Look(
        "B9",
        "cases returned and of one programme",
        "certification",
        "/v1/cases?state=returned&programme=hnte",
    ),
    Look(
        "B9",
        "cases of a rare programme, middle",
        "certification",
        "/v1/cases?limit=5&programme=innovation-platform&{cases}",
    ),
    Look("B9", "cases of one firm", "certification", "/v1/cases?enterprise={firm}"),
    Look("B9b", "notices, first page", "certification", "/v1/notices"),
    Look("B9b", "notices, middle", "certification", "/v1/notices?{cases}"),
    Look("B9b", "open notices, middle", "certification", "/v1/notices?open_only=true&{cases}"),
    Look(
        "B9b",
        "open notices of a rare programme",
        "certification",
        "/v1/notices?limit=1&open_only=true&programme=innovation-platform",
    ),
    Look("B9b", "titles, middle", "certification", "/v1/titles?{titles}"),
    Look(
        "B9b",
        "titles of a level, middle",
        "certification",
        "/v1/titles?limit=20&programme=engineering-centre&level=city&{titles}",
    ),
    Look("B9b", "titles valid on a day", "certification", "/v1/titles?valid_on=2017-03-01"),
    Look(
        "B9b",
        "titles of a programme valid on a day",
        "certification",
        "/v1/titles?valid_on=2017-03-01&programme=hnte",
    ),
    Look("B9c", "enterprises, middle", "certification", "/v1/enterprises?{firms}"),
    Look("B9c", "assets, middle", "ip-enterprise", "/v1/assets?{assets}"),
    Look("B9c", "assets of a rare kind", "ip-enterprise", "/v1/assets?limit=5&kind=plant_variety"),
    Look("B9c", "assets that ended, middle", "ip-enterprise", "/v1/assets?limit=20&in_force=false&{assets}"),
    Look("B9c", "consents, middle", "finance-link", "/v1/consents?{consents}"),
    Look(
        "B9c", "consents to a bank, middle", "finance-link", "/v1/consents?limit=20&bank_id=bank-7&{consents}"
    ),
    Look("B9c", "referrals, middle", "finance-link", "/v1/referrals?{referrals}"),
    Look(
        "B9c",
        "referrals approved, middle",
        "finance-link",
        "/v1/referrals?limit=20&state=approved&{referrals}",
    ),
    Look(
        "B9c",
        "referrals of a bank, sent, middle",
        "finance-link",
        "/v1/referrals?bank_id=bank-7&limit=2&state=sent&{referrals}",
    ),
    Look("B9c", "inbox of all officers", "notifier", "/v1/inbox"),
    Look("B9c", "inbox of all officers, unread", "notifier", "/v1/inbox?limit=20&unread=true"),
    Look("B9c", "notifications, middle", "notifier", "/v1/notifications?{notifications}"),
    Look("B9c", "notifications undelivered", "notifier", "/v1/notifications?limit=5&state=undelivered"),
    Look(
        "B9c",
        "notifications refused, middle",
        "notifier",
        "/v1/notifications?limit=5&reason_code=refused&{notifications}",
    ),
)


def looks(cases: int, middle: Mapping[str, str]) -> list[Look]:
    """`middle` holds a key in the middle of each list."""
    at = {name: f"cursor={cursor(*key.split('|'))}" for name, key in middle.items()}
    firm = enterprise_id(cases // 4)
    return [replace(look, path=look.path.format(**at, firm=firm)) for look in LOOKS]


async def keys_in_the_middle(house: House, cases: int) -> dict[str, str]:
    connection = await asyncpg.connect(house.addresses.services["certification"].database)
    try:
        names = ("case", "title", "consent", "referral", "notification1")
        half = cases // 2
        ids = [str(await connection.fetchval("SELECT bench.id($1, $2)", name, half)) for name in names]
    finally:
        await connection.close()
    firm = enterprise_id(cases // 4)
    return {
        "cases": ids[0], "titles": ids[1], "consents": ids[2], "referrals": ids[3], "notifications": ids[4],
        "firms": firm, "assets": f"{firm}|ZL{cases // 4}.1",
    }  # fmt: skip


def at(
    house: House, cases: int, middle: Mapping[str, str], rounds: int
) -> dict[str, tuple[str, list[float]]]:
    """Median milliseconds of each list, by its name, a figure for each round."""
    issuer = DevelopmentIssuer(house.addresses.issuer)
    token = issuer.token("li", "officer", list(house.services))
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    found: dict[str, tuple[str, list[float]]] = {}
    for look in looks(cases, middle):
        asked = [request("GET", look.path, headers)] * TIMES
        port = house.services[look.service].port
        send(house.directory, port, asked[:10], connections=1).expect(200)
        took = [
            statistics.median(send(house.directory, port, asked, connections=1).expect(200).milliseconds)
            for _ in range(rounds)
        ]
        found[look.name] = (look.row, took)
    return found


def rows(
    small: dict[str, tuple[str, list[float]]], large: dict[str, tuple[str, list[float]]], cases: int
) -> list[Row]:
    """A row for each group of lists: the list that grew most."""
    groups = {"B9": "cases", "B9b": "public notices and titles", "B9c": "the other lists"}
    found = []
    for row, group in groups.items():
        names = [name for name, (of, _) in large.items() if of == row]
        worst = max(
            names, key=lambda name: statistics.median(large[name][1]) / statistics.median(small[name][1])
        )
        what = f"{group}, {len(names)} ways to list them, {cases:,} cases; the one that grew most: {worst}"
        found.append(
            at_most_times(row, what, large[worst][1], small[worst][1], f"{SMALL:,} cases", bound=2, unit="ms")
        )
    return found
