"""`huiqi ledger`: the table of promises, and exit code 1 when one is broken."""

import asyncio
import json
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.table import Table

from chassis.errors import Unavailable
from huiqi.installation import find_installation, installation_options
from huiqi.ledger import Ledger, check
from huiqi.promises import Finding, Promise

_FEW = 5


@click.command()
@installation_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--wait", type=click.FloatRange(min=0), default=0, metavar="SECONDS", help="first wait until all is quiet"
)
def ledger(
    house: Path | None, installation_file: Path | None, form: Literal["text", "json"], wait: float
) -> None:
    """Check the promises I1 to I8 over all databases and topics; exit 1 when one is broken.

    The promises hold when nothing is under way: give --wait while the services work.
    """
    installation = find_installation(house, installation_file)
    try:
        found = asyncio.run(check(installation, wait=wait))
    except Unavailable as error:
        raise click.ClickException(f"cannot be checked: {error}") from error
    if form == "json":
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, default=str))
    else:
        show(found, Console())
    if not found.kept:
        raise SystemExit(1)


def show(found: Ledger, console: Console) -> None:
    table = Table("", "promise", box=None)
    table.add_column("checked", justify="right")
    table.add_column("broken", justify="right")
    for name, promise in found.promises.items():
        broken = f"[bold red]{promise.broken:,}[/]" if promise.broken else "0"
        table.add_row(name, promise.text, f"{promise.checked:,}", broken)
    console.print(table)
    for promise in found.promises.values():
        _details(promise, console)


def _details(promise: Promise, console: Console) -> None:
    for finding in promise.findings[:_FEW]:
        console.print(f"{promise.id} [red]broken[/]:", soft_wrap=True, end=" ")
        console.print(_line(finding), markup=False, highlight=False, soft_wrap=True)
    if promise.broken > len(promise.findings[:_FEW]):
        rest = promise.broken - len(promise.findings[:_FEW])
        console.print(
            f"{promise.id}: and {rest:,} more; --format json shows up to 20 findings", highlight=False
        )
    for note in promise.notes:
        console.print(f"{promise.id}: {note}", markup=False, highlight=False, soft_wrap=True)


def _line(finding: Finding) -> str:
    where = " ".join(
        f"{name}={entry}" for name, entry in finding.items() if name != "why" and entry is not None
    )
    return f"{finding['why']} ({where})" if where else str(finding["why"])
