"""Load: users who come to the services over HTTP alone, all at once, with everything random drawn from a seed."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from rig.ground import Ground
from rig.journal import Journal
from rig.load_cases import go_on_with_a_case
from rig.load_finance import (
    PRODUCTS,
    ask_for_referral,
    give_consent,
    give_consents_at_once,
    mend_or_withdraw_referral,
    offer,
    offer_again,
    report_outcome,
    withdraw_consent,
)
from rig.load_hands import Hands
from rig.load_panels import draw_a_panel, name_experts
from rig.load_registers import (
    change_enterprise,
    import_assets,
    keep_facts,
    read_inbox,
    register_enterprise,
)
from rig.load_world import HOT, Scene, World, load_programmes

Activity = Callable[[Scene], Awaitable[None]]


class Load:
    """Some clients, each busy with one thing after another, `pause` seconds between them.

    `day`: seconds until the services' clock moves on by a day, so that notices end and titles can be granted; None
    leaves the clock alone.
    """

    def __init__(
        self,
        ground: Ground,
        journal: Journal,
        seed: int,
        *,
        clients: int = 6,
        pause: float = 0.05,
        day: float | None = 0.5,
    ) -> None:
        self._ground = ground
        self._journal = journal
        self._seed = seed
        self._clients = clients
        self._pause = pause
        self._day = day
        self._world = World()
        self._hands: Hands | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, and what is being sent then has ended. A fault is never raised."""
        self._hands = hands = Hands(self._ground, self._journal, random.Random(f"{self._seed}/hands"))
        scenes = [
            Scene(self._ground, hands, self._world, random.Random(f"{self._seed}/{n}"), self._ground.banks)
            for n in range(self._clients)
        ]
        await self._open(scenes[0], stop)
        async with asyncio.TaskGroup() as together:
            for scene in scenes:
                together.create_task(self._be_busy(scene, stop))
            together.create_task(self._repeat(hands, stop))
            if self._day is not None:
                together.create_task(self._move_clock(self._day, stop))

    async def settle(self, seconds: float) -> None:
        """Repeats what has no answer and was not given up, with its key, until it is answered or time is over."""
        if self._hands is None:
            return
        until = time.monotonic() + seconds
        while self._journal.open() and time.monotonic() < until:
            await self._hands.repeat_open()
            await asyncio.sleep(0.2)
        await self._hands.close()

    async def _open(self, scene: Scene, stop: asyncio.Event) -> None:
        """The enterprises that everybody writes to, what banks offer, and who judges. All may meet the first fault already."""
        offers = [offer(scene, bank, product) for bank in sorted(scene.banks) for product in sorted(PRODUCTS)]
        await asyncio.gather(*offers, *(register_enterprise(scene) for _ in range(HOT)), name_experts(scene))
        while not self._world.enterprises and not stop.is_set():
            await register_enterprise(scene)

    async def _be_busy(self, scene: Scene, stop: asyncio.Event) -> None:
        activities, weights = zip(*self._activities(), strict=True)
        while not stop.is_set():
            [activity] = scene.chance.choices(activities, weights)
            await activity(scene)
            await asyncio.sleep(self._pause * scene.chance.uniform(0.2, 1.8))

    def _activities(self) -> list[tuple[Activity, int]]:
        programmes = load_programmes()
        return [
            (register_enterprise, 6), (change_enterprise, 14), (keep_facts, 2), (import_assets, 7),
            (lambda scene: go_on_with_a_case(scene, programmes), 40), (give_consent, 5), (give_consents_at_once, 8),
            (withdraw_consent, 4),
            (ask_for_referral, 8), (mend_or_withdraw_referral, 4), (report_outcome, 9), (read_inbox, 5),
            (offer_again, 1), (draw_a_panel, 4),
        ]  # fmt: skip

    async def _repeat(self, hands: Hands, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await hands.repeat_open()
            await asyncio.sleep(0.5)

    async def _move_clock(self, day: float, stop: asyncio.Event) -> None:
        clock = self._ground.installation().clock
        while not stop.is_set():
            await asyncio.sleep(day)
            self._ground.house.set_clock(clock.now() + timedelta(days=1))
