"""The services as processes of their own, each started as in production: `python -m <package>`."""

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chassis import children
from chassis.embedded import HOST, free_port

START_DEADLINE = 60.0
STOP_DEADLINE = 10.0
_ATTEMPTS = 3
_PORT_TAKEN = "address already in use"
# Services talk to this machine only, so no proxy of the environment may come between.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class NotReady(RuntimeError):
    pass


@dataclass(frozen=True, slots=True)
class Named:
    """`name` is the service's folder, group id and audience; database, package and prefix follow from it."""

    name: str

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    @property
    def prefix(self) -> str:
        return f"{self.package.upper()}_"


SERVICES = tuple(Named(name) for name in ("certification", "ip-enterprise", "finance-link", "notifier"))
GRANTING = frozenset({"certification", "ip-enterprise"})


@dataclass
class RunningService:
    """One service. It keeps its port over restarts; `settings` are its environment without HTTP_PORT."""

    named: Named
    settings: Mapping[str, str]
    log: Path
    port: int = 0
    child: children.Child | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def start(self, **extra: str) -> None:
        """Starts without waiting; `extra` are environment variables for this start only, e.g. FAILPOINTS."""
        self.port = self.port or free_port()
        env = {**self.settings, f"{self.named.prefix}HTTP_PORT": str(self.port), **extra}
        self.child = children.spawn(
            [sys.executable, "-m", self.named.package], log=self.log, env=env, cwd=self.log.parent
        )

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.child is not None:
            children.end(self.child, signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after STOP_DEADLINE seconds."""
        if self.child is not None:
            children.end(self.child, signal.SIGTERM, STOP_DEADLINE)

    def last_lines(self) -> str:
        return children.tail(self.log)

    def ready(self) -> bool:
        try:
            with _open(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def await_ready(self, deadline: float = START_DEADLINE) -> None:
        """Raises NotReady with the end of the log when the process ends or the deadline (seconds) passes."""
        for _ in range(_ATTEMPTS):
            if self.child is None:
                raise NotReady(f"{self.named.name} was not started")
            try:
                if children.await_that(self.ready, self.child, deadline, pause=0.05):
                    return
            except TimeoutError:
                break
            if _PORT_TAKEN not in self.last_lines():
                break
            self.port = 0
            self.start()
        raise NotReady(f"{self.named.name} is not ready:\n{self.last_lines()}")


def await_all(services: Iterable[RunningService], deadline: float = START_DEADLINE) -> None:
    until = time.monotonic() + deadline
    for service in services:
        service.await_ready(max(0.1, until - time.monotonic()))


def stop_all(services: Iterable[RunningService]) -> None:
    """All at once, and each is told once: a second SIGTERM would cut its winding down short."""
    running = [service.child for service in services if service.child is not None]
    for child in running:
        children.tell(child, signal.SIGTERM)
    until = time.monotonic() + STOP_DEADLINE
    for child in running:
        children.await_end(child, max(0.0, until - time.monotonic()))


def environment_without(named: Iterable[Named]) -> dict[str, str]:
    """Our environment without any service's settings: what a developer has exported must not leak in.

    Bytecode is written whatever the environment says: compiling at each start would double the time it takes.
    """
    prefixes = (*(service.prefix for service in named), "PYTHONDONTWRITEBYTECODE")
    ours = {name: text for name, text in os.environ.items() if not name.upper().startswith(prefixes)}
    return ours | {"PYTHONSAFEPATH": "1"}
