"""The frozen shape of one rulebook edition: the law of one programme from one date on.

Every value that the law fixes carries its `source` (instrument and article) and `verified`:
false where the text is silent, only known at second hand, or set by the bureau.
"""

import calendar
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from casework.bands import Interval

State = Literal[
    "draft", "submitted", "returned", "accepted", "in_review", "proposed",
    "on_notice", "objected", "recorded", "granted", "refused", "withdrawn",
]  # fmt: skip
CaseType = Literal["first", "review_2008", "re_recognition"]
Role = Literal["enterprise", "officer", "expert", "public", "system"]
Grade = Annotated[str, Field(pattern=r"^[A-F]$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _exact(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("an exact number is needed")  # noqa: TRY004 - pydantic turns it into a located error
    return Decimal(value)


def _interval(value: Any) -> Any:
    return Interval.parse(value) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Band = Annotated[Interval, BeforeValidator(_interval), PlainSerializer(str)]
Day = Annotated[date, BeforeValidator(_day)]
Setting = int | Decimal | str | bool
Values = Annotated[Mapping[str, Any], Field(default_factory=dict)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class Text(Frozen):
    """The same words in Chinese and English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


class Source(Frozen):
    """Where the law says so: the instrument's document number and the article in it."""

    instrument: str
    article: str


class Sourced(Frozen):
    source: Source
    verified: bool


class Parameter(Sourced):
    """A point on which the text is silent or ambiguous, set here by name (rules, section 11)."""

    value: Setting
    note: Text


class Instrument(Sourced):
    number: str
    title: Text
    issued_on: Day | None
    in_force_from: Day
    in_force_to: Day | None = None


class Part(Frozen):
    """One bound on one measure."""

    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)
    at_least: Exact | None = None
    at_least_of: str | None = None
    more_than: Exact | None = None
    more_than_of: str | None = None
    at_most: Exact | None = None
    tiers: "Tiers | None" = None
    when_known: bool = False
    title: Text | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Part":
        bounds = (self.at_least, self.at_least_of, self.more_than, self.more_than_of, self.at_most, self.tiers)
        if sum(bound is not None for bound in bounds) != 1:
            raise ValueError("exactly one bound is needed")
        return self


class Tier(Frozen):
    over: Band
    at_least: Exact | None = None
    at_least_of: str | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Tier":
        if (self.at_least is None) == (self.at_least_of is None):
            raise ValueError("exactly one of at_least, at_least_of is needed")
        return self


class Tiers(Frozen):
    """The bound depends on a figure of the latest fiscal year."""

    by: Key
    steps: tuple[Tier, ...]


class Condition(Sourced):
    """All parts must hold; the first part gives the value shown unless another part decides."""

    id: Annotated[str, Field(pattern=r"^[A-Z][0-9]+[a-z]?$")]
    title: Text
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]


class ItemBand(Frozen):
    """Where the measure lies (`when`) and the grade it gives.

    `grade_of` names the parameter that holds the grade, `next` passes on to the item's next ladder, `free`
    leaves the expert the item's whole range because the text gives no grade.
    """

    when: Band
    grade: Grade | None = None
    grade_of: str | None = None
    next: bool = False
    free: bool = False

    @model_validator(mode="after")
    def _one_result(self) -> "ItemBand":
        if sum((self.grade is not None, self.grade_of is not None, self.next, self.free)) != 1:
            raise ValueError("exactly one of grade, grade_of, next, free is needed")
        return self


class Ladder(Frozen):
    """Bands of one measure. `absent_is_open`: while the measure is unknown, the expert's points stand alone."""

    absent_is_open: bool = False
    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)
    bands: Annotated[tuple[ItemBand, ...], Field(min_length=1)]


class Shown(Frozen):
    """A measure whose value helps the expert although no published band turns it into points."""

    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)


class Item(Sourced):
    """A score item. Without ladders an expert alone decides, inside the grades if there are any.

    `grades` are points, or coefficients of `max` where the edition scores by coefficients.
    """

    id: Key
    title: Text
    group: Key
    by: Literal["technical", "financial", "officer"]
    max: Exact
    grades: Mapping[Grade, tuple[Exact, Exact]] | None = None
    ladders: tuple[Ladder, ...] = ()
    shows: Shown | None = None


class Group(Sourced):
    id: Key
    title: Text
    max: Exact


class Score(Sourced):
    """`given`: experts give whole points (`points`) or a share of the item's maximum (`coefficient`)."""

    pass_above: Exact | None = None
    pass_above_of: str | None = None
    given: Literal["points", "coefficient"]
    grades: Mapping[Grade, tuple[Exact, Exact]] = Field(default_factory=dict)
    groups: tuple[Group, ...]
    items: tuple[Item, ...]

    def grades_of(self, item: Item) -> Mapping[str, tuple[Decimal, Decimal]]:
        """The item's own grades, else the ones that hold for every item."""
        return self.grades if item.grades is None else item.grades


class Judgement(Frozen):
    """A name that experts or officers fill beside the score items."""

    kind: Literal["boolean", "count"]
    title: Text
    max: int | None = None


class Rights(Sourced):
    """Which IP rights count. `related_only`: those that support the main products."""

    related_only: bool = True

    classes: Mapping[str, tuple[str, ...]]
    acquired: tuple[str, ...]
    held_without_owning: tuple[str, ...] = ()
    obtained_within_years: int | None = None
    used_once: tuple[str, ...] = ()


class RdCaliber(Sourced):
    """How R&D costs are collected: the counted share of entrusted work, the cap on other costs in the total."""

    entrusted_share: Exact
    other_cap: Exact


class Period(Frozen):
    """A length of time; working days are those of the official calendar."""

    working_days: int | None = None
    days: int | None = None
    months: int | None = None
    years: int | None = None
    until: Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$")] | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> "Period":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("exactly one unit is needed")
        return self


class Transition(Sourced):
    """One step of the way of a case. `deadline`: when it falls due after the state was reached, if it does."""

    verb: Key
    from_: tuple[State, ...] = Field(alias="from")
    to: State
    by: tuple[Role, ...]
    deadline: Period | None = None
    case_types: tuple[CaseType, ...] | None = None


class Paper(Sourced):
    """A document that an application must or may bring."""

    id: Key
    title: Text
    required: bool = True
    case_types: tuple[CaseType, ...] | None = None
    fiscal_years: int | None = None


class Validity(Sourced):
    years: int

    def valid_until(self, granted_on: date) -> date:
        """The day of the same date `years` later; 29 February becomes the 28th."""
        year = granted_on.year + self.years
        last = calendar.monthrange(year, granted_on.month)[1]
        return date(year, granted_on.month, min(granted_on.day, last))


class Panel(Sourced):
    min_experts: int
    min_technical_share: Exact
    min_financial: int
    head: Literal["technical", "financial", "any"]
    pool_multiple: int
    aggregate: Literal["mean"]


class Rule(Sourced):
    """A duty, change, revocation ground, bar or deadline: what, until when, and what follows."""

    id: Key
    title: Text
    period: Period | None = None
    misses_allowed: int | None = None
    consequence: Text | None = None
    case_types: tuple[CaseType, ...] | None = None


class Edition(Frozen):
    """One edition. `in_force_to` is the last day in force. `hash` is the SHA-256 of the file."""

    programme: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    level: Literal["municipal", "provincial", "national"] | None
    title: Text
    in_force_from: Day
    in_force_to: Day | None
    hash: str
    title_number: str
    instruments: tuple[Instrument, ...]
    case_types: Annotated[tuple[CaseType, ...], Field(min_length=1)]
    parameters: Mapping[str, Parameter] = Field(default_factory=dict)
    judgements: Mapping[Key, Judgement] = Field(default_factory=dict)
    rights: Rights | None = None
    rd_caliber: RdCaliber | None = None
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    score: Score | None = None
    process: Annotated[tuple[Transition, ...], Field(min_length=1)]
    notice_working_days: int
    validity: Validity
    panel: Panel | None = None
    documents: tuple[Paper, ...] = ()
    deadlines: tuple[Rule, ...] = ()
    duties: tuple[Rule, ...] = ()
    changes: tuple[Rule, ...] = ()
    revocation: tuple[Rule, ...] = ()
    reapplication: tuple[Rule, ...] = ()

    def parameter(self, name: str) -> Setting:
        return self.parameters[name].value

    def bound(self, value: Exact | None, parameter: str | None) -> Fraction:
        """The number of a bound given outright or through a parameter."""
        if value is not None:
            return Fraction(value)
        setting = self.parameter(parameter or "")
        if isinstance(setting, str | bool):
            raise ValueError(f"parameter {parameter} is no number")  # noqa: TRY004 - a fault of the file, not of a caller
        return Fraction(setting)

    def papers_for(self, case_type: str) -> tuple[Paper, ...]:
        """The documents that an application of this case type may bring."""
        return tuple(p for p in self.documents if p.case_types is None or case_type in p.case_types)

    def steps_from(self, state: str, case_type: str) -> tuple[Transition, ...]:
        """The transitions open to a case of this type in this state."""
        return tuple(
            step for step in self.process
            if state in step.from_ and (step.case_types is None or case_type in step.case_types)
        )  # fmt: skip
