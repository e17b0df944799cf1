"""Casework bound to one service: its contracts, its editions, and what it knows of an enterprise."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from casework.case import Case, Title
from casework.edition import Edition
from casework.evaluate import Evaluator, compile_edition
from casework.facts import Facts
from casework.form import F, Forms
from casework.form_book import load_forms
from casework.inspecting import Due, compile_inspections
from casework.rulebook import MalformedRulebook, Rulebooks, load_rulebooks
from casework.titles import problem_with_number
from casework.unusable import UnusableInput
from casework.use_cases.refusals import (
    EditionNotLoaded,
)
from casework.use_cases.refusals_of_files import NoForm
from chassis.database import Transaction
from contracts import casework as shapes

FactsOf = Callable[[Transaction, str], Awaitable[Mapping[str, Any]]]
Inspecting = Callable[[Facts], tuple[Due, ...]]


class Events(Protocol):
    """The service's module of contracts: one class for each shape, under the same name."""

    @property
    def CaseSubmitted(self) -> type[shapes.CaseSubmittedShape]: ...  # noqa: N802
    @property
    def CaseReturned(self) -> type[shapes.CaseReturnedShape]: ...  # noqa: N802
    @property
    def CaseJudged(self) -> type[shapes.CaseJudgedShape]: ...  # noqa: N802
    @property
    def CaseProposed(self) -> type[shapes.CaseProposedShape]: ...  # noqa: N802
    @property
    def NoticeOpened(self) -> type[shapes.NoticeOpenedShape]: ...  # noqa: N802
    @property
    def ObjectionLodged(self) -> type[shapes.ObjectionLodgedShape]: ...  # noqa: N802
    @property
    def ObjectionDecided(self) -> type[shapes.ObjectionDecidedShape]: ...  # noqa: N802
    @property
    def CaseRefused(self) -> type[shapes.CaseRefusedShape]: ...  # noqa: N802
    @property
    def CaseWithdrawn(self) -> type[shapes.CaseWithdrawnShape]: ...  # noqa: N802
    @property
    def TitleGranted(self) -> type[shapes.TitleGrantedShape]: ...  # noqa: N802
    @property
    def TitleRevoked(self) -> type[shapes.TitleRevokedShape]: ...  # noqa: N802
    @property
    def RevocationProposed(self) -> type[shapes.RevocationProposedShape]: ...  # noqa: N802
    @property
    def TitleExpired(self) -> type[shapes.TitleExpiredShape]: ...  # noqa: N802
    @property
    def ChangeReported(self) -> type[shapes.ChangeReportedShape]: ...  # noqa: N802
    @property
    def ChangeDecided(self) -> type[shapes.ChangeDecidedShape]: ...  # noqa: N802
    @property
    def DutyDue(self) -> type[shapes.DutyDueShape]: ...  # noqa: N802
    @property
    def DutyDone(self) -> type[shapes.DutyDoneShape]: ...  # noqa: N802
    @property
    def DutyMissed(self) -> type[shapes.DutyMissedShape]: ...  # noqa: N802
    @property
    def DrawCommitted(self) -> type[shapes.DrawCommittedShape]: ...  # noqa: N802
    @property
    def DrawRevealed(self) -> type[shapes.DrawRevealedShape]: ...  # noqa: N802
    @property
    def PanelDrawn(self) -> type[shapes.PanelDrawnShape]: ...  # noqa: N802
    @property
    def ExpertRecused(self) -> type[shapes.ExpertRecusedShape]: ...  # noqa: N802
    @property
    def InspectionDue(self) -> type[shapes.InspectionDueShape]: ...  # noqa: N802
    @property
    def InspectionHeld(self) -> type[shapes.InspectionHeldShape]: ...  # noqa: N802
    @property
    def InspectionOverdue(self) -> type[shapes.InspectionOverdueShape]: ...  # noqa: N802
    @property
    def PanelEnded(self) -> type[shapes.PanelEndedShape]: ...  # noqa: N802
    @property
    def ExpertCalled(self) -> type[shapes.ExpertCalledShape]: ...  # noqa: N802
    @property
    def ExpertReleased(self) -> type[shapes.ExpertReleasedShape]: ...  # noqa: N802


@dataclass(slots=True)
class Casework:
    """Casework bound to one service.

    `events` is the service's module of contracts. `facts_of` gives what the service itself knows of an enterprise,
    in the names of the facts file; where it knows a fact, the applicant cannot give another.
    """

    events: Events
    facts_of: FactsOf
    forms: Forms = field(default_factory=Forms, repr=False)
    _rulebooks: Rulebooks | None = field(default=None, repr=False)
    _evaluators: dict[str, Evaluator] = field(default_factory=dict, repr=False)
    _inspecting: dict[str, Inspecting] = field(default_factory=dict, repr=False)

    def load(self, folder: Path) -> Rulebooks:
        """Reads and compiles every edition of the folder, and its forms. Raises MalformedRulebook, which stops the start."""
        found = load_rulebooks(folder)
        for edition in found.editions:
            if problem := problem_with_number(edition.title_number):
                raise MalformedRulebook(folder / edition.programme, 0, "title_number", problem)
        self.forms = load_forms(folder, found)
        self._evaluators = {edition.hash: compile_edition(edition) for edition in found.editions}
        self._inspecting = {edition.hash: compile_inspections(edition) for edition in found.editions}
        self._rulebooks = found
        return found

    def evaluator(self, edition: Edition) -> Evaluator:
        return self._evaluators[edition.hash]

    def inspections_due(self, edition: Edition, facts: Facts) -> tuple[Due, ...]:
        """The inspections of the site that these facts make due."""
        return self._inspecting[edition.hash](facts)

    def form_of(self, kind: type[F], edition: Edition) -> F:
        """The edition's form of this kind. Raises NoForm."""
        form = self.forms.find(kind, edition)
        if form is None:
            raise NoForm(programme=edition.programme, edition=edition.in_force_from)
        return form

    def pinned(self, case: Case) -> Edition:
        """The edition that the case was submitted under. Raises EditionNotLoaded."""
        return self.loaded(case.programme, case.edition, case.edition_hash)

    def edition_of_title(self, title: Title) -> Edition:
        """The edition that the title was granted under. Raises EditionNotLoaded."""
        return self.loaded(title.programme, title.edition, title.edition_hash)

    def loaded(self, programme: str, edition: date | None, edition_hash: str | None) -> Edition:
        """The edition that a case or a title rests on. Raises EditionNotLoaded."""
        try:
            return self.rulebooks.by_hash(edition_hash or "")
        except UnusableInput as error:
            raise EditionNotLoaded(programme=programme, edition=edition, hash=edition_hash) from error

    def edition_of(self, case: Case, today: date) -> Edition:
        """The pinned edition, for a draft the one in force today. Raises EditionNotLoaded, UnusableInput."""
        if case.edition_hash is not None:
            return self.pinned(case)
        return self.rulebooks.edition_for(case.programme, today, case.level)

    @property
    def rulebooks(self) -> Rulebooks:
        if self._rulebooks is None:
            raise RuntimeError("the rulebooks are loaded when the service starts")
        return self._rulebooks
