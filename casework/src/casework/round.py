"""A round: the time in which a programme takes applications."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Call(BaseModel):
    """What is called for. Enterprises hand in from `opens_on` to `closes_on`, the city recommends until `forwards_on`.

    All days are included. `quota` is how many the city may recommend, `source` the notice that calls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    programme: Line
    level: Line | None = None
    name: Line
    opens_on: date
    closes_on: date
    forwards_on: date
    quota: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    source: Line

    @model_validator(mode="after")
    def _in_order(self) -> "Call":
        if not self.opens_on <= self.closes_on <= self.forwards_on:
            raise ValueError("the days must follow each other: opens_on, closes_on, forwards_on")
        return self


class Round(Call):
    round_id: UUID
    version: int = 1
    changed_at: datetime

    def is_open(self, today: date) -> bool:
        return self.opens_on <= today <= self.closes_on

    def overlaps(self, other: Call) -> bool:
        return self.opens_on <= other.closes_on and other.opens_on <= self.closes_on
