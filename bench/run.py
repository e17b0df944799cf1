"""The measured promises beside their peers: `make bench` with KAFKA_BOOTSTRAP naming an Apache Kafka.

Prints a table, writes `bench/results/<date>-<what>.json`, and ends with the ledger. Figures are medians of the
rounds; compare ratios, not absolute numbers, across machines.
"""

import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import consume
import evaluate
import idle
import proof
import relay
import uvloop
import what_if
from ground import ground
from rich.console import Console
from rich.table import Table
from rows import Row

RESULTS = Path(__file__).parent / "results"
PARTS = ("relay", "consume", "evaluate", "what-if", "idle")


async def on_servers(
    parts: set[str], rounds: int, say: Callable[[str], None]
) -> tuple[list[Row], dict[str, Any]]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        async with ground(Path(directory) / "postgres") as stands:
            for name, part in (("relay", relay), ("consume", consume)):
                if name in parts:
                    say(name)
                    rows += await part.measure(stands, rounds)
            say("ledger")
            return rows, await proof.ledger(stands)


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / 2**30), "python": platform.python_version(),
            "system": platform.system(), "processor": platform.machine()}  # fmt: skip


def servers() -> dict[str, str]:
    return {
        "postgres": "PostgreSQL 18, fsync on",
        "kafka": os.environ.get("KAFKA_VERSION", "Apache Kafka 4.3.1, one broker, acks=all, idempotent"),
        "faststream": version("faststream"),
        "faststream-outbox": version("faststream-outbox"),
        "aiokafka": version("aiokafka"),
        "zen-engine": version("zen-engine"),
    }


def show(rows: list[Row], kept: bool) -> None:
    table = Table("row", "what", "ours", "peer", "ratio", "promise", "", box=None)
    for row in rows:
        peer = "" if row.peer is None else f"{row.peer:,} ({row.peer_name})"
        met = "met" if row.met else "MISSED"
        table.add_row(
            row.id, row.what, f"{row.ours:,} {row.unit}", peer, str(row.ratio or ""), row.promise, met
        )
    console = Console(width=180)
    console.print(table)
    console.print("ledger clean" if kept else "LEDGER BROKEN: this run is void")


@click.command()
@click.option("--rounds", default=5, show_default=True, help="repetitions of each measurement")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="some parts only")
@click.option("--what", default="all", help="the result file's name after the date")
def main(rounds: int, only: tuple[str, ...], what: str) -> None:
    if "KAFKA_BOOTSTRAP" not in os.environ:
        raise click.UsageError("KAFKA_BOOTSTRAP must name an Apache Kafka whose topics may be deleted")
    parts = set(only or PARTS)
    say = Console(stderr=True).print
    rows: list[Row] = []
    if "idle" in parts:
        say("idle")
        rows += idle.measure()
    if "evaluate" in parts:
        say("evaluate")
        rows += evaluate.measure()
    if "what-if" in parts:
        say("what-if")
        rows += what_if.measure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        measured, ledger = runner.run(on_servers(parts, rounds, say))
    rows = sorted(rows + measured, key=lambda row: row.id)
    kept = not any(promise["broken"] for promise in ledger.values())
    result = {
        "rows": [row.as_json() for row in rows],
        "machine": machine(),
        "servers": servers(),
        "ledger": ledger,
    }
    target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{what}.json"
    target.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    show(rows, kept)
    say(f"written to {target}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
