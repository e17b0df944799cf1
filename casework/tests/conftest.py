import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from casework.store import casework_sql
from casework.use_cases import Casework
from casework_way import RULEBOOKS, Way, firm
from chassis.clock import FixedClock
from chassis.database import Database
from contracts import certification as events


@pytest.fixture
def work() -> Casework:
    bound = Casework(events=events, facts_of=firm)
    bound.load(RULEBOOKS)
    return bound


@pytest.fixture
async def db(make_database: Callable[..., Awaitable[Database]], clock: FixedClock) -> Database:
    return await make_database([casework_sql()], service="certification")


@pytest.fixture
def way(db: Database, work: Casework) -> Way:
    return Way(db, work)
