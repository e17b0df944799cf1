"""A rig that misses nothing proves nothing: each guard is taken away once, and the promise it kept has to break."""

from pathlib import Path

import pytest
from rig.brokers import given_control
from rig.faults import FAULTS
from rig.run import Orders, Result, run_seeds

from chassis.testing import given_kafka

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SECONDS = 20.0
# On slow cores a fault is struck twice in that time, and both may hit a process that had nothing in hand.
TRIES = (1, 2, 3)
# Guard, the fault that shows its absence (none: the load alone does), the promise that breaks. Numbers that are not
# locked collide where a second writer comes before the first has committed.
GUARDS = [
    ("marks", "duplicates", "I2", ""),
    ("sequences", None, "I1", "publish.before_commit=delay:0.1"),
    ("outbox", "kill:publish.after_commit", "I1", ""),
    ("offsets", "kill:inbox.inside", "I1", ""),
    ("lease", None, "I4", ""),
]


def struck_by(fault: str | None, keep: Path, seed: int = 1, **environment: str) -> Result:
    faults = {fault: FAULTS[fault]} if fault else {}
    orders = Orders(SECONDS, faults, alone=fault, environment=environment, keep=keep)
    [result] = run_seeds([seed], orders, given_kafka(), given_control())
    return result


@pytest.mark.parametrize(("guard", "fault", "promise", "slowly"), GUARDS, ids=[row[0] for row in GUARDS])
def test_a_guard_that_is_gone_is_missed(
    guard: str, fault: str | None, promise: str, slowly: str, tmp_path: Path
) -> None:
    tried = []
    for seed in TRIES:
        result = struck_by(fault, tmp_path, seed, SWITCHED_OFF=guard, FAILPOINTS=slowly)
        if promise in result.broken:
            return
        tried.append((seed, result.faults, result.findings))
    pytest.fail(f"without {guard}, {promise} was kept: {tried}")


def test_with_every_guard_nothing_is_missed(tmp_path: Path) -> None:
    result = struck_by(None, tmp_path)
    assert result.broken == [], result.findings
    assert result.requests > 0
    assert all(promise["checked"] for promise in result.promises.values()), result.promises
