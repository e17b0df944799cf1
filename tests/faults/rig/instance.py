"""One process of a service, and what can be done to it."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from chassis import children
from huiqi.services import NotReady, RunningService
from rig.proxy import Proxy

STOP_DEADLINE = 3.0
_PAUSE = 0.05


@dataclass(eq=False)
class Instance:
    """`name` is the service's, with "-2" for the second process. `extra` is what it was started with besides."""

    service: str
    name: str
    proxy: Proxy
    process: RunningService
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def prefix(self) -> str:
        return self.process.named.prefix

    @property
    def running(self) -> bool:
        return self.process.running

    @property
    def paused(self) -> bool:
        """Frozen, whoever did it: by a signal of ours, or by itself at a failpoint."""
        return self.running and _state(self.pid) == "T"

    @property
    def pid(self) -> int:
        if self.process.child is None:
            raise NotReady(f"{self.name} was never started")
        return self.process.child.pid

    def start(self, **env: str) -> None:
        """Starts without waiting, with these variables for this time only; a process that still runs is killed."""
        self.kill()
        self.extra = dict(env)
        self.process.start(**env)

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()

    def pause(self) -> None:
        self._tell(signal.SIGSTOP)

    def resume(self) -> None:
        self._tell(signal.SIGCONT)

    def await_ready(self, deadline: float = 60) -> None:
        self.process.await_ready(deadline)

    async def stopped(self) -> None:
        """SIGTERM, and SIGKILL after STOP_DEADLINE; the loop goes on meanwhile."""
        child = self.process.child
        if child is None:
            return
        children.tell(child, signal.SIGTERM)
        until = time.monotonic() + STOP_DEADLINE
        while child.poll() is None and time.monotonic() < until:
            await asyncio.sleep(_PAUSE)
        if child.poll() is None:
            children.end(child, signal.SIGKILL)

    async def until_paused_or_gone(self, seconds: float) -> bool:
        """Whether a failpoint was reached that ends or freezes it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.running or self.paused:
                return True
            await asyncio.sleep(_PAUSE)
        return False

    async def up_or_ended(self, seconds: float = 20) -> None:
        """Waits until it answers, or until a failpoint has ended or frozen it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.running and not self.paused:
            if await asyncio.to_thread(self.process.ready):
                return
            await asyncio.sleep(_PAUSE)

    def back(self) -> None:
        """It runs, as it should, without waiting: resumed when frozen, started anew when gone or armed."""
        if not self.running or self.extra:
            self.start()
        elif self.paused:
            self.resume()

    async def ready(self, seconds: float = 8) -> bool:
        """Waits for it to answer; whether it does. What else strikes it meanwhile is another's."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.running and await asyncio.to_thread(self.process.ready):
                return True
            await asyncio.sleep(_PAUSE)
        return False

    def _tell(self, what: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, what)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
