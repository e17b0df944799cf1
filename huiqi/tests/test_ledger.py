"""Each promise is broken by hand once, and the ledger has to say so; a clean installation breaks none."""

import asyncio

import pytest

from huiqi.ledger import Ledger, check
from small_town import CONSENTS, FIRMS, TITLES, Town

FIRM = FIRMS[0]


async def broken(town: Town) -> dict[str, int]:
    found = await check(town.installation)
    return {name: promise.broken for name, promise in found.promises.items() if promise.broken}


async def whys(town: Town, promise: str) -> list[str]:
    found: Ledger = await check(town.installation)
    return [finding["why"] for finding in found.promises[promise].findings]


async def test_a_clean_installation_keeps_every_promise_and_everything_was_looked_at(town: Town) -> None:
    found = await check(town.installation)
    assert found.kept, found.as_json()
    counts = {name: promise.checked for name, promise in found.promises.items()}
    titles, consents = 6, 6
    assert counts["I1"] == 2 * titles + consents
    assert counts["I2"] == 2 * titles + consents
    effects, marks, said_because, records = 18, 9, consents, titles + consents
    assert counts["I3"] == effects + marks + said_because + records
    assert counts["I4"] == marks + records
    assert counts["I5"] > 0
    assert counts["I7"] == titles + consents


async def test_a_lost_mark_is_an_event_lost(town: Town) -> None:
    await town.write("notifier", "DELETE FROM inbox WHERE topic = $1 AND key = $2", TITLES, FIRM)
    assert await broken(town) == {"I1": 2}
    found = await check(town.installation)
    [finding] = found.promises["I1"].findings
    assert finding["listener"] == "notifier"
    assert (finding["topic"], finding["key"], finding["sequence"]) == (TITLES, FIRM, 1)


async def test_an_event_set_aside_is_not_lost_and_its_key_is_noted_as_held(town: Town) -> None:
    await town.write(
        "notifier", "UPDATE inbox SET sequence = 1, parked = true WHERE topic = $1 AND key = $2", TITLES, FIRM
    )
    assert await broken(town) == {"I1": 1, "I5": 1}, "held without a reason"
    await set_aside(town, 2, "bug")
    assert await broken(town) == {}
    found = await check(town.installation)
    assert found.promises["I5"].notes == [f"held (bug): notifier {TITLES} {FIRM}, 1 events from 2"]


async def set_aside(town: Town, sequence: int, reason: str) -> None:
    await town.write(
        "notifier",
        'INSERT INTO parked (consumer, topic, key, sequence, reason, headers, payload, partition, "offset")'
        " VALUES ('notifier', $1, $2, $3, $4, '{}', '', 0, 0)",
        TITLES, FIRM, sequence, reason,
    )  # fmt: skip


async def test_an_event_whose_row_is_gone_is_lost_and_leaves_everything_it_caused_invented(
    town: Town,
) -> None:
    await town.write(
        "certification", "DELETE FROM events WHERE topic = $1 AND key = $2 AND sequence = 1", TITLES, FIRM
    )
    counts = await broken(town)
    caused, records = 3, 1
    assert counts == {"I1": 1, "I3": caused + records, "I7": 1}


async def test_a_number_that_was_skipped_is_reported(town: Town) -> None:
    await town.write("certification", "UPDATE event_keys SET sequence = 3 WHERE key = $1", FIRM)
    assert await broken(town) == {"I1": 1, "I7": 1}


async def test_a_renumbered_event_is_reported(town: Town) -> None:
    await town.write("certification", "UPDATE events SET sequence = 7 WHERE key = $1 AND sequence = 2", FIRM)
    counts = await broken(town)
    assert {"I1", "I3", "I7"} <= counts.keys()


async def test_a_table_of_effects_without_a_guard_and_a_doubled_effect_are_reported(town: Town) -> None:
    await town.write("notifier", "ALTER TABLE effects DROP CONSTRAINT effects_caused_by_key")
    assert await broken(town) == {"I2": 1}
    await town.write("notifier", "INSERT INTO effects (caused_by) SELECT caused_by FROM effects LIMIT 1")
    assert await broken(town) == {"I2": 2}


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        ("UNIQUE INDEX ON effects (caused_by) WHERE caused_by IS NOT NULL", True),
        ("UNIQUE INDEX ON effects (caused_by, channel)", True),
        ("UNIQUE INDEX ON effects (effect_id, caused_by)", False),
        ("UNIQUE INDEX ON effects (caused_by) WHERE channel = 'mail'", False),
        ("UNIQUE INDEX ON effects (lower(caused_by))", False),
        ("INDEX ON effects (caused_by)", False),
    ],
)
async def test_only_an_index_that_lets_no_second_effect_in_is_a_guard(
    town: Town, guard: str, holds: bool
) -> None:
    await town.write("notifier", "ALTER TABLE effects DROP CONSTRAINT effects_caused_by_key")
    await town.write("notifier", "ALTER TABLE effects ADD COLUMN channel text NOT NULL DEFAULT 'mail'")
    await town.write("notifier", f"CREATE {guard}")
    assert await broken(town) == ({} if holds else {"I2": 1})


@pytest.mark.parametrize(
    "cause", [f"{TITLES}/{FIRM}/3", f"{TITLES}/nobody/1", "nowhere/x/1", "nonsense", f"{TITLES}/{FIRM}/0"]
)
async def test_an_effect_of_an_event_that_nobody_said_is_reported(town: Town, cause: str) -> None:
    await town.write("finance-link", "INSERT INTO effects (caused_by) VALUES ($1)", cause)
    assert await broken(town) == {"I3": 1}


async def test_a_mark_beyond_the_events_is_invented_and_out_of_order(town: Town) -> None:
    await town.write("finance-link", "UPDATE inbox SET sequence = 3 WHERE key = $1", FIRM)
    assert await broken(town) == {"I3": 1, "I4": 1}


async def test_an_event_set_aside_that_its_mark_has_passed_is_out_of_order(town: Town) -> None:
    await set_aside(town, 1, "bug")
    await town.write("notifier", "UPDATE inbox SET parked = true WHERE key = $1 AND topic = $2", FIRM, TITLES)
    assert await broken(town) == {"I4": 1}


async def test_a_parked_key_without_its_next_event_is_out_of_order(town: Town) -> None:
    await town.write(
        "notifier", "UPDATE inbox SET sequence = 0, parked = true WHERE topic = $1 AND key = $2", TITLES, FIRM
    )
    await set_aside(town, 2, "behind")
    assert await broken(town) == {"I1": 1, "I4": 1}


async def test_a_waiting_outbox_and_an_expired_lease_and_overdue_work_are_stuck(town: Town) -> None:
    await town.write("certification", "INSERT INTO outbox SELECT id, recorded_at, true FROM events LIMIT 2")
    assert await broken(town) == {"I5": 2}
    work = "INSERT INTO work (kind, subject, payload, due_at, lease, leased_until) VALUES ('mail.send', $1, '{}', $2, "
    legal_now = town.installation.clock.now()
    await town.write(
        "notifier", f"{work} gen_random_uuid(), now() - interval '1 second')", "left behind", legal_now
    )
    assert await broken(town) == {"I5": 3}
    await town.write(
        "notifier", f"{work} gen_random_uuid(), now() + interval '1 hour')", "at work", legal_now
    )
    await town.write("notifier", f"{work} NULL, now() + interval '1 hour')", "tried again later", legal_now)
    assert await broken(town) == {"I5": 3}
    overdue = "INSERT INTO work (kind, subject, payload, due_at) VALUES ('mail.send', $1, '{}', $2::timestamptz - interval '31 s')"
    await town.write("notifier", overdue, "overdue", legal_now)
    assert await broken(town) == {"I5": 4}


async def test_work_that_is_due_in_the_future_of_the_legal_clock_is_not_overdue(town: Town) -> None:
    """The clock of a demonstration stands in another year than the database's."""
    later = "INSERT INTO work (kind, subject, payload, due_at) VALUES ('notice.close', 'x', '{}', $1::timestamptz + interval '9 days')"
    await town.write("certification", later, town.installation.clock.now())
    assert await broken(town) == {}


async def test_a_group_that_has_not_read_a_topic_is_behind(town: Town) -> None:
    """finance-link does not read its own consents; as their listener it has committed nothing."""
    topics = dict(town.installation.topics)
    topics[CONSENTS] = topics[CONSENTS].model_copy(update={"listeners": ["certification", "notifier"]})
    town.installation = type(town.installation)(
        town.installation.databases, town.installation.kafka, topics, town.installation.clock
    )
    assert await broken(town) == {"I1": 6, "I5": 6}


async def test_an_edited_event_breaks_the_chain_and_differs_from_its_record(town: Town) -> None:
    await town.write(
        "certification",
        "UPDATE events SET payload = replace(payload::text, 'national', 'local')::json WHERE key = $1 AND sequence = 1",
        FIRM,
    )  # fmt: skip
    assert await broken(town) == {"I3": 1, "I7": 1}
    assert await whys(town, "I3") == ["the record's payload is not its event's"]


async def test_the_waiting_ends_when_all_is_quiet_and_at_its_limit_when_not(town: Town) -> None:
    assert await asyncio.wait_for(town.rests(30), 15)
    await town.write("certification", "INSERT INTO outbox SELECT id, recorded_at, true FROM events LIMIT 1")
    assert not await town.rests(1.5)
