"""What the verbs share: the service they are bound to, taking a case under its lock, and moving it on."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from casework import expert_store, store
from casework.case import Case, Decision, Title
from casework.edition import Edition, Transition
from casework.evaluate import Evaluator, compile_edition
from casework.facts import Facts
from casework.form import F, Forms
from casework.form_book import load_forms
from casework.inspecting import Due, compile_inspections
from casework.lifecycle import cited, next_step
from casework.member import MemberKind
from casework.policy import APPLYING
from casework.rulebook import MalformedRulebook, Rulebooks, load_rulebooks
from casework.titles import problem_with_number
from casework.unusable import UnusableInput
from casework.use_cases.permitting import Desk, check_agents, permit
from casework.use_cases.refusals import (
    AppliedThisYear,
    EditionNotLoaded,
    FourEyes,
    InspectorTied,
    NoForm,
    ReasonsNeeded,
    TiedToEnterprise,
)
from chassis.clock import SHANGHAI
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Actor
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


async def take(
    tx: Transaction, case_id: UUID, action: str, expected: int | None, *, even_tied: bool = False
) -> Case:
    """The case under its row lock, held to the end of the transaction; who applies takes it by `take_own`.

    `expected` is the version that the actor has seen. Raises NotFound (also for a case of somebody else's), Forbidden,
    TiedToEnterprise unless `even_tied`, PreconditionFailed when another was faster.
    """
    case, kind = await _taken(tx, case_id, action, expected, even_tied=even_tied)
    if kind == "agent" and action in APPLYING:
        raise RuntimeError(f"{action}: whether agents may is for the edition to say")
    return case


async def take_own(
    work: Casework, tx: Transaction, case_id: UUID, action: str, expected: int | None
) -> tuple[Case, Edition]:
    """The applicant's case as `take` gives it, with its edition. Raises NoAgents too, EditionNotLoaded, UnusableInput."""
    case, kind = await _taken(tx, case_id, action, expected)
    today = tx.clock.today()
    edition = work.edition_of(case, today)
    check_agents(edition, kind, today)
    return case, edition


async def _taken(
    tx: Transaction, case_id: UUID, action: str, expected: int | None, *, even_tied: bool = False
) -> tuple[Case, MemberKind | None]:
    case = await store.lock_case(tx, case_id)
    if case is None:
        raise NotFound(thing="case")
    kind = await permit(tx, tx.actor, action, case.enterprise_id)
    if not even_tied:
        await check_no_tie(tx, case.enterprise_id)
    if expected is not None and expected != case.version:
        raise PreconditionFailed(version=case.version)
    return case, kind


async def look_at(reader: Desk, actor: Actor, case_id: UUID, action: str) -> Case:
    """The case, for who may do the action to it. Raises NotFound, Forbidden."""
    case = await store.find_case(reader, case_id)
    if case is None:
        raise NotFound(thing="case")
    await permit(reader, actor, action, case.enterprise_id)
    return case


def given_reasons(reasons: Sequence[str], rule: str, source: str | None = None) -> tuple[str, ...]:
    """The reasons that say something. Raises ReasonsNeeded when none does."""
    said = tuple(reason.strip() for reason in reasons if reason.strip())
    if not said:
        raise ReasonsNeeded(rule=rule, source=source)
    return said


async def check_no_tie(tx: Transaction, enterprise_id: str) -> None:
    """Raises TiedToEnterprise for an officer or expert tied by employer, holding or declared interest."""
    if tx.actor.role not in ("officer", "expert"):
        return
    ground = await expert_store.find_tie(tx, str(tx.actor), enterprise_id)
    if ground is not None:
        raise TiedToEnterprise(rule="conflict_of_interest", reason=ground)


async def check_untied(tx: Transaction, officer: str, enterprise_id: str) -> None:
    """Raises InspectorTied for an officer, by the name that signs in, who is tied to the enterprise."""
    ground = await expert_store.find_tie(tx, f"officer:{officer}", enterprise_id)
    if ground is not None:
        raise InspectorTied(rule="conflict_of_interest", officer=officer, reason=ground)


class Move(NamedTuple):
    """A case that takes a step of its edition, what is said of it, and what changes beside its state."""

    edition: Edition
    case: Case
    said: Sequence[str] = ()
    changes: Mapping[str, Any] = MappingProxyType({})


async def move(
    tx: Transaction, edition: Edition, case: Case, verb: str, said: Sequence[str] = (), /, **changes: Any
) -> Case:
    """Takes the step that the edition allows this actor, with its decision row, and returns the case as it is then.

    Raises WrongState, WrongActor, FourEyes, AppliedThisYear.
    """
    (moved,) = await move_all(tx, verb, [Move(edition, case, said, changes)])
    return moved


async def move_all(tx: Transaction, verb: str, moves: Iterable[Move]) -> list[Case]:
    """The same of several cases. Raises as `move` does."""
    kept = []
    for edition, case, said, changes in moves:
        step = next_step(edition, case.case_type, case.state, verb, tx.actor.role)
        if step.not_by:
            await check_four_eyes(tx, case, step)
        kept.append(_next_version(tx, case, verb, said, {"state": step.to, **changes}))
    await _save(tx, kept)
    return [case for case, _ in kept]


async def check_four_eyes(tx: Transaction, case: Case, step: Transition) -> None:
    """Raises FourEyes where the actor of this step has said one of the verbs that the edition keeps apart from it."""
    said = [
        decision.verb for decision in await store.list_decisions(tx, case.case_id)
        if decision.actor == str(tx.actor) and decision.verb in step.not_by
    ]  # fmt: skip
    if said:
        raise FourEyes(rule=f"process.{step.verb}", source=cited(step.source), verb=step.verb, said=said[-1])


async def keep(tx: Transaction, case: Case, verb: str, said: Sequence[str] = (), /, **changes: Any) -> Case:
    """Saves the case as its next version, with the decision that made it so."""
    kept = _next_version(tx, case, verb, said, changes)
    await _save(tx, [kept])
    return kept[0]


async def _save(tx: Transaction, kept: Sequence[tuple[Case, Decision]]) -> None:
    try:
        await store.save_cases(tx, kept)
    except store.AppliedBefore as error:
        case, _ = kept[0]
        raise AppliedThisYear(rule="once_a_year", programme=case.programme, year=case.once_in_year) from error


def _next_version(
    tx: Transaction, case: Case, verb: str, said: Sequence[str], changes: Mapping[str, Any]
) -> tuple[Case, Decision]:
    named = {"version": case.version + 1, "changed_at": tx.clock.now(), **changes}
    changed = Case.model_validate(dict(case) | named)
    return changed, _decision(tx, changed, verb, case.state, said)


async def add_decision(
    tx: Transaction, case: Case, verb: str, from_state: str | None, reasons: Sequence[str] = ()
) -> None:
    await store.add_decision(tx, case.case_id, _decision(tx, case, verb, from_state, reasons))


def _decision(
    tx: Transaction, case: Case, verb: str, from_state: str | None, reasons: Sequence[str]
) -> Decision:
    return Decision.model_validate(
        {
            "version": case.version, "verb": verb, "actor": str(tx.actor), "from_state": from_state,
            "to_state": case.state, "reasons": tuple(reasons), "at": tx.clock.now(),
        }
    )  # fmt: skip


def about(case: Case) -> dict[str, Any]:
    """The fields that every event about a case carries."""
    return {
        "case_id": case.case_id,
        "enterprise_id": case.enterprise_id,
        "programme": case.programme,
        "level": case.level,
        "case_type": case.case_type,
        "edition": case.edition,
    }


def about_title(title: Title) -> dict[str, Any]:
    """The fields that every event about a title carries."""
    return title.model_dump(include={"title_id", "case_id", "enterprise_id", "programme", "level", "number"})


def start_of(day: date) -> datetime:
    """The first instant of the day in China."""
    return datetime.combine(day, time.min, SHANGHAI)
