"""How a service stands up: settings, database, HTTP, consumers, relay and work in one process and one event loop."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import structlog
import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI

from chassis import failpoints
from chassis.api import build_app
from chassis.auth import Authenticator
from chassis.clock import Clock, FileClock, SystemClock
from chassis.database import Database, when_available
from chassis.errors import Unavailable
from chassis.garbage import spare_the_collector
from chassis.idempotency import forget_answers
from chassis.inbox import Consumers
from chassis.migrate import chassis_sql, found, migrate
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.storage import Storage
from chassis.subscribe import Subscription
from chassis.telemetry import METRICS, configure
from chassis.topics import listened_by
from chassis.wire import GuardedProtocol
from chassis.work import Deadline, Delivery, Worker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Readiness:
    ready: bool
    checks: dict[str, str]


@dataclass
class Context:
    """What a running service has at hand. `state` holds what the service itself adds at start, by name."""

    settings: ServiceSettings
    db: Database
    clock: Clock
    authenticator: Authenticator
    relay: Relay
    worker: Worker
    subscription: Subscription
    state: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def storage(self) -> Storage:
        """Raises NowhereToStore where the settings name no place, so not in a service that `keeps_files`."""
        return Storage.from_settings(self.settings)

    async def readiness(self) -> Readiness:
        """Progress and a write: whether this process can do its work, not whether it answers."""
        patience = self.settings.readiness_patience
        checks: dict[str, str] = {}
        try:
            oldest = await self.db.fetchval(_BEAT, self.settings.audience)
            checks["database"] = "ok"
            waited = float(oldest or 0)
            checks["relay"] = "ok" if waited < patience else f"oldest event waits {waited:.0f} s"
        except Unavailable as error:
            checks["database"] = f"unavailable: {error.reason}"
        silent = self.subscription.silent_for()
        stopped = self.subscription.stopped_because
        checks["consumer"] = stopped or (
            "ok" if silent < patience else f"no answer from the broker for {silent:.0f} s"
        )
        return Readiness(all(text == "ok" for text in checks.values()), checks)

    async def observe(self) -> None:
        """Reads the gauges that only the tables know; called when they are asked for, not on a timer."""
        row = await self.db.fetchrow(_GAUGES)
        if row is not None:
            METRICS.outbox_rows.set(row["outbox_rows"])
            METRICS.outbox_oldest.set(float(row["outbox_oldest"]))
            METRICS.parked_events.set(row["parked"])
            METRICS.stuck_topics.set(row["stuck_topics"])
            METRICS.work_overdue.set(row["overdue"])
        METRICS.consumer_lag.set(self.subscription.lag())


_BEAT = """
WITH beat AS (
    INSERT INTO heartbeats (holder, beat_at) VALUES ($1, now()) ON CONFLICT (holder) DO UPDATE SET beat_at = now()
)
SELECT extract(epoch FROM now() - o.recorded_at) FROM outbox o
WHERE NOT EXISTS (SELECT FROM stuck_topics) OR NOT EXISTS (
    SELECT FROM events e JOIN stuck_topics s ON s.topic = e.topic WHERE e.id = o.id AND e.recorded_at = o.recorded_at
) ORDER BY o.id LIMIT 1
"""
_GAUGES = """
SELECT (SELECT count(*) FROM outbox) AS outbox_rows,
       (SELECT coalesce(extract(epoch FROM now() - min(recorded_at)), 0) FROM outbox) AS outbox_oldest,
       (SELECT count(*) FROM parked) AS parked,
       (SELECT count(*) FROM stuck_topics) AS stuck_topics,
       (SELECT count(*) FROM work WHERE state = 'due' AND due_at < now() - interval '1 minute'
                AND (leased_until IS NULL OR leased_until < now() - interval '1 minute')) AS overdue
"""

Start = Callable[[Context], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """What one service consists of. `name` is its folder, group id and audience; `package` its Python package."""

    name: str
    package: str
    settings: type[ServiceSettings]
    routers: Sequence[APIRouter]
    consumers: Consumers
    migrations: Sequence[Path]
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    deliveries: Callable[[Context], Mapping[str, Delivery]] = lambda _context: {}
    keeps_files: bool = False
    on_start: Start | None = None

    @property
    def sql(self) -> list[Path]:
        return [chassis_sql(), *self.migrations]


def run(service: Service) -> None:
    """`python -m <package>` serves; `python -m <package> migrate [pre]` brings the database up to date and ends."""
    settings = service.settings()
    if failpoints.armed() and settings.environment == "production":
        raise SystemExit("FAILPOINTS or SWITCHED_OFF is set: they are for development only")
    configure(settings, service.name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if sys.argv[1:2] == ["migrate"]:
            phase: Literal["pre", "all"] = "pre" if sys.argv[2:] == ["pre"] else "all"
            for name in runner.run(brought_up(service, settings, phase)):
                log.info("migrated", name=name)
            return
        runner.run(serve(service, settings))


async def brought_up(
    service: Service, settings: ServiceSettings, phase: Literal["pre", "all"] = "all"
) -> list[str]:
    """The migrations that were missing in the service's database, now applied."""
    url = settings.database_url.get_secret_value()
    return await when_available(lambda: migrate(url, service.sql, phase))


async def serve(service: Service, settings: ServiceSettings) -> None:
    """Runs until SIGTERM or SIGINT; a task that fails by a bug takes the process down, to be started anew."""
    if service.keeps_files and settings.storage is None:
        raise SystemExit(f"{service.name} keeps files: the setting STORAGE says where")
    if settings.environment == "development":
        await brought_up(service, settings)
    context = await when_available(lambda: build_context(service, settings))
    try:
        await when_available(lambda: _ensure_migrated(context.db, service))
        if service.on_start is not None:
            await service.on_start(context)
        await _run_until_told(service, context)
    finally:
        await context.db.close()


async def build_context(service: Service, settings: ServiceSettings) -> Context:
    clock: Clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    url = settings.database_url.get_secret_value()
    db = await Database.open(url, service=service.name, clock=clock, pool_size=settings.pool_size)
    relay = Relay(db, settings)
    subscription = Subscription(db, settings, service.consumers, listened_by(service.name))
    authenticator = Authenticator.from_settings(settings)
    worker = Worker(db, service.deadlines, leases=timedelta(seconds=settings.work_lease))
    context = Context(settings, db, clock, authenticator, relay, worker, subscription)
    worker.deliveries.update(service.deliveries(context))

    def wake() -> None:
        relay.wake()
        worker.wake()

    db.wake = wake
    return context


async def _ensure_migrated(db: Database, service: Service) -> None:
    applied = set()
    if await db.fetchval("SELECT to_regclass('migrations') IS NOT NULL"):
        applied = {(r["source"], r["name"]) for r in await db.fetch("SELECT source, name FROM migrations")}
    missing = [m.name for m in found(service.sql) if not m.is_post and (m.source, m.name) not in applied]
    if missing:
        raise SystemExit(
            f"{service.name}: run `python -m {service.package} migrate` first; missing {missing}"
        )


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service decides when to stop."""

    def install_signal_handlers(self) -> None:
        return


async def _run_until_told(service: Service, context: Context) -> None:
    app: FastAPI = build_app(
        title=service.name, routers=service.routers, context=context, package=service.package
    )
    settings = context.settings
    server = _Server(
        uvicorn.Config(
            app, host=settings.http_host, port=settings.http_port, http=GuardedProtocol, ws="none", log_config=None,
            access_log=False, proxy_headers=False, timeout_graceful_shutdown=max(1, int(settings.shutdown_deadline / 2)),
            timeout_keep_alive=30, server_header=False, lifespan="off",
        )
    )  # fmt: skip
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tasks = {
        "http": asyncio.create_task(server._serve()),  # noqa: SLF001 - serve() would take the signals
        "relay": asyncio.create_task(context.relay.run()),
        "consumer": asyncio.create_task(context.subscription.run()),
        "work": asyncio.create_task(context.worker.run()),
    }
    housekeeping = asyncio.create_task(_keep_house(context.db))
    stop = asyncio.create_task(told.wait())
    began = time.monotonic()
    spare_the_collector()
    log.info("started", port=settings.http_port)
    await _one_ended(stop, tasks)
    log.info("stopping", after_seconds=round(time.monotonic() - began))
    last = threading.Timer(settings.shutdown_deadline + 3, _leave, [service.name])
    last.daemon = True
    last.start()
    server.should_exit = True
    housekeeping.cancel()
    await _wind_down(tasks, settings.shutdown_deadline)


async def _one_ended(stop: asyncio.Task[Any], tasks: dict[str, asyncio.Task[None]]) -> None:
    """Returns when told to stop, or when a task ended that should not: any by an error, HTTP and the relay at all."""
    left = {stop, *tasks.values()}
    while True:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        if done & {stop, tasks["http"], tasks["relay"]} or any(task.exception() for task in done):
            return


def _leave(name: str) -> None:
    """The last resort when a library does not let go: what was committed is safe, what was not is repeated."""
    log.critical("stop.forced", service=name)
    os._exit(1)


async def _keep_house(db: Database) -> None:
    """Once at start and then hourly: the months to come get their partitions, old stored answers are forgotten."""
    while True:
        try:
            async with db.transaction() as tx:
                await tx.execute("SELECT add_event_partitions(2)")
                await forget_answers(tx)
        except Unavailable as error:
            log.warning("housekeeping.unavailable", error=error.reason)
            await asyncio.sleep(60)
        except Exception:  # without partitions for the months to come nothing can be said: never give up
            log.exception("housekeeping.failed")
            await asyncio.sleep(60)
        else:
            await asyncio.sleep(3600)


async def _wind_down(tasks: dict[str, asyncio.Task[None]], deadline: float) -> None:
    """HTTP drains first, then the consumer and the work finish what they hold, last the relay; all in one deadline."""
    began = time.monotonic()
    for names, share in ((["http"], 0.6), (["consumer", "work"], 0.9), (["relay"], 1.0)):
        if names != ["http"]:
            for name in names:
                tasks[name].cancel()
        left = max(0.1, began + deadline * share - time.monotonic())
        _, late = await asyncio.wait([tasks[name] for name in names], timeout=left)
        for task in late:
            log.warning("stop.late", task=names)
            task.cancel()
    for name, task in tasks.items():
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            log.critical("task.failed", task=name, error=repr(error))
            raise error
