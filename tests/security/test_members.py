"""What the members of an enterprise are answered, by the table of who may do what: an agent as the enterprise itself,
but where only owners may; a viewer as the enterprise where it reads, and refused where it does not.
"""

from uuid import uuid4

import pytest
from cases import FIRM
from frame import Frame
from matrix import ROWS, Row
from members import joined, known_to, registered
from objects import Object, Objects

from chassis.identity import Actor

KINDS = {"viewer": {"kind": "viewer"}, "agent": {"kind": "agent", "until": "2099-12-31"}}
OWNERS_ONLY = {
    "PUT /v1/enterprises/{uscc}", "POST /v1/enterprises/{uscc}/invitations", "GET /v1/enterprises/{uscc}/invitations",
    "DELETE /v1/enterprises/{uscc}/invitations/{invitation_id}", "DELETE /v1/enterprises/{uscc}/members/{member_id}",
}  # fmt: skip
REACHED = [
    row for row in ROWS
    if row.service in ("certification", "ip-enterprise")
    and row.expected["own"] in (200, 201, 409) and row.expected["other"] == 404
]  # fmt: skip


def expected(row: Row, kind: str) -> int:
    if row.route in OWNERS_ONLY or (kind == "viewer" and not row.route.startswith("GET ")):
        return 403
    return row.expected["own"]


def asked(frame: Frame, row: Row, thing: Object, who: Actor) -> int:
    method, _, path = row.route.partition(" ")
    answer = frame.ask(row.service, method, path.format(**thing.address), who, **thing.request)
    return answer.status_code


@pytest.mark.parametrize("row", REACHED, ids=[row.id for row in REACHED])
def test_members_are_answered_as_far_as_their_kind_reaches(row: Row, frame: Frame, objects: Objects) -> None:
    thing = objects.make(row.service, row.route, row.of)
    registered(frame, thing.enterprise_id, FIRM)
    found: dict[str, tuple[int, int]] = {}
    for kind, given in KINDS.items():
        person = Actor(uuid4().hex, "enterprise")
        as_stranger = asked(frame, row, thing, person)
        known_to(frame, row.service, joined(frame, thing.enterprise_id, person, given))
        found[kind] = as_stranger, asked(frame, row, thing, person)
    assert found == {kind: (404, expected(row, kind)) for kind in KINDS}


def test_the_rows_are_there() -> None:
    assert {row.service for row in REACHED} == {"certification", "ip-enterprise"}
    assert {row.route for row in REACHED} >= OWNERS_ONLY
