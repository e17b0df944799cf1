"""`huiqi parked`: what was set aside in the services, and the operator's two answers to it."""

import asyncio
import getpass
import importlib
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import asyncpg
import click
from rich.console import Console
from rich.table import Table

from chassis import parked as chassis_parked
from chassis.database import Database
from chassis.errors import Refused, Unavailable
from chassis.identity import Actor
from chassis.inbox import Consumers
from chassis.telemetry import mask
from huiqi.installation import Installation, find_installation, installation_options

T = TypeVar("T")

_LONGEST = 4_000
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_AS = click.option(
    "--as",
    "subject",
    default=getpass.getuser,
    metavar="NAME",
    help="who decides; kept in the audit [default: you]",
)


@click.group()
def parked() -> None:
    """See, replay or discard the events that were set aside."""


@asynccontextmanager
async def opened(installation: Installation, service: str) -> AsyncIterator[Database]:
    """The service's database, to read and write. Raises Unavailable."""
    url = installation.databases[service]
    db = await Database.open(url, service=service, clock=installation.clock, pool_size=2)
    try:
        yield db
    finally:
        await db.close()


def consumers_of(service: str) -> Consumers:
    """The handlers of an installed service, as its own process has them. Raises click.UsageError."""
    package = service.replace("-", "_")
    try:
        declared = importlib.import_module(f"{package}.main").service
    except (ImportError, AttributeError) as error:
        raise click.UsageError(
            f"the code of {service} is needed here and cannot be loaded: {error}"
        ) from error
    consumers: Consumers = declared.consumers
    return consumers


def _checked(installation: Installation, service: str | None) -> list[str]:
    if service is not None and service not in installation.databases:
        raise click.UsageError(f"no service {service}; there are {', '.join(sorted(installation.databases))}")
    return [service] if service else sorted(installation.databases)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Refusals and what is unavailable become messages with exit code 1."""
    try:
        return asyncio.run(work)
    except (Refused, Unavailable) as error:
        raise click.ClickException(mask(str(error))) from error
    except asyncpg.UndefinedTableError as error:
        raise click.ClickException(f"the database is not migrated: {error}") from error


@parked.command("list")
@installation_options
@click.option("--service", help="only this service")
@_FORMAT
def list_(
    house: Path | None, installation_file: Path | None, service: str | None, form: Literal["text", "json"]
) -> None:
    """List the keys that wait for an operator, with the error of the first failed event."""
    installation = find_installation(house, installation_file)
    found = _run(_listed(installation, _checked(installation, service)))
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    if not found:
        click.echo("nothing is parked")
        return
    table = Table("service", "topic", "key", "events", "first", "reason", "since", "error", box=None)
    for row in found:
        table.add_row(*(_cell(row[name]) for name in (
            "service", "topic", "key", "events", "first_sequence", "reason", "since", "error"
        )))  # fmt: skip
    Console().print(table)


def _cell(entry: object) -> str:
    text = "–" if entry is None else str(entry)
    return text.replace("[", r"\[")


async def _listed(installation: Installation, services: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for service in services:
        async with opened(installation, service) as db:
            rows += [
                {
                    "service": service,
                    "topic": key.topic,
                    "key": key.key,
                    "events": key.events,
                    "first_sequence": key.first_sequence,
                    "reason": key.reason,
                    "error": mask(key.error),
                    "since": key.since.isoformat(timespec="seconds"),
                }
                for key in await chassis_parked.list_parked(db, service)
            ]
    return rows


@parked.command()
@installation_options
@click.argument("service")
@click.argument("topic")
@click.argument("key", required=False)
@_FORMAT
def show(
    *,
    house: Path | None,
    installation_file: Path | None,
    service: str,
    topic: str,
    key: str | None,
    form: Literal["text", "json"],
) -> None:
    """Show the parked events of one key, personal fields masked; without KEY, records that name no place."""
    installation = find_installation(house, installation_file)
    _checked(installation, service)
    found = _run(_shown(installation, service, topic, key))
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    console = Console(highlight=False)
    for row in found:
        console.print(f"id {row['id']}  number {_cell(row['sequence'])}  {row['reason']}  {row['parked_at']}")
        for name in ("error", "headers", "payload"):
            console.print(f"  {name}: {row[name]}", markup=False, soft_wrap=True)


async def _shown(
    installation: Installation, service: str, topic: str, key: str | None
) -> list[dict[str, Any]]:
    async with opened(installation, service) as db:
        rows = await chassis_parked.show_parked(db, service, topic, key)
    if not rows:
        raise chassis_parked.NotParked
    return [
        {
            "id": row["id"],
            "sequence": row["sequence"],
            "reason": row["reason"],
            "error": mask(row["error"]),
            "headers": mask(row["headers"]),
            "payload": masked(row["payload"]),
            "parked_at": row["parked_at"].isoformat(timespec="seconds"),
        }
        for row in rows
    ]


def masked(payload: bytes) -> Any:
    """A payload that may be anything, personal fields masked; one that cannot be read is cut."""
    try:
        return mask(json.loads(payload))
    except (ValueError, RecursionError):
        text: str = mask(payload)  # before it is cut: half of a number would not be known for one
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(payload)} bytes)"


@parked.command()
@installation_options
@click.argument("service")
@click.argument("topic")
@click.argument("key")
@_AS
def replay(
    *, house: Path | None, installation_file: Path | None, service: str, topic: str, key: str, subject: str
) -> None:
    """Apply the key's parked events in order; nothing is applied when one fails again."""
    installation = find_installation(house, installation_file)
    _checked(installation, service)
    consumers = consumers_of(service)

    async def work() -> int:
        async with opened(installation, service) as db:
            return await chassis_parked.replay(db, consumers, topic, key, Actor(subject, "operator"))

    applied = _run(work())
    if applied == 0:
        raise click.ClickException(
            "none can be applied: the key's next event is not here; try `huiqi reconcile`"
        )
    click.echo(f"{applied} events of {topic} {key} applied")


@parked.command()
@installation_options
@click.argument("service")
@click.argument("parked_id", metavar="ID", type=int)
@click.option("--note", required=True, help="why; kept in the audit")
@_AS
def discard(
    *,
    house: Path | None,
    installation_file: Path | None,
    service: str,
    parked_id: int,
    note: str,
    subject: str,
) -> None:
    """Give up one parked event for good; ID is that of `huiqi parked show`, the key's next event first."""
    installation = find_installation(house, installation_file)
    _checked(installation, service)
    if not note.strip():
        raise click.UsageError("--note must say why")

    async def work() -> None:
        async with opened(installation, service) as db:
            await chassis_parked.discard(db, service, parked_id, Actor(subject, "operator"), note.strip())

    _run(work())
    click.echo(f"event {parked_id} discarded; replay what waits behind it with `huiqi parked replay`")
