"""What the rig itself says, in the name of certification and by its outbox, so that numbers and ledger stay true."""

import random
from datetime import date
from typing import Final

from pydantic import Field

from chassis.identity import Actor
from contracts.certification import EnterpriseFact, EnterpriseRegistered
from contracts.envelope import Event
from contracts.values import check_character
from huiqi.parked import opened
from rig.standing import Standing

TOPIC: Final = "certification.enterprises"
OWNER: Final = "certification"
SPEAKER: Final = Actor("rig", "operator")
"""Events of this actor are of no client's making."""


class EnterpriseChanged(EnterpriseFact, topic=TOPIC, key="enterprise_id"):
    """As a later release might write it. `raw` stands in for the whole payload, where nobody shall be able to read it."""

    employees: int | None = None
    raw: str | None = Field(default=None, exclude=True)

    def payload(self) -> bytes:
        return super().payload() if self.raw is None else self.raw.encode()


class EnterpriseAudited(Event, topic=TOPIC, key="enterprise_id"):
    """Of a type that no listener of today knows."""

    enterprise_id: str
    by: str


def new_enterprise(chance: random.Random) -> str:
    """An enterprise of the rig's own: no client registers numbers like it."""
    body = f"914499{chance.randint(0, 10**11 - 1):011d}"
    return body + check_character(body)


def registered(enterprise_id: str) -> EnterpriseRegistered:
    return EnterpriseRegistered(
        enterprise_id=enterprise_id,
        name="示例企业有限公司",
        region="441702",
        established_on=date(2001, 5, 18),
    )


def changed(enterprise_id: str, employees: int) -> EnterpriseChanged:
    return EnterpriseChanged(
        enterprise_id=enterprise_id, name=f"示例企业{employees}有限公司", region="441702",
        established_on=date(2001, 5, 18), employees=employees,
    )  # fmt: skip


def unreadable(enterprise_id: str, chance: random.Random) -> Event:
    raw = chance.choice(
        [
            '{"name": 7}',
            "[]",
            '"text"',
            "[" * 10_000 + "]" * 10_000,
            f'{{"enterprise_id": "{enterprise_id}"}}',
        ]
    )
    return changed(enterprise_id, 0).model_copy(update={"raw": raw})


async def say(standing: Standing, *events: Event) -> None:
    """Raises Unavailable."""
    async with opened(standing.installation(), OWNER) as db, db.transaction(SPEAKER) as tx:
        tx.publish(*events)
