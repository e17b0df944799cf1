"""`huiqi files`: what lies in the storages against what the databases say of it.

An object comes before its row, so one whose transaction was rolled back stays; a row without its object is a loss.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import click
from rich.console import Console
from rich.table import Table

from casework.kept_objects import Named, each_named, is_ours, named_among
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.storage import MissingObject, Storage
from huiqi.installation import Installation, find_installation, installation_options
from huiqi.parked import opened

_FEW: Final = 20
_EVERY: Final = 1_000
Found = TypeVar("Found", "Swept", "Checked")
Look = Callable[[str, Database, Storage], Awaitable[Found]]
Progress = Callable[[str], None]


@dataclass(slots=True)
class Swept:
    """What lies in one storage, in objects and bytes: `orphans` are old enough and named by no row.

    `recent` might still get a row, `foreign` are not of our making; neither is touched.
    """

    service: str
    objects: int = 0
    bytes: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    recent: int = 0
    foreign: int = 0
    deleted: int = 0


@dataclass(slots=True)
class Checked:
    """What the rows of one service name; `faults` tells the first of those that are not there as they were put."""

    service: str
    objects: int = 0
    bytes: int = 0
    broken: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, key: str, why: str) -> None:
        self.broken += 1
        if len(self.faults) < _FEW:
            self.faults.append(f"{key}: {why}")


@click.group()
def files() -> None:
    """Hold the storages against the databases, both ways."""


@files.command()
@installation_options
@click.option("--delete", is_flag=True, help="take the orphans away; without it they are only counted")
@click.option(
    "--older-than", type=click.FloatRange(min=1), default=24, show_default=True, metavar="HOURS",
    help="how old an object is before its row can come no more; longer than an upload may take (UPLOAD_TIMEOUT)",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def sweep(
    *,
    house: Path | None,
    installation_file: Path | None,
    delete: bool,
    older_than: float,
    form: Literal["text", "json"],
) -> None:
    """Find stored objects that no row names: uploads whose transaction was rolled back, exports taken away.

    Uploads that never ended are no objects: the bucket ends them by itself, see the runbook.
    """
    before = SystemClock().now() - timedelta(hours=older_than)

    def look(told: Progress) -> Look[Swept]:
        return lambda service, db, storage: swept(service, db, storage, before, delete=delete, told=told)

    found = _looked(find_installation(house, installation_file), look)
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found]))
        return
    _table(found, ("objects", "bytes", "orphans", "orphan_bytes", "recent", "foreign", "deleted"))
    if not delete and any(one.orphans for one in found):
        click.echo("nothing was deleted; --delete takes the orphans away")


@files.command()
@installation_options
@click.option("--sizes-only", is_flag=True, help="ask for the sizes, without reading every byte")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(
    *, house: Path | None, installation_file: Path | None, sizes_only: bool, form: Literal["text", "json"]
) -> None:
    """Find rows whose object is missing, or has not the size and the SHA-256 that the row says; exit 1 then."""

    def look(told: Progress) -> Look[Checked]:
        return lambda service, db, storage: checked(service, db, storage, sizes_only=sizes_only, told=told)

    found = _looked(find_installation(house, installation_file), look)
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found]))
    else:
        _table(found, ("objects", "bytes", "broken"))
        for one in found:
            for fault in one.faults:
                click.echo(f"{one.service} {fault}")
    if any(one.broken for one in found):
        raise SystemExit(1)


def _looked(installation: Installation, look: Callable[[Progress], Look[Found]]) -> list[Found]:
    if not installation.storages:
        raise click.UsageError("the installation names no storage; give one for each service under `storage`")
    if strange := sorted(installation.storages.keys() - installation.databases.keys()):
        raise click.UsageError(f"a storage is named for {', '.join(strange)}, and no database")
    try:
        with Console(stderr=True).status("looking through the storages") as status:
            return asyncio.run(_each(installation, look(status.update)))
    except Unavailable as error:
        raise click.ClickException(f"cannot be looked through: {error}") from error


async def _each(installation: Installation, look: Look[Found]) -> list[Found]:
    found = []
    for service, storage in sorted(installation.storages.items()):
        async with opened(installation, service) as db:
            found.append(await look(service, db, storage))
    return found


async def swept(
    service: str, db: Database, storage: Storage, before: datetime, *, delete: bool, told: Progress
) -> Swept:
    """Counts, and with `delete` takes away, what was put before `before` and is named by no row. Raises Unavailable.

    Rows are read after the objects were listed, so that a row that came meanwhile is seen.
    """
    found = Swept(service)
    async for batch in storage.listed():
        named = await named_among(db, [one.key for one in batch])
        for one in batch:
            found.objects += 1
            found.bytes += one.bytes
            if one.key in named:
                continue
            if not is_ours(one.key):
                found.foreign += 1
            elif one.changed_at >= before:
                found.recent += 1
            else:
                found.orphans += 1
                found.orphan_bytes += one.bytes
                if delete:
                    await storage.delete(one.key)
                    found.deleted += 1
        told(f"{service}: {found.objects:,} objects, {found.orphans:,} orphans")
    return found


async def checked(
    service: str, db: Database, storage: Storage, *, sizes_only: bool, told: Progress
) -> Checked:
    """Looks at every object that a row names. Raises Unavailable."""
    found = Checked(service)
    async for named in each_named(db):
        found.objects += 1
        found.bytes += named.bytes
        why = await _fault(storage, named, sizes_only=sizes_only)
        # An export may have been taken away since its row was read.
        if why is not None and named.key in await named_among(db, [named.key]):
            found.add(named.key, why)
        if found.objects % _EVERY == 1:
            told(f"{service}: {found.objects:,} objects, {found.broken:,} broken")
    return found


async def _fault(storage: Storage, named: Named, *, sizes_only: bool) -> str | None:
    try:
        size = await storage.size(named.key)
        if size != named.bytes:
            return f"has {size} bytes, its row says {named.bytes}"
        if sizes_only:
            return None
        digest = hashlib.sha256()
        async for piece in storage.read(named.key):
            digest.update(piece)
    except MissingObject:
        return "is missing"
    same = digest.hexdigest() == named.sha256
    return None if same else f"its SHA-256 is {digest.hexdigest()}, its row says {named.sha256}"


def _table(found: list[Any], columns: tuple[str, ...]) -> None:
    table = Table(box=None)
    table.add_column("service", no_wrap=True)
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right")
    for one in found:
        table.add_row(one.service, *(f"{getattr(one, name):,}" for name in columns))
    Console().print(table)
