"""The demo year as data: who applies for what, who judges how, what banks answer. Read only."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

from chassis.clock import SHANGHAI

OPENS: date = date(2009, 1, 5)
REGISTERS_ASSETS: date = date(2009, 1, 6)
CLOSES: date = date(2009, 12, 31)
_OFFICE_HOUR = time(9)
Read = TypeVar("Read", bound=BaseModel)


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _WithBody(BaseModel):
    """What is named here leads the request; all the rest is its body."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def body(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Step(_WithBody):
    on: date
    by: str
    verb: str


class Expected(_Given):
    verdict: Literal["pass", "fail", "unknown"]
    failed_conditions: list[str]
    state: str


class Application(_Given):
    id: str
    service: str
    programme: str
    level: str
    case_type: str
    enterprise_id: str
    enterprise_name: str
    applied_on: date
    facts: dict[str, Any] = Field(default_factory=dict)
    documents: list[dict[str, Any]]
    steps: list[Step]
    expected: Expected


class Consent(_WithBody):
    enterprise_id: str
    enterprise_name: str
    given_on: date
    withdrawn_on: date | None = None
    bank_id: str
    purpose: str
    expires_on: date

    @property
    def body(self) -> dict[str, Any]:
        return super().body | {
            "bank_id": self.bank_id, "purpose": self.purpose, "expires_on": self.expires_on,
        }  # fmt: skip


class Wish(_WithBody):
    on: date
    enterprise_id: str


class Answer(_WithBody):
    on: date


class Outcome(_Given):
    enterprise_id: str
    bank_id: str
    product_id: str
    answers: list[Answer]


class Product(_WithBody):
    bank_id: str
    product_id: str


class Bank(_Given):
    bank_id: str
    name: dict[str, str]


class Target(BaseModel):
    """A target of the plan; one without numbers is watched, not scored."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    counts: str
    programme: str | None = None
    level: str | None = None
    outcome: str | None = None
    min: int | None = None
    max: int | None = None


@dataclass(slots=True)
class Day:
    """What happens on one day, in the order in which it happens."""

    consents: list[Consent] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    answers: list[tuple[Outcome, Answer]] = field(default_factory=list)
    withdrawals: list[Consent] = field(default_factory=list)
    run_out: list[Consent] = field(default_factory=list)

    @property
    def grants(self) -> bool:
        return any(step.verb == "grant" for steps in self.steps.values() for step in steps)


@dataclass(frozen=True, slots=True)
class Year:
    enterprises: bytes
    assets: bytes
    banks: list[Bank]
    products: list[Product]
    applications: dict[str, Application]
    consents: list[Consent]
    wishes: list[Wish]
    outcomes: list[Outcome]
    year: int
    targets: list[Target]

    def days(self) -> dict[date, Day]:
        """Every day on which something happens, the first first."""
        days: dict[date, Day] = defaultdict(Day)
        for application in self.applications.values():
            for step in application.steps:
                days[step.on].steps[application.id].append(step)
        for consent in self.consents:
            _add_consent(days, consent)
        for wish in self.wishes:
            days[wish.on].wishes.append(wish)
        for outcome in self.outcomes:
            for answer in outcome.answers:
                days[answer.on].answers.append((outcome, answer))
        return dict(sorted(days.items()))


def _add_consent(days: dict[date, Day], consent: Consent) -> None:
    days[consent.given_on].consents.append(consent)
    if consent.withdrawn_on is not None:
        days[consent.withdrawn_on].withdrawals.append(consent)
    elif consent.expires_on < CLOSES:
        days[consent.expires_on + timedelta(days=1)].run_out.append(consent)


def instant(day: date) -> datetime:
    """When the bureau opens on that day."""
    return datetime.combine(day, _OFFICE_HOUR, SHANGHAI)


def read_year(folder: Path | None = None) -> Year:
    """Raises OSError, yaml.YAMLError or pydantic.ValidationError where the folder does not hold a demo year."""
    home = folder or data_folder() / "demo" / "2009"
    products, plan = _read(home / "products.yaml"), _read(data_folder() / "plan-2009.yaml")
    applications = _all(Application, _read(home / "applications.yaml")["applications"])
    return Year(
        enterprises=(home / "enterprises.xlsx").read_bytes(),
        assets=(home / "assets.xlsx").read_bytes(),
        banks=_all(Bank, products["banks"]),
        products=_all(Product, products["products"]),
        applications={application.id: application for application in applications},
        consents=_all(Consent, _read(home / "consents.yaml")["consents"]),
        wishes=_all(Wish, _read(home / "wishes.yaml")["wishes"]),
        outcomes=_all(Outcome, _read(home / "outcomes.yaml")["outcomes"]),
        year=plan["year"],
        targets=_all(Target, plan["targets"]),
    )


def _all(model: type[Read], rows: Iterable[dict[str, Any]]) -> list[Read]:
    return [model.model_validate(row) for row in rows]


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return content


def data_folder() -> Path:
    """The data that ships inside the installed package, or stands at the top of a checkout."""
    home = Path(str(files("huiqi")))
    inside = home / "data"
    return inside if inside.is_dir() else home.parents[2] / "data"
