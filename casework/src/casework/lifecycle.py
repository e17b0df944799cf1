"""Which verb leads from which state to which, who may say it, and by when: all of it the edition's `process`."""

from datetime import date
from typing import ClassVar, Final, Literal, NamedTuple

from casework.bars import last_day
from casework.edition import Edition, Role, Source, Transition
from chassis.errors import Refused

_INSPECTED: Final = {"site": ("submitted", "accepted", "in_review", "proposed"), "random": ("granted",)}


class WrongState(Refused):
    """A case that is {state} cannot be taken to: {verb}. Possible now: {allowed}."""


class WrongActor(Refused):
    """{verb} is for {roles}, not for {role}."""

    status: ClassVar[int] = 403


def cited(source: Source) -> str:
    return f"{source.instrument} {source.article}".strip()


def next_step(edition: Edition, case_type: str, state: str, verb: str, role: str) -> Transition:
    """The transition that `verb` makes in this state.

    Raises WrongState with the verbs that are possible, WrongActor with the roles that may; both name the step of the
    process and its source.
    """
    open_steps = edition.steps_from(state, case_type)
    steps = [step for step in open_steps if step.verb == verb]
    if not steps:
        raise _wrong_state(edition, state, verb, allowed=sorted({step.verb for step in open_steps}))
    for step in steps:
        if role in step.by:
            return step
    roles = sorted({name for step in steps for name in step.by})
    raise WrongActor(
        rule=f"process.{verb}", source=cited(steps[0].source), verb=verb, role=role, roles=", ".join(roles)
    )


def _wrong_state(edition: Edition, state: str, verb: str, allowed: list[str]) -> WrongState:
    elsewhere = next((step for step in edition.process if step.verb == verb), None)
    return WrongState(
        rule=f"process.{verb}",
        source=cited(elsewhere.source if elsewhere else edition.process[0].source),
        state=state, verb=verb, allowed=", ".join(allowed) or "-",
    )  # fmt: skip


def check_judging(edition: Edition, case_type: str, state: str) -> None:
    """Raises WrongState unless the case is in review: only then may anybody judge it."""
    if state != "in_review":
        allowed = sorted({step.verb for step in edition.steps_from(state, case_type)})
        raise _wrong_state(edition, state, "judge", allowed)


def check_inspecting(edition: Edition, case_type: str, state: str, kind: Literal["site", "random"]) -> None:
    """Raises WrongState unless the bureau has the case and its notice is to come, for a random inspection the title."""
    if state not in _INSPECTED[kind]:
        allowed = sorted({step.verb for step in edition.steps_from(state, case_type)})
        raise _wrong_state(edition, state, "inspect", allowed)


def may(edition: Edition, case_type: str, state: str, verb: str, role: str) -> bool:
    """Whether the edition lets this role say the verb in this state."""
    return any(step.verb == verb and role in step.by for step in edition.steps_from(state, case_type))


class OpenStep(NamedTuple):
    """A verb that is possible now, the roles that may say it, and the last day for it where the edition names one."""

    verb: str
    by: tuple[Role, ...]
    due_on: date | None


def open_steps(edition: Edition, case_type: str, state: str, since: date) -> list[OpenStep]:
    """What may come next for a case that is in this state since that day. Raises CalendarUnknown."""
    return [
        OpenStep(step.verb, step.by, None if step.deadline is None else last_day(step.deadline, since))
        for step in edition.steps_from(state, case_type)
    ]


def once_a_year(edition: Edition) -> Source | None:
    """Where the edition allows one application a year, if it does."""
    return next((rule.source for rule in edition.deadlines if rule.id == "once_a_year"), None)
