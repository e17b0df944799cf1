"""Who acts for an enterprise besides those whose token names it."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from casework.case import Kept

MemberKind = Literal["owner", "agent", "viewer"]
Person = Annotated[str, Field(pattern=r"^enterprise:[^\x00-\x20\x7f-\x9f]{1,128}$")]


def check_last_day(kind: MemberKind, until: date | None) -> None:
    """Raises ValueError unless exactly an agent has a last day."""
    if (kind == "agent") != (until is not None):
        raise ValueError("an agent acts until a day, and nobody else does")


class Membership(Kept):
    """By which right somebody acts for an enterprise. `until`: the last day of an agent; the others have none."""

    kind: MemberKind
    until: date | None = None

    @model_validator(mode="after")
    def _agents_have_a_last_day(self) -> Self:
        check_last_day(self.kind, self.until)
        return self

    def is_over(self, today: date) -> bool:
        return self.until is not None and self.until < today


class Member(Membership):
    """A person, named as decisions name their actor, and the enterprise that it acts for since `joined_at`."""

    member_id: UUID
    enterprise_id: str
    person: Person
    invited_by: str
    joined_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
