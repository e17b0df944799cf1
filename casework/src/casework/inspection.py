"""An inspection of a case, how a look came out, and the draw of the titles that are looked at, as they stand in the tables."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from casework.case import Document, Kept
from casework.expert import SecretDraw, Subject
from casework.objection import Statement
from casework.sample import Batch

InspectionKind = Literal["site", "random"]
InspectionState = Literal["due", "passed", "failed", "lapsed"]
LookOutcome = Literal["passed", "failed"]


class InspectionRow(Kept):
    """That a case is inspected under one rule of its edition, `inspection`, by `due_on` where there is a last day.

    `state` is as the newest look has it; lapsed where it is needed no more and nobody had looked. `draw_id`: of a
    random one, the draw. `overdue_on`: the first day on which it was too late.
    """

    inspection_id: UUID
    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    round_id: UUID | None
    inspection: str
    kind: InspectionKind
    draw_id: UUID | None = None
    due_on: date | None = None
    overdue_on: date | None = None
    state: InspectionState = "due"
    added_at: datetime


class Look(Kept):
    """How one look came out: on which day, who went (officers, as they sign in), what was found."""

    outcome: LookOutcome
    held_on: date
    officers: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=20)]
    findings: Statement
    documents: Annotated[tuple[Document, ...], Field(max_length=100)] = ()


class Outcome(Look):
    """A look as it was recorded; the one with the highest `number` of its inspection counts."""

    inspection_id: UUID
    number: int
    recorded_by: str
    recorded_at: datetime


class SampleRow(SecretDraw):
    """A draw of titles."""

    pool: Batch
