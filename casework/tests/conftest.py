import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from casework.store import casework_sql
from casework.use_cases import Casework
from casework_way import FIRM, RULEBOOKS
from chassis.clock import FixedClock
from chassis.database import Database, Transaction
from contracts import certification as events


async def _firm(_tx: Transaction, _enterprise_id: str) -> Mapping[str, Any]:
    return FIRM


@pytest.fixture
def work() -> Casework:
    bound = Casework(events=events, facts_of=_firm)
    bound.load(RULEBOOKS)
    return bound


@pytest.fixture
async def db(make_database: Callable[..., Awaitable[Database]], clock: FixedClock) -> Database:
    return await make_database([casework_sql()], service="certification")
