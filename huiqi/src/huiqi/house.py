"""The whole house on one machine: servers, topics, databases, the services; started together, gone together."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Self

from chassis import kafka_admin
from chassis.auth import DevelopmentIssuer
from chassis.children import Scratch
from chassis.embedded import EmbeddedBroker, EmbeddedPostgres
from chassis.kafka_admin import Broker
from chassis.topics import load_topics
from huiqi.addresses import PREFIX, Addresses, MailAddress, ServiceAddress
from huiqi.mail import MailSink, mail_sink
from huiqi.services import GRANTING, SERVICES, Named, RunningService, await_all, environment_without, stop_all

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
Settings = dict[str, str]


class House:
    """A context manager, for the main thread. Everything it starts ends with the block, or when we are killed.

    `clock_at` gives the services a clock that stands there until `set_clock` moves it; None is the time of day.
    `banks` get their topics; `broker` replaces the embedded one, `postgres` some settings of PostgreSQL. `settle`
    may change the environment with which a service is started. `started` is told each step.
    """

    def __init__(
        self,
        *,
        services: Sequence[Named] = SERVICES,
        clock_at: datetime | None = None,
        banks: Sequence[str] = (),
        broker: Broker | None = None,
        fsync: bool = True,
        postgres: Mapping[str, str] | None = None,
        settle: Callable[[Named, Settings], Settings] = lambda _named, settings: settings,
        started: Callable[[str], None] = lambda _what: None,
    ) -> None:
        self._named = services
        self._clock_at = clock_at
        self._banks = banks
        self._given_broker = broker
        self._fsync = fsync
        self._postgres_settings = postgres
        self._settle = settle
        self._started = started
        self._stack = ExitStack()
        self._handlers: dict[signal.Signals, object] = {}
        self.services: dict[str, RunningService] = {}
        self.directory: Path
        self.postgres: EmbeddedPostgres
        self.broker: Broker
        self.mail: MailSink
        self.issuer: DevelopmentIssuer
        self.addresses: Addresses

    def __enter__(self) -> Self:
        self._end_on_signals()
        try:
            self._start_servers()
            self._start_services()
            self._write_addresses()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def clock_file(self) -> Path | None:
        return self.directory / "clock" if self._clock_at else None

    def set_clock(self, at: datetime) -> None:
        """Moves the clock of all services. Raises ValueError in a house that keeps the time of day."""
        if self.clock_file is None:
            raise ValueError("this house keeps the time of day")
        part = self.directory / ".clock"
        part.write_text(at.astimezone(UTC).isoformat(), encoding="utf-8")
        part.rename(self.clock_file)

    def memory(self) -> dict[str, int]:
        """Proportional set size in bytes by part, our own process included; empty where the kernel does not tell."""
        roots = {
            name: service.child.pid for name, service in self.services.items() if service.child is not None
        }
        roots["postgres"] = self.postgres.pid
        if isinstance(self.broker, EmbeddedBroker):
            roots["broker"] = self.broker.pid
        found = {name: sum(map(_pss, _family(pid))) for name, pid in roots.items()}
        found["huiqi"] = _pss(os.getpid())
        return {name: size for name, size in found.items() if size}

    def _start_servers(self) -> None:
        self.directory = self._stack.enter_context(Scratch(PREFIX))
        logs = self.directory / "logs"
        logs.mkdir()
        self.issuer = DevelopmentIssuer(self.directory / "issuer")
        if self._clock_at is not None:
            self.set_clock(self._clock_at)
        self.postgres = self._stack.enter_context(
            EmbeddedPostgres(self.directory / "postgres", fsync=self._fsync, settings=self._postgres_settings)
        )
        self._started("PostgreSQL")
        if self._given_broker is None:
            self.broker = self._stack.enter_context(EmbeddedBroker(self.directory / "broker"))
        else:
            self.broker = self._given_broker
        self.mail = self._stack.enter_context(mail_sink(self.directory / "mail"))
        with ThreadPoolExecutor(1) as apart:  # whoever starts a house may have an event loop running here
            apart.submit(asyncio.run, kafka_admin.create_topics(self.broker.client, self.topics())).result()
        self._started("broker")

    def topics(self) -> dict[str, int]:
        """The topics that the services need, with their numbers of partitions."""
        topics: dict[str, int] = {}
        for name, topic in load_topics().items():
            names = [name.format(bank_id=bank) for bank in self._banks] if topic.is_template else [name]
            topics |= dict.fromkeys(names, topic.partitions)
        return topics

    def _start_services(self) -> None:
        inherited = environment_without(self._named)
        self._stack.callback(lambda: stop_all(self.services.values()))
        for named in self._named:
            settings = inherited | self._settle(named, self._settings(named))
            service = RunningService(named, settings, self.directory / "logs" / f"{named.name}.log")
            self.services[named.name] = service
            service.start()
        await_all(self.services.values())
        self._started("services")

    def _settings(self, named: Named) -> Settings:
        settings = {
            "ENVIRONMENT": "development",
            "DATABASE_URL": self.postgres.create_database(named.package),
            "ISSUER": self.issuer.name,
            "AUDIENCE": named.name,
            "JWKS_URL": self.issuer.jwks_url,
            "STORAGE": self._storage_of(named),
            "SHUTDOWN_DEADLINE": "2",  # for each of four tasks; together below STOP_DEADLINE
        }
        if named.name in GRANTING:
            settings["DEVELOPMENT_KEYS"] = str(self.directory / "keys" / named.name)
        if self.clock_file is not None:
            settings["CLOCK_FILE"] = str(self.clock_file)
        if named.name == "notifier":
            settings |= {
                "SMTP_HOST": self.mail.host,
                "SMTP_PORT": str(self.mail.port),
                "SMTP_STARTTLS": "false",
                "MAIL_FROM": "huiqi@huiqi.example",
            }
        ours = {f"{named.prefix}{name}": setting for name, setting in settings.items()}
        return ours | self.broker.environment(named.prefix) | {"PYTHONUNBUFFERED": "1"}

    def _storage_of(self, named: Named) -> str:
        return (self.directory / "storage" / named.name).as_uri()

    def _write_addresses(self) -> None:
        services = {
            name: ServiceAddress(
                url=service.url,
                database=self.postgres.dsn(service.named.package),
                log=service.log,
                storage=self._storage_of(service.named) if name in GRANTING else None,
            )
            for name, service in self.services.items()
        }
        self.addresses = Addresses(
            directory=self.directory,
            pid=os.getpid(),
            services=services,
            kafka=self.broker.client,
            mail=MailAddress(host=self.mail.host, port=self.mail.port, folder=self.mail.folder),
            issuer=self.directory / "issuer",
            clock=self.clock_file,
        )
        self.addresses.write()

    def _end_on_signals(self) -> None:
        """A signal that would end us ends the block instead, unless somebody else already listens for it."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a house is started from the main thread")
        for number in _SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                self._handlers[number] = signal.signal(number, _leave)

    def _close(self) -> None:
        impatient = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *_SIGNALS)}
        try:
            self._stack.close()
        finally:
            for number, handler in (impatient | self._handlers).items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() once returned


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _family(pid: int) -> Iterable[int]:
    yield pid
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if listed.exists():
        for child in listed.read_text().split():
            yield from _family(int(child))


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
