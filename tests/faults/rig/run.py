"""One run of the rig: the house under load and faults from one seed, then quiet, then every promise is checked."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rig import witness
from rig.brokers import BrokerControl
from rig.calm import count_events, records_too_many
from rig.faults import FAULTS, Fault
from rig.journal import Journal
from rig.load import Load
from rig.plan import Plan, Strikes, available, plan
from rig.standing import Standing
from rig.tally import ENVIRONMENT, TALLY, with_tally

from chassis.kafka_admin import Broker
from huiqi.ledger import Ledger, await_quiet, check
from huiqi.services import SERVICES

REST: Final = 30.0
CLOCK_AT: Final = datetime(2009, 6, 1, 2, 0, tzinfo=UTC)
BANKS: Final = ("hailing-bay", "moyang-river")


@dataclass(slots=True)
class Result:
    """What one seed gave. `recovery` is in seconds, from the end of the last fault until nothing moved any more."""

    seed: int
    plan: str
    faults: dict[str, int]
    requests: int
    events: int
    promises: dict[str, dict[str, int]]
    findings: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    recovery: float | None = None
    unavailable: list[str] = field(default_factory=list)
    kept: Path | None = None

    @property
    def broken(self) -> list[str]:
        return sorted(name for name, promise in self.promises.items() if promise["broken"])


@dataclass(frozen=True, slots=True)
class Orders:
    """How a run is made. `faults` chooses by name, None takes all; `switched_off` names guards to take away."""

    seconds: float
    faults: Mapping[str, Fault] = field(default_factory=lambda: FAULTS)
    alone: str | None = None
    switched_off: str = ""
    keep: Path = Path(".run/chaos")
    say: Callable[[str], None] = lambda _text: None


def run_seed(seed: int, orders: Orders, broker: Broker | None, control: BrokerControl | None) -> Result:
    """Builds a house of its own, on empty topics, and takes it down again. For the main thread."""
    folder = orders.keep / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = ENVIRONMENT | ({"SWITCHED_OFF": orders.switched_off} if orders.switched_off else {})
    with Standing(
        folder, clock_at=CLOCK_AT, broker=broker, control=control, banks=BANKS, services=(*SERVICES, TALLY),
        environment=environment,
    ) as standing:  # fmt: skip
        faults = available(orders.faults, standing)
        made = Plan(seed, faults, orders.alone) if orders.alone else plan(seed, faults)
        orders.say(f"seed {seed}: {made.text}")
        try:
            result = asyncio.run(_run(standing, made, orders, folder))
        except BaseException:
            _keep_logs(standing, folder)
            raise
        result.unavailable = sorted(orders.faults.keys() - faults.keys())
        if result.broken:
            _keep_logs(standing, folder)
            _keep_findings(result, folder)
        else:
            shutil.rmtree(folder)
    return result


async def _run(standing: Standing, made: Plan, orders: Orders, folder: Path) -> Result:
    journal = Journal(folder / "journal.jsonl")
    await witness.watch(standing)
    load, strikes = Load(standing, journal, made.seed), Strikes(standing, made)
    over = asyncio.Event()
    working = asyncio.create_task(load.run(over))
    try:
        if made.faults:
            await strikes.run(orders.seconds)
        else:
            await asyncio.sleep(orders.seconds)
    finally:
        over.set()
        await working
    ended = time.monotonic()
    standing.heal()
    await load.settle(REST)
    installation = with_tally(standing.installation())
    quiet = await await_quiet(installation, REST)
    recovery = time.monotonic() - ended if quiet else None
    ledger = await check(installation, foreign=standing.foreign)
    seen = await witness.check(standing, journal)
    if not strikes.counts and (extra := await records_too_many(standing)):
        why = f"{extra} records more than events, though nothing failed: two relays were at work at once"
        seen.findings.append(witness.Finding("I4", why, {}))
    events = await count_events(standing.installation())
    return _result(made, strikes, journal, ledger, seen, recovery, events)


def _result(
    made: Plan,
    strikes: Strikes,
    journal: Journal,
    ledger: Ledger,
    seen: witness.Seen,
    recovery: float | None,
    events: int,
) -> Result:
    promises = ledger.counts()
    for name, checked in seen.checked.items():
        promises[name]["checked"] += checked
    for finding in seen.findings:
        promises[finding.promise]["broken"] += 1
    findings = [
        {"promise": name, **finding} for name, one in ledger.promises.items() for finding in one.findings
    ]
    findings += [{"promise": f.promise, "why": f.why, **f.where} for f in seen.findings]
    notes = [f"{name}: {note}" for name, one in ledger.promises.items() for note in one.notes]
    return Result(
        seed=made.seed, plan=made.text, faults=dict(strikes.counts), requests=journal.requests,
        events=events, promises=promises, findings=findings, notes=notes, recovery=recovery,
    )  # fmt: skip


def _keep_logs(standing: Standing, folder: Path) -> None:
    """The logs of every process, beside the client's journal."""
    shutil.copytree(standing.house.directory / "logs", folder / "logs", dirs_exist_ok=True)


def _keep_findings(result: Result, folder: Path) -> None:
    found = {"broken": result.broken, "findings": result.findings, "notes": result.notes}
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    (folder / "found.json").write_text(text, encoding="utf-8")
    result.kept = folder
