"""The collector is spared in a process of its own, since it is set for the whole process."""

import subprocess
import sys

_SAY = (
    "import gc; from chassis.garbage import spare_the_collector as s; s();"
    "print(gc.isenabled(), gc.get_threshold()[0] >= 10_000, gc.get_freeze_count() > 1_000)"
)


def test_what_a_process_stands_on_is_not_looked_through_again_and_cycles_are_still_collected() -> None:
    said = subprocess.run([sys.executable, "-c", _SAY], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True"] * 3
