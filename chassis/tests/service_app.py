"""The smallest service, as a process: `python service_app.py` with `TINY_` settings."""

import asyncio
import os

from chassis.inbox import Consumers
from chassis.service import Context, Service, run
from chassis.settings import ServiceSettings


class Settings(ServiceSettings, env_prefix="TINY_"):
    pass


async def start(context: Context) -> None:
    broken = os.environ.get("BROKEN")
    if broken == "consumer":
        context.subscription.run = fails  # type: ignore[method-assign]
    if broken == "work":
        context.worker.run = fails  # type: ignore[method-assign]


async def fails() -> None:
    await asyncio.sleep(0.5)
    raise KeyError("a bug")


service = Service(
    name="finance-link", package="chassis", settings=Settings, routers=[], consumers=Consumers("finance-link"),
    migrations=[], on_start=start,
)  # fmt: skip

if __name__ == "__main__":
    run(service)
