"""Where a running house is reached: the file it leaves in its directory, and how commands find that."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ConfigDict

PREFIX = "huiqi-house-"
FILE = "house.json"
Command = TypeVar("Command", bound=Callable[..., Any])


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceAddress(_Read):
    url: str
    database: str
    log: Path
    storage: str | None = None

    @property
    def docs(self) -> str:
        return f"{self.url}/docs"


class MailAddress(_Read):
    host: str
    port: int
    folder: Path


class Addresses(_Read):
    """`database` and `kafka` (arguments for aiokafka clients) carry passwords: the file is for its owner only."""

    directory: Path
    pid: int
    services: dict[str, ServiceAddress]
    kafka: dict[str, Any]
    mail: MailAddress
    issuer: Path
    clock: Path | None

    def write(self) -> None:
        part = self.directory / f".{FILE}"
        part.touch(mode=0o600)
        part.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        part.rename(self.directory / FILE)

    @classmethod
    def read(cls, directory: Path) -> "Addresses":
        return cls.model_validate_json((directory / FILE).read_bytes())


def standing() -> list[Addresses]:
    """The houses of this user that run now on this machine."""
    found = []
    for file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{FILE}"):
        try:
            if file.stat().st_uid == os.getuid():
                found.append(Addresses.read(file.parent))
        except (FileNotFoundError, PermissionError):
            continue
    return [
        house for house in found if Path(f"/proc/{house.pid}").exists() or not Path("/proc/self").exists()
    ]


def find(directory: Path | None) -> Addresses:
    """The house in `directory`, or the only one that runs. Raises click.UsageError when that is not clear."""
    if directory is not None:
        if not (directory / FILE).exists():
            raise click.UsageError(f"no house runs in {directory}")
        return Addresses.read(directory)
    houses = standing()
    if len(houses) != 1:
        running = ", ".join(str(house.directory) for house in houses) or "none; `huiqi up` starts one"
        raise click.UsageError(f"which house? --house DIR or HUIQI_HOUSE names it; running: {running}")
    return houses[0]


def house_option(command: Command) -> Command:
    """`--house DIR` (HUIQI_HOUSE); the command receives `house: Addresses`."""
    return click.option(
        "--house",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="HUIQI_HOUSE",
        callback=lambda _context, _option, directory: find(directory),
        help="directory of a running house, when more than one runs",
    )(command)
