import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from way import Way

from chassis.testing import given_kafka
from huiqi.house import House


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    """A house whose services are killed and started again by the tests of one module."""
    clock_at = datetime(2009, 6, 1, 2, 0, tzinfo=UTC)
    with House(clock_at=clock_at, banks=["hailing-bay"], broker=given_kafka()) as house:
        yield Way(house)
