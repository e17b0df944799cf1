"""IP assets as the register keeps them, and what they say of an applicant."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enterprise(Kept):
    """An enterprise as certification tells it. `region` is a GB/T 2260 code."""

    enterprise_id: str
    name: str
    region: str
    established_on: date


class Asset(Kept):
    """One IP right. `expires_on` is its last day in force, None where it has no end or none is known."""

    enterprise_id: str
    asset_id: str
    kind: str
    acquired: str
    granted_on: date
    expires_on: date | None
    in_force: bool
    owned: bool
    related: bool

    def ran_out(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today

    def as_of(self, today: date) -> Self:
        """The right as it is today: whatever the list says, it is not in force after its last day."""
        return self.model_copy(update={"in_force": self.in_force and not self.ran_out(today)})


def known_facts(enterprise: Enterprise, assets: Sequence[Asset]) -> dict[str, Any]:
    """What the service knows of an applicant, in the names of the facts file.

    Where the register holds any right of the enterprise it is the whole truth about its rights. Where it holds none,
    nothing is known of them, which is not the same as knowing that there are none.
    """
    facts: dict[str, Any] = {
        "enterprise": {
            "uscc": enterprise.enterprise_id,
            "name": enterprise.name,
            "region": enterprise.region,
            "established_on": enterprise.established_on.isoformat(),
        }
    }
    if assets:
        facts["ip"] = [right_of(asset) for asset in assets]
    return facts


def right_of(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.asset_id,
        "kind": asset.kind,
        "acquired": asset.acquired,
        "granted_on": asset.granted_on.isoformat(),
        "in_force": asset.in_force,
        "owned": asset.owned,
        "related": asset.related,
    }
