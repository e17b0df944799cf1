"""`huiqi import`: a bureau's workbook, or a list of decisions, into a running house, looked through first."""

from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import click
import httpx
from rich.console import Console
from rich.table import Table

from chassis.auth import DevelopmentIssuer
from huiqi.addresses import Addresses, house_option

_TIMEOUT = 120.0
_REPORT = "refusals"
_NOT_COUNTS = ("dry_run", "imported", "rows", "sha256", "decisions", _REPORT)


@click.command("import")
@house_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--apply", "apply", is_flag=True, help="take it in; without this it is only looked through")
@click.option(
    "--service", type=click.Choice(["certification", "ip-enterprise"]), default="certification", show_default=True,
    help="certification: enterprises and their facts; ip-enterprise: the register of IP assets",
)  # fmt: skip
@click.option(
    "--round",
    "round_id",
    type=click.UUID,
    help="FILE is the recognition authority's list that decides this round",
)
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True)
@click.option("--subject", default="operator", show_default=True, help="who it is; appears in the audit")
def import_(
    house: Addresses,
    file: Path,
    *,
    apply: bool,
    service: str,
    round_id: UUID | None,
    language: Literal["zh-CN", "en"],
    subject: str,
) -> None:
    """Take in FILE, all of it or nothing. A dry run unless --apply is given.

    Exit 1 when a row is refused; each is named with sheet, row, column and reason.
    """
    token = DevelopmentIssuer(house.issuer).token(subject, "officer", service)
    console = Console()
    door = "imports" if round_id is None else f"rounds/{round_id}/decision-list"
    report = _send(f"{house.services[service].url}/v1/{door}", file, token, language, apply=apply)
    _show(report, console, applied=apply)
    if report[_REPORT]:
        raise SystemExit(1)


def _send(url: str, file: Path, token: str, language: str, *, apply: bool) -> dict[str, Any]:
    """The report. Raises click.ClickException when the service gives none."""
    try:
        answer = httpx.post(
            url, content=file.read_bytes(), params={"dry_run": str(not apply).lower()}, timeout=_TIMEOUT,
            headers={"Authorization": f"Bearer {token}", "Accept-Language": language}, trust_env=False,
        )  # fmt: skip
        report = answer.json()
    except (httpx.TransportError, ValueError) as error:
        raise click.ClickException(f"{url} gives no answer: {error!r}") from error
    if not isinstance(report, dict) or _REPORT not in report:
        raise click.ClickException(f"{answer.status_code}: {report.get('detail', report)}")
    return report


def _show(report: dict[str, Any], console: Console, *, applied: bool) -> None:
    rows = "，".join(f"{sheet} {count:,}" for sheet, count in report["rows"].items())
    console.print(f"rows: {rows or 0}", highlight=False, soft_wrap=True)
    if report[_REPORT]:
        _show_refusals(report[_REPORT], console)
        console.print(f"[bold red]refused[/]: {len(report[_REPORT]):,} reasons; nothing was taken in")
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in report.items() if name not in _NOT_COUNTS)
    done = "taken in" if applied else "looked through, nothing kept; --apply takes it in"
    console.print(f"{counts}: {done}", highlight=False, soft_wrap=True)


def _show_refusals(refusals: list[dict[str, Any]], console: Console) -> None:
    table = Table("sheet", box=None)
    table.add_column("row", justify="right")
    for name in ("column", "cell", "reason"):
        table.add_column(name, overflow="fold")
    table.add_column("rule", no_wrap=True)
    for refusal in refusals:
        table.add_row(*("" if refusal[n] is None else str(refusal[n]) for n in ("sheet", "row", "column", "cell", "reason", "rule")))  # fmt: skip
    console.print(table, markup=False)
