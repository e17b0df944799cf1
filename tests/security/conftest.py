import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from frame import Frame
from objects import Objects

from chassis.clock import SHANGHAI
from chassis.testing import given_kafka
from huiqi.house import House


@pytest.fixture(scope="session")
def frame() -> Iterator[Frame]:
    """One house for all of these tests: four services as processes, on a real PostgreSQL and a broker."""
    # Each notice takes two weeks of the one year that the facts are for.
    clock_at = datetime(2016, 1, 5, 9, tzinfo=SHANGHAI)
    banks = ["harbour", "delta"]
    with (
        House(clock_at=clock_at, banks=banks, broker=given_kafka(), fsync=False) as house,
        Frame(house) as standing,
    ):
        yield standing


@pytest.fixture(scope="session")
def objects(frame: Frame) -> Objects:
    """What the house's people have made; one expert of the directory stands for all."""
    return Objects(frame)
