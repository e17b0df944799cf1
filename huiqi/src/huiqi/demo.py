"""`huiqi demo`: a plan year and a round on this machine, from the bureau's workbook to titles, banks and inboxes."""

import asyncio
import json
import time
from typing import Literal

import click
from rich.console import Console

from huiqi import up
from huiqi.demo_doors import Doors, Stopped
from huiqi.demo_progress import Progress, progress_on
from huiqi.demo_replay import Replay
from huiqi.demo_result import Result, look_back, year_end
from huiqi.demo_round import walk_round
from huiqi.demo_show import show
from huiqi.demo_year import OPENS, Year, instant, read_year
from huiqi.house import House

_INTERRUPTED = 130


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--keep", is_flag=True, help="leave it running afterwards, until Ctrl-C")
def demo(form: Literal["text", "json"], *, keep: bool) -> None:
    """Play the plan year 2009 and one round of 2016 on this machine, and say what came of it.

    Exit 1 when a promise of the ledger is broken, or something came out otherwise than meant.
    """
    began = time.monotonic()
    told = Console(stderr=True)
    try:
        year = read_year()
        with house_of(year, told) as house:
            with progress_on(told) as progress:
                result = asyncio.run(play(house, year, progress))
            result.seconds = time.monotonic() - began
            _print(result, form)
            if keep:
                up.show(house, told)
                up.wait(house)
    except KeyboardInterrupt:
        told.print("stopped; nothing is left behind")
        raise SystemExit(0 if keep else _INTERRUPTED) from None
    except Stopped as error:
        raise click.ClickException(str(error)) from error
    if not result.as_meant:
        raise SystemExit(1)


def house_of(year: Year, told: Console) -> House:
    """A house whose clock stands at the year's first day, with a topic for each bank."""
    return House(
        clock_at=instant(OPENS),
        banks=[bank.bank_id for bank in year.banks],
        started=lambda what: told.print(f"{what}: ready", highlight=False),
    )


async def play(house: House, year: Year, progress: Progress) -> Result:
    """Replays the year, walks the round and looks back. Raises Stopped."""
    async with Doors(house.addresses) as doors:
        replay = Replay(year, house, doors, progress)
        await replay.run()
        outcome = await year_end(replay)
        told = await walk_round(house, doors, progress)
        progress.step("the ledger")
        await replay.quiet("the end of the round")
        return await look_back(replay, outcome, told)


def _print(result: Result, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(result.as_json(), ensure_ascii=False))
    else:
        show(result, Console())
