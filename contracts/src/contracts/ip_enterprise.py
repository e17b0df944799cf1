"""What ip-enterprise says: which IP assets are on its register, how its own cases go, which titles are granted."""

from contracts import casework
from contracts.envelope import Event
from contracts.values import Day, EnterpriseId, Text


class AssetRecorded(Event, topic="ip-enterprise.assets", key="enterprise_id"):
    """An IP right is on the register, or its entry changed; the event holds the whole entry.

    `owned`: the enterprise owns it; `related`: it supports the enterprise's main products (services).
    """

    asset_id: Text
    enterprise_id: EnterpriseId
    kind: Text
    acquired: Text
    granted_on: Day
    expires_on: Day | None
    in_force: bool
    owned: bool
    related: bool


class AssetExpired(Event, topic="ip-enterprise.assets", key="enterprise_id"):
    """An IP right is no longer in force."""

    asset_id: Text
    enterprise_id: EnterpriseId
    expired_on: Day


class CaseSubmitted(casework.CaseSubmittedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class CaseReturned(casework.CaseReturnedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class CaseJudged(casework.CaseJudgedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class CaseProposed(casework.CaseProposedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class NoticeOpened(casework.NoticeOpenedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class ObjectionLodged(casework.ObjectionLodgedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class ObjectionDecided(casework.ObjectionDecidedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class InspectionDue(casework.InspectionDueShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class InspectionHeld(casework.InspectionHeldShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class InspectionOverdue(casework.InspectionOverdueShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class CaseRefused(casework.CaseRefusedShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class CaseWithdrawn(casework.CaseWithdrawnShape, topic="ip-enterprise.cases", key="case_id"):
    pass


class TitleGranted(casework.TitleGrantedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class TitleRevoked(casework.TitleRevokedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class RevocationProposed(casework.RevocationProposedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class TitleExpired(casework.TitleExpiredShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class ChangeReported(casework.ChangeReportedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class ChangeDecided(casework.ChangeDecidedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class DutyDue(casework.DutyDueShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class DutyDone(casework.DutyDoneShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class DutyMissed(casework.DutyMissedShape, topic="ip-enterprise.titles", key="enterprise_id"):
    pass


class DrawCommitted(casework.DrawCommittedShape, topic="ip-enterprise.draws", key="draw_id"):
    pass


class DrawRevealed(casework.DrawRevealedShape, topic="ip-enterprise.draws", key="draw_id"):
    pass


class PanelDrawn(casework.PanelDrawnShape, topic="ip-enterprise.draws", key="draw_id"):
    pass


class ExpertRecused(casework.ExpertRecusedShape, topic="ip-enterprise.draws", key="draw_id"):
    pass


class PanelEnded(casework.PanelEndedShape, topic="ip-enterprise.draws", key="draw_id"):
    pass


class ExpertCalled(casework.ExpertCalledShape, topic="ip-enterprise.seats", key="expert_id"):
    pass


class ExpertReleased(casework.ExpertReleasedShape, topic="ip-enterprise.seats", key="expert_id"):
    pass
