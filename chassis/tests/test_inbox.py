"""Effect once, in order, by one mark per key."""

from collections.abc import Sequence
from typing import Any

import pytest

from chassis import parked
from chassis.database import Database, Transaction
from chassis.errors import Refused, Unavailable
from chassis.identity import Actor
from chassis.inbox import Consumers, Received
from chassis.marks import Arrived
from chassis.subscribe import Subscription
from chassis.testing import Databases
from contracts.certification import EnterpriseRegistered, TitleGranted
from facts import FIRM, OTHER_FIRM, arrived, effects, granted, make_effects, mark, record, registered

TOPIC = "certification.enterprises"
OPERATOR = Actor("wang", "operator")


class TooOld(Refused):
    """The enterprise is too old."""


def consumers(fail_for: set[str] | None = None) -> Consumers:
    """Writes one effect per event; fails for the names in `fail_for`."""
    failing = set() if fail_for is None else fail_for
    heard = Consumers("testing")

    @heard.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, tx: Transaction) -> None:
        await tx.execute("INSERT INTO effects (caused_by, name) VALUES ($1, $2)", tx.caused_by, event.name)
        if event.name in failing:
            raise KeyError(event.name)
        if event.name == "old":
            raise TooOld
        if event.name == "conflict":
            await tx.execute("SELECT 1/0")

    return heard


@pytest.fixture
async def db(make_database: Databases) -> Database:
    database = await make_database()
    await make_effects(database)
    return database


async def apply(db: Database, heard: Consumers, *records: Arrived) -> None:
    settings: Any = None
    await Subscription(db, settings, heard, []).apply(records)


async def test_an_event_five_times_has_one_effect(db: Database) -> None:
    once = arrived(registered(name="a"), 1)
    await apply(db, consumers(), once, once)
    await apply(db, consumers(), once)
    await apply(db, consumers(), once, once)
    assert await effects(db) == [("1", "a")]
    assert await mark(db, TOPIC, FIRM) == (1, False, False)


async def test_reordered_events_of_a_key_wait_and_are_applied_in_order(db: Database) -> None:
    heard = consumers()
    await apply(db, heard, arrived(registered(name="c"), 3), arrived(registered(name="b"), 2))
    assert await effects(db) == []
    assert await mark(db, TOPIC, FIRM) == (0, False, True)
    await apply(db, heard, arrived(registered(name="a"), 1), arrived(registered(name="d"), 4))
    assert await effects(db) == [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    assert await mark(db, TOPIC, FIRM) == (4, False, False)
    assert await db.fetchval("SELECT count(*) FROM parked") == 0


async def test_a_gap_that_stays_holds_its_key_only(db: Database) -> None:
    heard = consumers()
    await apply(db, heard, arrived(registered(name="b"), 2), arrived(registered(OTHER_FIRM, "x"), 1))
    await apply(db, heard, arrived(registered(name="d"), 4))
    assert await effects(db) == [("1", "x")]
    await apply(db, heard, arrived(registered(name="a"), 1))
    assert await mark(db, TOPIC, FIRM) == (2, False, True)
    held = await parked.list_parked(db, "testing")
    assert [(k.key, k.reason, k.first_sequence) for k in held] == [(FIRM, "gap", 4)]


async def test_a_handler_bug_for_one_key_parks_that_key_only(db: Database) -> None:
    heard = consumers({"bad"})
    await apply(
        db, heard,
        arrived(registered(name="ok"), 1), arrived(registered(name="bad"), 2), arrived(registered(OTHER_FIRM, "x"), 1),
        arrived(registered(name="later"), 3), arrived(registered(OTHER_FIRM, "y"), 2),
    )  # fmt: skip
    assert sorted(name for _, name in await effects(db)) == ["ok", "x", "y"]
    assert await mark(db, TOPIC, FIRM) == (1, True, False)
    assert await mark(db, TOPIC, OTHER_FIRM) == (2, False, False)
    [key] = await parked.list_parked(db, "testing")
    assert (key.key, key.events, key.reason) == (FIRM, 2, "bug")
    assert "KeyError" in key.error


async def test_a_parked_key_is_replayed_in_order_when_the_handler_is_mended(db: Database) -> None:
    failing = {"bad"}
    heard = consumers(failing)
    await apply(db, heard, arrived(registered(name="bad"), 1), arrived(registered(name="later"), 2))
    with pytest.raises(parked.StillFailing):
        await parked.replay(db, heard, TOPIC, FIRM, OPERATOR)
    assert await effects(db) == []
    failing.clear()
    assert await parked.replay(db, heard, TOPIC, FIRM, OPERATOR) == 2
    assert await effects(db) == [("1", "bad"), ("2", "later")]
    assert await mark(db, TOPIC, FIRM) == (2, False, False)
    decided = await db.fetch("SELECT decision, actor, sequence FROM parked_decisions ORDER BY id")
    assert [tuple(r) for r in decided] == [("replayed", "operator:wang", 1), ("replayed", "operator:wang", 2)]


async def test_a_discarded_event_is_audited_and_the_rest_can_be_replayed(db: Database) -> None:
    heard = consumers({"bad"})
    await apply(db, heard, arrived(registered(name="bad"), 1), arrived(registered(name="later"), 2))
    first, second = await parked.show_parked(db, "testing", TOPIC, FIRM)
    with pytest.raises(parked.StillFailing):
        await parked.discard(db, "testing", second["id"], OPERATOR, "not in turn")
    await parked.discard(db, "testing", first["id"], OPERATOR, "typed wrongly; corrected by phone")
    assert await parked.replay(db, heard, TOPIC, FIRM, OPERATOR) == 1
    assert await effects(db) == [("2", "later")]
    assert await mark(db, TOPIC, FIRM) == (2, False, False)
    assert await db.fetchval("SELECT note FROM parked_decisions WHERE decision = 'discarded'") is not None


@pytest.mark.parametrize(
    "poison", [b"\xff\xfe", b"{", b"[" * 10_000, b'{"name": NaN}', b'{"name": "\\u0000"}', b""]
)
async def test_poison_parks_its_key_and_the_partition_goes_on(db: Database, poison: bytes) -> None:
    heard = consumers()
    await apply(
        db, heard, arrived(registered(), 1, payload=poison), arrived(registered(OTHER_FIRM, "x"), 1)
    )  # fmt: skip
    assert [name for _, name in await effects(db)] == ["x"]
    assert await mark(db, TOPIC, FIRM) == (0, True, False)


async def test_a_record_without_a_place_is_set_aside_once_and_holds_nobody(db: Database) -> None:
    heard = consumers()
    lost = arrived(registered(name="a"), 1)
    nameless = Arrived(None, b"\x00\xff", {"ce_type": "x"}, TOPIC, 0, 7, "ce_id: missing")
    await apply(db, heard, nameless, lost)
    await apply(db, heard, nameless)
    assert [name for _, name in await effects(db)] == ["a"]
    assert await db.fetchval("SELECT count(*) FROM parked WHERE reason = 'unplaced'") == 1


async def test_an_unknown_type_is_passed_and_its_place_counts(db: Database) -> None:
    heard = consumers()
    await apply(db, heard, arrived(granted(), 1), arrived(granted(), 2))
    assert await mark(db, "certification.titles", FIRM) == (2, False, False)
    assert await db.fetchval("SELECT count(*) FROM parked") == 0


async def test_a_refusal_is_recorded_and_acknowledged_and_leaves_no_rows(db: Database) -> None:
    heard = consumers()
    await apply(db, heard, arrived(registered(name="old"), 1), arrived(registered(name="b"), 2))
    assert await effects(db) == [("2", "b")]
    assert await mark(db, TOPIC, FIRM) == (2, False, False)
    assert await db.fetchval("SELECT code FROM event_refusals") == "too-old"


async def test_unavailable_holds_the_batch_and_parks_nothing(db: Database) -> None:
    heard = Consumers("testing")
    tries = 0

    @heard.on(EnterpriseRegistered)
    async def note(event: EnterpriseRegistered, tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        await tx.execute("INSERT INTO effects (caused_by, name) VALUES ($1, $2)", tx.caused_by, event.name)
        if tries <= 4:
            raise Unavailable("the database is away")

    await apply(db, heard, arrived(registered(name="a"), 1))
    assert tries == 5
    assert await effects(db) == [("1", "a")]
    assert await db.fetchval("SELECT count(*) FROM parked") == 0


async def test_a_bulk_handler_gets_runs_and_a_bug_in_it_parks_one_key(db: Database) -> None:
    heard = Consumers("testing")
    calls: list[int] = []

    @heard.on_batch(TitleGranted)
    async def note(events: Sequence[Received[TitleGranted]], tx: Transaction) -> None:
        calls.append(len(events))
        for one in events:
            if one.event.enterprise_id == OTHER_FIRM:
                raise ValueError(OTHER_FIRM)
            await tx.execute(
                "INSERT INTO effects (caused_by, name) VALUES ($1, $2)", one.envelope.cause, one.event.number
            )

    await apply(db, heard, *(arrived(granted(), n) for n in range(1, 6)))
    assert calls == [5]
    await apply(db, heard, arrived(granted(OTHER_FIRM), 1), arrived(granted(), 6))
    assert len(await effects(db)) == 6
    assert await mark(db, "certification.titles", OTHER_FIRM) == (0, True, False)


async def test_a_bulk_handler_gets_what_is_next_of_its_key_and_nothing_else(db: Database) -> None:
    heard = Consumers("testing")
    called: list[int] = []

    @heard.on_batch(TitleGranted)
    async def note(events: Sequence[Received[TitleGranted]], tx: Transaction) -> None:
        called.extend(one.envelope.sequence for one in events)

    numbers = (1, 1, 2, 4, 2, 3, 5)
    await apply(db, heard, *(arrived(granted(), n) for n in numbers))
    assert called == [1, 2, 3, 4, 5]
    assert await mark(db, "certification.titles", FIRM) == (5, False, False)
    assert await db.fetchval("SELECT count(*) FROM parked") == 0
    assert heard.in_bulk
    heard.on(EnterpriseRegistered)(note)
    assert not heard.in_bulk


async def test_an_error_of_the_statement_itself_is_a_bug_not_an_outage(db: Database) -> None:
    heard = consumers()
    await apply(db, heard, arrived(registered(name="conflict"), 1))
    assert await mark(db, TOPIC, FIRM) == (0, True, False)


async def test_a_key_whose_last_parked_event_is_discarded_is_free_again(db: Database) -> None:
    heard = consumers({"bad"})
    await apply(db, heard, arrived(registered(name="bad"), 1))
    [only] = await parked.show_parked(db, "testing", TOPIC, FIRM)
    await parked.discard(db, "testing", only["id"], OPERATOR, "typed wrongly")
    await apply(db, heard, arrived(registered(name="later"), 2))
    assert await effects(db) == [("2", "later")]
    assert await mark(db, TOPIC, FIRM) == (2, False, False)


async def test_a_record_with_an_empty_header_is_set_aside_and_the_batch_goes_on(db: Database) -> None:
    odd = record(registered(), 1)
    odd.headers = (("ce_id", None), ("x", None))
    await apply(db, consumers(), Arrived.of(odd), arrived(registered(OTHER_FIRM, "x"), 1))
    assert [name for _, name in await effects(db)] == ["x"]
    assert await db.fetchval("SELECT reason FROM parked") == "unplaced"
