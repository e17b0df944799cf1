"""What the verbs share: taking a case under its lock, and moving it on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from casework import expert_store, store
from casework.case import Case, Decision, Title
from casework.edition import Edition, Transition
from casework.lifecycle import cited, next_step
from casework.member import MemberKind
from casework.policy import APPLYING
from casework.use_cases.casework import Casework
from casework.use_cases.permitting import Desk, check_agents, permit
from casework.use_cases.refusals import (
    AppliedThisYear,
    FourEyes,
    InspectorTied,
    ReasonsNeeded,
    TiedToEnterprise,
)
from chassis.clock import SHANGHAI
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Actor


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
