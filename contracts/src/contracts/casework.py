"""Shapes of the facts about a case and its title, spoken alike by both services that grant titles."""

from typing import Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.values import Day, EnterpriseId, Score, Text


class CaseFact(Event):
    """A fact about one case: an enterprise's application for one programme, under one edition of its rulebook."""

    case_id: UUID
    enterprise_id: EnterpriseId
    programme: Text
    level: Text | None
    case_type: Text
    edition: Day


class CaseSubmittedShape(CaseFact):
    """The application is complete enough to be judged; the edition is pinned by its date and its hash."""

    applied_on: Day
    edition_hash: Text


class CaseReturnedShape(CaseFact):
    """The application went back to the enterprise to be mended."""

    defects: list[Text]


class CaseJudgedShape(CaseFact):
    """The rulebook was applied. The score is an interval where judgements are missing; None without a score."""

    verdict: Literal["pass", "fail", "unknown"]
    score_lo: Score | None
    score_hi: Score | None
    failed_conditions: list[Text]


class CaseProposedShape(CaseFact):
    """The bureau proposes a decision."""

    proposal: Literal["grant", "refuse"]


class NoticeOpenedShape(CaseFact):
    """The proposed decision is on public notice, from one day to another, both included."""

    opens_on: Day
    ends_on: Day


class ObjectionLodgedShape(CaseFact):
    """Somebody objects to what is on notice: its clock stands still from `lodged_on` on. Who objects is not told."""

    objection_id: UUID
    lodged_on: Day


class ObjectionDecidedShape(CaseFact):
    """An objection was answered.

    `notice_ends_on`: the new last day of the notice where the case goes back on it with this answer, else None.
    """

    objection_id: UUID
    decision: Literal["dismissed", "upheld"]
    reasons: list[Text]
    notice_ends_on: Day | None


class InspectionFact(CaseFact):
    """A fact about one inspection of a case or of its title, as the edition names it.

    `kind`: of the site before the notice, or drawn at random among titles.
    """

    inspection: Text
    kind: Literal["site", "random"]


class InspectionDueShape(InspectionFact):
    """The bureau is going to look at the enterprise, until `due_on` where there is a last day, that day included."""

    due_on: Day | None


class InspectionHeldShape(InspectionFact):
    """The bureau has looked. The newest look of an inspection counts."""

    outcome: Literal["passed", "failed"]
    held_on: Day


class InspectionOverdueShape(InspectionFact):
    """Nobody has looked by the last day, `due_on`."""

    due_on: Day


class CaseRefusedShape(CaseFact):
    """The title was refused."""

    reasons: list[Text]


class CaseWithdrawnShape(CaseFact):
    """The enterprise took its application back."""


class TitleFact(Event):
    """A fact about one title of an enterprise."""

    title_id: UUID
    case_id: UUID
    enterprise_id: EnterpriseId
    programme: Text
    level: Text | None
    number: Text


class TitleGrantedShape(TitleFact):
    """The enterprise holds the title from `granted_on` to `valid_until`, both included."""

    granted_on: Day
    valid_until: Day


class RevocationProposedShape(TitleFact):
    """That the title be taken away is proposed, by an officer or by the office itself; somebody else decides.

    `ground` is named by the edition that the title was granted under, and `conduct_on` is the day on which it arose.
    """

    ground: Text
    conduct_on: Day
    reasons: list[Text]


class TitleExpiredShape(TitleFact):
    """The title ran out: `valid_until` was the last day on which it was held."""

    valid_until: Day


class ChangeFact(TitleFact):
    """A fact about one change that the holder of a title reported. `change` is named by the edition of the title."""

    change_id: UUID
    change: Text
    changed_on: Day


class ChangeReportedShape(ChangeFact):
    """The holder reported the change, late when the edition's period was over."""

    late: bool


class ChangeDecidedShape(ChangeFact):
    """The bureau decided what follows. The title goes on under `new_name` where there is one; number and validity stay."""

    result: Text
    new_name: Text | None


class DutyFact(TitleFact):
    """A fact about one duty of a title: what is owed under one rule of its edition, about one year, by `due_on`."""

    duty: Text
    year: int
    due_on: Day


class DutyDueShape(DutyFact):
    """A duty is due soon, or is overdue and may still be kept until `grace_until`, that day included."""

    grace_until: Day | None


class DutyDoneShape(DutyFact):
    """The duty was kept on `done_on`, late when that lies after the day on which it was due.

    `result` is how an assessment came out, as the edition names it.
    """

    done_on: Day
    late: bool
    result: Text | None


class DutyMissedShape(DutyFact):
    """The duty was not kept in time; `missed_on` is the first day on which it was too late."""

    missed_on: Day


class TitleRevokedShape(TitleFact):
    """The title is taken away: from `revoked_on` on nobody holds it.

    `ground` is named by the edition that the title was granted under, and `conduct_on` is the day on which it arose:
    benefits are recovered from that year on. No application is taken until `barred_until`, that day included.
    """

    revoked_on: Day
    ground: Text
    conduct_on: Day
    barred_until: Day | None


class DrawFact(Event):
    """A fact about one draw, of experts or of titles to be inspected. Experts are named by their id, never by more."""

    draw_id: UUID
    programme: Text
    edition: Day


class DrawCommittedShape(DrawFact):
    """The bureau committed to a draw for or of these cases: the pool is frozen, the seed fixed. Both hashes are SHA-256."""

    edition_hash: Text
    pool_hash: Text
    seed_hash: Text
    cases: list[UUID]


class DrawRevealedShape(DrawFact):
    """The seed (hexadecimal) is public, with the beacon where one was named: everybody can draw again."""

    seed: Text
    beacon: Text | None


class PanelDrawnShape(DrawFact):
    """These experts judge the case; one of them is the head."""

    case_id: UUID
    experts: list[UUID]
    head: UUID


class ExpertRecusedShape(DrawFact):
    """An expert left the panel of a case, and the next of the same ranking took the seat."""

    case_id: UUID
    expert_id: UUID
    successor: UUID
    head: UUID


class PanelEndedShape(DrawFact):
    """The panel of a case ended, because nobody of the frozen pool could fill it; the case may be drawn for anew."""

    case_id: UUID


class SeatFact(Event):
    """A fact for one expert alone, who is addressed by `subject`: how the expert signs in, never by a name."""

    draw_id: UUID
    programme: Text
    edition: Day
    expert_id: UUID
    subject: Text


class ExpertCalledShape(SeatFact):
    """The expert sits on the panels of so many cases of the draw; `steps_in`: in the place of one who left."""

    seats: int
    steps_in: bool


class ExpertReleasedShape(SeatFact):
    """The expert does not sit on the panel of one case any more."""
