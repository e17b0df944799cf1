"""Rounds: the bureau calls, extends, and takes applications in their time only."""

from datetime import date, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import bars, round_store
from casework.case import Case
from casework.edition import Edition
from casework.form import F
from casework.lifecycle import cited
from casework.policy import POLICY
from casework.ranking import Ranked, rank
from casework.round import Call, Round
from casework.store import Reader
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.refusals import (
    Barred,
    OutsideRound,
    QuotaSpent,
    RoundIsOver,
    RoundNameTaken,
    RoundsOverlap,
    RoundStays,
    TitleInForce,
)
from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Actor


async def call_round(work: Casework, tx: Transaction, call: Call) -> Round:
    """From now on the programme takes applications in rounds only.

    Raises UnusableInput for a programme or level that no edition knows on that day, RoundsOverlap, RoundNameTaken.
    """
    authorize(POLICY, tx.actor, "round.write")
    edition = work.rulebooks.edition_for(call.programme, call.opens_on, call.level)
    given = call.model_dump() | {"level": edition.level}
    called = Round(**given, round_id=uuid7(), changed_at=tx.clock.now())
    await _save(tx, called)
    return called


async def change_round(tx: Transaction, round_id: UUID, call: Call, *, expected: int | None = None) -> Round:
    """Extends a round or mends it; programme and level stay. Raises NotFound, PreconditionFailed, RoundStays and as above."""
    authorize(POLICY, tx.actor, "round.write")
    known = await round_store.find_round(tx, round_id)
    if known is None:
        raise NotFound(thing="round")
    if known.programme != call.programme or call.level not in (None, known.level):
        raise RoundStays(programme=known.programme)
    given = call.model_dump() | {"level": known.level}
    changed = Round(**given, round_id=round_id, changed_at=tx.clock.now())
    return await _save(tx, changed, expected=expected)


def find_round_form(work: Casework, kind: type[F], own: Round) -> F | None:
    """The round's form: that of the edition that was in force when it opened."""
    try:
        edition = work.rulebooks.edition_for(own.programme, own.opens_on, own.level)
    except UnusableInput:
        return None
    return work.forms.find(kind, edition)


async def _save(tx: Transaction, saved: Round, *, expected: int | None = None) -> Round:
    others = {one.round_id: one for one in await round_store.lock_rounds(tx, saved.programme, saved.level)}
    known = others.pop(saved.round_id, None)
    if known is not None:
        if expected is not None and expected != known.version:
            raise PreconditionFailed(version=known.version)
        saved = saved.model_copy(update={"version": known.version + 1})
    for other in others.values():
        if other.overlaps(saved):
            raise RoundsOverlap(name=other.name, opens_on=other.opens_on, closes_on=other.closes_on)
    try:
        await round_store.save_round(tx, saved)
    except round_store.KnownName as error:
        raise RoundNameTaken(name=saved.name) from error
    return saved


async def admit(tx: Transaction, edition: Edition, case: Case, today: date) -> UUID | None:
    """The round that the application goes into; None where the programme knows none.

    Raises Barred after a revocation, TitleInForce while one lasts, OutsideRound with the next day to come, RoundIsOver
    for one that comes back late.
    """
    found = await round_store.find_admission(tx, case.enterprise_id, case.programme, case.level, today)
    if found.barred_until is not None:
        raise Barred(rule="reapplication", programme=case.programme, until=found.barred_until)
    if found.title is not None and edition.renewals:
        _check_renewal(edition, case, found.title, today)
    if case.state == "returned":
        await _check_not_late(tx, case, today)
        return case.round_id
    if found.round is None or found.round.is_open(today):
        return found.round.round_id if found.round else None
    next_on = found.round.opens_on if found.round.opens_on > today else None
    raise OutsideRound(
        rule="rounds", source=found.round.source, programme=case.programme, next_on=next_on or "-"
    )


async def check_quota(tx: Transaction, case: Case) -> None:
    """Raises QuotaSpent when the round of the case recommends no more."""
    own = None if case.round_id is None else await round_store.lock_quota(tx, case.round_id)
    if own is None or own.quota is None:
        return
    # A statement of its own: one that waited for the lock would still count what stood before the wait.
    spent = await round_store.count_proposed(tx, own.round_id)
    if spent >= own.quota:
        raise QuotaSpent(rule="rounds.quota", source=own.source, name=own.name, quota=own.quota)


async def rank_round(reader: Reader, actor: Actor, round_id: UUID) -> list[Ranked]:
    """The round's applications in their order, cut by its quota. Raises NotFound, Forbidden."""
    authorize(POLICY, actor, "round.rank")
    found = await round_store.find_round(reader, round_id)
    if found is None:
        raise NotFound(thing="round")
    return rank(await round_store.list_entries(reader, round_id), found.quota)


def _check_renewal(edition: Edition, case: Case, held: tuple[str, date], today: date) -> None:
    number, until = held
    renewal = edition.renewal_for(case.case_type)
    opens = renewal.opens if renewal else None
    opens_on = until + timedelta(days=1) if opens is None else bars.first_day(opens, until)
    if today < opens_on:
        raise TitleInForce(
            rule=f"renewals.{renewal.id}" if renewal else "renewals",
            source=cited((renewal or edition.renewals[0]).source), number=number, until=until, opens_on=opens_on,
        )  # fmt: skip


async def _check_not_late(tx: Transaction, case: Case, today: date) -> None:
    own = None if case.round_id is None else await round_store.find_round(tx, case.round_id)
    if own is not None and today > own.forwards_on:
        raise RoundIsOver(rule="rounds", source=own.source, name=own.name, forwards_on=own.forwards_on)
