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

from casework.criteria import Choice, Condition, Judgement, Part, RdCaliber, Rights, Score
from casework.sourced import Day, Exact, Frozen, Key, Setting, Source, Sourced, Text

__all__ = [
    "Agents", "CaseType", "Edition", "Inspection", "Instrument", "Panel", "Paper", "Parameter", "Period", "Renewal", "Result",
    "Role", "Rule", "Source", "State", "Text", "Transition", "Validity",
]  # fmt: skip

State = Literal[
    "draft", "submitted", "returned", "accepted", "in_review", "proposed",
    "on_notice", "objected", "recorded", "granted", "refused", "withdrawn",
]  # fmt: skip
CaseType = Literal["first", "review_2008", "re_recognition"]
Role = Literal["enterprise", "officer", "expert", "public", "system"]
Falls = Literal["yearly", "since_grant", "before_expiry", "after_expiry"]
KeptBy = Literal["report", "application", "assessment"]
DayOfYear = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


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
    until: DayOfYear | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> "Period":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("exactly one unit is needed")
        return self


class Transition(Sourced):
    """One step of the way of a case. `deadline`: when it falls due after the state was reached, if it does.

    `not_by`: verbs whose actor in the same case may not say this one (four eyes).
    """

    verb: Key
    from_: tuple[State, ...] = Field(alias="from")
    to: State
    by: tuple[Role, ...]
    not_by: tuple[Key, ...] = ()
    deadline: Period | None = None
    case_types: tuple[CaseType, ...] | None = None


class Paper(Sourced):
    """A document that an application must or may bring."""

    id: Key
    title: Text
    required: bool = True
    case_types: tuple[CaseType, ...] | None = None
    fiscal_years: int | None = None


def day_or_last(year: int, month: int, day: int) -> date:
    """The day of the month, or its last one where it is shorter."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


class Validity(Sourced):
    """`years` from the grant to the day, or to the `ends_on` of that year."""

    years: int
    ends_on: DayOfYear | None = None

    def valid_until(self, granted_on: date) -> date:
        """The day of the same date `years` later, or `ends_on` of that year; 29 February becomes the 28th."""
        year = granted_on.year + self.years
        month, day = granted_on.month, granted_on.day
        if self.ends_on is not None:
            month, day = (int(part) for part in self.ends_on.split("-"))
        return day_or_last(year, month, day)


class Panel(Sourced):
    min_experts: int
    min_technical_share: Exact
    min_financial: int
    head: Literal["technical", "financial", "any"]
    pool_multiple: int
    aggregate: Literal["mean"]


class Dated(Sourced):
    """What holds for applications and titles of some years only: both days included, None is without end."""

    applies_from: Day | None = None
    applies_to: Day | None = None

    def applies_on(self, day: date) -> bool:
        return (self.applies_from or day) <= day <= (self.applies_to or day)


class Result(Frozen):
    """How something owed may come out, and what follows. `period`: how long there is to mend it.

    `ground`: of a result that ends the title, the ground on which its revocation is proposed.
    """

    id: Key
    title: Text
    period: Period | None = None
    ends_title: bool = False
    ground: Key | None = None


class Rule(Dated):
    """A duty, change, revocation ground, bar or deadline: what, until when, and what follows.

    `grace`: how long there still is after a reminder. `results`: how it may come out, where it is judged.
    `grounds`: of a bar, the grounds of revocation that it follows; None is all of them.

    A duty also says when it `falls`: on a day of each year of the validity, every `period` since the grant, in the
    `period` before the expiry, or by the end of the `period` after it. It is `kept_by` a report, an assessment, or an
    application of `case_types`; titles granted on an application that is `spared` owe it not. It is about the year
    that lies `years_back` from the year in which it is due. More than `misses_allowed` lead to the `ground`.

    A change is reported within `period`; one that `renames` may bring a new name. The `ground` is that of a late report.
    """

    id: Key
    title: Text
    period: Period | None = None
    grace: Period | None = None
    misses_allowed: int | None = None
    falls: Falls | None = None
    kept_by: KeptBy | None = None
    years_back: int = 0
    spared: tuple[CaseType, ...] = ()
    ground: Key | None = None
    renames: bool = False
    grounds: tuple[Key, ...] | None = None
    consequence: Text | None = None
    case_types: tuple[CaseType, ...] | None = None
    results: tuple[Result, ...] = ()


class Renewal(Sourced):
    """From when on the next application is taken while a title of the programme is still held.

    `opens`: how long before the last day of that title (`until`: the latest such day of the year up to then); None is
    not before it has ended, as for applications that no renewal names. `case_types`: which applications; None is all.
    """

    id: Key
    title: Text
    opens: Period | None = None
    case_types: tuple[CaseType, ...] | None = None

    @model_validator(mode="after")
    def _backwards(self) -> "Renewal":
        if self.opens is not None and self.opens.working_days is not None:
            raise ValueError("working days are counted forwards")
        return self


class Inspection(Dated):
    """A look at applications beyond their papers, to be had before the verb `before`, or at titles.

    `site`: of each application, unless all of `spared_when` hold; of the case types `always_for` in any case.
    `random`: of at least `share` of the titles of a batch, drawn; a failed one gives the `ground` of a revocation.
    """

    id: Key
    title: Text
    kind: Literal["site", "random"]
    before: Key | None = None
    spared_when: tuple[Part, ...] = ()
    always_for: tuple[CaseType, ...] = ()
    share: Annotated[Exact, Field(gt=0, le=1)] | None = None
    ground: Key | None = None

    @model_validator(mode="after")
    def _whom(self) -> "Inspection":
        if (self.kind == "random") != (self.share is not None) or (self.kind == "site") != bool(
            self.spared_when
        ):
            raise ValueError("a random inspection needs `share`, an inspection of the site `spared_when`")
        return self


class Agents(Dated):
    """Whether somebody may act for the enterprise in its application."""

    allowed: bool
    title: Text


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
    choices: Mapping[Key, Choice] = Field(default_factory=dict)
    rights: Rights | None = None
    rd_caliber: RdCaliber | None = None
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    score: Score | None = None
    process: Annotated[tuple[Transition, ...], Field(min_length=1)]
    notice_working_days: int
    validity: Validity
    panel: Panel | None = None
    documents: tuple[Paper, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    agents: tuple[Agents, ...] = ()
    deadlines: tuple[Rule, ...] = ()
    duties: tuple[Rule, ...] = ()
    changes: tuple[Rule, ...] = ()
    revocation: tuple[Rule, ...] = ()
    reapplication: tuple[Rule, ...] = ()
    renewals: tuple[Renewal, ...] = ()

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

    def no_agents_on(self, day: date) -> Agents | None:
        """The rule that forbids agents in applications of that day, if one does."""
        return next((rule for rule in self.agents if not rule.allowed and rule.applies_on(day)), None)

    def renewal_for(self, case_type: str) -> Renewal | None:
        """The renewal that such an application is."""
        return next((r for r in self.renewals if r.case_types is None or case_type in r.case_types), None)

    def duty(self, rule: str) -> Rule:
        """Raises KeyError for a duty that the edition does not name."""
        return {duty.id: duty for duty in self.duties}[rule]

    def change(self, rule: str) -> Rule | None:
        return next((change for change in self.changes if change.id == rule), None)

    def papers_for(self, case_type: str) -> tuple[Paper, ...]:
        """The documents that an application of this case type may bring."""
        return tuple(p for p in self.documents if p.case_types is None or case_type in p.case_types)

    def steps_from(self, state: str, case_type: str) -> tuple[Transition, ...]:
        """The transitions open to a case of this type in this state."""
        return tuple(
            step for step in self.process
            if state in step.from_ and (step.case_types is None or case_type in step.case_types)
        )  # fmt: skip
