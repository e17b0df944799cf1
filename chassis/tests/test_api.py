import logging
import socket
from pathlib import Path

import httpx
import pytest
import structlog
from prometheus_client import REGISTRY

from chassis.testing import Databases
from door_app import Door, open_door

NOTE = {"enterprise_id": "A", "amount": "1"}


@pytest.fixture
async def door(make_database: Databases, tmp_path: Path) -> Door:
    return await open_door(await make_database(), tmp_path)


async def test_a_refusal_names_its_rule_and_source(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes", json={**NOTE, "amount": "1e22"})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert len(problem.pop("request_id")) == 36
    assert problem == {
        "type": "urn:huiqi:problem:note-too-dear",
        "title": "Refused by a rule",
        "status": 409,
        "detail": "1E+22 yuan is more than a note may cost.",
        "code": "note-too-dear",
        "rule": "N1",
        "source": "Law of notes, Art. 1",
    }


async def test_a_malformed_request_is_told_field_by_field_and_never_repeated(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post(
            "/v1/notes", json={"amount": "secret-amount", "paid": "1.555", "nonsense": 1}
        )
    assert answer.status_code == 422
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {
        ("enterprise_id", "missing"),
        ("amount", "decimal_parsing"),
        ("paid", "string_pattern_mismatch"),
        ("nonsense", "extra_forbidden"),
    }
    assert "secret-amount" not in answer.text


async def test_problems_speak_the_readers_language(door: Door) -> None:
    async with door.client("officer") as client:
        for language, title in (("zh", "请求格式错误"), ("en", "Malformed request"), ("fr", "请求格式错误")):
            answer = await client.post("/v1/notes", json={}, headers={"Accept-Language": language})
            assert answer.json()["title"] == title
        nothing = await client.get("/v1/nothing", headers={"Accept-Language": "zh"})
    assert nothing.json()["title"] == "未找到"
    assert nothing.headers["content-language"] == "zh-CN"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/v1/notes", 405), ("GET", "/v1/notes/no-uuid", 422), ("BREW", "/v1/notes", 405)],
)  # fmt: skip
async def test_what_no_route_takes_is_a_problem_too(door: Door, method: str, path: str, status: int) -> None:
    async with door.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_tells_nothing_of_the_inside_but_is_logged(door: Door) -> None:
    with structlog.testing.capture_logs() as logs:
        async with door.client("officer") as client:
            answer = await client.post("/v1/notes/fail/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert any("secret of the inside" in str(line.get("error")) for line in logs)


async def test_unavailable_says_when_to_come_back(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes/fail/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "restarts" not in answer.text


async def test_a_bad_token_is_challenged(door: Door) -> None:
    async with door.client() as client:
        answer = await client.get("/v1/notes", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("second", ["same", "Bearer nonsense", "Basic bGk6bGk=", ""])
async def test_of_two_tokens_none_counts(door: Door, second: str) -> None:
    good = f"Bearer {door.issuer.token('li', 'officer', 'door')}"
    given = [("Authorization", good), ("Authorization", good if second == "same" else second)]
    async with door.client() as client:
        for headers in (given, given[::-1]):
            assert (await client.post("/v1/notes", json=NOTE, headers=headers)).status_code == 401


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer_token"])
async def test_a_token_in_the_address_is_none(door: Door, name: str) -> None:
    token = door.issuer.token("li", "officer", "door")
    async with door.client() as client:
        answer = await client.post(f"/v1/notes?{name}={token}", json=NOTE)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


async def test_an_address_tells_in_allow_all_that_it_takes(door: Door) -> None:
    async with door.client() as client:
        answers = {path: await client.delete(path) for path in ("/v1/notes", "/v1/notes/x", "/healthz")}
    assert {path: answer.headers["allow"] for path, answer in answers.items()} == {
        "/v1/notes": "GET, POST", "/v1/notes/x": "GET, PUT", "/healthz": "GET",
    }  # fmt: skip


async def test_an_address_with_a_slash_too_many_is_not_led_to_a_host_of_the_client_s_choice(
    door: Door,
) -> None:
    async with door.client() as client:
        answer = await client.get("/v1/notes/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_who_has_not_signed_in_is_refused_where_the_policy_says_so(door: Door) -> None:
    async with door.client() as client:
        answer = await client.post("/v1/notes", json=NOTE)
    assert answer.status_code == 401
    assert answer.json()["code"] == "sign-in-needed"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_readiness_is_red_without_a_database(door: Door) -> None:
    async with door.client() as client:
        ready = await client.get("/readyz")
        await door.db.pool.close()
        broken = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert ready.json()["checks"]["database"] == "ok"
    assert broken.status_code == 503
    assert broken.json()["checks"]["database"].startswith("unavailable")
    assert alive.status_code == 200


async def test_metrics_count_answers_by_route_and_not_by_address(door: Door) -> None:
    labels = {"method": "GET", "route": "/v1/notes/{note_id}", "status": "422"}
    before = REGISTRY.get_sample_value("http_requests_total", labels) or 0
    async with door.client() as client:
        for name in ("a", "b", "c"):
            await client.get(f"/v1/notes/{name}")
        shown = await client.get("/metrics")
    assert REGISTRY.get_sample_value("http_requests_total", labels) == before + 3
    for name in ("outbox_oldest_seconds", "consumer_lag", "parked_events", "work_overdue", "pool_in_use"):
        assert f"\n{name} " in shown.text


async def test_an_invented_method_adds_no_metric_of_its_own(door: Door) -> None:
    async with door.client() as client:
        await client.request("BREW", "/v1/notes")
        shown = await client.get("/metrics")
    assert "BREW" not in shown.text


async def test_a_line_is_logged_for_each_request_without_its_query(door: Door) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        async with door.client("officer") as client:
            answer = await client.get("/v1/notes?cursor=13812345678", headers={"X-Request-ID": "abc-1"})
            await client.get("/healthz")
    assert answer.headers["x-request-id"] == "abc-1"
    lines = [line for line in logs if line["event"] == "http"]
    assert len(lines) == 1
    assert lines[0]["actor"] == "officer:li"
    assert lines[0]["request_id"] == "abc-1"
    assert "13812345678" not in str(lines)


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(door: Door) -> None:
    async with door.client() as client:
        answer = await client.get("/healthz", headers={"X-Request-ID": 'a"b'})
    assert len(answer.headers["x-request-id"]) == 36


async def test_the_description_promises_problems_and_asks_for_a_token(door: Door) -> None:
    async with door.client() as client:
        found = (await client.get("/openapi.json")).json()
    write = found["paths"]["/v1/notes"]["post"]
    assert write["responses"].keys() == {"201", "4XX", "5XX"}
    assert "Idempotency-Key" in [parameter["name"] for parameter in write["parameters"]]
    assert "parameters" not in found["paths"]["/v1/notes/echo"]["post"]
    assert "HTTPValidationError" not in str(found)
    schemas = found["components"]["schemas"]
    assert {"Problem", "FieldProblem"} <= schemas.keys()
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_the_documentation_page_needs_no_other_host(door: Door) -> None:
    pytest.importorskip("fastapi_offline")
    async with door.client() as client:
        shown = await client.get("/docs")
        assert "http://" not in shown.text
        assert "https://" not in shown.text
        for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
            assert f"docs/{name}" in shown.text
            assert (await client.get(f"/docs/{name}")).status_code == 200


async def test_it_all_holds_over_a_real_socket(door: Door) -> None:
    import asyncio

    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(door.app, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve([listening]))
        port = listening.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            while not server.started:
                await asyncio.sleep(0.01)
            too_large = await client.post("/v1/notes/raw", content=b"x" * 100_000)
            nul = await client.get("/v1/notes/%00")
            bad_utf8 = await client.get("/v1/notes/%ff")
            written = await client.post(
                "/v1/notes",
                json=NOTE,
                headers={"Authorization": f"Bearer {door.issuer.token('li', 'officer', 'door')}"},
            )
        server.should_exit = True
        await serving
    assert [answer.status_code for answer in (too_large, nul, bad_utf8, written)] == [413, 422, 422, 201]
    assert logging.getLogger("uvicorn.error").name
