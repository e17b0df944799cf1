"""What never reached a listener is sent again; what is merely under way is left alone."""

import asyncio

import pytest

from chassis import kafka_admin
from chassis.errors import Unavailable
from chassis.seals import seal
from huiqi.installation import Installation
from huiqi.ledger import check
from huiqi.reconcile import find_missing, send_again
from small_town import CONSENTS, FIRMS, SERVICES, TITLES, TOPICS, Town, running

FIRM, OTHER = FIRMS[:2]


async def broken(town: Town) -> dict[str, int]:
    found = await check(town.installation)
    return {name: promise.broken for name, promise in found.promises.items() if promise.broken}


async def missing(town: Town) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for one in await find_missing(town.installation):
        place = (one.key[0], one.listener)
        found[place] = found.get(place, 0) + one.events
    return found


async def lose_acknowledged(town: Town, *firms: str) -> None:
    """Says events whose records the broker acknowledged and lost: sealed, and not in Kafka."""
    await town.grant(*firms)
    db = town.databases["certification"]
    rows = await db.fetch(
        "SELECT e.* FROM outbox o JOIN events e ON e.id = o.id AND e.recorded_at = o.recorded_at ORDER BY e.id"
    )
    await seal(db, rows)


async def test_nothing_is_missing_where_everything_has_arrived(town: Town) -> None:
    assert await find_missing(town.installation) == []


async def test_what_waits_in_an_outbox_is_not_sent_twice(own_town: Town) -> None:
    await own_town.grant(FIRM, FIRM)
    assert await missing(own_town) == {}


async def test_what_a_listener_has_still_to_read_is_not_sent_again(own_town: Town) -> None:
    async with own_town.relays_running():
        await own_town.grant(FIRM, FIRM, OTHER)
        await until_sent(own_town)
    assert await missing(own_town) == {}


async def until_sent(town: Town) -> None:
    async with asyncio.timeout(20):
        for db in town.databases.values():
            while await db.fetchval("SELECT count(*) FROM outbox"):
                await asyncio.sleep(0.05)


async def test_a_tail_that_the_broker_lost_arrives_in_order_and_only_it_is_missing(own_town: Town) -> None:
    async with own_town.at_work():
        await own_town.grant(FIRM, OTHER)
        assert await own_town.rests()
    await lose_acknowledged(own_town, FIRM, FIRM)
    async with own_town.at_work():
        await own_town.grant(FIRM)
        assert await own_town.rests()
        assert await broken(own_town) == {"I1": 4}
        assert await missing(own_town) == {(TITLES, "finance-link"): 2, (TITLES, "notifier"): 2}
        sent = await send_again(own_town.installation, await find_missing(own_town.installation))
        assert sent == 3, "from the first missing number to the end of the key, once for both listeners"
        assert await own_town.rests()
        assert await broken(own_town) == {}
        assert await find_missing(own_town.installation) == []
    effects = await own_town.databases["notifier"].fetchval("SELECT count(*) FROM effects")
    assert effects == 2 * 5


async def test_a_topic_made_anew_is_filled_for_the_listener_that_had_not_read_it(own_town: Town) -> None:
    async with own_town.at_work():
        await own_town.grant(FIRM)
        assert await own_town.rests()
    async with own_town.relays_running(), running(own_town.subscription("finance-link").run()):
        await own_town.grant(FIRM, OTHER)
        await until_sent(own_town)
        await heard(own_town, "finance-link", 3)
    await kafka_admin.delete_topics(own_town.broker.client, [TITLES, CONSENTS])
    topics = {name: TOPICS[name].partitions for name in (TITLES, CONSENTS)}
    await kafka_admin.create_topics(own_town.broker.client, topics)
    assert await missing(own_town) == {(TITLES, "notifier"): 2, (CONSENTS, "notifier"): 2}
    await send_again(own_town.installation, await find_missing(own_town.installation))
    async with own_town.at_work():
        assert await own_town.rests()
        assert await broken(own_town) == {}


async def heard(town: Town, service: str, effects: int) -> None:
    async with asyncio.timeout(20):
        while await town.databases[service].fetchval("SELECT count(*) FROM effects") < effects:
            await asyncio.sleep(0.05)
    await until_sent(town)


async def test_parked_events_are_not_sent_again(own_town: Town) -> None:
    own_town.broken_for.add(FIRM)
    async with own_town.at_work():
        await own_town.grant(FIRM, FIRM, OTHER)
        assert await own_town.rests()
        assert await missing(own_town) == {}
        assert await broken(own_town) == {}, "held with a reason"


async def test_a_mark_that_was_set_back_brings_its_events_again(town: Town) -> None:
    await town.write("notifier", "UPDATE inbox SET sequence = 1 WHERE topic = $1 AND key = $2", TITLES, FIRM)
    [one] = await find_missing(town.installation)
    assert (one.listener, one.key, one.first, one.last, one.events) == ("notifier", (TITLES, FIRM), 2, 2, 1)
    assert await send_again(town.installation, [one]) == 1
    assert await send_again(town.installation, [one]) == 0, "already on its way"
    assert await find_missing(town.installation) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_database_that_does_not_answer_is_said_so(own_town: Town, service: str) -> None:
    databases = {**own_town.installation.databases, service: "postgresql://huiqi:secret@127.0.0.1:1/x"}
    with pytest.raises(Unavailable, match=service) as raised:
        await find_missing(Installation(databases, own_town.installation.kafka, TOPICS))
    assert "secret" not in str(raised.value)
