"""The result of the demonstration for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from huiqi.demo_result import Counts, Result
from huiqi.demo_result import Table as Breakdown
from huiqi.demo_round import Told
from huiqi.ledger_command import show as show_ledger


def show(result: Result, console: Console) -> None:
    year = result.year
    _breakdown(console, "2009: applications", "programme", year.applications)
    for line in year.unexpected:
        console.print(f"  [bold red]unexpected[/] {line}", highlight=False, soft_wrap=True)
    _plan(console, year.plan)
    _breakdown(console, "2009: referrals", "bank", year.referrals)
    _round(console, result.round)
    _breakdown(console, "notifications", "channel", result.notifications)
    if result.undelivered:
        console.print(f"  not delivered: {_counts(result.undelivered)}", highlight=False)
    _events(console, result.events)
    console.rule("ledger", align="left")
    show_ledger(result.ledger, console)
    memory = sum(result.memory.values())
    parts = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in result.memory.items())
    console.print(
        f"\n{result.seconds:.1f} s, {memory / 2**20:.0f} MiB ({parts})", highlight=False, soft_wrap=True
    )


def _round(console: Console, told: Sequence[Told]) -> None:
    console.rule("2016: a round, from the call to the certificate", align="left")
    table = Table("on", "", "who", "what", box=None)
    before = None
    for one in told:
        day = "" if one.on == before else str(one.on)
        table.add_row(day, "[green]✓[/]" if one.holds else "[bold red]✗[/]", one.who, one.what)
        before = one.on
    console.print(table, highlight=False)


def _breakdown(console: Console, title: str, rows: str, breakdown: Breakdown) -> None:
    console.rule(title, align="left")
    table = Table(rows, box=None)
    table.add_column("all", justify="right")
    table.add_column("of these")
    for name, counts in breakdown.items():
        table.add_row(name, f"{sum(counts.values()):,}", _counts(counts))
    console.print(table)


def _counts(counts: Counts) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in counts.items())


def _plan(console: Console, plan: list[dict[str, Any]]) -> None:
    console.rule("2009: the plan and what came of it", align="left")
    table = Table("target", box=None)
    for name in ("planned", "actual"):
        table.add_column(name, justify="right")
    for target in plan:
        table.add_row(target["id"], _planned(target), _actual(target))
    console.print(table)


def _planned(target: Mapping[str, Any]) -> str:
    low, high = target["min"], target["max"]
    if low is None:
        return "–"
    return str(low) if low == high else f"{low}–{high}"


def _actual(target: Mapping[str, Any]) -> str:
    actual = target["actual"]
    if actual is None:
        return "–"
    reached = target["min"] is None or actual >= target["min"]
    return f"[green]{actual}[/]" if reached else str(actual)


def _events(console: Console, events: Counts) -> None:
    console.rule("events", align="left")
    table = Table("topic", box=None)
    table.add_column("events", justify="right")
    for topic, count in events.items():
        table.add_row(topic, f"{count:,}")
    table.add_row("all", f"{sum(events.values()):,}", style="bold")
    console.print(table)
