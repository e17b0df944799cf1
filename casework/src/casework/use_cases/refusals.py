"""Why a verb was refused."""

from typing import ClassVar

from chassis.errors import Refused


class EditionNotLoaded(Refused):
    """The case was submitted under the edition of {programme} of {edition} ({hash}), which is not loaded here."""


class CaseTypeNotInEdition(Refused):
    """The edition of {programme} of {edition} knows no application of type {case_type}."""


class MissingDocuments(Refused):
    """These documents are missing: {missing}."""


class DocumentsNotUploaded(Refused):
    """These documents are not among the enterprise's files as they are declared: {problems}."""


class UnknownDocument(Refused):
    """The edition of {programme} asks for no document {paper}."""


class AppliedThisYear(Refused):
    """The enterprise has applied for {programme} in {year} already; once a year is allowed."""


class NotYours(Refused):
    """{path} is not the applicant's to give: officers and experts judge."""

    status: ClassVar[int] = 422


class NotYourJudgement(Refused):
    """{name} is judged by {by}."""

    status: ClassVar[int] = 403


class NotPassed(Refused):
    """A grant cannot be proposed: the verdict is {verdict}. Not met: {failed}. Still unknown: {unknown}."""


class NothingProposed(Refused):
    """Only a proposal to grant goes on public notice; this one is to {proposal}."""


class TiedToEnterprise(Refused):
    """You are tied to this enterprise ({reason}); somebody else must act on its case."""

    status: ClassVar[int] = 403


class InspectorTied(Refused):
    """{officer} is tied to this enterprise ({reason}); somebody else must go there."""

    status: ClassVar[int] = 403


class NotInspected(Refused):
    """{title} comes before {verb} and is due: {because}."""


class InspectionFailed(Refused):
    """{title} was failed on {held_on}; the case is refused, or inspected again."""


class BatchDrawn(Refused):
    """No title of this batch is left to be drawn of: each was in a draw before, is not held, or is of another time."""


class NotDrawable(Refused):
    """Case {case_id} is {state}; a panel is drawn for cases that are accepted or in review."""


class OtherEdition(Refused):
    """Case {case_id} was submitted under another edition ({edition}) than the first case of this draw."""


class DrawnAlready(Refused):
    """One of these cases is in a draw already; nobody draws again."""


class DrawRevealedBefore(Refused):
    """The draw was revealed before."""


class BeaconMismatch(Refused):
    """A beacon is given exactly where the commitment named one; it named: {named}."""


class ReplacementLeft(Refused):
    """Somebody of the frozen pool can still take the seat in case {case_id}; a panel ends only when nobody can."""


class SheetsOpened(Refused):
    """The panel has done its work; nobody leaves it now."""


class SheetNeeded(Refused):
    """Experts of this case hand in a sheet each; it is opened when all are in."""


class SheetIncomplete(Refused):
    """The sheet is not complete: {missing}."""


class SheetHandedIn(Refused):
    """The sheet was handed in and stays as it is."""


class SheetsSealed(Refused):
    """The sheets are sealed until all are in: {in_count} of {seats}."""


class NotOnYourSheet(Refused):
    """{name} does not stand on the sheet of a {kind} expert."""

    status: ClassVar[int] = 422


class PanelNeeded(Refused):
    """A title of {programme} is granted on the sheets of a drawn panel; there are none yet."""


class NoticeIsOver(Refused):
    """The notice was open until {ends_on}; objections are taken no more."""


class ObjectionAnswered(Refused):
    """The objection was answered before; it is {state}."""


class TitleNotHeld(Refused):
    """Title {number} is not held any more; it was until {until}."""


class TitleWasRevoked(Refused):
    """Title {number} was revoked on {on}; nobody vouches for it any more."""

    status: ClassVar[int] = 410


class NoSigningKey(Refused):
    """No key to sign a {thing} with is set here."""


class CertificateCannotBeSet(Refused):
    """The certificate of title {number} cannot be set with the form and the fonts that are installed."""


class UnknownGround(Refused):
    """The edition of this title knows no ground {ground} that applies now. Known: {known}."""


class ProposedAlready(Refused):
    """A proposal to revoke title {number} waits for its decision."""


class NoProposal(Refused):
    """No proposal to revoke title {number} waits for a decision."""


class OwnProposal(Refused):
    """Your own proposal is decided by somebody else."""

    status: ClassVar[int] = 403


class DutyNotOwed(Refused):
    """{duty} of {year} is not owed for title {number} in this way. Owed: {owed}."""


class ReportedAlready(Refused):
    """{duty} of {year} was done on {done_on}; it is done once."""


class TooEarly(Refused):
    """{duty} of {year} is taken from {opens_on} on."""


class UnknownChange(Refused):
    """The edition of this title knows no change {change}. Known: {known}."""


class NoNewName(Refused):
    """A new name is not part of {change}."""


class ChangeDecided(Refused):
    """The change was decided before: {result}."""


class UnknownResult(Refused):
    """{duty} has no result {result}. Known: {known}."""


class Barred(Refused):
    """After a revocation no application for {programme} is taken until {until} (that day included)."""


class TitleInForce(Refused):
    """Title {number} is held until {until}; the next application is taken from {opens_on} on."""


class OutsideRound(Refused):
    """{programme} takes no application today; the next day is {next_on}."""


class RoundIsOver(Refused):
    """The city recommended for round {name} until {forwards_on}; nothing comes back after that."""


class QuotaSpent(Refused):
    """Round {name} recommends {quota} at most, and as many are proposed."""


class FourEyes(Refused):
    """{verb} is for somebody else than who said: {said}."""

    status: ClassVar[int] = 403


class RoundsOverlap(Refused):
    """Round {name} of the same programme is open from {opens_on} to {closes_on}."""


class RoundNameTaken(Refused):
    """The programme has another round called {name}."""


class RoundStays(Refused):
    """A round stays one of {programme} and of its level; call another instead."""


class ReasonsNeeded(Refused):
    """At least one reason is needed, so that the enterprise can act on it."""

    status: ClassVar[int] = 422


class NumberTakenMeanwhile(Refused):
    """These numbers became other titles' while the list was taken in: {numbers}."""
