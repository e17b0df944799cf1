"""What the rig stands on: a house whose services run twice, each reaching its database through a proxy of ours."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

from chassis.kafka_admin import Broker
from chassis.servers import HOST
from huiqi.house import House, Settings
from huiqi.installation import Installation
from huiqi.services import SERVICES, Named, await_all, stop_all
from rig.brokers import BrokerControl, control_of
from rig.healing import heal, thaw
from rig.instance import Instance
from rig.proxy import Proxy

# Seconds, so short that a strike of some seconds outlasts each of them. A shorter session would end members that only
# wait for a processor.
_HASTY: Final = {
    "RELAY_LEASE": "2", "WORK_LEASE": "15", "KAFKA_MAX_POLL_INTERVAL": "6", "KAFKA_SESSION_TIMEOUT": "6",
}  # fmt: skip
_OF_NOTIFIER: Final = {"SMTP_TIMEOUT": "5", "MAIL_FIRST_DELAY": "2"}


class Standing:
    """A context manager, for the main thread. See `Instance` for what can be done to each process.

    `environment` holds variables for every process. `foreign` names the records (topic, partition, offset) that
    faults have put on topics, `held` the keys (listener, topic, key) that they made unservable on purpose.
    """

    def __init__(
        self,
        directory_kept: Path | None,
        *,
        clock_at: datetime,
        broker: Broker | None,
        control: BrokerControl | None,
        banks: Sequence[str],
        doubled: Sequence[str] = ("certification", "finance-link", "notifier"),
        services: Sequence[Named] = SERVICES,
        environment: Mapping[str, str] = {},
        fsync: bool = True,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.banks = tuple(banks)
        self.instances: dict[str, Instance] = {}
        self.foreign: set[tuple[str, int, int]] = set()
        self.held: set[tuple[str, str, str]] = set()
        self.frozen_backends: set[int] = set()
        self.emptied = False  # a topic was made anew: whoever runs it must reconcile once more at the end
        self.broker_turn = asyncio.Lock()
        self.database_turn = asyncio.Lock()
        self.notes: list[str] = []
        self.broker: BrokerControl
        self._control = control
        self._doubled = tuple(doubled)
        self._environment = dict(environment)
        self._kept = directory_kept
        self._say = say
        self._began = time.monotonic()
        self._stack = ExitStack()
        self._proxies: dict[str, Proxy] = {}
        self._busy: set[str] = set()
        self.house = House(
            services=services, clock_at=clock_at, banks=banks, broker=broker, fsync=fsync, settle=self._settle,
            postgres={"max_connections": "100"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.house)
            self.broker = self._control or control_of(self.house.broker)
            self._stack.callback(self._thaw)
            for name, process in self.house.services.items():
                self.instances[name] = Instance(name, name, self._proxies[name], process)
            for name in self._doubled:
                self._double(name)
            self._stack.callback(lambda: stop_all(i.process for i in self.instances.values()))
            await_all(instance.process for instance in self.instances.values())
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def of(self, service: str) -> list[Instance]:
        return [instance for instance in self.instances.values() if instance.service == service]

    def urls(self, service: str) -> list[str]:
        return [instance.url for instance in self.of(service)]

    def database(self, service: str) -> str:
        """The URL of a service's database, past the proxies."""
        return self.house.addresses.services[service].database

    def installation(self) -> Installation:
        """What the ledger reads, past the proxies."""
        return Installation.of_house(self.house.addresses)

    def token(
        self,
        service: str,
        role: str,
        *,
        enterprise_id: str | None = None,
        bank_id: str | None = None,
        subject: str = "li",
    ) -> str:
        return self.house.issuer.token(subject, role, service, enterprise_id=enterprise_id, bank_id=bank_id)

    @property
    def kafka(self) -> dict[str, Any]:
        """Arguments for an aiokafka client of the rig's own."""
        return self.house.broker.client

    def note(self, text: str) -> None:
        """A line for people, kept in the log of the run."""
        line = f"{time.monotonic() - self._began:7.2f} s  {text}"
        self.notes.append(line)
        self._say(line)
        for folder in filter(None, (self._kept, self.house.directory / "logs")):
            with (folder / "run.log").open("a", encoding="utf-8") as log:
                log.write(line + "\n")

    @asynccontextmanager
    async def taken(self, *instances: Instance) -> AsyncIterator[None]:
        """Nobody else strikes these meanwhile; afterwards they run, without failpoints, as far as the world lets them."""
        self._busy |= {instance.name for instance in instances}
        try:
            yield
        finally:
            for instance in instances:
                instance.proxy.let_pass()
                instance.back()
            self._busy -= {instance.name for instance in instances}
        for instance, is_ready in zip(
            instances, await asyncio.gather(*(instance.ready() for instance in instances)), strict=True
        ):
            if not is_ready:
                self.note(f"{instance.name} is not ready yet")

    def choose(self, chance: random.Random, *services: str) -> Instance | None:
        """An instance, of these services if some are named, that nobody strikes at the moment; None while there is none."""
        free = [i for i in self.instances.values() if not services or i.service in services]
        free = [i for i in free if i.name not in self._busy]
        return chance.choice(free) if free else None

    def choose_pair(self, chance: random.Random) -> list[Instance]:
        """Both instances of a doubled service that nobody strikes at the moment; empty while there is none."""
        pairs = [self.of(service) for service in self._doubled]
        free = [pair for pair in pairs if not self._busy & {instance.name for instance in pair}]
        return chance.choice(free) if free else []

    def heal(self) -> None:
        """Everything runs as it should and is ready. Idempotent; for the main thread. Raises NotReady."""
        heal(self)

    def _settle(self, named: Named, settings: Settings) -> Settings:
        proxy = self._stack.enter_context(Proxy(self.house.postgres.port))
        self._proxies[named.name] = proxy
        hasty = _HASTY | (_OF_NOTIFIER if named.name == "notifier" else {})
        ours = {f"{named.prefix}{name}": text for name, text in hasty.items()}
        return self._through(proxy, named, settings) | ours | self._environment

    @staticmethod
    def _through(proxy: Proxy, named: Named, settings: Settings) -> Settings:
        name = f"{named.prefix}DATABASE_URL"
        url = urlsplit(settings[name])
        user = url.netloc.rpartition("@")[0]
        return settings | {name: urlunsplit(url._replace(netloc=f"{user}@{HOST}:{proxy.port}"))}

    def _double(self, service: str) -> None:
        first = self.instances[service].process
        proxy = self._stack.enter_context(Proxy(self.house.postgres.port))
        settings = self._through(proxy, first.named, dict(first.settings))
        name = f"{service}-2"
        second = replace(first, settings=settings, log=first.log.with_name(f"{name}.log"), port=0, child=None)
        self.instances[name] = Instance(service, name, proxy, second)
        second.start()

    def _thaw(self) -> None:
        """What is frozen cannot end."""
        thaw(self)
