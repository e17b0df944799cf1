"""The measured promises beside their peers: `make bench` with KAFKA_BOOTSTRAP naming an Apache Kafka.

Prints a table, writes `bench/results/<date>-<what>.json` and a plot of the ratios beside it, and ends with the ledger:
a run that lost something is void and ends with 1. Figures are medians of the rounds; compare ratios, not absolute
numbers, across machines.
"""

import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import consume
import evaluate
import grown
import idle
import plot
import proof
import recovery
import relay
import submit
import uvloop
import what_if
from ground import ground
from rich.console import Console
from rich.table import Table
from rows import Row

RESULTS = Path(__file__).parent / "results"
PARTS = ("idle", "evaluate", "what-if", "relay", "consume", "recovery", "submit", "chain", "lists")
POPULATIONS = "0,10000,100000,1000000"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What is to be measured: how often, over how many cases, behind how large a backlog, after how long an outage."""

    parts: set[str]
    rounds: int
    cases: list[int]
    backlog: int
    outage: float


@dataclass
class Findings:
    """Rows and, by promise, how much of it was checked and broken."""

    rows: list[Row] = field(default_factory=list)
    ledger: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, rows: list[Row], ledger: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.rows += rows
        for name, counts in (ledger or {}).items():
            self.ledger.setdefault(name, Counter({"checked": 0, "broken": 0})).update(counts)

    @property
    def kept(self) -> bool:
        return not any(promise["broken"] for promise in self.ledger.values())


async def on_servers(asked: Asked, found: Findings, say: Say) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with ground(Path(directory) / "postgres") as stands:
            for name, part in (("relay", relay), ("consume", consume)):
                if name in asked.parts:
                    say(name)
                    found.add(await part.measure(stands, asked.rounds))
            if "recovery" in asked.parts:
                say("recovery")
                rows, held = await recovery.measure(
                    stands, Path(directory), asked.rounds, backlog=asked.backlog, outage=asked.outage, say=say
                )
                found.add(rows, {"I1": {"checked": asked.rounds * asked.backlog, "broken": held}})
            say("ledger")
            found.add([], await proof.ledger(stands))


def measure(asked: Asked, say: Say) -> Findings:
    """Each part on servers of its own; those that need a whole house come last, since its tables stay."""
    found = Findings()
    for name, alone in (("idle", idle.measure), ("evaluate", evaluate.measure)):
        if name in asked.parts:
            say(name)
            found.add(alone())
    if "what-if" in asked.parts:
        say("what-if")
        found.add(what_if.measure(asked.rounds))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(on_servers(asked, found, say))
    if "submit" in asked.parts:
        say("submit")
        found.add(*submit.measure(asked.rounds))
    if asked.parts & {"chain", "lists"}:
        say(" and ".join(sorted(asked.parts & {"chain", "lists"})))
        found.add(*grown.measure(asked.parts, asked.rounds, asked.cases, say))
    found.rows.sort(key=lambda row: (int("".join(filter(str.isdigit, row.id))), row.id))
    return found


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / 2**30), "python": platform.python_version(),
            "system": platform.system(), "processor": platform.machine()}  # fmt: skip


def servers() -> dict[str, str]:
    peers = ("faststream", "faststream-outbox", "aiokafka", "zen-engine", "starlette", "asyncpg", "uvicorn")
    return {
        "postgres": "PostgreSQL 18, fsync on",
        "kafka": os.environ.get("KAFKA_VERSION", "Apache Kafka 4.3.1, one broker, acks=all, idempotent"),
        **{name: version(name) for name in peers},
    }


def show(found: Findings) -> None:
    table = Table("row", "what", "ours", "peer", "ratio", "promise", "", "spread", box=None)
    for row in found.rows:
        peer = "" if row.peer is None else f"{row.peer:,} ({row.peer_name})"
        verdict = "" if row.promise == "-" else "met" if row.met else "MISSED"
        ratio = "" if row.ratio is None else f"{row.ratio:,}"
        ours = f"{row.ours:,} {row.unit}"
        table.add_row(row.id, row.what, ours, peer, ratio, row.promise, verdict, f"{row.spread:.0%}")
    console = Console(width=200)
    console.print(table)
    console.print("ledger clean" if found.kept else "LEDGER BROKEN: this run is void")


def keep(found: Findings, what: str, asked: Asked) -> Path:
    result = {
        "rows": [row.as_json() for row in found.rows],
        "machine": machine(),
        "servers": servers(),
        "ledger": {name: dict(counts) for name, counts in sorted(found.ledger.items())},
        "asked": {
            "rounds": asked.rounds,
            "cases": asked.cases,
            "backlog": asked.backlog,
            "outage": asked.outage,
        },
    }
    target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{what}.json"
    target.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    plot.draw(result, target.with_suffix(".svg"))
    return target


@click.command()
@click.option("--rounds", default=5, show_default=True, help="repetitions of each measurement")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="some parts only")
@click.option(
    "--cases", default=POPULATIONS, show_default=True, help="cases in the tables, for chain and lists"
)
@click.option(
    "--backlog", default=200_000, show_default=True, help="events that wait when the broker comes back"
)
@click.option(
    "--outage", default=60.0, show_default=True, help="seconds without the broker (CHAOS_KAFKA_CONTROL)"
)
@click.option("--what", default="all", help="the result file's name after the date")
def main(*, rounds: int, only: tuple[str, ...], cases: str, backlog: int, outage: float, what: str) -> None:
    if "KAFKA_BOOTSTRAP" not in os.environ:
        raise click.UsageError("KAFKA_BOOTSTRAP must name an Apache Kafka whose topics may be deleted")
    # A broker that is away is told of by the hundred.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asked = Asked(set(only or PARTS), rounds, [int(one) for one in cases.split(",")], backlog, outage)
    say = Console(stderr=True).print
    found = measure(asked, say)
    target = keep(found, what, asked)
    show(found)
    say(f"written to {target} and {target.with_suffix('.svg').name}")
    sys.exit(0 if found.kept else 1)


if __name__ == "__main__":
    main()
