"""B6: the whole chain, from the request that grants a title to the record on the bank's own topic.

`POST /v1/cases/{id}/grant` commits the title and its event; the relay brings it to Kafka; finance-link finds the
standing consent, drafts the referral and sends it in one transaction; its relay brings the offer to the bank's topic.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from applications import enterprise_id
from live import BANK, FIRST, consent, officer, opened, record, register
from load import LoadResult, percentile, request, send
from rows import Row, at_least_share, at_most, told

from contracts.certification import TitleGranted
from contracts.finance_link import ReferralOffered
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import await_quiet, check

CONNECTIONS = 16
GRANTS = 600
WARM = 100
AT_REST = 40
REST_RATE = 4.0
TOPIC = ReferralOffered.topic_template.format(bank_id=BANK)
P50, P99, FLAT = 60, 250, 0.9
QUIET = 600.0


@dataclass
class Heard:
    """When each firm's record came: `written_at` as the producer says, `arrived_at` as a reader sees, epoch seconds."""

    written_at: dict[str, float] = field(default_factory=dict)
    arrived_at: dict[str, float] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    async def follow(self, client: dict[str, Any], topic: str, firm_of: Any) -> None:
        consumer = AIOKafkaConsumer(
            topic, **client, auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=100
        )
        await consumer.start()
        try:
            async for one in consumer:
                firm = firm_of(one.value)
                self.times[firm] += 1
                self.written_at.setdefault(firm, one.timestamp / 1000)
                self.arrived_at.setdefault(firm, time.time())
        finally:
            await consumer.stop()


@dataclass(frozen=True)
class AtSize:
    """One population's figures: grants per second to the bank's topic, and milliseconds at half of that."""

    cases: int
    per_second: list[float]
    p50: float
    p99: float
    population_seconds: float


class Chain:
    """A house and a reader at the end of the chain, who counts what arrives."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.next = FIRST
        self.bank = Heard()
        self.titles = Heard()
        self.checked = 0
        self.broken = 0
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        client = self.house.broker.client
        self._readers = [
            asyncio.create_task(
                self.bank.follow(client, TOPIC, lambda v: ReferralOffered.read(v).facts["enterprise.id"])
            ),
            asyncio.create_task(
                self.titles.follow(
                    client, TitleGranted.topic_template, lambda v: TitleGranted.read(v).enterprise_id
                )
            ),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    async def ready(self, count: int) -> dict[int, UUID]:
        """Recorded cases of so many new firms, all of which every service knows and the bank may hear of."""
        numbers = list(range(self.next, self.next + count))
        self.next += count
        addresses = self.house.addresses
        cases: dict[int, UUID] = {}
        async with opened(addresses, "certification") as db:
            await register(db, numbers)
            for at in range(0, count, 500):
                cases |= await record(db, numbers[at : at + 500])
        async with opened(addresses, "finance-link") as db:
            await consent(db, numbers)
        if not await await_quiet(Installation.of_house(addresses), QUIET):
            raise RuntimeError("the house does not come to rest")
        return cases

    async def grant(
        self, cases: dict[int, UUID], rate: float | None = None, connections: int = CONNECTIONS
    ) -> LoadResult:
        """Grants them all, and returns when the bank has a record of each; a record too many or too few is counted."""
        token = officer(self.house.addresses)
        headers = {"Authorization": f"Bearer {token}", "If-Match": '"8"', "Accept-Language": "en"}
        requests = [request("POST", f"/v1/cases/{case_id}/grant", headers) for case_id in cases.values()]
        port = self.house.services["certification"].port
        result = await asyncio.to_thread(
            send, self.house.directory, port, requests, connections=connections, rate=rate
        )
        result.expect(200)
        firms = {enterprise_id(number) for number in cases}
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET):
                while firms - self.bank.arrived_at.keys():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        self.checked += len(firms)
        self.broken += sum(self.bank.times[firm] != 1 for firm in firms)
        return result

    async def peak(self, count: int) -> float:
        cases = await self.ready(count)
        result = await self.grant(cases)
        last = max(self.bank.arrived_at.get(enterprise_id(number), time.time()) for number in cases)
        return count / (last - min(result.sent_at))

    async def milliseconds(self, cases: dict[int, UUID], rate: float, connections: int) -> list[float]:
        """From when each request was due to its record's arrival, in the order of the requests."""
        result = await self.grant(cases, rate, connections)
        firms = [enterprise_id(number) for number in cases]
        return [
            (self.bank.arrived_at[firm] - sent) * 1000
            for firm, sent in zip(firms, result.sent_at, strict=True)
        ]

    async def at(self, cases: int, rounds: int, population_seconds: float) -> AtSize:
        await self.peak(WARM)
        per_second = [await self.peak(GRANTS) for _ in range(rounds)]
        half = statistics.median(per_second) / 2
        took = await self.milliseconds(await self.ready(GRANTS), half, CONNECTIONS * 4)
        return AtSize(cases, per_second, statistics.median(took), percentile(took, 0.99), population_seconds)

    async def hops(self) -> dict[str, float]:
        """The median milliseconds of each hop alone, one grant after another in a house at rest."""
        cases = await self.ready(AT_REST)
        result = await self.grant(cases, REST_RATE, 1)
        firms = [enterprise_id(number) for number in cases]
        async with opened(self.house.addresses, "finance-link") as db:
            rows = await db.fetch(
                "SELECT payload -> 'facts' ->> 'enterprise.id' AS firm, recorded_at FROM events"
                " WHERE topic = $1 AND payload -> 'facts' ->> 'enterprise.id' = ANY($2)",
                TOPIC, firms,
            )  # fmt: skip
        begun = {row["firm"]: row["recorded_at"].timestamp() for row in rows}
        points = [
            (
                sent,
                answered,
                self.titles.written_at[firm],
                begun[firm],
                self.bank.written_at[firm],
                self.bank.arrived_at[firm],
            )
            for firm, sent, answered in zip(firms, result.sent_at, result.answered_at, strict=True)
        ]
        names = (
            "the request",
            "to the relay's sending",
            "to finance-link's transaction",
            "to its relay's sending",
            "to the bank",
        )
        return {
            name: round(statistics.median((point[at + 1] - point[at]) * 1000 for point in points), 1)
            for at, name in enumerate(names)
        }

    async def ledger(self) -> dict[str, dict[str, int]]:
        found = await check(Installation.of_house(self.house.addresses), wait=QUIET)
        return found.counts()


def rows(sizes: Sequence[AtSize], hops: dict[str, float]) -> list[Row]:
    first, last = sizes[0], sizes[-1]
    flattest = min(sizes[1:] or sizes, key=lambda size: statistics.median(size.per_second))
    with_cases = f"{last.cases:,} cases in the tables"
    sizes_said = ", ".join(f"{size.cases:,}: {statistics.median(size.per_second):.0f}/s" for size in sizes)
    parts = ", ".join(f"{name} {took} ms" for name, took in hops.items())
    return [
        at_most("B6", f"grant over HTTP to the bank's topic, p50 at half of the peak, {with_cases}", [last.p50], P50, "ms"),
        at_most("B6b", f"the same, p99, {with_cases}", [last.p99], P99, "ms"),
        at_least_share(
            "B6c", f"peak of the chain, slowest population beside empty tables ({sizes_said})", flattest.per_second,
            first.per_second, "empty tables", share=FLAT, unit="grants/s",
        ),
        told(
            "B6d", f"p50 beside the sum of the single hops, one at a time ({parts})", last.p50, "ms",
            peer=round(sum(hops.values()), 1), peer_name="the sum",
        ),
    ]  # fmt: skip
