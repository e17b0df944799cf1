"""B6 and B9: one house whose tables grow, and in it the chain and the lists at each size."""

import asyncio
from collections.abc import Callable, Sequence
from statistics import median

import lists
import uvloop
from broker import emptied
from chain import AtSize, Chain
from chain import rows as rows_of_chain
from live import BANK
from population import grow
from rows import Row
from standing import POSTGRES

from huiqi.house import House

Ledger = dict[str, dict[str, int]]
Lists = dict[str, tuple[str, list[float]]]


def measure(
    parts: set[str], rounds: int, cases: Sequence[int], say: Callable[[str], None]
) -> tuple[list[Row], Ledger]:
    """The rows of the chain and of the lists, whichever are asked for, and what the ledger found."""
    kafka = asyncio.run(emptied((BANK,)))
    with (
        House(broker=kafka, banks=(BANK,), postgres=POSTGRES) as house,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_grow_and_look(house, parts, rounds, sorted(cases), say))


async def _grow_and_look(
    house: House, parts: set[str], rounds: int, cases: Sequence[int], say: Callable[[str], None]
) -> tuple[list[Row], Ledger]:
    databases = {name: service.database for name, service in house.addresses.services.items()}
    sizes: list[AtSize] = []
    looked: dict[int, Lists] = {}
    ledger: Ledger = {}
    hops: dict[str, float] = {}
    before = 0
    async with Chain(house) as chain:
        for size in cases if "chain" in parts else [size for size in cases if size]:
            took = await grow(databases, before, size)
            before = size
            if size:
                say(f"  {size:,} cases in the tables: {took:.0f} s")
            if "chain" in parts:
                sizes.append(await chain.at(size, rounds, took))
                say(f"  chain: {_told(sizes[-1])}")
                hops = hops or await chain.hops()
                ledger = ledger or await chain.ledger()
            if "lists" in parts and size in (lists.SMALL, cases[-1]):
                middle = await lists.keys_in_the_middle(house, size)
                looked[size] = await asyncio.to_thread(lists.at, house, size, middle, rounds)
    found = rows_of_chain(sizes, hops) if sizes else []
    if len(looked) > 1:
        small, large = looked[min(looked)], looked[max(looked)]
        for name in large:
            say(f"  {name}: {median(small[name][1]):.1f} -> {median(large[name][1]):.1f} ms")
        found += lists.rows(small, large, max(looked))
    return found, _with_arrivals(ledger, chain)


def _told(size: AtSize) -> str:
    peak = ", ".join(f"{one:.0f}" for one in size.per_second)
    return f"{peak} grants/s; p50 {size.p50:.0f} ms, p99 {size.p99:.0f} ms at half of that"


def _with_arrivals(ledger: Ledger, chain: Chain) -> Ledger:
    """The arrivals at the bank count under I1 (not lost) whatever is in the tables besides."""
    counts = {name: dict(promise) for name, promise in ledger.items()}
    first = counts.setdefault("I1", {"checked": 0, "broken": 0})
    first["checked"] += chain.checked
    first["broken"] += chain.broken
    return counts
