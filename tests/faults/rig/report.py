"""What the runs gave: a table per seed, and one JSON object."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from huiqi.promises import TEXTS
from rig.run import Result

MOST_FINDINGS = 10


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """`{"seeds", "faults", "requests", "events", "promises", "recovery_seconds", "broken", "unavailable"}`.

    `recovery_seconds` holds p50 and max over the seeds that came to rest, null where none did.
    """
    faults: Counter[str] = Counter()
    for result in results:
        faults.update(result.faults)
    rested = [result.recovery for result in results if result.recovery is not None]
    return {
        "seeds": len(results),
        "faults": dict(sorted(faults.items())),
        "requests": sum(result.requests for result in results),
        "events": sum(result.events for result in results),
        "promises": {name: _sum(name, results) for name in TEXTS},
        "recovery_seconds": {
            "p50": round(statistics.median(rested), 1) if rested else None,
            "max": round(max(rested), 1) if rested else None,
        },
        "broken": [_broken(result) for result in results if result.broken],
        "unavailable": sorted({name for result in results for name in result.unavailable}),
    }


def _sum(name: str, results: Sequence[Result]) -> dict[str, int]:
    found = [result.promises[name] for result in results]
    return {count: sum(promise[count] for promise in found) for count in ("checked", "broken")}


def _broken(result: Result) -> dict[str, Any]:
    return {
        "seed": result.seed,
        "plan": result.plan,
        "promises": result.broken,
        "kept": str(result.kept),
        "findings": result.findings[:MOST_FINDINGS],
    }


def by_seed(results: Sequence[Result]) -> Table:
    table = Table("seed", "faults", "strikes", "requests", "events", "at rest after", "promises", box=None)
    for result in results:
        rest = "not in time" if result.recovery is None else f"{result.recovery:.1f} s"
        kept = f"BROKEN: {', '.join(result.broken)}" if result.broken else "kept"
        strikes = str(sum(result.faults.values()))
        table.add_row(
            str(result.seed), result.plan, strikes, f"{result.requests:,}", f"{result.events:,}", rest, kept
        )
    return table


def by_promise(found: dict[str, Any]) -> Table:
    table = Table("promise", "", "checked", "broken", box=None)
    for name, text in TEXTS.items():
        promise = found["promises"][name]
        table.add_row(name, text, f"{promise['checked']:,}", f"{promise['broken']:,}")
    return table
