"""Every operation of every service's OpenAPI document, asked for by every role and by nobody with requests made from
the document, some as it says and some not: no answer of 5xx, none outside what the document says.

Most requests are turned towards an object that is there, with some of what the matrix brings for it, so that they come
further than to the first refusal. They are made once and the same for everybody, by a fixed seed.
"""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from frame import AUDITOR, EXPERT, OFFICER, OPERATOR, SERVICES, Frame, bank, firm
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from matrix import ROWS
from objects import Object, Objects
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from casework.api.files import XLSX

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Operation]

SEED = 20160801
EXAMPLES = 6
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
DOCUMENTED = re.compile(r" /(v1|\.well-known)/")
ROLES = ("enterprise", "officer", "expert", "bank", "auditor", "operator", "nobody")
MAIN = {
    "certification": "officer", "ip-enterprise": "enterprise", "finance-link": "enterprise", "notifier": "officer",
}  # fmt: skip


@schemathesis.serializer(XLSX, "text/csv")
def _as_it_is(_context: SerializationContext, value: Any) -> bytes:
    """A file that is made up is bytes that are no workbook; those that are one are the importers' own tests."""
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode()


def _made(operation: Operation, mode: GenerationMode) -> list[Request]:
    made: list[Request] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Request) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # of a route that ignores what is not asked for
        keep()
    return made


def routes(*services: str) -> list[tuple[str, str]]:
    """Those of the matrix, which holds every route; what every service has is no part of its document."""
    named = [
        (row.service, row.route) for row in ROWS if row.service in services and DOCUMENTED.search(row.route)
    ]
    return list(dict.fromkeys(named))


class Things:
    """What each route is asked with: an object, the first that the matrix asks for there, and requests made up."""

    def __init__(self, frame: Frame, objects: Objects) -> None:
        self._frame = frame
        self._objects = objects
        self._made: dict[tuple[str, str], Object] = {}
        self._operations: dict[str, dict[str, Operation]] = {}
        self._cases: dict[tuple[str, str, GenerationMode], list[Request]] = {}
        self.door = requests.Session()
        self.door.trust_env = False

    def of(self, service: str, route: str) -> Object:
        place = (service, route)
        if place not in self._made:
            row = next(row for row in ROWS if (row.service, row.route) == place)
            self._made[place] = self._objects.make(service, route, row.of)
        return self._made[place]

    def operations(self, service: str) -> dict[str, Operation]:
        if service not in self._operations:
            document = self._frame.ask(service, "GET", "/openapi.json").json()
            schema = schemathesis.openapi.from_dict(document)
            schema.config.generation.update(with_security_parameters=False)
            found = [read.ok() for read in schema.get_all_operations() if isinstance(read, Ok)]
            self._operations[service] = {operation.label: operation for operation in found}
        return self._operations[service]

    def cases(self, service: str, route: str, mode: GenerationMode) -> list[Request]:
        operation, key = self.operations(service)[route], (service, route, mode)
        if key not in self._cases:
            can_be_wrong = operation.query or operation.headers or operation.body
            is_made = mode is GenerationMode.POSITIVE or can_be_wrong
            self._cases[key] = _made(operation, mode) if is_made else []
        return self._cases[key]


def turned(made: Request, thing: Object, nth: int) -> Request:
    """A copy; two of three reach for the object, with some or all of what the matrix brings for it."""
    reaches, brought = nth % 3 > 0, thing.request if nth % 3 else {}
    body, content = made.body, brought.get("json")
    if isinstance(body, dict) and isinstance(content, dict):
        body = {
            **body,
            **{name: content[name] for at, name in enumerate(content) if nth == 1 or (at + nth) % 4},
        }
    case: Request = made.operation.Case(
        method=made.method,
        path_parameters={**made.path_parameters, **(thing.address if reaches else {})},
        query={**made.query, **brought.get("params", {})},
        headers={**made.headers, **brought.get("headers", {})},
        body=body,
        media_type=made.media_type,
    )
    return case


@pytest.fixture(scope="session")
def things(frame: Frame, objects: Objects) -> Things:
    return Things(frame, objects)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_the_document_is_asked_for(service: str, things: Things) -> None:
    assert {(service, label) for label in things.operations(service)} == set(routes(service))


@pytest.mark.parametrize("who", ["main role", "nobody"])
@pytest.mark.parametrize(("service", "route"), routes(*SERVICES))
def test_well_formed_requests_are_answered_as_documented(
    service: str, route: str, who: str, frame: Frame, things: Things
) -> None:
    role = who if who == "nobody" else MAIN[service]
    assert undocumented(frame, things, service, route, role, GenerationMode.POSITIVE) == []


@pytest.mark.slow
@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize(("service", "route"), routes(*SERVICES))
def test_every_request_of_everybody_is_answered_as_documented(
    service: str, route: str, who: str, frame: Frame, things: Things
) -> None:
    assert undocumented(frame, things, service, route, who, *GenerationMode) == []


def undocumented(
    frame: Frame, things: Things, service: str, route: str, who: str, *modes: GenerationMode
) -> list[str]:
    thing, url = things.of(service, route), frame.house.services[service].url
    actor = {
        "enterprise": firm(thing.enterprise_id), "officer": OFFICER, "expert": EXPERT,
        "bank": bank(thing.bank_id), "auditor": AUDITOR, "operator": OPERATOR, "nobody": None,
    }[who]  # fmt: skip
    signed = {} if actor is None else {"Authorization": f"Bearer {frame.token(service, actor)}"}
    found: list[str] = []
    for nth, made in enumerate(case for mode in modes for case in things.cases(service, route, mode)):
        try:
            answer = turned(made, thing, nth).call_and_validate(url, things.door, signed, CHECKS)
        except FailureGroup as failures:
            found += [str(failure) for failure in failures.exceptions]
            continue
        if "If-Match" in thing.request.get("headers", {}) and (versions := answer.headers.get("etag")):
            thing.request["headers"]["If-Match"] = versions[0]
    return found
