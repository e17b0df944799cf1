"""What certification says: who is registered, who acts for whom, how cases go, which titles are granted."""

from typing import Literal
from uuid import UUID

from contracts import casework
from contracts.envelope import Event
from contracts.values import Day, EnterpriseId, Instant, Text


class EnterpriseFact(Event):
    """What others need to know of an enterprise. `region` is its GB/T 2260 code."""

    enterprise_id: EnterpriseId
    name: Text
    region: Text
    established_on: Day
    language: Literal["zh-CN", "en"] = "zh-CN"
    contact_email: Text | None = None


class EnterpriseRegistered(EnterpriseFact, topic="certification.enterprises", key="enterprise_id"):
    """The bureau knows a new enterprise."""


class EnterpriseChanged(EnterpriseFact, topic="certification.enterprises", key="enterprise_id"):
    """What was known of an enterprise changed; the event holds the whole new state."""


class MemberFact(Event):
    """What others need to know of a person that acts for an enterprise; each event holds the whole state.

    `person` is `enterprise:<subject>`, as events name their actor. `until` is the last day of an agent; the others have none.
    """

    member_id: UUID
    enterprise_id: EnterpriseId
    person: Text
    kind: Literal["owner", "agent", "viewer"]
    until: Day | None
    invited_by: Text
    joined_at: Instant


class MemberJoined(MemberFact, topic="certification.enterprises", key="enterprise_id"):
    """A person accepted an invitation to act for the enterprise."""


class MemberEnded(MemberFact, topic="certification.enterprises", key="enterprise_id"):
    """A person does not act for the enterprise any more: it left, an owner ended it, or the last day of an agent is over."""

    ended_at: Instant
    ended_by: Text


class CaseSubmitted(casework.CaseSubmittedShape, topic="certification.cases", key="case_id"):
    pass


class CaseReturned(casework.CaseReturnedShape, topic="certification.cases", key="case_id"):
    pass


class CaseJudged(casework.CaseJudgedShape, topic="certification.cases", key="case_id"):
    pass


class CaseProposed(casework.CaseProposedShape, topic="certification.cases", key="case_id"):
    pass


class NoticeOpened(casework.NoticeOpenedShape, topic="certification.cases", key="case_id"):
    pass


class ObjectionLodged(casework.ObjectionLodgedShape, topic="certification.cases", key="case_id"):
    pass


class ObjectionDecided(casework.ObjectionDecidedShape, topic="certification.cases", key="case_id"):
    pass


class InspectionDue(casework.InspectionDueShape, topic="certification.cases", key="case_id"):
    pass


class InspectionHeld(casework.InspectionHeldShape, topic="certification.cases", key="case_id"):
    pass


class InspectionOverdue(casework.InspectionOverdueShape, topic="certification.cases", key="case_id"):
    pass


class CaseRefused(casework.CaseRefusedShape, topic="certification.cases", key="case_id"):
    pass


class CaseWithdrawn(casework.CaseWithdrawnShape, topic="certification.cases", key="case_id"):
    pass


class TitleGranted(casework.TitleGrantedShape, topic="certification.titles", key="enterprise_id"):
    pass


class TitleRevoked(casework.TitleRevokedShape, topic="certification.titles", key="enterprise_id"):
    pass


class RevocationProposed(casework.RevocationProposedShape, topic="certification.titles", key="enterprise_id"):
    pass


class TitleExpired(casework.TitleExpiredShape, topic="certification.titles", key="enterprise_id"):
    pass


class ChangeReported(casework.ChangeReportedShape, topic="certification.titles", key="enterprise_id"):
    pass


class ChangeDecided(casework.ChangeDecidedShape, topic="certification.titles", key="enterprise_id"):
    pass


class DutyDue(casework.DutyDueShape, topic="certification.titles", key="enterprise_id"):
    pass


class DutyDone(casework.DutyDoneShape, topic="certification.titles", key="enterprise_id"):
    pass


class DutyMissed(casework.DutyMissedShape, topic="certification.titles", key="enterprise_id"):
    pass


class DrawCommitted(casework.DrawCommittedShape, topic="certification.draws", key="draw_id"):
    pass


class DrawRevealed(casework.DrawRevealedShape, topic="certification.draws", key="draw_id"):
    pass


class PanelDrawn(casework.PanelDrawnShape, topic="certification.draws", key="draw_id"):
    pass


class ExpertRecused(casework.ExpertRecusedShape, topic="certification.draws", key="draw_id"):
    pass


class PanelEnded(casework.PanelEndedShape, topic="certification.draws", key="draw_id"):
    pass


class ExpertCalled(casework.ExpertCalledShape, topic="certification.seats", key="expert_id"):
    pass


class ExpertReleased(casework.ExpertReleasedShape, topic="certification.seats", key="expert_id"):
    pass
