"""`huiqi up`: the services, left running."""

import time
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

from chassis.embedded import EmbeddedBroker, EmbeddedPostgres
from huiqi.house import House

_PAUSE = 0.5


@click.command()
@click.option(
    "--clock", "clock_at", type=click.DateTime(), help="the services' date and time, to be moved by hand"
)
@click.option("--bank", "banks", multiple=True, help="a bank that gets a topic of its own; may be repeated")
def up(clock_at: datetime | None, banks: tuple[str, ...]) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    console = Console()
    try:
        with (
            console.status("starting") as status,
            House(
                clock_at=clock_at, banks=banks, started=lambda what: status.update(f"{what}: ready")
            ) as house,
        ):
            status.stop()
            show(house, console)
            wait(house)
    except KeyboardInterrupt:
        console.print("stopped")


def show(house: House, console: Console) -> None:
    """Prints where everything is reached."""
    table = Table("service", "API documentation", "memory", box=None)
    memory = house.memory()
    for name, service in house.addresses.services.items():
        table.add_row(name, service.docs, _megabytes(memory.get(name)))
    console.print(table)
    console.print(f"all together {_megabytes(sum(memory.values()))}; mails in {house.mail.folder}")
    console.print(f"other commands find it by themselves, or with --house {house.directory}; Ctrl-C stops it")


def _megabytes(size: int | None) -> str:
    return f"{size / 2**20:.0f} MiB" if size else "–"


def wait(house: House) -> None:
    """Until a signal. Raises click.ClickException when a service or a server ends by itself."""
    while True:
        for name, server in (("PostgreSQL", house.postgres), ("the broker", house.broker)):
            if isinstance(server, EmbeddedPostgres | EmbeddedBroker) and not server.running:
                raise click.ClickException(f"{name} has ended")
        for name, service in house.services.items():
            if not service.running:
                raise click.ClickException(f"{name} has ended:\n{service.last_lines()}")
        time.sleep(_PAUSE)
