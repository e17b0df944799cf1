"""`huiqi verify`: the hash chains, a draw, a certificate, a credential; exit code 1 where something does not hold."""

import asyncio
import json
import re
from pathlib import Path
from typing import BinaryIO, Literal

import click
from rich.console import Console
from rich.table import Table

from casework.draw_file import Differs, Draw
from casework.draw_file import verify as verify_draw
from casework.sample import Sample
from chassis.errors import Unavailable
from huiqi.audit import Chain, verify_chain
from huiqi.installation import Installation, find_installation, installation_options
from huiqi.ledger_reading import snapshots
from huiqi.verify_titles import certificate, credential


@click.group()
def verify() -> None:
    """Verify what was kept so that anybody can check it."""


verify.add_command(certificate)
verify.add_command(credential)


def _head(_context: click.Context, _option: click.Parameter, text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        head = bytes.fromhex(text)
    except ValueError:
        head = b""
    if len(head) != 32:
        raise click.BadParameter("a head has 64 hexadecimal digits")
    return head


@verify.command()
@installation_options
@click.option("--service", help="only this service")
@click.option("--head", callback=_head, metavar="HEX", help="a head printed earlier; it must still be a link")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def audit(
    house: Path | None,
    installation_file: Path | None,
    service: str | None,
    head: bytes | None,
    form: Literal["text", "json"],
) -> None:
    """Compute the hash chain over the events again; exit 1 on a break.

    Keep the printed head outside the database: given later with --head, it proves that nothing was cut off or
    written anew since.
    """
    installation = find_installation(house, installation_file)
    if service is not None and service not in installation.databases:
        raise click.UsageError(f"no service {service}; there are {', '.join(sorted(installation.databases))}")
    if head is not None and service is None:
        raise click.UsageError("--head belongs to one service: name it with --service")
    services = [service] if service else sorted(installation.databases)
    console = Console(stderr=True)
    try:
        with console.status("computing the chains"):
            chains = asyncio.run(_chains(installation, services, head))
    except Unavailable as error:
        raise click.ClickException(f"cannot be checked: {error}") from error
    if form == "json":
        click.echo(json.dumps([_as_json(chain) for chain in chains], ensure_ascii=False))
    else:
        _show(chains, Console())
    if any(chain.broken for chain in chains):
        raise SystemExit(1)


def _hash(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-f]{64}", text):
        raise click.BadParameter("a hash has 64 hexadecimal digits, in lower case")
    return text


@verify.command()
@click.argument("file", type=click.File("rb"))
@click.option("--seed-hash", callback=_hash, metavar="HEX", help="the hash of the seed, as it was announced")
@click.option("--pool-hash", callback=_hash, metavar="HEX", help="the hash of the pool, as it was announced")
def draw(file: BinaryIO, seed_hash: str | None, pool_hash: str | None) -> None:
    """Draw a published draw again, from FILE alone; exit 1 and the first difference where it differs.

    FILE is what `GET /v1/draws/{draw_id}` answers of panels and `GET /v1/inspection-draws/{draw_id}` of titles to be
    inspected, `-` for the standard input. A file that was made anew as a whole is found only against the hashes that
    were announced before.
    """
    try:
        found = verify_draw(file.read(), seed_hash=seed_hash, pool_hash=pool_hash)
    except Differs as error:
        click.echo(f"differs: {error}")
        raise SystemExit(1) from error
    click.echo(_said_of(found))


def _said_of(found: Draw | Sample) -> str:
    of = f"{len(found.pool.experts)} experts, " if isinstance(found, Draw) else ""
    what = f"draw {found.pool.draw_id}: {of}{len(found.pool.cases)} cases"
    hashes = f"seed hash {found.seed_hash}\npool hash {found.pool_hash}"
    if found.seed is None:
        return f"{what}, committed; the seed is not revealed yet\n{hashes}"
    if isinstance(found, Sample):
        drawn = "\n".join(str(case_id) for case_id in found.drawn)
        return f"{what}, {len(found.drawn)} drawn; each follows from the seed\n{hashes}\n{drawn}"
    recused = f", {len(found.recusals)} recused" if found.recusals else ""
    return f"{what}{recused}; every panel follows from the seed\n{hashes}"


async def _chains(installation: Installation, services: list[str], head: bytes | None) -> list[Chain]:
    async with snapshots(installation, services) as connections:
        return [await verify_chain(connections[name], name, earlier_head=head) for name in services]


def _as_json(chain: Chain) -> dict[str, object]:
    return {
        "service": chain.service,
        "links": chain.links,
        "events": chain.events,
        "waiting": chain.waiting,
        "head": chain.head.hex(),
        "broken": chain.broken,
        "breaks": chain.breaks,
    }


def _show(chains: list[Chain], console: Console) -> None:
    table = Table("service", box=None)
    for name in ("events", "links", "not yet sealed", "broken"):
        table.add_column(name, justify="right")
    for chain in chains:
        counts = (chain.events, chain.links, chain.waiting, chain.broken)
        table.add_row(chain.service, *(f"{n:,}" for n in counts))
    console.print(table)
    for chain in chains:
        console.print(f"{chain.service} head {chain.head.hex() or 'none'}", highlight=False, soft_wrap=True)
        for text in chain.breaks:
            console.print(f"{chain.service} broken: {text}", markup=False, highlight=False, soft_wrap=True)
