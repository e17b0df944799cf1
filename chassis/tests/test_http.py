import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.idempotency import forget_answers
from chassis.testing import Databases
from door_app import Door, open_door

ENTERPRISE = "91330100MA27XYZ12X"
NOTE = {"enterprise_id": ENTERPRISE, "amount": "12.50"}


@pytest.fixture
async def door(make_database: Databases, tmp_path: Path) -> Door:
    return await open_door(await make_database(), tmp_path)


async def count(db: Database, table: str) -> int:
    return int(await db.fetchval(f"SELECT count(*) FROM {table}"))


async def test_what_a_request_wrote_is_there_when_its_answer_arrives(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes", json=NOTE)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert answer.json() == {
        "note_id": answer.json()["note_id"],
        "enterprise_id": ENTERPRISE,
        "amount": "12.50",
    }
    assert await count(door.db, "notes") == 1


async def test_a_commit_that_fails_never_answers_with_success(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes/kept/nobody")
    assert answer.status_code == 500
    assert await count(door.db, "kept") == 0


async def test_a_connection_lost_at_commit_answers_try_again(door: Door) -> None:
    async with door.client("officer") as client:
        first = await door.db.fetchval("SELECT pg_backend_pid()")
        await door.db.pool.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON rules DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION die()"
        )
        answer = await client.post("/v1/notes/uploads", files={"file": ("a", b"x")})
        assert first
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert await count(door.db, "rules") == 0


@pytest.mark.parametrize(("how", "status"), [("bug", 500), ("away", 503), ("refuse", 409)])
async def test_a_request_that_fails_leaves_no_row(door: Door, how: str, status: int) -> None:
    async with door.client("officer") as client:
        answer = await client.post(f"/v1/notes/fail/{how}", headers={"Idempotency-Key": "k"})
    assert answer.status_code == status
    assert await count(door.db, "rules") == 0
    assert await count(door.db, "idempotency") == 0


async def test_the_same_key_and_body_give_the_same_answer_and_one_effect(door: Door) -> None:
    async with door.client("officer") as client:
        first = await client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": "k1"})
        again = await client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["etag"] == '"1"'
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert await count(door.db, "notes") == 1


async def test_fifty_twins_at_once_have_one_effect(door: Door) -> None:
    async with door.client("officer") as client:
        twins = [client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": "k"}) for _ in range(50)]
        answers = await asyncio.gather(*twins)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await count(door.db, "notes") == 1


async def test_a_key_used_for_another_body_or_path_is_refused(door: Door) -> None:
    headers = {"Idempotency-Key": "k"}
    async with door.client("officer") as client:
        await client.post("/v1/notes", json=NOTE, headers=headers)
        other_body = await client.post("/v1/notes", json={**NOTE, "amount": "1"}, headers=headers)
        other_path = await client.post("/v1/notes/fail/refuse", json=NOTE, headers=headers)
    assert other_body.status_code == other_path.status_code == 422
    assert other_body.json()["code"] == "key-reused"
    assert await count(door.db, "notes") == 1


async def test_a_key_belongs_to_one_person_acting_for_one_enterprise(door: Door) -> None:
    for enterprise in ("A", "B"):
        async with door.client("enterprise", enterprise_id=enterprise) as client:
            note = {"enterprise_id": enterprise, "amount": "1"}
            answer = await client.post("/v1/notes", json=note, headers={"Idempotency-Key": "k"})
            assert answer.json()["enterprise_id"] == enterprise


async def test_a_refused_request_may_be_repeated_with_its_key(door: Door) -> None:
    async with door.client("officer") as client:
        headers = {"Idempotency-Key": "k"}
        refused = await client.post("/v1/notes", json={**NOTE, "amount": "1e22"}, headers=headers)
        accepted = await client.post("/v1/notes", json=NOTE, headers=headers)
    assert (refused.status_code, accepted.status_code) == (409, 201)


async def test_a_form_sent_again_with_another_boundary_is_the_same_request(door: Door) -> None:
    async with door.client("officer") as client:
        for boundary in ("one", "two-other"):
            body = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--{boundary}--\r\n'
            kind = f"multipart/form-data; boundary={boundary}"
            headers = {"Idempotency-Key": "k", "Content-Type": kind}
            answer = await client.post("/v1/notes/uploads", content=body, headers=headers)
            assert answer.json() == {"size": 3}
    assert await count(door.db, "rules") == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "with space", "ключ".encode()])
async def test_a_key_of_another_form_is_refused(door: Door, key: Any) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_stored_answers_are_forgotten_when_they_are_old(door: Door) -> None:
    async with door.client("officer") as client:
        for key in ("old", "new"):
            await client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": key})
    async with door.db.transaction() as tx:
        await tx.execute(
            "UPDATE idempotency SET created_at = created_at - interval '8 days' WHERE key = 'old'"
        )
        await forget_answers(tx)
    assert [row["key"] for row in await door.db.fetch("SELECT key FROM idempotency")] == ["new"]


async def test_numbers_arrive_exactly_as_they_were_written(door: Door) -> None:
    text = '{"enterprise_id": "A", "amount": 12345678901234567890.1, "extra": {"r": 0.1, "n": 98765432109876543210}}'
    async with door.client() as client:
        answer = await client.post(
            "/v1/notes/echo", content=text, headers={"Content-Type": "application/json"}
        )
    assert answer.json()["amount"] == "12345678901234567890.1"
    assert answer.json()["extra"] == {"r": "0.1", "n": 98765432109876543210}


async def test_amounts_are_written_as_they_go_on_the_wire(door: Door) -> None:
    async with door.client() as client:
        good = await client.post("/v1/notes/echo", json={**NOTE, "paid": "1.5", "on": "2016-08-01"})
        bad = await client.post("/v1/notes/echo", json={**NOTE, "paid": 1.5, "on": "2016-08-01T00:00:00"})
    assert good.json()["paid"] == "1.5"
    assert good.json()["on"] == "2016-08-01"
    assert bad.status_code == 422
    assert [error["field"] for error in bad.json()["errors"]] == ["paid", "on"]


HOSTILE = {
    "nan": b'{"enterprise_id": "A", "amount": NaN}',
    "infinity": b'{"enterprise_id": "A", "amount": -Infinity}',
    "huge exponent": b'{"enterprise_id": "A", "amount": 1e999999999}',
    "long number": b'{"enterprise_id": "A", "amount": ' + b"9" * 500 + b"}",
    "nul": b'{"enterprise_id": "A\\u0000", "amount": 1}',
    "nul behind a backslash": b'{"enterprise_id": "A\\\\\\u0000", "amount": 1}',
    "surrogate": b'{"enterprise_id": "\\ud800", "amount": 1}',
    "not utf-8": b'{"enterprise_id": "\xff", "amount": 1}',
    "deep": b"[" * 900 + b"]" * 900,
    "deeper than the parser": b"[" * 2000,
    "twice": b'{"enterprise_id": "A", "enterprise_id": "B", "amount": 1}',
    "not json": b"{enterprise_id}",
    "a list": b"[]",
    "an unknown name": b'{"enterprise_id": "A", "amount": 1, "amont": 2}',
}


async def test_a_malformed_body_is_refused_by_name(door: Door) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "zh"}
    async with door.client("officer") as client:
        answers = {n: await client.post("/v1/notes", content=b, headers=headers) for n, b in HOSTILE.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(HOSTILE, 422)
    for answer in answers.values():
        assert answer.headers["content-type"] == "application/problem+json"
        error = answer.json()["errors"][0]
        assert error["field"]
        assert not error["rule"].isascii(), "the rule is told in the reader's language"
    assert await count(door.db, "notes") == 0


async def test_a_backslash_before_u0000_in_a_text_is_no_nul(door: Door) -> None:
    async with door.client() as client:
        body = json.dumps({**NOTE, "enterprise_id": "\\u0000"})
        answer = await client.post(
            "/v1/notes/echo", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 200


async def test_a_body_of_another_kind_is_refused(door: Door) -> None:
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes", content=b"<a/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415


async def drip(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 256):
        yield b"x" * 256


@pytest.mark.parametrize("path", ["/v1/notes/raw", "/v1/notes"])
async def test_a_body_beyond_the_limit_is_refused_announced_or_streamed(door: Door, path: str) -> None:
    async with door.client("officer") as client:
        announced = await client.post(path, content=b"x" * 2049)
        streamed = await client.post(path, content=drip(2304))
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["code"] == "body-too-large"


@pytest.mark.parametrize(("role", "status"), [("officer", 200), ("expert", 413), (None, 413)])
async def test_a_route_may_take_more_from_the_bureau_and_no_more_than_it_says(
    door: Door, role: str | None, status: int
) -> None:
    async with door.client(role) as client:
        more = await client.post("/v1/notes/uploads", files={"file": ("a", b"x" * 3000)})
        too_much = await client.post("/v1/notes/uploads", files={"file": ("b", b"x" * 4096)})
    assert (more.status_code, too_much.status_code) == (status, 413)


async def test_pages_show_every_item_once_in_order(door: Door) -> None:
    async with door.client("officer") as client:
        written = [(await client.post("/v1/notes", json=NOTE)).json()["note_id"] for _ in range(7)]
        seen, cursor = [], None
        for _ in range(3):
            query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
            found = (await client.get("/v1/notes", params=query)).json()
            seen += [note["note_id"] for note in found["items"]]
            cursor = found["cursor"]
    assert cursor is None
    assert seen == sorted(written)


async def test_a_page_that_cannot_be_is_refused_by_name(door: Door) -> None:
    no_cursors = ["%FF", "bm8", "WyJhIl0", "WyJhIiwiYiJd", "WzFd", "x" * 1025]
    asked = {f"cursor={text}": "cursor" for text in no_cursors}
    asked |= {"limit=0": "limit", "limit=201": "limit", "cursor=%00": "url"}
    async with door.client() as client:
        answers = {query: await client.get(f"/v1/notes?{query}") for query in asked}
    assert {query: answer.status_code for query, answer in answers.items()} == dict.fromkeys(asked, 422)
    assert {query: answer.json()["errors"][0]["field"] for query, answer in answers.items()} == asked


async def test_of_two_who_change_the_same_version_one_is_told(door: Door) -> None:
    async with door.client("officer") as client:
        note_id = (await client.post("/v1/notes", json=NOTE)).json()["note_id"]
        path, seen = f"/v1/notes/{note_id}", {"If-Match": '"1"'}
        answers = await asyncio.gather(*(client.put(path, json=NOTE, headers=seen) for _ in range(2)))
        blind = await client.put(path, json=NOTE)
        stranger = await client.put(path, json=NOTE, headers={"If-Match": 'W/"2"'})
        next_one = await client.put(path, json=NOTE, headers={"If-Match": '"2"'})
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert (blind.status_code, stranger.status_code, next_one.status_code) == (428, 412, 200)
    assert next_one.headers["etag"] == '"3"'


async def test_somebody_elses_object_answers_as_one_that_is_not_there(door: Door) -> None:
    async with door.client("officer") as client:
        note_id = (await client.post("/v1/notes", json=NOTE)).json()["note_id"]
    async with door.client("enterprise", enterprise_id="OTHER") as client:
        foreign = await client.get(f"/v1/notes/{note_id}")
        absent = await client.get(f"/v1/notes/{uuid4()}")
    async with door.client("enterprise", enterprise_id=ENTERPRISE) as client:
        own = await client.get(f"/v1/notes/{note_id}")
    without_id = [{k: v for k, v in a.json().items() if k != "request_id"} for a in (foreign, absent)]
    assert without_id[0] == without_id[1]
    assert (foreign.status_code, own.status_code) == (404, 200)


async def test_a_request_without_a_database_is_told_to_come_back(door: Door) -> None:
    await door.db.pool.close()
    with pytest.raises(Unavailable):
        await door.db.fetchval("SELECT 1")
    async with door.client("officer") as client:
        answer = await client.post("/v1/notes", json=NOTE)
    assert answer.status_code == 503
