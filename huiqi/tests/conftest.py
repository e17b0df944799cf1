import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.clock import FixedClock
from chassis.kafka_admin import Broker
from chassis.testing import Databases, Postgres

sys.path.insert(0, str(Path(__file__).parent))

import small_town


@pytest.fixture(scope="module")
def quiet_town(postgres: Postgres) -> Iterator[small_town.Quiet]:
    """A small installation that has done its work and rests, to be copied; its topics are read only."""
    with small_town.quiet(postgres) as town:
        yield town


@pytest.fixture
async def town(quiet_town: small_town.Quiet) -> AsyncIterator[small_town.Town]:
    """A copy of the quiet town's databases of its own, beside the topics that all copies share."""
    async with quiet_town.copied() as copy:
        yield copy


@pytest.fixture
async def own_town(broker: Broker, make_database: Databases, clock: FixedClock) -> small_town.Town:
    """A town with databases and a broker of its own, whose services do not run yet."""
    return await small_town.found(make_database, broker, clock)
