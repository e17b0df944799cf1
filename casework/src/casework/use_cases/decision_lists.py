"""The recognition authority's list of decisions: looked through, then taken in as a whole or not at all, and kept."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from casework import decision_list_store, round_store
from casework.decision_list import DecisionList
from casework.decision_list_store import TakenList
from casework.decision_plan import Around, Decided, Plan, lay_beside
from casework.form import DecisionForm
from casework.kept_objects import decisions_key
from casework.policy import POLICY
from casework.round import Round
from casework.store import Reader
from casework.use_cases.casework import Casework
from casework.use_cases.deciding import Refusing, refuse_all
from casework.use_cases.filing import whole_object
from casework.use_cases.granting import Grant, grant_all
from casework.use_cases.refusals import NumberTakenMeanwhile
from casework.use_cases.refusals_of_files import DecisionListLost
from chassis.auth import authorize
from chassis.database import Database, Transaction
from chassis.errors import NotFound, Refused
from chassis.identity import Actor
from chassis.storage import Storage

_PIECE = 256 * 1024

log = structlog.get_logger()


async def decision_form(work: Casework, reader: Reader, actor: Actor, round_id: UUID) -> DecisionForm:
    """The columns of the round's list of decisions. Raises Forbidden, NotFound, NoForm, UnusableInput."""
    authorize(POLICY, actor, "round.decide")
    own = await _round(reader, round_id)
    edition = work.rulebooks.edition_for(own.programme, own.opens_on, own.level)
    return work.form_of(DecisionForm, edition)


async def _round(reader: Reader, round_id: UUID) -> Round:
    own = await round_store.find_round(reader, round_id)
    if own is None:
        raise NotFound(thing="round")
    return own


async def look_through_list(
    work: Casework, db: Database, actor: Actor, round_id: UUID, listed: DecisionList
) -> Plan:
    """What the list would do; nothing is kept."""
    authorize(POLICY, actor, "round.decide")
    async with db.transaction(actor) as tx:
        return await _plan(work, tx, round_id, listed)


async def take_in_list(
    work: Casework,
    db: Database,
    storage: Storage,
    actor: Actor,
    *,
    round_id: UUID,
    content: bytes,
    listed: DecisionList,
) -> Plan:
    """Grants and refuses what the list says, in one transaction, unless one of its rows is refused.

    The bytes are put into the storage first: what was decided never rests on a list that is not there. Raises
    Forbidden, NumberTakenMeanwhile.
    """
    authorize(POLICY, actor, "round.decide")
    list_id, is_kept = uuid7(), False
    stored = await storage.put(decisions_key(list_id), _pieces(content))
    # An error that is no refusal leaves the object: nobody knows whether the commit arrived.
    try:
        async with db.transaction(actor) as tx:
            plan = await _plan(work, tx, round_id, listed)
            is_kept = await _decide(work, tx, _taken(tx, list_id, round_id, content, plan), plan)
    except Refused:
        await storage.delete(stored.key)
        raise
    if not is_kept:
        await storage.delete(stored.key)
    return plan


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), _PIECE):
        yield content[at : at + _PIECE]


def _taken(tx: Transaction, list_id: UUID, round_id: UUID, content: bytes, plan: Plan) -> TakenList:
    return TakenList(
        list_id=list_id, round_id=round_id, format="xlsx" if content.startswith(b"PK") else "csv",
        sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), granted=plan.count("granted"),
        refused=plan.count("refused"), unchanged=plan.count("unchanged"), taken_by=str(tx.actor), taken_at=tx.clock.now(),
    )  # fmt: skip


async def _plan(work: Casework, tx: Transaction, round_id: UUID, listed: DecisionList) -> Plan:
    return lay_beside(listed, await _around(work, tx, round_id, listed))


async def _around(work: Casework, tx: Transaction, round_id: UUID, listed: DecisionList) -> Around:
    enterprises, actor = listed.texts("enterprise_id"), str(tx.actor)
    cases = await decision_list_store.lock_standing(tx, round_id, enterprises)
    ids = [case.case_id for standing in cases.values() for case in standing]
    today = tx.clock.today()
    return Around(
        today=today,
        role=tx.actor.role,
        cases=cases,
        known=await decision_list_store.list_applicants(tx, enterprises),
        titles=await decision_list_store.list_titles_of(tx, ids),
        taken=await decision_list_store.list_taken(tx, listed.texts("number")),
        notices=await decision_list_store.list_notices_of(tx, ids),
        ties=await decision_list_store.list_interests_in(tx, actor, enterprises),
        said=await decision_list_store.list_said(tx, ids, actor),
        edition_of=lambda case: work.edition_of(case, today),
    )


async def _decide(work: Casework, tx: Transaction, taken: TakenList, plan: Plan) -> bool:
    """Whether the list is to be kept: one that was not taken in before, and decides something."""
    if not plan.decided:
        return False
    for series, serial in plan.last_serials().items():
        await decision_list_store.keep_series_ahead(tx, series, serial)
    given = [one.number for one in plan.decided if one.outcome == "granted" and one.number]
    # Whoever made numbers of these series meanwhile has committed.
    if numbers := await decision_list_store.list_taken(tx, given):
        raise NumberTakenMeanwhile(numbers=", ".join(sorted(numbers)))
    grants = [one for one in plan.decided if one.outcome == "granted"]
    refused = [one for one in plan.decided if one.outcome == "refused"]
    await grant_all(
        work,
        tx,
        [Grant(one.edition, one.case, one.number, one.granted_on, _noted(taken, one)) for one in grants],
    )
    await refuse_all(
        work, tx, [Refusing(one.edition, one.case, [one.reason or ""], _noted(taken, one)) for one in refused]
    )
    return await decision_list_store.add_list(tx, taken)


def _noted(taken: TakenList, one: Decided) -> tuple[str, ...]:
    return (f"认定结果名单第{one.row}行 / list of decisions, row {one.row}: SHA-256 {taken.sha256}",)


async def list_taken_lists(
    reader: Reader, actor: Actor, round_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[TakenList]:
    """Raises Forbidden, NotFound."""
    authorize(POLICY, actor, "round.decisions")
    await _round(reader, round_id)
    return await decision_list_store.list_lists(reader, round_id, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class OpenedList:
    taken: TakenList
    chunks: AsyncIterator[bytes]


async def open_taken_list(
    reader: Reader, storage: Storage, actor: Actor, round_id: UUID, list_id: UUID
) -> OpenedList:
    """The bytes as they were taken in. Raises Forbidden, NotFound, DecisionListLost."""
    authorize(POLICY, actor, "round.decisions")
    taken = await decision_list_store.find_list(reader, round_id, list_id)
    if taken is None:
        raise NotFound(thing="decision list")
    chunks = await whole_object(storage, decisions_key(list_id), taken.bytes)
    if chunks is None:
        log.error("decision_list.lost", list_id=str(list_id))
        raise DecisionListLost
    return OpenedList(taken, chunks)
