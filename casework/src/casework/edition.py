"""The frozen shape of one rulebook edition: the law of one programme from one date on.

Every value that the law fixes carries its `source` (instrument and article) and `verified`:
false where the text is silent, only known at second hand, or set by the bureau.
"""

import calendar
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from casework.criteria import Condition, Judgement, RdCaliber, Rights, Score
from casework.sourced import Day, Exact, Frozen, Key, Setting, Source, Sourced, Text

__all__ = [
    "CaseType", "Edition", "Instrument", "Panel", "Paper", "Parameter", "Period", "Role", "Rule", "Source", "State",
    "Text", "Transition", "Validity",
]  # fmt: skip

State = Literal[
    "draft", "submitted", "returned", "accepted", "in_review", "proposed",
    "on_notice", "objected", "recorded", "granted", "refused", "withdrawn",
]  # fmt: skip
CaseType = Literal["first", "review_2008", "re_recognition"]
Role = Literal["enterprise", "officer", "expert", "public", "system"]


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
