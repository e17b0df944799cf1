"""role × route × own or foreign object: every route of every service is asked for by everybody, and the table says
what each is answered. The table is written by hand; nothing of it is taken from the services' own policies.
"""

from collections import Counter

import httpx
import pytest
from frame import AUDITOR, EXPERT, OFFICER, OPERATOR, SERVICES, Frame, bank, firm, new_uscc
from matrix import COLUMNS, ROWS, Row, routes_of
from objects import RIVAL, Object, Objects

FOREIGN = ("other", "rival")


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_has_a_row_and_every_row_a_route(service: str) -> None:
    assert routes_of(service) == {row.route for row in ROWS if row.service == service}


def test_no_row_stands_twice() -> None:
    assert [name for name, times in Counter(row.id for row in ROWS).items() if times > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_everybody_is_answered_as_the_table_says(row: Row, frame: Frame, objects: Objects) -> None:
    """Who is refused asks first: it must not have changed what the others find."""
    found: dict[str, int] = {}
    thing = objects.make(row.service, row.route, row.of)
    for who in sorted(COLUMNS, key=lambda who: row.expected[who] < 400):
        if not row.route.startswith("GET ") and any(status < 300 for status in found.values()):
            thing = objects.make(row.service, row.route, row.of)
        answer = ask(frame, row, thing, who)
        found[who] = answer.status_code
        if thing.mark is not None and who in FOREIGN and answer.status_code == 200:
            assert thing.mark not in answer.text, f"{who} sees {thing.mark}"
    assert {who: found[who] for who in COLUMNS} == row.expected


def ask(frame: Frame, row: Row, thing: Object, who: str) -> httpx.Response:
    actors = {
        "own": firm(thing.enterprise_id), "other": firm(new_uscc()), "officer": OFFICER, "expert": EXPERT,
        "bank": bank(thing.bank_id), "rival": bank(RIVAL), "auditor": AUDITOR, "operator": OPERATOR, "nobody": None,
    }  # fmt: skip
    method, _, path = row.route.partition(" ")
    return frame.ask(row.service, method, path.format(**thing.address), actors[who], **thing.request)
