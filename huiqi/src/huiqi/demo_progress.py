"""How the demo says where it is: a bar on a terminal, plain lines elsewhere; always on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


class Progress(Protocol):
    def step(self, what: str) -> None:
        """Something of unknown length begins."""

    def day(self, on: date, what: str, done: float, /) -> None:
        """A day begins; `done` is the share of the days so far."""


class Silent:
    def step(self, what: str) -> None:
        pass

    def day(self, on: date, what: str, done: float) -> None:
        pass


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, what: str) -> None:
        self._console.print(what, highlight=False)

    def day(self, on: date, what: str, _done: float) -> None:
        self._console.print(f"{on}  {what}", highlight=False, soft_wrap=True)


class _OnTerminal:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0, what="")

    def step(self, what: str) -> None:
        self._bar.update(self._task, description="", what=what)

    def day(self, on: date, what: str, done: float) -> None:
        self._bar.update(self._task, description=str(on), what=what, completed=done)


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("{task.description} {task.fields[what]}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        yield _OnTerminal(bar)
