"""A directory of experts, and a case's way through a drawn panel, for the tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from casework import panel_store, use_cases
from casework.case import Case
from casework.expert import Entry, Expert, Seat
from casework.score_sheets import Scores
from casework_way import OFFICER, Door, Way
from chassis.identity import Actor

TECHNICAL: dict[str, Any] = {
    "core_ip_supports": True, "in_supported_field": True, "ip_advancement": 7, "ip_core_support": 7, "ip_count": 8,
    "ip_acquisition": 5, "standards_bonus": 1, "conversion": 22, "rd_rules": 5, "rd_body": 5,
    "conversion_incentives": 3, "staff_training": 4,
}  # fmt: skip
FINANCIAL: dict[str, Any] = {"growth_net_assets": 8, "growth_sales": 8}


def given_by(kind: str, **changes: Any) -> dict[str, Any]:
    return {**(FINANCIAL if kind == "financial" else TECHNICAL), **changes}


def entry(place: int, **changes: Any) -> dict[str, Any]:
    """Every fourth expert is financial."""
    kind = "financial" if place % 4 == 0 else "technical"
    return {"subject": f"expert{place:02d}", "name": f"专家{place:02d}", "kind": kind, **changes}


def actor_of(seat: Seat) -> Actor:
    return Actor(seat.subject, "expert")


def of_kind(seats: Sequence[Seat], kind: str) -> list[Seat]:
    return [seat for seat in seats if seat.kind == kind]


@dataclass
class Bureau:
    """The bureau's side of a draw, each step in its own transaction."""

    way: Way

    async def act(self, verb: str, actor: Actor, *what: Any, **arguments: Any) -> Any:
        """What the verb of casework.use_cases returns."""
        async with self.way.db.transaction(actor) as tx:
            return await getattr(use_cases, verb)(self.way.work, tx, *what, **arguments)

    async def directory(self, count: int = 20, **of_the_first: Any) -> list[Expert]:
        experts = []
        async with self.way.db.transaction(OFFICER) as tx:
            for place in range(1, count + 1):
                given = entry(place, **(of_the_first if place == 1 else {}))
                experts.append(await use_cases.add_expert(tx, Entry.model_validate(given)))
        return experts

    async def drawn(self, case: Case, **wanted: Any) -> list[Seat]:
        """Committed to and revealed; the seats of the case."""
        draw = await self.act("commit_draw", OFFICER, {case.case_id: None}, **wanted)
        await self.act("reveal_draw", OFFICER, draw.pool.draw_id)
        return await self.seats(case.case_id)

    async def seats(self, case_id: UUID) -> list[Seat]:
        return [
            seat for seat in await panel_store.list_seats(self.way.db, case_id) if seat.recused_at is None
        ]

    async def hand_in(self, seat: Seat, **changes: Any) -> None:
        who = actor_of(seat)
        await self.act("fill_sheet", who, seat.case_id, given=given_by(seat.kind, **changes))
        await self.act("hand_in_sheet", who, seat.case_id)

    async def scores(self, actor: Actor, case_id: UUID) -> Scores:
        return await use_cases.read_scores(self.way.work, self.way.db, actor, case_id)


async def answered(request: Any, status: int = 200) -> httpx.Response:
    answer: httpx.Response = await request
    assert answer.status_code == status, answer.text
    return answer


async def case_tag(door: Door, case_id: str) -> dict[str, str]:
    """If-Match for the case as it stands now."""
    async with door.client(OFFICER) as officer:
        return {"If-Match": (await answered(officer.get(f"/v1/cases/{case_id}"))).headers["ETag"]}
