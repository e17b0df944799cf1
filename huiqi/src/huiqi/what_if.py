"""`huiqi what-if`: the stored population judged under two editions; nothing is written."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from casework.unusable import UnusableInput
from casework.what_if import Row, Totals
from chassis.errors import Unavailable
from huiqi.installation import find_installation, installation_options
from huiqi.what_if_population import cases_of, facts_in
from huiqi.what_if_report import FORMS, Report
from huiqi.what_if_rows import Given, Judge, Question

Answer = tuple[list[Row], Totals]
_judges: dict[Question, Judge] = {}
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("what-if")
@installation_options
@click.option("--programme", required=True, help="whose rules, such as hnte")
@click.option("--level", help="where the programme has several: municipal, provincial, national")
@click.option(
    "--from", "before", type=_DAY, required=True, metavar="DATE", help="the edition in force from this day"
)
@click.option(
    "--to", "after", type=_DAY, required=True, metavar="DATE", help="the edition to compare it with"
)
@click.option(
    "--facts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="judge a file instead: JSON lines, or Parquet with the names of the facts file as columns",
)
@click.option("--changed-only", is_flag=True, help="list only those whose verdict changes")
@click.option("--format", "form", type=click.Choice(sorted(FORMS)), default="table", show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="processes that judge")
def what_if(  # noqa: PLR0917 - the command's own order
    house: Path | None, installation_file: Path | None, programme: str, level: str | None, before: datetime,
    after: datetime, facts: Path | None, changed_only: bool, form: str, jobs: int,
) -> None:  # fmt: skip
    """Judge all enterprises with a case by two editions of a programme: whose verdict changes, by which conditions.

    Of each enterprise the last application that stands is judged, with what experts and officers said of it; what they
    gave on another scale than an edition's is left out there. Nothing is written.
    """
    if facts is not None and (house is not None or installation_file is not None):
        raise click.UsageError("--facts stands instead of --house and --installation")
    question = Question(programme, level, before.date(), after.date(), changed_only)
    try:
        editions = _judge(question).editions
        report: Report = FORMS[form](sys.stdout, *editions)
        if facts is None:
            population = cases_of(find_installation(house, installation_file), programme, level)
        else:
            population = facts_in(facts)
        asyncio.run(_answer(question, population, jobs, report))
    except UnusableInput as refusal:
        raise click.UsageError(refusal.in_language("en")) from refusal
    except Unavailable as error:
        raise click.ClickException(f"cannot be read: {error}") from error


async def _answer(
    question: Question, population: AsyncIterator[list[Given]], jobs: int, report: Report
) -> None:
    """Judges chunk by chunk, as many at once as there are jobs; the order stays that of the population."""
    totals = Totals()

    async def take(answer: "asyncio.Future[Answer]") -> None:
        rows, counted = await answer
        totals.add(counted)
        report.rows(rows)

    report.begin()
    with _executor(jobs) as executor:
        waiting: deque[asyncio.Future[Answer]] = deque()
        async for chunk in population:
            waiting.append(
                asyncio.get_running_loop().run_in_executor(executor, _judge_chunk, question, chunk)
            )
            if len(waiting) > jobs:
                await take(waiting.popleft())
        while waiting:
            await take(waiting.popleft())
    report.end(totals)


@contextmanager
def _executor(jobs: int) -> Iterator[Executor]:
    made: Any = ThreadPoolExecutor(1) if jobs == 1 else ProcessPoolExecutor(jobs, get_context("spawn"))
    with made:
        yield made


def _judge_chunk(question: Question, given: Sequence[Given]) -> Answer:
    return _judge(question).answer(given)


def _judge(question: Question) -> Judge:
    """Compiled once in each process."""
    if question not in _judges:
        _judges[question] = Judge.of(question)
    return _judges[question]
