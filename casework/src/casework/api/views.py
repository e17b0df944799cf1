"""What casework answers over HTTP."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from casework.case import Decision, Document, Judgement, NoticeOutcome, Outcome, Proposal, Title
from casework.edition import CaseType, Edition, Role, State, Text


class View(BaseModel):
    """What is shown of something kept: those of its fields that the view names."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, kept: BaseModel) -> Self:
        return cls.model_validate(kept)


class CaseView(View):
    """Where a case stands. `version` is also its ETag."""

    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    case_type: CaseType
    state: State
    version: int
    applied_on: date | None
    edition: date | None
    edition_hash: str | None
    round_id: UUID | None
    verdict: Outcome | None
    proposal: Proposal | None
    defects: list[str]
    reasons: list[str]
    drafted_at: datetime
    changed_at: datetime


class NoticeView(View):
    """A public notice. While an objection stops its clock, from `suspended_on` on, `ends_on` moves with every day."""

    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    opens_on: date
    ends_on: date
    suspended_on: date | None
    outcome: NoticeOutcome | None


class TitleView(BaseModel):
    """A title as anybody may see it; `in_force` is said for the day of the question."""

    number: str
    title_id: UUID
    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    granted_on: date
    valid_until: date
    revoked_on: date | None
    in_force: bool

    @classmethod
    def of(cls, title: Title, today: date) -> Self:
        shown = title.model_dump(exclude={"edition", "edition_hash", "expired_at"})
        return cls.model_validate(shown | {"in_force": title.holds_on(today)})


class StepView(BaseModel):
    """A verb that is possible now, by whom, and the last day for it where the edition names one.

    `waits_for`: the inspections that must be passed first.
    """

    verb: str
    by: list[Role]
    due_on: date | None
    waits_for: list[str]


class FullCase(BaseModel):
    """A case with what hangs on it. `judgements` is null for those who may not see who judged what.

    `next` is empty where the edition of the case is not loaded here.
    """

    case: CaseView
    facts: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    documents: list[Document]
    judgements: list[Judgement] | None
    decisions: list[Decision]
    next: list[StepView]
    notice: NoticeView | None
    title: TitleView | None


class EditionName(BaseModel):
    level: str | None
    in_force_from: date
    in_force_to: date | None
    hash: str


class Programme(BaseModel):
    programme: str
    title: Text
    editions: list[EditionName]

    @classmethod
    def of(cls, programme: str, editions: list[Edition]) -> Self:
        names = [
            EditionName.model_validate(e.model_dump(include=set(EditionName.model_fields))) for e in editions
        ]
        return cls(programme=programme, title=editions[-1].title, editions=names)


class Programmes(BaseModel):
    programmes: list[Programme]
