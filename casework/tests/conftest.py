import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from casework.case import Title
from casework.expert import Seat
from casework.store import casework_sql
from casework.use_cases import Casework
from casework_way import OFFICER, RULEBOOKS, Door, Way, casework_door, firm, kept_in
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.storage import Storage
from contracts import certification as events
from panel_way import Bureau


@pytest.fixture
def work() -> Casework:
    bound = Casework(events=events, facts_of=firm)
    bound.load(RULEBOOKS)
    return bound


@pytest.fixture
async def db(make_database: Callable[..., Awaitable[Database]], clock: FixedClock) -> Database:
    return await make_database([casework_sql()], service="certification")


@pytest.fixture
def way(db: Database, work: Casework, tmp_path: Path) -> Way:
    return Way(db, work, Storage(kept_in(tmp_path)))


@pytest.fixture
def door(db: Database, tmp_path: Path, work: Casework) -> Door:
    return casework_door(db, tmp_path, work)


@pytest.fixture
async def title(way: Way, clock: FixedClock) -> Title:
    """HNTE of 2016: granted on 31 August 2016, valid until 31 August 2019."""
    clock.set(datetime(2016, 8, 1, tzinfo=UTC))
    case = await way.on_notice()
    clock.advance(timedelta(days=30))
    await way.meet_deadlines()
    granted: Title = await way.step("grant_case", OFFICER, case.case_id)
    return granted


@pytest.fixture
def bureau(way: Way) -> Bureau:
    return Bureau(way)


@pytest.fixture
async def seats(bureau: Bureau) -> list[Seat]:
    """Five experts on one case in review, in the order of the ranking."""
    await bureau.directory()
    return await bureau.drawn(await bureau.way.in_review())
