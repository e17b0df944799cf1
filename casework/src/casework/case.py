"""A case and what hangs on it, as they stand in the tables."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from casework.edition import CaseType, KeptBy, State

Proposal = Literal["grant", "refuse"]
Outcome = Literal["pass", "fail", "unknown"]
NoticeOutcome = Literal["granted", "withdrawn", "refused", "upheld"]
PaperId = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
FileName = Annotated[str, Field(min_length=1, max_length=200)]
MediaType = Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,100}$")]
Size = Annotated[int, Field(gt=0, le=2**40)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Case(Kept):
    """One application. `facts` are the applicant's own while a draft, the judged snapshot once submitted."""

    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None = None
    programme: str
    level: str | None = None
    case_type: CaseType
    state: State = "draft"
    version: int = 1
    applied_on: date | None = None
    edition: date | None = None
    edition_hash: str | None = None
    once_in_year: int | None = None
    round_id: UUID | None = None
    facts: Mapping[str, Any] = Field(default_factory=dict)
    answer: Mapping[str, Any] | None = None
    verdict: Outcome | None = None
    proposal: Proposal | None = None
    defects: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    drafted_at: datetime
    changed_at: datetime


class Document(Kept):
    """One document that the applicant brings: which paper of the edition's list, and the hash of its bytes."""

    paper: PaperId
    file_name: FileName
    media_type: MediaType = "application/pdf"
    bytes: Size
    sha256: Sha256


class KeptFile(Kept):
    """A file of an enterprise: its bytes lie in the storage, and `media_type` is what they say."""

    file_id: UUID
    enterprise_id: str
    sha256: Sha256
    bytes: Size
    media_type: MediaType
    file_name: FileName
    added_at: datetime
    added_by: str


class Brought(Document):
    """A document of a case, and what the enterprise's file of the same SHA-256 is, where there is one."""

    file_id: UUID | None
    file_bytes: Size | None
    file_type: MediaType | None


class Judgement(Kept):
    """What one person says of one name; a later version of the same person replaces the one before."""

    name: str
    judge: str
    version: int
    value: bool | str
    given_at: datetime


class Decision(Kept):
    """One entry of the audit: who did what, from which state to which, and why."""

    version: int
    verb: str
    actor: str
    from_state: State | None
    to_state: State
    reasons: tuple[str, ...]
    at: datetime


class Notice(Kept):
    """A public notice, open on every day from `opens_on` to `ends_on`, both included.

    `suspended_on`: an objection stops its clock from that day on; None while it runs.
    """

    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    opens_on: date
    ends_on: date
    suspended_on: date | None
    closed_at: datetime | None
    outcome: NoticeOutcome | None


class Title(Kept):
    """A title, held from `granted_on` to `valid_until`, both included, unless it is revoked; on `revoked_on` no longer."""

    title_id: UUID
    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    programme: str
    level: str | None
    number: str
    granted_on: date
    valid_until: date
    edition: date
    edition_hash: str
    revoked_on: date | None = None
    expired_at: datetime | None = None

    def holds_on(self, day: date) -> bool:
        """Held on that day: granted, not run out, not revoked."""
        return self.granted_on <= day <= self.valid_until and (
            self.revoked_on is None or day < self.revoked_on
        )


class Revocation(Kept):
    """The taking away of a title, proposed on a ground of its edition by one officer and decided by another.

    `conduct_on`: when the ground arose. `barred_until`: the last day without a new application.
    """

    revocation_id: UUID
    title_id: UUID
    ground: str
    conduct_on: date
    reasons: tuple[str, ...]
    state: Literal["proposed", "dropped", "revoked"]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reasons: tuple[str, ...] = ()
    revoked_on: date | None = None
    barred_until: date | None = None


class Duty(Kept):
    """What a title owes for one year under one rule of its edition, from `opens_on` to `due_on`, both included.

    `grace_until`: the last day after a warning, where the edition gives one. `missed_on`: the first day on which it was
    too late; what is reported afterwards is kept and stays missed. `result`: how an assessment came out.
    """

    duty_id: UUID
    title_id: UUID
    rule: str
    year: int
    kept_by: KeptBy
    opens_on: date
    due_on: date
    reminded_on: date | None = None
    grace_until: date | None = None
    done_on: date | None = None
    result: str | None = None
    missed_on: date | None = None

    @property
    def last_on(self) -> date:
        """The last day on which it is not missed."""
        return self.grace_until or self.due_on

    @property
    def is_late(self) -> bool:
        return self.done_on is not None and self.done_on > self.due_on


class Report(Kept):
    """What an enterprise reported to keep a duty: the contents as given, and the hashes of its files."""

    duty_id: UUID
    contents: Mapping[str, Any]
    documents: tuple[Document, ...]
    handed_in_by: str
    handed_in_at: datetime


class Change(Kept):
    """Something that changed about the holder of a title, as it was reported; `result` is what an officer decided."""

    change_id: UUID
    title_id: UUID
    rule: str
    changed_on: date
    reported_on: date
    late: bool
    description: str
    new_name: str | None = None
    reported_by: str | None = None
    result: str | None = None
    reasons: tuple[str, ...] = ()
    decided_by: str | None = None
    decided_at: datetime | None = None
