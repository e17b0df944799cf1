"""The rig's parts do what they say: each fault is seen to be there while it strikes, and gone afterwards."""

import asyncio
import os
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from rig.brokers import given_control
from rig.fault import ask, until
from rig.faults import FAULTS
from rig.faults_processes import POINTS
from rig.faults_records import POISON
from rig.foreign import find_foreign, latest
from rig.instance import Instance
from rig.saying import TOPIC
from rig.standing import Standing

from chassis.testing import given_kafka
from contracts.envelope import Envelope
from huiqi.ledger import check

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CLOCK_AT = datetime(2009, 6, 1, 2, 0, tzinfo=UTC)
REST = 60
LISTENERS = ("ip-enterprise", "finance-link", "notifier")


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with Standing(
        None, clock_at=CLOCK_AT, broker=given_kafka(), control=given_control(), banks=["hailing-bay"],
        doubled=["certification"],
    ) as standing:  # fmt: skip
        yield standing


@pytest.fixture(autouse=True)
def healed(standing: Standing) -> Iterator[None]:
    yield
    standing.heal()


async def strike(standing: Standing, name: str, seed: int = 1) -> None:
    before = len(standing.notes)
    await FAULTS[name].strike(standing, random.Random(seed))
    assert not [note for note in standing.notes[before:] if "cut short" in note]


async def seen_while(
    standing: Standing, name: str, true: Callable[[], Awaitable[bool]], seed: int = 1
) -> bool:
    """Whether it was so at some moment of the strike."""
    striking = asyncio.create_task(strike(standing, name, seed))
    seen = False
    while not striking.done():
        with suppress(TimeoutError):  # the machine is slow just now, and the next look comes soon
            seen = seen or await true()
        await asyncio.sleep(0.05)
    await striking
    return seen


async def refused(standing: Standing, service: str) -> bool:
    try:
        await ask(standing, service, "SELECT 1")
    except asyncpg.TooManyConnectionsError:
        return True
    return False


def answers(instance: Instance) -> bool:
    try:
        return httpx.get(f"{instance.url}/livez", timeout=1, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_every_failpoint_of_the_chassis_is_a_fault() -> None:
    sources = (Path(__file__).parents[2] / "chassis/src/chassis").glob("*.py")
    named = {n for source in sources for n in re.findall(r'failpoint\("([a-z_.]+)"', source.read_text())}
    assert named == POINTS.keys()
    assert {f"kill:{point}" for point in named} <= FAULTS.keys()


def test_a_paused_instance_answers_nobody_and_healing_wakes_it(standing: Standing) -> None:
    instance = standing.instances["certification-2"]
    assert answers(instance)
    instance.pause()
    assert not answers(instance)
    assert instance.running
    assert instance.paused
    standing.heal()
    assert answers(instance)


def test_healing_ends_whatever_was_left(standing: Standing) -> None:
    killed, cut, armed = (standing.instances[n] for n in ("finance-link", "notifier", "certification-2"))
    killed.kill()
    cut.proxy.cut()
    armed.start(FAILPOINTS="relay.after_claim=stop@1")
    standing.house.postgres.stop("immediate")
    standing.heal()
    assert [i.name for i in standing.instances.values() if not i.process.ready()] == []
    assert not armed.extra


async def test_a_frozen_session_stands_still_and_goes_on(standing: Standing) -> None:
    frozen: set[int] = set()

    async def stands() -> bool:
        frozen.update(pid for pid in standing.frozen_backends if state(pid) == "T")
        return bool(frozen)

    assert await seen_while(standing, "backend-frozen", stands)
    assert not standing.frozen_backends
    assert all(state(pid) != "T" for pid in frozen if Path(f"/proc/{pid}").exists())


async def test_there_is_no_connection_left_and_then_there_is(standing: Standing) -> None:
    assert await seen_while(standing, "connections-exhausted", lambda: refused(standing, "certification"))
    assert not await refused(standing, "certification")


@pytest.mark.parametrize("name", ["postgres-fast", "postgres-immediate"])
async def test_postgres_is_another_process_afterwards(standing: Standing, name: str) -> None:
    before = standing.house.postgres.pid
    await strike(standing, name)
    assert standing.house.postgres.pid != before
    assert await ask(standing, "certification", "SELECT 1")


async def test_a_process_is_killed_at_its_failpoint(standing: Standing) -> None:
    ours = {name: instance.pid for name, instance in standing.instances.items()}
    await strike(standing, "kill:inbox.before_begin", 3)  # it may not be reached: nothing is said here
    assert {n for n, instance in standing.instances.items() if instance.pid != ours[n]}
    assert all(instance.running and not instance.extra for instance in standing.instances.values())


async def test_the_lease_of_a_frozen_relay_moves_to_another_process(standing: Standing) -> None:
    holder = "SELECT holder FROM relay_lease"
    before = await ask(standing, "certification", holder)
    await strike(standing, "zombie-relay")
    assert await ask(standing, "certification", holder) != before
    assert "another has its lease" in standing.notes[-1]


async def test_poison_is_on_the_topics_and_the_ledger_counts_it_for_nobody(standing: Standing) -> None:
    before = len(standing.foreign)
    await strike(standing, "poison")
    assert len(standing.foreign) >= before + min(4, len(POISON))
    assert await find_foreign(standing.installation()) == standing.foreign
    blamed = (await check(standing.installation(), wait=REST)).promises["I3"]
    assert blamed.broken > 0
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert ledger.kept, ledger.as_json()


async def test_events_in_disorder_arrive_and_are_applied_in_order(standing: Standing) -> None:
    seed = next(n for n in range(100) if random.Random(n).choice(["certification", "finance-link", "ip-enterprise"]) == "certification")  # fmt: skip
    before = set(standing.foreign)
    await strike(standing, "reordered", seed)
    struck = set(standing.foreign) - before
    records = [r for r in await latest(standing.installation(), TOPIC, 100) if _place(r) in struck]
    sequences = [Envelope.from_headers(r.topic, r.headers).sequence for r in records]
    assert sequences != sorted(sequences)
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert ledger.kept, ledger.as_json()
    assert ledger.promises["I1"].checked >= 6


def _place(record: object) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset  # type: ignore[attr-defined]  # an untyped library's


@pytest.mark.parametrize("name", ["bug-for-one-key", "unreadable-event"])
async def test_a_key_that_fails_is_parked_and_set_free(standing: Standing, name: str) -> None:
    parked = "SELECT 1 FROM parked WHERE reason = 'bug'"

    async def there() -> bool:
        return any([await ask(standing, listener, parked) for listener in LISTENERS])

    assert await seen_while(standing, name, there)
    assert not standing.held
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert ledger.kept, ledger.as_json()
    assert not await there()


async def test_events_of_a_later_release_go_by(standing: Standing) -> None:
    await strike(standing, "newer-schema")
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert ledger.kept, ledger.as_json()
    said = await ask(standing, "certification", "SELECT type FROM events WHERE type LIKE '%audited%'")
    assert said


async def test_a_topic_made_anew_is_filled_again(standing: Standing) -> None:
    await strike(standing, "newer-schema")
    seed = next(
        n for n in range(200) if random.Random(n).choice(sorted(standing.house.topics().items()))[0] == TOPIC
    )
    await strike(standing, "topic-recreated", seed)
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert {n: p.findings for n, p in ledger.promises.items() if p.broken} == {}


async def test_one_process_has_another_clock_for_a_while(standing: Standing) -> None:
    house = standing.house.clock_file
    assert house is not None
    clocks: set[timedelta] = set()

    async def off() -> bool:
        for instance in standing.instances.values():
            if path := instance.extra.get(f"{instance.prefix}CLOCK_FILE"):
                assert f"{instance.prefix}CLOCK_FILE={path}" in _environment(instance.pid)
                clocks.add(_at(Path(path)) - _at(house))
        return bool(clocks)

    assert await seen_while(standing, "clock-off", off)
    assert {abs(clock) for clock in clocks} == {timedelta(hours=1)}
    assert not any(instance.extra for instance in standing.instances.values())


def _at(clock: Path) -> datetime:
    return datetime.fromisoformat(clock.read_text())


def _environment(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")


@pytest.mark.skipif(not os.environ.get("CHAOS_KAFKA_CONTROL"), reason="needs brokers that can be ended")
@pytest.mark.parametrize("name", ["broker-killed", "broker-restarted", "leader-moved"])
async def test_a_broker_goes_and_comes_back(standing: Standing, name: str) -> None:
    if "three" in FAULTS[name].needs and len(standing.broker.nodes) < 3:
        pytest.skip("needs three brokers")
    await strike(standing, name)
    assert {note.split("  ")[-1] for note in standing.notes[-3:]} & {
        f"broker {n} is back" for n in standing.broker.nodes
    }
    ledger = await check(standing.installation(), wait=REST, foreign=standing.foreign)
    assert ledger.kept, ledger.as_json()


async def test_a_broker_that_forgot_everything_is_filled_again(standing: Standing) -> None:
    if standing.broker.lasting:
        pytest.skip("this one remembers")
    await strike(standing, "newer-schema")
    await strike(standing, "broker-emptied")

    async def quiet() -> bool:
        return (await check(standing.installation(), foreign=standing.foreign)).kept

    assert await until(quiet, REST)
