"""Runs of the rig: the house under load and faults from a seed, then quiet, then every promise is checked."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from chassis.kafka_admin import Broker
from huiqi.ledger import Ledger, await_quiet, check
from huiqi.services import SERVICES
from rig import witness
from rig.brokers import BrokerControl
from rig.calm import count_events, records_too_many
from rig.faults import FAULTS, Fault
from rig.journal import Journal
from rig.load import Load
from rig.plan import Plan, Strikes, available, plan
from rig.standing import Standing
from rig.tally import ENVIRONMENT, TALLY, with_tally

REST: Final = 30.0
CLOCK_AT: Final = datetime(2009, 6, 1, 2, 0, tzinfo=UTC)
BANKS: Final = ("hailing-bay", "moyang-river")


@dataclass(slots=True)
class Result:
    """What one seed gave. `recovery`: seconds from the end of the last fault until nothing moved; None: not in time."""

    seed: int
    plan: str
    faults: dict[str, int]
    recovery: float | None
    promises: dict[str, dict[str, int]]
    findings: list[dict[str, Any]]
    notes: list[str]
    requests: int = 0
    events: int = 0
    unavailable: list[str] = field(default_factory=list)
    kept: Path | None = None

    @property
    def broken(self) -> list[str]:
        return sorted(name for name, promise in self.promises.items() if promise["broken"])


@dataclass(frozen=True, slots=True)
class Orders:
    """How runs are made. `faults` chooses by name, `alone` one of them; `environment` is of every process."""

    seconds: float
    faults: Mapping[str, Fault] = field(default_factory=lambda: FAULTS)
    alone: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    keep: Path = Path(".run/chaos")
    say: Callable[[str], None] = lambda _text: None


def run_seeds(
    seeds: Sequence[int], orders: Orders, broker: Broker | None, control: BrokerControl | None
) -> Iterator[Result]:
    """One seed after the other in one house, on empty topics; ends early after a broken promise.

    For the main thread. Logs and the clients' journal of a broken run are kept in `orders.keep`/seed-N.
    """
    folder = orders.keep / f"seed-{seeds[0]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Journal(folder / "journal.jsonl") as journal, Standing(
        folder, clock_at=CLOCK_AT, broker=broker, control=control, banks=BANKS, services=(*SERVICES, TALLY),
        environment={**ENVIRONMENT, **orders.environment},
    ) as standing:  # fmt: skip
        all_kept = False
        try:
            for result in _Runs(standing, orders, journal, folder).each(seeds):
                yield result
                if result.broken:
                    return
            all_kept = True
        finally:
            if all_kept:
                shutil.rmtree(folder)
            else:
                shutil.copytree(standing.house.directory / "logs", folder / "logs", dirs_exist_ok=True)


class _Runs:
    def __init__(self, standing: Standing, orders: Orders, journal: Journal, folder: Path) -> None:
        self._standing = standing
        self._orders = orders
        self._folder = folder
        self._faults = available(orders.faults, standing)
        self._journal = journal

    def each(self, seeds: Sequence[int]) -> Iterator[Result]:
        asyncio.run(witness.watch(self._standing))
        requests = events = 0
        for seed in seeds:
            made = Plan(seed, self._faults, self._orders.alone or plan(seed, self._faults))
            self._orders.say(f"seed {seed}: {made.text}")
            result = asyncio.run(self._run(made))
            total = asyncio.run(count_events(self._standing.installation()))
            result.requests, requests = self._journal.requests - requests, self._journal.requests
            result.events, events = total - events, total
            if result.broken:
                self._keep(result)
            yield result

    async def _run(self, made: Plan) -> Result:
        standing, journal = self._standing, self._journal
        load, strikes = Load(standing, journal, made.seed), Strikes(standing, made)
        over = asyncio.Event()
        working = asyncio.create_task(load.run(over))
        try:
            await strikes.run(self._orders.seconds)
        finally:
            over.set()
            await working
        ended = time.monotonic()
        standing.heal()  # not in a thread: what ended is started anew, which only the main one may
        await load.settle(REST)
        installation = with_tally(standing.installation())
        quiet = await await_quiet(installation, REST)
        recovery = time.monotonic() - ended if quiet else None
        ledger = await check(installation, foreign=standing.foreign, remade=standing.emptied)
        seen = await witness.check(standing, journal)
        if not self._faults and (extra := await records_too_many(standing)):
            why = f"{extra} records more than events, though nothing failed: two relays were at work at once"
            seen.findings.append(witness.Finding("I4", why, {}))
        result = _result(made, dict(strikes.counts), recovery, ledger, seen)
        result.unavailable = sorted(self._orders.faults.keys() - self._faults.keys())
        return result

    def _keep(self, result: Result) -> None:
        found = {"broken": result.broken, "findings": result.findings, "notes": result.notes}
        text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
        (self._folder / "found.json").write_text(text, encoding="utf-8")
        result.kept = self._folder


def _result(
    made: Plan, faults: dict[str, int], recovery: float | None, ledger: Ledger, seen: witness.Seen
) -> Result:
    promises = ledger.counts()
    for name, checked in seen.checked.items():
        promises[name]["checked"] += checked
    for finding in seen.findings:
        promises[finding.promise]["broken"] += 1
    findings = [{"promise": name, **one} for name, kept in ledger.promises.items() for one in kept.findings]
    findings += [{"promise": f.promise, "why": f.why, **f.where} for f in seen.findings]
    notes = [f"{name}: {note}" for name, kept in ledger.promises.items() for note in kept.notes]
    return Result(made.seed, made.text, faults, recovery, promises, findings, [*notes, *seen.notes])
