"""Experts, ties, seats and score sheets, as they stand in the tables."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from casework.case import Kept
from casework.fact_types import Uscc
from casework.panel import FieldName, Hash, Kind, Pool

Ground = Literal["employer", "holding", "declared"]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Subject = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x20\x7f-\x9f]+$")]
Person = Annotated[str, Field(pattern=r"^(officer|expert):[^\x00-\x20\x7f-\x9f]{1,128}$")]
Answer = bool | str


class Entry(Kept):
    """What the directory says of an expert. `subject` signs in; employer and holdings (USCC) tie to enterprises.

    `available_from` and `available_until` are both included; None is without end.
    """

    subject: Subject
    name: Line
    kind: Kind
    fields: Annotated[tuple[FieldName, ...], Field(max_length=50)] = ()
    employer_id: Uscc | None = None
    employer_name: Line | None = None
    holdings: Annotated[tuple[Uscc, ...], Field(max_length=100)] = ()
    available_from: date | None = None
    available_until: date | None = None
    active: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> "Entry":
        if self.available_from and self.available_until and self.available_until < self.available_from:
            raise ValueError("available_until lies before available_from")
        return self

    def may_sit_on(self, day: date) -> bool:
        return self.active and (self.available_from or day) <= day <= (self.available_until or day)


class Expert(Entry):
    expert_id: UUID
    version: int = 1
    changed_at: datetime

    @property
    def person(self) -> str:
        return f"expert:{self.subject}"


class Interest(Kept):
    """A tie of an officer or expert to an enterprise, from its declaration to its end."""

    interest_id: UUID
    person: Person
    enterprise_id: Uscc
    ground: Ground
    note: str | None = None
    declared_by: str
    declared_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None


class SecretDraw(Kept):
    """A draw, of whatever, with its secret: never to be shown as it is before `revealed_at`."""

    draw_id: UUID
    pool_hash: Hash
    seed: bytes
    seed_hash: Hash
    beacon: str | None = None
    committed_by: str
    committed_at: datetime
    revealed_by: str | None = None
    revealed_at: datetime | None = None


class DrawRow(SecretDraw):
    """A draw of panels."""

    programme: str
    edition: date
    edition_hash: str
    pool: Pool


class Seat(Kept):
    """An expert's seat on the panel of a case. `handed_in_at`: of the expert's sheet; `opened_at`: of all sheets."""

    case_id: UUID
    draw_id: UUID
    expert_id: UUID
    subject: str
    name: str
    kind: Kind
    head: bool
    rank: int
    seated_at: datetime
    recused_at: datetime | None = None
    recused_by: str | None = None
    reason: str | None = None
    handed_in_at: datetime | None = None
    opened_at: datetime | None = None

    @property
    def person(self) -> str:
        return f"expert:{self.subject}"


class Sheet(Kept):
    """What one expert gives; `version` 0 is a sheet nobody has written on yet."""

    case_id: UUID
    expert_id: UUID
    version: int = 0
    given: Mapping[str, Answer] = Field(default_factory=dict)
    changed_at: datetime | None = None
    handed_in_at: datetime | None = None
