"""Invitations and members of an enterprise, made through the doors of certification."""

from typing import Any

from frame import OFFICER, Frame, firm

from chassis.identity import Actor

PERSON = Actor("sun", "enterprise")
VIEWER = {"kind": "viewer"}


def invited(frame: Frame, uscc: str, given: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/enterprises/{uscc}/invitations"
    made: dict[str, Any] = frame.done("certification", "POST", path, firm(uscc), json=given).json()
    return made


def joined(frame: Frame, uscc: str, person: Actor, given: dict[str, Any]) -> str:
    code = {"code": invited(frame, uscc, given)["code"]}
    answer = frame.done("certification", "POST", "/v1/invitations/accept", person, json=code)
    return str(answer.json()["member_id"])


def known_to(frame: Frame, service: str, member_id: str) -> None:
    found = "SELECT 1 FROM members WHERE member_id = $1::text::uuid"
    frame.until(lambda: frame.rows(service, found, member_id) or None, f"{member_id} is known")


def registered(frame: Frame, uscc: str, given: dict[str, Any]) -> None:
    path = f"/v1/enterprises/{uscc}"
    if frame.ask("certification", "GET", path, OFFICER).status_code == 404:
        frame.done("certification", "PUT", path, OFFICER, json=given)


def made(frame: Frame, uscc: str, route: str, of: str) -> tuple[dict[str, str], dict[str, Any], str | None]:
    """The address, the request and the mark of an invitation or a member of this enterprise."""
    if of == "a new invitation":
        return {"uscc": uscc}, {"json": VIEWER}, None
    if of == "a member":
        member_id = joined(frame, uscc, PERSON, VIEWER)
        return {"uscc": uscc, "member_id": member_id}, {}, member_id
    given = invited(frame, uscc, VIEWER)
    invitation_id = given["invitation"]["invitation_id"]
    request = {"json": {"code": given["code"]}} if route.endswith("/accept") else {}
    return {"uscc": uscc, "invitation_id": invitation_id}, request, invitation_id
