"""An objection to a proposed title, and what it does to the days of the notice."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from casework.calendar import add_working_days, working_days_after
from casework.case import Kept

ObjectionState = Literal["lodged", "dismissed", "upheld", "lapsed"]
# Printable text: a line, or a statement of some lines.
Line = Annotated[str, Field(min_length=2, max_length=200, pattern=r"^\S[^\x00-\x1f\x7f]*\S$")]
Statement = Annotated[
    str, Field(min_length=10, max_length=10_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\S$")
]


class Objection(Kept):
    """In writing and with a real name. Who objects and what is said is for officers and auditors alone.

    `contact`: a telephone number, an address or a mailbox at which the bureau makes sure of the name.
    """

    objection_id: UUID
    case_id: UUID
    name: Line
    unit: Line | None
    contact: Line
    statement: Statement
    lodged_by: str
    lodged_at: datetime
    state: ObjectionState = "lodged"
    decided_by: str | None = None
    decided_at: datetime | None = None
    reasons: tuple[str, ...] = ()


def resumed_until(ends_on: date, suspended_on: date, today: date) -> date:
    """The new last day of a notice that was suspended: as many working days after today as were left.

    Raises CalendarUnknown.
    """
    return add_working_days(today, working_days_after(suspended_on, ends_on))
