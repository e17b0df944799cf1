"""The chaos rig: `make chaos`. Faults from seeds against the real services, then every promise is checked.

Embedded servers unless KAFKA_BOOTSTRAP names a Kafka, whose topics are deleted. CHAOS_KAFKA_CONTROL names a command
that takes `kill|stop|start|pause|resume NODE` and does so to that Kafka's brokers.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rig.brokers import given_control
from rig.faults import FAULTS
from rig.report import by_promise, by_seed, summary
from rig.run import Orders, Result, run_seeds

from chassis.testing import given_kafka

_err = Console(stderr=True)
# Only when named: after it the embedded broker at times gives a group no more of a partition.
_NAMED_ONLY = frozenset({"broker-emptied"})


@click.command(help=__doc__)
@click.option("--seed", type=int, help="this seed alone")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="seeds 1 to N")
@click.option(
    "--seconds", type=click.FloatRange(1), default=30.0, show_default=True, help="of faults, a seed"
)
@click.option("--houses", type=click.IntRange(1), help="how many; a house of its own for each seed if absent")
@click.option("--fault", "chosen", multiple=True, type=click.Choice(sorted(FAULTS)), help="these only")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="the JSON object, into a file too"
)
def main(
    *, seed: int | None, seeds: int, seconds: float, houses: int | None, chosen: Sequence[str], form: str,
    out: Path | None,
) -> None:  # fmt: skip
    faults = {
        name: fault for name, fault in FAULTS.items() if name in (chosen or FAULTS.keys() - _NAMED_ONLY)
    }
    orders = Orders(seconds, faults, alone=chosen[0] if len(chosen) == 1 else None, say=_err.print)
    left = [seed] if seed is not None else list(range(1, seeds + 1))
    in_one_house = -(-len(left) // houses) if houses else 1
    struck: list[Result] = []
    while left:
        for result in run_seeds(left[:in_one_house], orders, given_kafka(), given_control()):
            left.remove(result.seed)
            struck.append(result)
            _tell(result)
            if out is not None:  # after each seed: a long run may be ended early
                out.write_text(_written(summary(struck)) + "\n", encoding="utf-8")
    found = summary(struck)
    if form == "json":
        print(_written(found))  # noqa: T201
    else:
        Console(width=160).print(by_seed(struck), "", by_promise(found))
    sys.exit(1 if found["broken"] else 0)


def _written(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1, default=str)


def _tell(result: Result) -> None:
    _err.print(by_seed([result]))
    for finding in result.findings[:5]:
        _err.print(f"  {finding}")


if __name__ == "__main__":
    main()
