"""`huiqi parked`, over real databases: finance-link's own handlers, and a listener with a bug."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click.testing
import pytest
import yaml

from chassis.clock import FixedClock
from chassis.database import Database
from chassis.inbox import Consumers
from chassis.marks import Arrived
from chassis.migrate import sql_of
from chassis.subscribe import Subscription
from chassis.testing import Databases, Postgres
from contracts.certification import EnterpriseRegistered
from contracts.envelope import Envelope
from huiqi.cli import main
from small_town import FIRMS

FIRM, OTHER = FIRMS[:2]
TOPIC = "certification.enterprises"
MAIL = "zhang@firm.example"
NAMES = ("certification", "ip-enterprise", "finance-link", "notifier")
Rows = Callable[[str], list[Any]]


class Rig:
    """An installation file, and one database for which finance-link's handler once had a bug."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self.file = file

    def huiqi(self, *arguments: str) -> click.testing.Result:
        return click.testing.CliRunner().invoke(main, [*arguments, "--installation", str(self.file)])

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.huiqi("parked", "list", "--format", "json").output)
        return found

    def shown(self) -> list[dict[str, Any]]:
        arguments = ("parked", "show", "finance-link", TOPIC, FIRM, "--format", "json")
        found: list[dict[str, Any]] = json.loads(self.huiqi(*arguments).output)
        return found

    def rows(self, sql: str) -> list[Any]:
        async def fetch(db: Database) -> list[Any]:
            return [tuple(row) for row in await db.fetch(sql)]

        return asyncio.run(_with(self.url, fetch))


async def _with(url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    db = await Database.open(
        url, service="finance-link", clock=FixedClock(datetime(2016, 8, 1, tzinfo=UTC)), pool_size=2
    )
    try:
        return await work(db)
    finally:
        await db.close()


def registered(sequence: int, firm: str = FIRM, payload: bytes | None = None) -> Arrived:
    event = EnterpriseRegistered(
        enterprise_id=firm,
        name=f"firm {sequence}",
        region="441702",
        established_on=date(2010, 3, 15),
        contact_email=MAIL,
    )
    envelope = Envelope(
        uuid4(),
        "/huiqi/certification",
        event.type,
        TOPIC,
        firm,
        sequence,
        datetime(2016, 8, 1, tzinfo=UTC),
        "officer:li",
    )
    return Arrived(envelope, payload or event.payload(), {}, TOPIC, 0, sequence)


async def _park(db: Database) -> None:
    buggy = Consumers("finance-link")

    @buggy.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, _tx: Any) -> None:
        raise KeyError(event.contact_email)

    settings: Any = None
    nameless = Arrived(None, b"\xff\xfe", {"x": MAIL}, TOPIC, 0, 9, "ce_id: is missing")
    await Subscription(db, settings, buggy, []).apply([registered(1), registered(2), nameless])


@pytest.fixture
def rig(postgres: Postgres, tmp_path: Path) -> Iterator[Rig]:
    made = Databases(postgres, FixedClock(datetime(2016, 8, 1, tzinfo=UTC)))

    async def urls() -> dict[str, str]:
        ours = await made.url([sql_of("finance_link")])
        return {name: ours if name == "finance-link" else await made.url() for name in NAMES}

    databases = asyncio.run(urls())
    file = tmp_path / "installation.yaml"
    file.write_text(yaml.safe_dump({"services": databases, "kafka": {"bootstrap": "127.0.0.1:1"}}))
    asyncio.run(_with(databases["finance-link"], _park))
    yield Rig(databases["finance-link"], file)
    asyncio.run(made.close())


def test_what_is_parked_is_listed_with_its_error_and_without_personal_fields(rig: Rig) -> None:
    key, nameless = sorted(rig.listed(), key=lambda row: row["reason"])
    assert (key["service"], key["topic"], key["key"], key["events"], key["first_sequence"], key["reason"]) == (
        "finance-link", TOPIC, FIRM, 2, 1, "bug",
    )  # fmt: skip
    assert "KeyError" in key["error"]
    assert (nameless["key"], nameless["reason"]) == (None, "unplaced")
    text = rig.huiqi("parked", "list").output
    assert FIRM in text or FIRM[:8] in text
    assert MAIL not in text + json.dumps([key, nameless])


def test_a_parked_event_is_shown_with_personal_fields_masked(rig: Rig) -> None:
    first, second = rig.shown()
    assert (first["sequence"], first["reason"], second["reason"]) == (1, "bug", "behind")
    assert first["payload"]["name"] == "firm 1"
    assert first["payload"]["contact_email"] == "***"
    assert MAIL not in rig.huiqi("parked", "show", "finance-link", TOPIC, FIRM).output


def test_a_record_without_a_place_is_shown_without_a_key(rig: Rig) -> None:
    shown = rig.huiqi("parked", "show", "finance-link", TOPIC)
    assert shown.exit_code == 0
    assert "ce_id: is missing" in shown.output
    assert MAIL not in shown.output


def test_a_replay_applies_a_key_in_order_with_the_service_s_own_handlers_and_is_audited(rig: Rig) -> None:
    done = rig.huiqi("parked", "replay", "finance-link", TOPIC, FIRM, "--as", "wang")
    assert (done.exit_code, done.output) == (0, f"2 events of {TOPIC} {FIRM} applied\n")
    assert rig.rows("SELECT name FROM enterprises") == [("firm 2",)]
    assert rig.rows("SELECT decision, actor, sequence FROM parked_decisions ORDER BY id") == [
        ("replayed", "operator:wang", 1),
        ("replayed", "operator:wang", 2),
    ]
    assert [row["reason"] for row in rig.listed()] == ["unplaced"]


def test_a_replay_that_fails_again_applies_nothing_and_says_which_event(rig: Rig) -> None:
    asyncio.run(_with(rig.url, _spoil))
    done = rig.huiqi("parked", "replay", "finance-link", TOPIC, FIRM)
    assert done.exit_code == 1
    assert f"Event 2 of {TOPIC} {FIRM} still fails" in done.output
    assert rig.rows("SELECT name FROM enterprises") == []


async def _spoil(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE parked SET payload = '{' WHERE sequence = 2")


def test_a_discard_needs_a_note_and_its_turn_and_is_audited(rig: Rig) -> None:
    first, second = (str(row["id"]) for row in rig.shown())
    assert rig.huiqi("parked", "discard", "finance-link", first).exit_code == 2
    assert rig.huiqi("parked", "discard", "finance-link", first, "--note", " ").exit_code == 2
    late = rig.huiqi("parked", "discard", "finance-link", second, "--note", "x")
    assert late.exit_code == 1
    assert "comes first" in late.output
    done = rig.huiqi("parked", "discard", "finance-link", first, "--note", "typed wrongly", "--as", "wang")
    assert done.exit_code == 0, done.output
    assert rig.rows("SELECT decision, actor, note FROM parked_decisions") == [
        ("discarded", "operator:wang", "typed wrongly")
    ]
    assert rig.huiqi("parked", "replay", "finance-link", TOPIC, FIRM).exit_code == 0
    assert rig.rows("SELECT name FROM enterprises") == [("firm 2",)]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replay", "finance-link", TOPIC, OTHER], 1, "Nothing is parked there"),
        (["show", "finance-link", TOPIC, OTHER], 1, "Nothing is parked there"),
        (["discard", "finance-link", "999", "--note", "x"], 1, "Nothing is parked there"),
        (["replay", "finance", TOPIC, FIRM], 2, "no service finance; there are certification"),
        (["list", "--service", "x"], 2, "no service x"),
    ],
)
def test_what_cannot_be_done_is_said_with_an_exit_code(
    rig: Rig, arguments: list[str], code: int, said: str
) -> None:
    done = rig.huiqi("parked", *arguments)
    assert (done.exit_code, said in done.output) == (code, True), done.output
