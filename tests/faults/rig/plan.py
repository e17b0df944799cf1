"""What strikes in one run: everything follows from the seed, the faults that can strike here, and the seconds."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from rig.fault import Fault
from rig.standing import Standing

AT_ONCE: Final = 2
PAUSE: Final = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """`alone` names the one fault of this run; None mixes all of `faults`."""

    seed: int
    faults: Mapping[str, Fault]
    alone: str | None

    @property
    def text(self) -> str:
        return self.alone or (f"{len(self.faults)} mixed" if self.faults else "none")


def plan(seed: int, faults: Mapping[str, Fault]) -> str | None:
    """The fault that a seed strikes with alone, None where it mixes: odd seeds mix, even ones take them by name."""
    names = sorted(faults)
    return names[(seed // 2 - 1) % len(names)] if seed % 2 == 0 and names else None


def available(faults: Mapping[str, Fault], standing: Standing) -> dict[str, Fault]:
    """The faults that can strike on these servers."""
    have = {
        name
        for name, there in {
            "control": standing.broker.controlled,
            "three": len(standing.broker.nodes) >= 3,
            "lasting": standing.broker.lasting,
            "forgetful": standing.broker.controlled and not standing.broker.lasting,
        }.items()
        if there
    }
    return {name: fault for name, fault in faults.items() if fault.needs <= have}


class Strikes:
    """Strikes until the time is over, and counts. A fault that shares nothing strikes alone."""

    def __init__(self, standing: Standing, made: Plan) -> None:
        self._standing = standing
        self._plan = made
        self._alone = asyncio.Lock()
        self._striking = 0
        self._changed = asyncio.Condition()
        self.counts: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Returns when the last fault has ended, which may be some seconds later. Raises what a fault raises."""
        if not self._plan.faults:
            await asyncio.sleep(seconds)
            return
        until = time.monotonic() + seconds
        lanes = 1 if self._plan.alone else AT_ONCE
        async with asyncio.TaskGroup() as together:
            for lane in range(lanes):
                together.create_task(self._lane(random.Random(f"{self._plan.seed}/{lane}"), until))

    async def _lane(self, chance: random.Random, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(*PAUSE))
            fault = self._choose(chance)
            async with self._turn(shares=fault.shares):
                if time.monotonic() > until:
                    return
                self.counts[fault.name] += 1
                await fault.strike(self._standing, chance)

    def _choose(self, chance: random.Random) -> Fault:
        names: Collection[str] = [self._plan.alone] if self._plan.alone else sorted(self._plan.faults)
        return self._plan.faults[chance.choice(list(names))]

    @asynccontextmanager
    async def _turn(self, *, shares: bool) -> AsyncIterator[None]:
        """Those that share run side by side; one that does not waits until nothing strikes, and holds the others up."""
        async with self._alone:
            if not shares:
                async with self._changed:
                    await self._changed.wait_for(lambda: not self._striking)
                yield
                return
            self._striking += 1
        try:
            yield
        finally:
            async with self._changed:
                self._striking -= 1
                self._changed.notify_all()
