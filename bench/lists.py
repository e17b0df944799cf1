"""B9: every list of the APIs with a million cases in the tables beside the same list with ten thousand.

First page, a page in the middle by its cursor, and each way of narrowing, common and rare. One request after another
on one connection: what is measured is the query, not the queue.
"""

import statistics
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import orjson
from applications import enterprise_id
from load import request, send
from rows import Row, at_most_times

from chassis.auth import DevelopmentIssuer
from huiqi.house import House

TIMES = 40
SMALL = 10_000


@dataclass(frozen=True)
class Look:
    """One list as it is asked for. `row` is the line of the results that it counts for."""

    row: str
    name: str
    service: str
    path: str
    role: str = "officer"


def cursor(*key: object) -> str:
    return urlsafe_b64encode(orjson.dumps([str(part) for part in key])).decode().rstrip("=")


def looks(cases: int, middle: Mapping[str, str]) -> list[Look]:
    """`middle` holds a key in the middle of each list."""
    firm = enterprise_id(cases // 4)
    at = {name: f"cursor={cursor(*key.split('|'))}" for name, key in middle.items()}
    certification = {
        "B9": {
            "cases, first page": "/v1/cases",
            "cases, middle": f"/v1/cases?{at['cases']}",
            "cases in review, middle": f"/v1/cases?state=in_review&{at['cases']}",
            "cases returned and of one programme": "/v1/cases?state=returned&programme=hnte",
            "cases of a rare programme, middle": f"/v1/cases?programme=innovation-platform&{at['cases']}",
            "cases of one firm": f"/v1/cases?enterprise={firm}",
        },
        "B9b": {
            "notices, first page": "/v1/notices",
            "notices, middle": f"/v1/notices?{at['cases']}",
            "open notices, middle": f"/v1/notices?open_only=true&{at['cases']}",
            "open notices of a rare programme": "/v1/notices?open_only=true&programme=innovation-platform",
            "titles, middle": f"/v1/titles?{at['titles']}",
            "titles of a level, middle": f"/v1/titles?programme=engineering-centre&level=city&{at['titles']}",
            "titles valid on a day": "/v1/titles?valid_on=2017-03-01",
            "titles of a programme valid on a day": "/v1/titles?valid_on=2017-03-01&programme=hnte",
        },
        "B9c": {
            "enterprises, middle": f"/v1/enterprises?{at['firms']}",
        },
    }
    others = {
        "ip-enterprise": {
            "assets, middle": f"/v1/assets?{at['assets']}",
            "assets of a rare kind": "/v1/assets?kind=plant_variety",
            "assets that ended, middle": f"/v1/assets?in_force=false&{at['assets']}",
        },
        "finance-link": {
            "consents, middle": f"/v1/consents?{at['consents']}",
            "consents to a bank, middle": f"/v1/consents?bank_id=bank-7&{at['consents']}",
            "referrals, middle": f"/v1/referrals?{at['referrals']}",
            "referrals approved, middle": f"/v1/referrals?state=approved&{at['referrals']}",
            "referrals of a bank, sent, middle": f"/v1/referrals?bank_id=bank-7&state=sent&{at['referrals']}",
        },
        "notifier": {
            "inbox of all officers": "/v1/inbox",
            "inbox of all officers, unread": "/v1/inbox?unread=true",
            "notifications, middle": f"/v1/notifications?{at['notifications']}",
            "notifications undelivered": "/v1/notifications?state=undelivered",
            "notifications refused, middle": f"/v1/notifications?reason_code=refused&{at['notifications']}",
        },
    }
    found = [
        Look(row, name, "certification", path)
        for row, named in certification.items()
        for name, path in named.items()
    ]
    return found + [
        Look("B9c", name, service, path) for service, named in others.items() for name, path in named.items()
    ]


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
