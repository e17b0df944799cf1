"""Routes that would break a promise do not load."""

import pytest
from fastapi import APIRouter

from chassis.http import Body, Page, Tx, router


def test_a_route_that_only_reads_cannot_open_a_transaction() -> None:
    routes: APIRouter = router("/x")

    async def read(tx: Tx) -> dict[str, str]:
        return {}

    with pytest.raises(TypeError, match="only reads"):
        routes.get("")(read)


def test_a_route_that_does_not_say_what_it_answers_is_no_route() -> None:
    async def unsaid(tx: Tx):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return {}

    with pytest.raises(TypeError, match="say what is answered"):
        router("/x").post("")(unsaid)


def test_what_a_request_brings_is_a_body() -> None:
    async def lax(sent: Page[str], tx: Tx) -> dict[str, str]:
        return {}

    with pytest.raises(TypeError, match="is a Body"):
        router("/x").post("")(lax)


def test_bodies_inside_bodies_take_the_written_forms_too() -> None:
    from contracts.values import Money

    class Line(Body):
        amount: Money

    class Bill(Body):
        lines: list[Line]

    assert str(Bill.model_validate({"lines": [{"amount": "1.50"}]}).lines[0].amount) == "1.50"
    assert Bill.model_json_schema()["$defs"]["Line"]["properties"]["amount"]["format"] == "decimal"
