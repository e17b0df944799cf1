import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import APIRouter

from chassis.http import Tx, router
from chassis.settings import ServiceSettings
from chassis.telemetry import configure, continue_trace, current_traceparent, mask
from chassis.testing import Databases
from door_app import Door, open_door

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_the_trace_of_an_event_is_continued_with_a_step_of_its_own() -> None:
    assert current_traceparent() is None
    with continue_trace(PARENT):
        first = current_traceparent()
        with continue_trace(first):
            second = current_traceparent()
        assert current_traceparent() == first
    assert first is not None
    assert second is not None
    assert first != PARENT
    assert first.split("-")[1] == second.split("-")[1] == TRACE
    assert first.endswith("-01")
    assert len({PARENT, first, second}) == 3
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "given",
    [None, "", "nonsense", f"ff-{TRACE}-b7ad6b7169203331-01", f"00-{'0' * 32}-b7ad6b7169203331-01", PARENT.upper(),
     f"00-{TRACE}-{'0' * 16}-01", PARENT + "\n"],
)  # fmt: skip
def test_a_trace_that_cannot_be_read_starts_a_new_one(given: str | None) -> None:
    with continue_trace(given):
        traceparent = current_traceparent()
    assert traceparent is not None
    assert TRACE not in traceparent


async def test_traces_of_tasks_do_not_mix() -> None:
    async def step(number: int) -> bool:
        with continue_trace(f"00-{number:032x}-b7ad6b7169203331-01"):
            await asyncio.sleep(0.001 * (number % 3))
            return f"{number:032x}" in str(current_traceparent())

    assert all(await asyncio.gather(*(step(number) for number in range(1, 50))))


def test_a_bug_leaves_the_trace_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), continue_trace(PARENT):
        _ = 1 / 0
    assert current_traceparent() is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"email": "li@example.cn", "contact_phone": 1}, {"email": "***", "contact_phone": "***"}),
        (
            {"Authorization": "Bearer x", "n": {"id_card": "x"}},
            {"Authorization": "***", "n": {"id_card": "***"}},
        ),
        ({"email": None}, {"email": None}),
        ("write to li.wang+a@example.com.cn now", "write to *** now"),
        ("call 13812345678 or +86 13912345678", "call *** or ***"),
        ("id 11010119900307425X", "id ***"),
        (["token eyJhbGciOi.eyJzdWIi.c2ln"], ["token ***"]),
        ("postgresql://li:geheim@db/x", "postgresql://***@db/x"),
        (
            "91330100MA27XYZ12X paid 13812345678.00 on 2016-08-01",
            "91330100MA27XYZ12X paid ***.00 on 2016-08-01",
        ),
        ("913301007654321098", "913301007654321098"),
        ("0191e9a0-13812345678-a", "0191e9a0-13812345678-a"),
        (b"li@example.cn", "***"),
        ("电话13812345678号，身份证11010119900307425X。", "电话***号，身份证***。"),
        (
            r"escaped \n13812345678 \u8bdd13912345678 \x0011010119900307425X",
            r"escaped \n*** \u8bdd*** \x00***",
        ),
        ("138 1234 5678, 138-1234-5678, tel:+8613812345678", "***, ***, tel:***"),
        ("to=li%40example.cn&n=13812345678", "to=***&n=***"),
        ("Authorization: Bearer opaque-1/2==", "Authorization: Bearer ***"),
        ({"13812345678": [13812345678, 12]}, {"***": ["***", 12]}),
        ({"amount": 12, "ok": True}, {"amount": 12, "ok": True}),
    ],
)
def test_personal_fields_and_secrets_are_masked_at_any_depth(said: Any, shown: Any) -> None:
    assert mask(said) == shown


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_logs_are_json_lines_with_the_trace_ours_and_the_libraries(
    capsys: pytest.CaptureFixture[str], restored_logging: None
) -> None:
    configure(ServiceSettings.model_construct(log_level="info", otlp_endpoint=None), "door")
    with continue_trace(PARENT):
        structlog.get_logger().info("hello\nworld", email="li@example.cn", amount="1.00")
        structlog.get_logger().debug("unheard")
        try:
            raise ValueError("13812345678")
        except ValueError:
            logging.getLogger("aiokafka").exception("li@example.cn is %s", "broken")
    ours, theirs = logged(capsys)
    assert (ours["event"], ours["email"], ours["amount"]) == ("hello\nworld", "***", "1.00")
    assert ours["service"] == theirs["service"] == "door"
    assert ours["trace_id"] == theirs["trace_id"] == TRACE
    assert theirs["event"] == "*** is broken"
    assert "ValueError: ***" in theirs["exception"]


def test_what_is_logged_as_an_object_is_masked_too(
    capsys: pytest.CaptureFixture[str], restored_logging: None
) -> None:
    configure(ServiceSettings.model_construct(log_level="info", otlp_endpoint=None), "door")
    structlog.get_logger().info("x", error=ValueError("li@example.cn"), at=Path("/13812345678"))
    (line,) = logged(capsys)
    assert (line["error"], line["at"]) == ("***", "/***")


def test_the_exporters_are_not_imported_unless_told() -> None:
    program = (
        "import sys, chassis.service, chassis.telemetry as t; from chassis.settings import ServiceSettings as S;"
        "t.configure(S.model_construct(log_level='info', otlp_endpoint=None), 'x');"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter', 'babel.m', 'httpx'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_trace_of_a_request_reaches_what_its_transaction_writes(
    make_database: Databases, tmp_path: Path
) -> None:
    door: Door = await open_door(await make_database(), tmp_path)
    routes: APIRouter = router("/v1/traces")

    @routes.post("")
    async def trace(tx: Tx) -> dict[str, str]:
        return {"traceparent": str(current_traceparent())}

    door.app.include_router(routes)
    async with door.client("officer") as client:
        answer = await client.post("/v1/traces", headers={"traceparent": PARENT})
    assert answer.json()["traceparent"].split("-")[1] == TRACE
