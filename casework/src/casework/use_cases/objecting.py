"""Objections to a proposed title: each stops the clock of its case alone, and is answered before the case goes on."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import lifecycle, objection_store, store
from casework.case import Case
from casework.edition import Edition
from casework.objection import Objection, resumed_until
from casework.policy import POLICY
from casework.use_cases.applying import NOTICE_CLOSE
from casework.use_cases.casework import Casework
from casework.use_cases.deciding import reasons_given
from casework.use_cases.granting import close_after
from casework.use_cases.refusals import NoticeIsOver, ObjectionAnswered
from casework.use_cases.steps import about, keep, move, take
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound
from chassis.work import cancel_work

Answer = Literal["dismiss", "uphold"]
_UPHOLD = "uphold_objection"
_STATES: dict[Answer, Literal["dismissed", "upheld"]] = {"dismiss": "dismissed", "uphold": "upheld"}


async def lodge_objection(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    *,
    name: str,
    contact: str,
    statement: str,
    unit: str | None = None,
) -> Objection:
    """Objects to the title that is on notice; its clock stands still from today on until every objection is answered.

    Anybody may object, an officer notes a letter. Raises NotFound for a case that was never on notice, NoticeIsOver,
    WrongState where the edition knows no objection.
    """
    authorize(POLICY, tx.actor, "objection.lodge")
    case = await _on_notice(tx, case_id)
    edition, today = work.edition_of(case, tx.clock.today()), tx.clock.today()
    objection = Objection(
        objection_id=uuid7(), case_id=case_id, name=name, unit=unit, contact=contact, statement=statement,
        lodged_by=str(tx.actor), lodged_at=tx.clock.now(),
    )  # fmt: skip
    if case.state != "objected":
        lifecycle.next_step(edition, case.case_type, case.state, "object", "public")
        await objection_store.suspend_notice(tx, case_id, today)
        await cancel_work(tx, NOTICE_CLOSE, str(case_id), "objected")
    await objection_store.add_objection(tx, objection)
    case = await keep(tx, case, "object", state="objected")
    tx.publish(work.events.ObjectionLodged(**_about(case, objection), lodged_on=today))
    return objection


async def _on_notice(tx: Transaction, case_id: UUID) -> Case:
    """The case under its row lock. Raises NotFound for one that the public has never seen, NoticeIsOver."""
    case = await store.lock_case(tx, case_id)
    notice = await store.find_notice(tx, case_id)
    if case is None or notice is None:
        raise NotFound(thing="notice")
    if notice.closed_at is not None or (notice.suspended_on is None and tx.clock.today() > notice.ends_on):
        raise NoticeIsOver(rule="process.object", ends_on=notice.ends_on)
    return case


async def decide_objection(
    work: Casework,
    tx: Transaction,
    case_id: UUID,
    objection_id: UUID,
    *,
    decision: Answer,
    reasons: Sequence[str],
    expected: int | None = None,
) -> Case:
    """Answers one objection. With the last answer the case goes on: back on notice, or into review if any was upheld.

    Raises NotFound, Forbidden, TiedToEnterprise, PreconditionFailed, ObjectionAnswered, ReasonsNeeded, WrongState,
    CalendarUnknown.
    """
    case = await take(tx, case_id, "objection.decide", expected)
    edition, verb = work.edition_of(case, tx.clock.today()), f"{decision}_objection"
    known = await objection_store.list_objections(tx, case_id)
    objection = _to_answer(known, objection_id)
    lifecycle.next_step(edition, case.case_type, case.state, verb, tx.actor.role)
    said = reasons_given(edition, verb, reasons)
    answer = {
        "state": _STATES[decision], "decided_by": str(tx.actor), "decided_at": tx.clock.now(), "reasons": said,
    }  # fmt: skip
    await objection_store.save_decision(tx, objection.model_copy(update=answer))
    is_last = all(one.state != "lodged" for one in known if one is not objection)
    case, ends_on = await _go_on(tx, edition, case, verb, said, is_last=is_last)
    tx.publish(work.events.ObjectionDecided(
        **_about(case, objection), decision=_STATES[decision], reasons=list(said), notice_ends_on=ends_on
    ))  # fmt: skip
    return case


def _to_answer(known: Sequence[Objection], objection_id: UUID) -> Objection:
    objection = next((one for one in known if one.objection_id == objection_id), None)
    if objection is None:
        raise NotFound(thing="objection")
    if objection.state != "lodged":
        raise ObjectionAnswered(rule="objection", state=objection.state)
    return objection


async def _go_on(
    tx: Transaction, edition: Edition, case: Case, verb: str, said: Sequence[str], *, is_last: bool
) -> tuple[Case, date | None]:
    """The case after an answer, and the last day of its notice if that goes on.

    A notice with one upheld objection is over; the case leaves `objected` only when the others are answered too.
    """
    now, today = tx.clock.now(), tx.clock.today()
    if verb == _UPHOLD:
        await store.close_notices(tx, [case.case_id], "upheld", now)
    if not is_last:
        return await keep(tx, case, verb, said), None
    notice = await store.find_notice(tx, case.case_id)
    if notice is None or notice.suspended_on is None:
        return await move(tx, edition, case, _UPHOLD, said, proposal=None, reasons=()), None
    ends_on = resumed_until(notice.ends_on, notice.suspended_on, today)
    await objection_store.resume_notice(tx, case.case_id, ends_on)
    await close_after(tx, case.case_id, ends_on)
    return await move(tx, edition, case, verb, said), ends_on


async def read_answer(reader: store.Reader, case_id: UUID, objection_id: UUID) -> Objection:
    """For whoever holds the number of the objection. Raises NotFound."""
    found = await objection_store.find_objection(reader, case_id, objection_id)
    if found is None:
        raise NotFound(thing="objection")
    return found


def _about(case: Case, objection: Objection) -> dict[str, Any]:
    return about(case) | {"objection_id": objection.objection_id}
