"""Inspections: which a case must undergo, what stands in the way of its notice, and how each look came out."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import inspection_store, lifecycle, store
from casework.case import Case
from casework.duties import DAY
from casework.edition import Edition, Inspection
from casework.inspecting import Due
from casework.inspection import InspectionRow, InspectionState, Look, Outcome
from casework.lifecycle import cited
from casework.store import Reader
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.permitting import Desk
from casework.use_cases.refusals import InspectionFailed, NotInspected
from casework.use_cases.steps import about, check_untied, keep, look_at, start_of, take
from casework.use_cases.weighing import judged_facts, together
from chassis.clock import SHANGHAI
from chassis.database import Transaction
from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.work import Job, add_work

INSPECTION_OVERDUE: Final = "inspection.overdue"
_SAID: Final = {"passed": "通过", "failed": "未通过"}


class Standing(NamedTuple):
    """One inspection of a case: the rule, why the facts ask for it (None where they do not), its row, what was found."""

    rule: Inspection
    due: Due | None
    row: InspectionRow | None
    outcomes: list[Outcome]

    @property
    def state(self) -> InspectionState:
        return "due" if self.row is None else self.row.state


async def plan_inspections(work: Casework, tx: Transaction, edition: Edition, case: Case) -> None:
    """Lays down the inspections of the site that the case must undergo as its facts stand now, and lets go the others."""
    if not _has_site(edition):
        return
    due = await _due_of(work, tx, edition, case)
    await inspection_store.settle_site(tx, case.case_id, [one.inspection.id for one in due])
    for one in due:
        await lay_down(work, tx, case, one.inspection)


async def lay_down(
    work: Casework, tx: Transaction, case: Case, rule: Inspection,
    *, draw_id: UUID | None = None, due_on: date | None = None,
) -> None:  # fmt: skip
    """Adds the inspection unless the case has it already, tells of it, and waits for its last day where it has one."""
    row = InspectionRow(
        inspection_id=uuid7(), case_id=case.case_id, enterprise_id=case.enterprise_id,
        enterprise_name=case.enterprise_name, programme=case.programme, level=case.level, round_id=case.round_id,
        inspection=rule.id, kind=rule.kind, draw_id=draw_id, due_on=due_on, added_at=tx.clock.now(),
    )  # fmt: skip
    if not await inspection_store.add_inspection(tx, row):
        return
    tx.publish(work.events.InspectionDue(**_about(case, row), due_on=row.due_on))
    if row.due_on is not None:
        subject = str(row.inspection_id)
        await add_work(
            tx, INSPECTION_OVERDUE, subject, {"inspection_id": subject}, start_of(row.due_on + DAY)
        )


async def act_on_overdue(work: Casework, job: Job, tx: Transaction) -> None:
    """The deadline `inspection.overdue`: tells that nobody has looked by the last day. What was looked at is left alone.

    Early by a clock that was set back, it waits again.
    """
    row = await inspection_store.lock_inspection(tx, UUID(job.payload["inspection_id"]))
    if row is None or row.state != "due" or row.due_on is None or row.overdue_on is not None:
        return
    today, case = tx.clock.today(), await store.find_case(tx, row.case_id)
    if today <= row.due_on:
        await add_work(tx, INSPECTION_OVERDUE, job.subject, job.payload, start_of(row.due_on + DAY))
    elif case is not None:
        await inspection_store.save_overdue(tx, row.inspection_id, row.due_on + DAY)
        tx.publish(work.events.InspectionOverdue(**_about(case, row), due_on=row.due_on))


async def record_inspection(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    inspection: str,
    look: Look,
    *,
    expected: int | None = None,
) -> Case:
    """Records what was found; the newest look counts. A case on its way stays where it is, and so does a title.

    Raises NotFound also for an inspection that the case has not, Forbidden, TiedToEnterprise, InspectorTied,
    PreconditionFailed, WrongState, UnusableInput for a day before the application or the draw, or to come.
    """
    case = await take(tx, case_id, "inspection.record", expected)
    edition, today = work.edition_of(case, tx.clock.today()), tx.clock.today()
    standing = await _owed(work, tx, edition, case, inspection)
    lifecycle.check_inspecting(edition, case.case_type, case.state, standing.rule.kind)
    if standing.row is None:
        await lay_down(work, tx, case, standing.rule)
        standing = await _owed(work, tx, edition, case, inspection)
    assert standing.row is not None
    _check_look(look, case, standing.row, today)
    for officer in look.officers:
        await check_untied(tx, officer, case.enterprise_id)
    await inspection_store.add_outcome(tx, standing.row, look, len(standing.outcomes))
    said = f"{standing.rule.title.zh}（{look.held_on}）：{_SAID[look.outcome]}"
    case = await keep(tx, case, "inspect", [said])
    tx.publish(
        work.events.InspectionHeld(**_about(case, standing.row), outcome=look.outcome, held_on=look.held_on)
    )
    return case


def _check_look(look: Look, case: Case, row: InspectionRow, today: date) -> None:
    """Nobody looked before it was called for: before the application, at random before the draw was revealed."""
    held_on, given = look.held_on, look.held_on.isoformat()
    if held_on > today:
        raise UnusableInput("held_on", "in_the_future", given=given)
    if case.applied_on is not None and held_on < case.applied_on:
        raise UnusableInput("held_on", "before_application", given=given)
    if row.kind == "random" and held_on < row.added_at.astimezone(SHANGHAI).date():
        raise UnusableInput("held_on", "before_draw", given=given)
    if len({document.paper for document in look.documents}) != len(look.documents):
        raise UnusableInput("documents", "doubled_id")


async def _owed(work: Casework, reader: Reader, edition: Edition, case: Case, inspection: str) -> Standing:
    for one in await standings(work, reader, edition, case):
        if one.rule.id == inspection and (one.due is not None or one.state != "lapsed"):
            return one
    raise NotFound(thing="inspection")


async def check_inspected(work: Casework, tx: Transaction, edition: Edition, case: Case, verb: str) -> None:
    """Raises NotInspected or InspectionFailed for the first inspection that comes before the verb and is not passed."""
    for one in await standings(work, tx, edition, case):
        if one.rule.before != verb or one.due is None or one.state == "passed":
            continue
        named = {
            "rule": f"inspections.{one.rule.id}", "source": cited(one.rule.source),
            "title": f"{one.rule.title.zh} / {one.rule.title.en}",
        }  # fmt: skip
        if one.state == "failed":
            raise InspectionFailed(**named, held_on=one.outcomes[-1].held_on)
        raise NotInspected(**named, verb=verb, because=_why(one.due, case))


def _why(due: Due, case: Case) -> str:
    """The bounds that are not met, the type of the application, or what would have to be known to spare it."""
    if isinstance(due.because, str):
        return f"{due.because} {case.case_type}"
    bounds = [f"{part.title.zh} / {part.title.en}" for part in due.because]
    return "; ".join([*bounds, *due.needs])


async def standings(work: Casework, reader: Reader, edition: Edition, case: Case) -> list[Standing]:
    """Every inspection that the case must undergo, or ever had to, in the edition's order."""
    if not edition.inspections or case.edition_hash is None:
        return []
    due = {one.inspection.id: one for one in await _due_of(work, reader, edition, case)}
    rows = {row.inspection: row for row in await inspection_store.list_of_case(reader, case.case_id)}
    found = await inspection_store.list_outcomes(reader, [row.inspection_id for row in rows.values()])
    return [
        Standing(rule, due.get(rule.id), row, [one for one in found if row and one.inspection_id == row.inspection_id])
        for rule in edition.inspections
        if (row := rows.get(rule.id)) is not None or rule.id in due
    ]  # fmt: skip


async def read_inspections(work: Casework, reader: Desk, actor: Actor, case_id: UUID) -> list[Standing]:
    """For the bureau and the enterprise. Raises NotFound, Forbidden, EditionNotLoaded."""
    case = await look_at(reader, actor, case_id, "inspection.read")
    if case.edition_hash is None:
        return []
    return await standings(work, reader, work.pinned(case), case)


async def kept_back(
    work: Casework, reader: Reader, edition: Edition, case: Case, verbs: Collection[str]
) -> dict[str, list[str]]:
    """By verb, the inspections that must be passed before it and are not. The rows are asked for a verb that waits alone."""
    waits: dict[str, list[str]] = {}
    if not any(one.before in verbs for one in edition.inspections):
        return waits
    for one in await standings(work, reader, edition, case):
        if one.rule.before is not None and one.due is not None and one.state != "passed":
            waits.setdefault(one.rule.before, []).append(one.rule.id)
    return waits


def _has_site(edition: Edition) -> bool:
    return any(one.kind == "site" for one in edition.inspections)


async def _due_of(work: Casework, reader: Reader, edition: Edition, case: Case) -> Sequence[Due]:
    """The inspections of the site that the facts ask for, with every judgement given so far."""
    if not _has_site(edition):
        return ()
    given = together(await store.list_judgements(reader, case.case_id))
    return work.inspections_due(edition, judged_facts(case, given))


def _about(case: Case, row: InspectionRow) -> dict[str, Any]:
    return about(case) | {"inspection": row.inspection, "kind": row.kind}
