"""The chain over the events is computed again, and shows whatever was done to them."""

import pytest

from huiqi.audit import Chain, verify_chain
from huiqi.ledger_reading import snapshots
from small_town import FIRMS, Town


async def chain_of(town: Town, earlier_head: bytes | None = None) -> Chain:
    async with snapshots(town.installation, ["certification"]) as connections:
        return await verify_chain(connections["certification"], "certification", earlier_head=earlier_head)


async def grow(town: Town) -> None:
    """More events, which wait in the outbox, not yet sealed."""
    await town.grant(*FIRMS)


async def test_a_chain_that_nobody_touched_verifies_and_counts_everything(town: Town) -> None:
    chain = await chain_of(town)
    assert (chain.events, chain.waiting, chain.broken) == (6, 0, 0)
    assert chain.links >= 1
    assert len(chain.head) == 32
    await grow(town)
    grown = await chain_of(town, chain.head)
    assert (grown.events, grown.waiting, grown.broken, grown.head) == (6, 3, 0, chain.head)


async def test_an_event_that_is_sent_again_stays_in_the_chain_once(town: Town) -> None:
    await town.write("certification", "INSERT INTO outbox SELECT id, recorded_at, true FROM events LIMIT 2")
    assert (await chain_of(town)).broken == 0


FIRST = "WHERE id = (SELECT min(id) FROM events)"
LAST = "(SELECT max(position) FROM seals)"


@pytest.mark.parametrize(
    ("done", "sql", "shown"),
    [
        ("payload edited", f"UPDATE events SET payload = '{{}}' {FIRST}", "was changed or moved"),
        ("actor edited", f"UPDATE events SET actor = 'officer:wang' {FIRST}", "was changed or moved"),
        ("time edited", f"UPDATE events SET occurred_at = occurred_at + interval '1 us' {FIRST}", "changed or moved"),
        ("cause edited", f"UPDATE events SET caused_by = 'x' {FIRST}", "was changed or moved"),
        ("spaces in the payload", f"UPDATE events SET payload = (payload::text || ' ')::json {FIRST}", "changed or moved"),
        ("deleted", f"DELETE FROM events {FIRST}", "are gone, the first is"),
        ("put in", ("INSERT INTO events (event_id, topic, key, sequence, type, actor, payload, occurred_at)"
         " SELECT gen_random_uuid(), topic, key, 3, type, actor, payload, occurred_at FROM events LIMIT 1"), "was put in"),
        ("reordered within a link", (f"UPDATE seals SET event_ids = ARRAY(SELECT unnest(event_ids) AS id ORDER BY id DESC) WHERE position = {LAST}"
         " AND cardinality(event_ids) > 1 OR position = 1"), "was changed or moved"),
        ("exchanged", "UPDATE events a SET payload = b.payload FROM events b WHERE a.id = 1 AND b.id = 4", "was changed or moved"),
        ("first link taken out", "DELETE FROM seals WHERE position = 1", "was put in"),
        ("link written anew", "UPDATE seals SET hash = sha256('x') WHERE position = 1", "was changed or moved"),
        ("link's beginning changed", "UPDATE seals SET previous = sha256('x') WHERE position = 1", "does not follow"),
        ("named twice", ("INSERT INTO seals SELECT position + 1, hash, sha256('x'), event_ids FROM seals"
         f" WHERE position = {LAST}"), "is named by two links"),
        ("waits and is gone", "INSERT INTO outbox VALUES (999, now())", "waits to be sent and is gone"),
        ("number given, no event", "UPDATE event_keys SET sequence = sequence + 1 WHERE key = (SELECT min(key) FROM event_keys)",
         "the events end at 2"),
        ("event without a number", "DELETE FROM event_keys WHERE key = (SELECT min(key) FROM event_keys)", "never given out"),
    ],
)  # fmt: skip
async def test_what_was_done_to_the_events_is_seen(town: Town, done: str, sql: str, shown: str) -> None:
    await town.write("certification", sql)
    chain = await chain_of(town)
    assert chain.broken, done
    assert any(shown in text for text in chain.breaks), chain.breaks


async def cut_tail(town: Town, *, numbers_too: bool) -> None:
    """Takes the last link out with its events, as if they had never been."""
    await town.write(
        "certification",
        f"DELETE FROM events WHERE id = ANY((SELECT event_ids FROM seals WHERE position = {LAST})::bigint[])",
    )
    await town.write("certification", f"DELETE FROM seals WHERE position = {LAST}")
    if numbers_too:
        await town.write(
            "certification",
            "UPDATE event_keys k SET sequence = (SELECT count(*) FROM events e WHERE e.topic = k.topic AND e.key = k.key)",
        )


async def test_a_cut_tail_is_seen_by_the_numbers_that_were_given_out(town: Town) -> None:
    await cut_tail(town, numbers_too=False)
    assert any("numbers were given out" in text for text in (await chain_of(town)).breaks)


async def test_a_tail_cut_with_all_its_traces_is_seen_by_a_head_kept_elsewhere(town: Town) -> None:
    head = (await chain_of(town)).head
    await cut_tail(town, numbers_too=True)
    assert (await chain_of(town)).broken == 0, "nothing within the database can show it"
    assert any("earlier head" in text for text in (await chain_of(town, head)).breaks)


async def test_a_chain_written_anew_is_seen_by_a_head_kept_elsewhere(town: Town) -> None:
    head = (await chain_of(town)).head
    await town.write("certification", f"UPDATE events SET actor = 'officer:wang' {FIRST}")
    await town.write("certification", "DELETE FROM seals")
    await town.write("certification", "INSERT INTO outbox SELECT id, recorded_at FROM events")
    assert any("earlier head" in text for text in (await chain_of(town, head)).breaks)
