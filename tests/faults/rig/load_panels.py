"""Panels: a directory of experts at each service, draws that are committed to and revealed while faults strike."""

import asyncio
from typing import Final

from rig.load_hands import officer
from rig.load_world import Case, Scene, load_programmes

KINDS: Final = ("technical",) * 10 + ("financial",) * 5
"""Three times the largest least panel of the programmes."""
DRAWABLE: Final = frozenset({"accepted", "in_review"})


async def name_experts(scene: Scene) -> None:
    services = {programme.service for programme in load_programmes()}
    await asyncio.gather(
        *(_name_expert(scene, service, at, kind) for service in services for at, kind in enumerate(KINDS))
    )


async def _name_expert(scene: Scene, service: str, at: int, kind: str) -> None:
    entry = {"subject": f"judge-{at}", "name": f"专家{at}", "kind": kind}
    await scene.hands.write(officer("li"), service, "POST", "/v1/experts", entry, kind="expert")


async def draw_a_panel(scene: Scene) -> None:
    """For one case. Nobody fills the sheets, so that the case can be refused or withdrawn only."""
    drawable = [case for case in scene.world.cases if case.state in DRAWABLE and not case.hopeless]
    if not drawable:
        return
    case: Case = scene.chance.choice(drawable)
    wanted = {"cases": [{"case_id": case.case_id}]}
    committed = await scene.hands.write(
        officer("wang"), case.service, "POST", "/v1/draws", wanted, kind="draw"
    )
    if committed is None or not committed.acknowledged:
        return
    case.hopeless = True
    path = f"/v1/draws/{committed.content['pool']['draw_id']}/reveal"
    await scene.hands.write(officer("li"), case.service, "POST", path, {}, kind="reveal")
