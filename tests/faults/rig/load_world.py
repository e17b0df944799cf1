"""What the clients know of the world, from answers alone, and what they draw from."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from contracts.values import check_character
from rig.ground import Ground
from rig.load_hands import Hands

ROOT: Final = Path(__file__).resolve().parents[3]
HOT: Final = 3
"""How many enterprises everybody writes to at once."""
LEFT_OPEN: Final = 12
"""Cases that are under way at once; the oldest are taken on before new ones are drafted."""


@dataclass(frozen=True, slots=True)
class Programme:
    """`papers` are the documents an application needs, `sheets` what judges say: role, and value by name."""

    service: str
    name: str
    papers: tuple[str, ...]
    facts: dict[str, Any]
    sheets: tuple[tuple[str, dict[str, Any]], ...]


@dataclass(slots=True)
class Case:
    """`judged` counts the sheets that are in; `hopeless`: a grant cannot be proposed, or a panel waits for its sheets."""

    programme: Programme
    case_id: str
    enterprise_id: str
    draft: str
    etag: str
    state: str = "draft"
    proposal: str | None = None
    judged: int = 0
    hopeless: bool = False

    @property
    def service(self) -> str:
        return self.programme.service

    @property
    def path(self) -> str:
        return f"/v1/cases/{self.case_id}"


@dataclass(slots=True)
class Referral:
    referral_id: str
    enterprise_id: str
    bank_id: str


@dataclass(slots=True)
class World:
    enterprises: list[str] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    consents: list[tuple[str, str]] = field(default_factory=list)  # consent id, enterprise id
    referrals: list[Referral] = field(default_factory=list)
    assets: list[tuple[str, str]] = field(default_factory=list)  # enterprise id, asset id
    uploaded: set[tuple[str, str]] = field(default_factory=set)  # service, enterprise id
    registered: int = 0

    def new_uscc(self, chance: random.Random) -> str:
        self.registered += 1
        body = f"914417{chance.randint(10, 99)}{self.registered:05d}{chance.randint(0, 9999):04d}"
        return body + check_character(body)


@dataclass(slots=True)
class Scene:
    """All that one activity needs."""

    ground: Ground
    hands: Hands
    world: World
    chance: random.Random
    banks: Collection[str]

    @property
    def today(self) -> date:
        return self.ground.installation().clock.today()

    def somebody(self) -> str:
        """One of the few hot enterprises, more often than not."""
        known = self.world.enterprises
        return self.chance.choice(known[:HOT] if self.chance.random() < 0.6 else known)

    def bank(self) -> str:
        return self.chance.choice(sorted(self.banks))


@cache
def load_programmes() -> tuple[Programme, ...]:
    """The two programmes as the rulebooks' own example firm applies for them."""
    hnte = _firm("services/certification/rulebooks/hnte/2008-01-01.cases.yaml")
    advantage = _firm("services/ip-enterprise/rulebooks/ip-advantage/2009-01-01.cases.yaml")
    said = hnte["judgements"]
    by_officer = {"rd_checks_met": said["rd_checks_met"]}
    by_expert = {
        name: str(v) if isinstance(v, float) else v for name, v in said.items() if name not in by_officer
    }
    papers = (
        "application_form", "registration", "ip_certificates", "novelty", "staff_statement", "rd_audit",
        "financial_statements",
    )  # fmt: skip
    return (
        Programme(
            "certification", "hnte", papers, _given(hnte), (("officer", by_officer), ("expert", by_expert))
        ),
        Programme(
            "ip-enterprise", "ip-advantage", ("application_form", "registration", "ip_certificates", "ip_rules"),
            _given(advantage), (("expert", advantage["judgements"]),),
        ),
    )  # fmt: skip


def _firm(path: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    firm: dict[str, Any] = content["firm"]
    return firm


def _given(firm: dict[str, Any]) -> dict[str, Any]:
    """What the applicant says itself; who it is the register knows."""
    return {name: firm[name] for name in ("years", "ip", "conversions")} | {
        "enterprise": {"mainland_resident": True}
    }
