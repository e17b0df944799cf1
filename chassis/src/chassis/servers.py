"""What the embedded servers have in common: one child process each, on a loopback port that it keeps."""

import importlib.util
import os
import random
import signal
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from chassis import children

HOST = "127.0.0.1"
START_DEADLINE = 30.0
_ATTEMPTS = 5
# Below the ephemeral ports: a client that keeps dialling a stopped server's port must not get it as its own.
_PORTS = range(21_000, 29_000)


class NotStarted(RuntimeError):
    pass


def free_port() -> int:
    """A loopback port that nothing listens on now; whoever binds it may still lose the race and must retry."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port


class Server(ABC):
    """One child process on a port that it keeps over restarts, with its files under `directory`."""

    name: str
    death_signal = signal.SIGKILL

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / f"{self.name}.log"
        self.port = 0
        self._child: children.Child | None = None

    @abstractmethod
    def _spawn(self) -> children.Child: ...

    @abstractmethod
    def answers(self) -> bool: ...

    @property
    def pid(self) -> int:
        if self._child is None:
            raise NotStarted(self.name)
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def begin(self) -> None:
        """Starts again, on its port, without waiting for the first answer."""
        if not self.running:
            self._child = self._spawn()

    def start(self) -> None:
        """Returns when the server answers. Raises NotStarted with the end of its log."""
        if self.running:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        keeps_port = self.port != 0
        for attempt in range(_ATTEMPTS):
            time.sleep(0.1 * attempt)
            self.port = self.port if keeps_port else free_port()
            self._child = self._spawn()
            if children.await_that(self.answers, self._child, START_DEADLINE):
                return
        raise NotStarted(f"{self.name} does not start:\n{children.tail(self.log)}")

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._child is not None:
            children.end(self._child, signal.SIGKILL)

    @abstractmethod
    def stop(self) -> None: ...

    def pause(self) -> None:
        """Freezes the server: connections stay open and nothing answers."""
        for pid in (self.pid, *_children_of(self.pid)):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in (*_children_of(self.pid), self.pid):
            os.kill(pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def exchange(port: int, request: bytes, size: int) -> bytes:
    """Sends a request on a connection of its own and returns the first `size` bytes, fewer when there are none."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(request)
            return connection.recv(size, socket.MSG_WAITALL)
    except OSError:
        return b""


def _children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def inside(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise NotStarted(
            f"{package} is not installed: the embedded servers come with huiqi-chassis[embedded]"
        )
    return Path(spec.origin).parent / path
