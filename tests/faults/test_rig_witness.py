"""The witness misses nothing: each thing that may go wrong is done to the tables once, and it tells."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rig import witness
from rig.journal import Attempt, Intent, Journal
from rig.load import Load
from rig.tally import ENVIRONMENT, HEARD, TALLY, with_tally
from rig.witness_rows import SPEAKERS
from tampering import TAMPERED, first

from chassis.testing import fetch_rows, given_kafka
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import await_quiet
from huiqi.services import SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CLOCK_AT = datetime(2009, 6, 1, 2, 0, tzinfo=UTC)
BUSY, LONGEST = 8.0, 120.0
copies = count(1)


@dataclass
class Floor:
    """A house without faults to stand on. `moved` holds databases that stand in for a service's own."""

    house: House
    moved: Mapping[str, str]
    banks: tuple[str, ...] = ("hailing-bay", "moyang-river")
    held: frozenset[tuple[str, str, str]] = frozenset()

    def urls(self, service: str) -> list[str]:
        return [self.house.services[service].url]

    def database(self, service: str) -> str:
        return self.moved.get(service) or self.house.addresses.services[service].database

    def installation(self) -> Installation:
        return with_tally(Installation.of_house(self.house.addresses))

    def token(
        self, service: str, role: str, *, enterprise_id: str | None = None, bank_id: str | None = None,
        subject: str = "li",
    ) -> str:  # fmt: skip
        return self.house.issuer.token(subject, role, service, enterprise_id=enterprise_id, bank_id=bank_id)


@dataclass(frozen=True)
class Sample:
    """A house after a load, at rest, its services ended; and what the clients were told."""

    floor: Floor
    journal: Journal

    def intent(self, kind: str, *, refused: bool = False) -> Intent:
        """One of this kind that was done, or else refused by every answer."""
        found = [
            one
            for one in self.journal.writes()
            if one.kind == kind and (one.is_refused if refused else one.acknowledged)
        ]
        return found[-1]

    def tampered_journal(self, folder: Path) -> Journal:
        journal = Journal(folder / "journal.jsonl")
        journal.intents = deepcopy(self.journal.intents)
        return journal

    async def tampered(self, service: str, *statements: str) -> Floor:
        """A floor on which the service's database is a copy to which this was done, past triggers and foreign keys."""
        name = f"copy_{next(copies)}"
        admin = await asyncpg.connect(self.floor.database("tally"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {service.replace('-', '_')}")
        await admin.close()
        url = self.floor.database(service).replace(f"/{service.replace('-', '_')}", f"/{name}", 1)
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                done = await connection.execute(statement)
                assert not done.endswith(" 0"), f"nothing to tamper with: {statement}"
        finally:
            await connection.close()
        return replace(self.floor, moved={service: url})


async def _topics_seen(floor: Floor) -> set[str]:
    seen: set[str] = set()
    for service in SPEAKERS:
        rows = await fetch_rows(floor.database(service), "SELECT DISTINCT topic FROM events")
        seen |= {row["topic"] for row in rows}
    return seen


async def _be_busy(floor: Floor, journal: Journal) -> None:
    """Until every topic that anybody hears has been spoken on, and at least BUSY seconds."""
    await witness.watch(floor)
    load, stop = Load(floor, journal, 1, day=0.3), asyncio.Event()
    working = asyncio.create_task(load.run(stop))
    began = time.monotonic()
    while not (set(HEARD) <= await _topics_seen(floor) and time.monotonic() - began > BUSY):
        assert time.monotonic() - began < LONGEST, set(HEARD) - await _topics_seen(floor)
        await asyncio.sleep(0.5)
    stop.set()
    await working
    await load.settle(30)
    assert await await_quiet(floor.installation(), 60)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    named, banks = (*SERVICES, TALLY), Floor.banks
    with House(
        services=named, clock_at=CLOCK_AT, banks=banks, broker=given_kafka(), fsync=False,
        settle=lambda _named, settings: settings | ENVIRONMENT,
    ) as house:  # fmt: skip
        floor = Floor(house, {})
        journal = Journal(tmp_path_factory.mktemp("rig") / "journal.jsonl")
        asyncio.run(_be_busy(floor, journal))
        for service in house.services.values():
            service.stop()
        yield Sample(floor, journal)


async def told_by(floor: Floor, journal: Journal) -> list[tuple[str, str]]:
    seen = await witness.check(floor, journal, patience=0)
    return [(finding.promise, finding.why) for finding in seen.findings]


def says(told: list[tuple[str, str]], promise: str, text: str) -> bool:
    return any(name == promise and text in why for name, why in told)


async def test_a_house_without_faults_breaks_nothing(sample: Sample) -> None:
    seen = await witness.check(sample.floor, sample.journal)
    assert seen.findings == []
    assert seen.notes == []
    assert all(seen.checked[promise] > 50 for promise in ("I1", "I2", "I3", "I4"))


async def test_load_is_of_all_kinds_and_keys_are_contended(sample: Sample) -> None:
    answers = [attempt for intent in sample.journal.writes() for attempt in intent.attempts]
    assert {412} <= {attempt.status for attempt in answers}, "nobody was too late"
    assert any(len(intent.attempts) >= 5 for intent in sample.journal.writes()), (
        "nothing was sent in parallel"
    )
    assert any(attempt.lost for attempt in answers), "no client was in a hurry"
    assert sample.journal.requests == sum(len(i.attempts) for i in sample.journal.intents.values())
    assert sample.journal.open() == []


@pytest.mark.parametrize(
    ("service", "statement", "promise", "text"), TAMPERED, ids=[f"{t[0]}: {t[3]}" for t in TAMPERED]
)
async def test_what_was_done_to_the_tables_is_told(
    sample: Sample, service: str, statement: str, promise: str, text: str
) -> None:
    floor = await sample.tampered(service, statement)
    told = await told_by(floor, sample.journal)
    assert says(told, promise, text), told


@pytest.mark.parametrize(("statement", "text"), [
    ("UPDATE events SET actor = '{}' WHERE type LIKE '%.case-submitted.v1'", "case-submitted was said"),
    ("UPDATE decisions SET actor = '{}' WHERE verb = 'submit'", "a decision of it is there"),
])  # fmt: skip
async def test_a_refused_request_with_an_effect_is_told(sample: Sample, statement: str, text: str) -> None:
    refused = next(
        one for one in sample.journal.writes() if one.is_refused and one.seen and one.kind != "enterprise"
    )
    floor = await sample.tampered(refused.service, statement.format(refused.actor))
    assert says(await told_by(floor, sample.journal), "I3", text)


async def test_a_key_with_a_kept_answer_that_was_refused_is_told(sample: Sample) -> None:
    refused = next(
        one for one in sample.journal.writes() if one.is_refused and one.service == "certification"
    )
    floor = await sample.tampered(
        "certification", f"UPDATE idempotency SET key = '{refused.key}' WHERE {first('idempotency')}"
    )
    assert says(await told_by(floor, sample.journal), "I3", "refused, and yet it was done")


def again(attempt: Attempt, **other: Any) -> Attempt:
    later = (attempt.ended_at or 0.0) + 1
    return replace(attempt, sent_at=later, ended_at=later + 1, **other)


@pytest.mark.parametrize(("other", "text"), [
    ({"digest": "another"}, "one key, 2 different answers"),
    ({"status": 409}, "acknowledged and later 409"),
    ({"status": 422, "content": {"code": "key-reused"}}, "acknowledged and later 422"),
])  # fmt: skip
async def test_another_answer_to_the_same_key_is_told(
    sample: Sample, tmp_path: Path, other: dict[str, Any], text: str
) -> None:
    journal = sample.tampered_journal(tmp_path)
    intent = journal.intents[sample.intent("enterprise").id]
    intent.attempts.append(again(intent.attempts[-1], **other))
    assert says(await told_by(sample.floor, journal), "I2", text)


async def test_two_who_were_told_yes_on_one_version_are_told(sample: Sample, tmp_path: Path) -> None:
    journal = sample.tampered_journal(tmp_path)
    winner = journal.intents[sample.intent("accept").id]
    journal.intents["twin"] = replace(winner, id="twin", actor="officer:wang.twin")
    assert says(await told_by(sample.floor, journal), "I2", "2 were told yes on one version")


async def test_a_read_of_what_was_before_is_told(sample: Sample, tmp_path: Path) -> None:
    journal = sample.tampered_journal(tmp_path)
    written = journal.intents[sample.intent("accept").id]
    read = again(written.attempts[-1], etag='"1"')
    journal.intents["late"] = replace(written, id="late", kind="read-case", key=None, attempts=[read])
    assert says(await told_by(sample.floor, journal), "I1", "and version 1 read afterwards")
