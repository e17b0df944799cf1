"""What nobody may read in a log, a problem or beside a parked event: planted where people write it, then looked for."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click.testing
import pytest
from aiokafka import AIOKafkaProducer
from aiosmtpd.controller import Controller
from cases import FACTS, FIRM, SECTIONS, Cases, yaml_as_json
from frame import OFFICER, Frame, firm, new_uscc

from chassis.embedded import HOST, free_port
from huiqi.cli import main
from huiqi.services import await_all

PHONE, IDENTITY, PERSON = "13812345678", "44170219800101123X", "zhang.planted"
MAIL, TOKEN = f"{PERSON}@firm.example", "eyJhbGc.eyJzdWI.c2ln"
PLANTS = {
    "a mobile number": PHONE,
    "an identity number": IDENTITY,
    "an e-mail address": MAIL,
    "a token": TOKEN,
}
TOPIC = "certification.enterprises"
# PostgreSQL cuts each field of a row that it tells of at 64 characters.
NAME = f"planted {PHONE} {IDENTITY} {TOKEN}"


def plain(text: str) -> list[str]:
    return [plant for plant in (PHONE, IDENTITY, PERSON, TOKEN) if plant in text]


def said(frame: Frame) -> dict[str, str]:
    logs = {name: service.log for name, service in frame.house.services.items()}
    logs["postgres"] = frame.house.postgres.log
    return {name: log.read_text(encoding="utf-8", errors="replace") for name, log in logs.items()}


@contextmanager
def nothing_said_in_plain(frame: Frame) -> Iterator[None]:
    before = said(frame)
    yield
    told = {name: plain(log[len(before[name]) :]) for name, log in said(frame).items()}
    assert {name: plants for name, plants in told.items() if plants} == {}


def huiqi(frame: Frame, *arguments: str) -> str:
    """What it prints, which holds no plant."""
    house = str(frame.house.directory)
    done = click.testing.CliRunner().invoke(main, [*arguments, "--house", house])
    assert plain(done.output) == []
    return done.output


@contextmanager
def refusing_the_planted(frame: Frame, service: str) -> Iterator[None]:
    """A bug of a service's own: its table takes no such name, and PostgreSQL tells the whole row."""
    rule = "ADD CONSTRAINT planted CHECK (position('planted' in name) = 0) NOT VALID"
    frame.rows(service, f"ALTER TABLE enterprises {rule}")
    try:
        yield
    finally:
        frame.rows(service, "ALTER TABLE enterprises DROP CONSTRAINT planted")


def register(frame: Frame, **given: str) -> str:
    uscc = new_uscc()
    frame.done("certification", "PUT", f"/v1/enterprises/{uscc}", OFFICER, json={**FIRM, **given})
    return uscc


REQUESTS: dict[str, Any] = {
    "a name in the body": lambda plant: {"json": {plant: 1, "a": {plant: 2}}},
    "a value in the body": lambda plant: {"json": {"bank_id": plant, "purpose": plant, "fields": [plant]}},
    "a body that is no JSON": lambda plant: {
        "content": f'{{"a": {plant}', "headers": {"Content-Type": "application/json"}
    },
    "another kind of body": lambda plant: {"content": plant, "headers": {"Content-Type": f"text/{plant}"}},
    "the query": lambda plant: {"params": {"enterprise": plant, "cursor": plant, "limit": plant, plant: plant}},
    "headers": lambda plant: {
        "headers": dict.fromkeys(
            ("X-Request-ID", "User-Agent", "Accept-Language", "Idempotency-Key", "If-Match", "Cookie"), plant
        )
    },
    "the trace": lambda plant: {"headers": {"traceparent": f"00-{plant}-{plant}-01"}},
    "the bearer": lambda plant: {"headers": {"Authorization": f"Bearer {plant}"}},
}  # fmt: skip


@pytest.mark.parametrize("place", REQUESTS)
@pytest.mark.parametrize("plant", PLANTS)
def test_no_problem_and_no_log_repeats_what_a_request_held(frame: Frame, place: str, plant: str) -> None:
    planted = PLANTS[plant]
    who = None if place == "the bearer" else firm(new_uscc())
    with nothing_said_in_plain(frame):
        for method, path in (("POST", "/v1/consents"), ("GET", "/v1/consents"), ("GET", f"/v1/{planted}")):
            answer = frame.ask("finance-link", method, path, who, **REQUESTS[place](planted))
            assert plain(answer.text) == []


def test_a_bug_is_logged_without_the_row_that_it_is_about(frame: Frame) -> None:
    uscc = new_uscc()
    before = len(frame.log("certification"))
    with nothing_said_in_plain(frame), refusing_the_planted(frame, "certification"):
        given = {**FIRM, "name": NAME, "contact_email": MAIL}
        answer = frame.ask("certification", "PUT", f"/v1/enterprises/{uscc}", OFFICER, json=given)
    assert (answer.status_code, plain(answer.text)) == (500, [])
    told = frame.log("certification")[before:]
    assert "http.bug" in told
    assert "Failing row contains" in told
    assert "planted *** *** ***" in told


def test_a_parked_event_is_told_of_without_what_it_holds(frame: Frame) -> None:
    kept = "SELECT error FROM parked WHERE key = $1"
    with nothing_said_in_plain(frame):
        with refusing_the_planted(frame, "finance-link"):
            uscc = register(frame, name=NAME, contact_email=MAIL)
            row = frame.until(lambda: frame.rows("finance-link", kept, uscc) or None, "it is parked")[0]
            assert "planted *** *** ***" in row["error"]
            assert plain(row["error"]) == []
            for form in ("text", "json"):
                assert uscc[:8] in huiqi(frame, "parked", "list", "--format", form)
                shown = huiqi(frame, "parked", "show", "finance-link", TOPIC, uscc, "--format", form)
                assert "planted *** *** ***" in shown
            assert "still fails" in huiqi(frame, "parked", "replay", "finance-link", TOPIC, uscc)
        assert "applied" in huiqi(frame, "parked", "replay", "finance-link", TOPIC, uscc)
    assert "inbox.parked" in frame.log("finance-link")


def test_a_record_without_a_place_is_told_of_without_what_it_holds(frame: Frame) -> None:
    mark = "records of nobody"
    headers = [("x", NAME), ("Authorization", f"Bearer {TOKEN}"), ("ce_id", MAIL), ("ce_time", PHONE)]
    payload = json.dumps({"mark": mark, "name": NAME, "contact_email": MAIL, "nested": [{"said": NAME}]})
    kept = "SELECT error FROM parked WHERE payload = $1"
    with nothing_said_in_plain(frame):
        asyncio.run(_send(frame, payload.encode(), [(name, text.encode()) for name, text in headers]))
        row = frame.until(
            lambda: frame.rows("finance-link", kept, payload.encode()) or None, "it is set aside"
        )[0]
        assert plain(row["error"]) == []
        for form in ("text", "json"):
            assert mark in huiqi(frame, "parked", "show", "finance-link", TOPIC, "--format", form)


async def _send(frame: Frame, payload: bytes, headers: list[tuple[str, bytes]]) -> None:
    async with AIOKafkaProducer(**frame.house.broker.client) as producer:
        await producer.send_and_wait(TOPIC, payload, key=PHONE.encode(), headers=headers)


class Gossip:
    """A mail server that refuses everybody and repeats whom."""

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, _envelope: Any, address: str, _options: Any
    ) -> str:
        return f"550 5.1.1 <{address}> moved, call {PHONE} and show {IDENTITY} or {TOKEN}"


@contextmanager
def gossiping_mail_server(frame: Frame) -> Iterator[None]:
    port, notifier = free_port(), frame.house.services["notifier"]
    controller = Controller(Gossip(), hostname=HOST, port=port)
    controller.start()
    try:
        notifier.stop()
        notifier.start(NOTIFIER_SMTP_PORT=str(port))
        await_all([notifier])
        yield
    finally:
        controller.stop()
        notifier.stop()
        notifier.start()
        await_all([notifier])


def test_what_a_mail_server_says_is_kept_without_whom_it_says_it_of(frame: Frame) -> None:
    cases = Cases(frame, "certification")
    sent = "SELECT notification_id::text AS id, answer FROM notifications WHERE recipient = $1 AND state = 'undelivered'"
    with nothing_said_in_plain(frame), gossiping_mail_server(frame):
        uscc = register(frame, contact_email=MAIL)
        facts = yaml_as_json({name: FACTS[name] for name in SECTIONS})
        frame.done("certification", "PUT", f"/v1/enterprises/{uscc}/facts", OFFICER, json=facts)
        made = frame.done("certification", "POST", "/v1/cases", firm(uscc), json=cases.draft(uscc))
        submit = f"/v1/cases/{made.json()['case_id']}/submit"
        frame.done("certification", "POST", submit, firm(uscc), headers={"If-Match": made.headers["ETag"]})
        row = frame.until(lambda: frame.rows("notifier", sent, uscc) or None, "the mail is refused")[0]
        assert row["answer"] == "550 5.1.1 <***> moved, call *** and show *** or ***"
        told = frame.done("notifier", "GET", f"/v1/notifications/{row['id']}", OFFICER)
        assert plain(told.text) == []
