"""What the holder of a title reports to have changed, and what an officer decides on it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from casework import change_store
from casework.bars import last_day
from casework.case import Change, Title
from casework.edition import Edition, Rule
from casework.lifecycle import cited
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.refusals import ChangeDecided, NoNewName, TitleNotHeld, UnknownChange, UnknownResult
from casework.use_cases.revoking import put_proposal, stands_already, take_title
from casework.use_cases.steps import about_title, given_reasons
from chassis.database import Transaction
from chassis.errors import NotFound


async def report_change(
    work: Casework, tx: Transaction, number: str, *, change: str, changed_on: date, description: str,
    new_name: str | None = None,
) -> Change:  # fmt: skip
    """The holder reports a change; after the edition's period it is taken as well, and is late.

    Raises NotFound, Forbidden, TitleNotHeld, UnknownChange, NoNewName, UnusableInput for a day to come.
    """
    title, today = await take_title(tx, number, "title.report"), tx.clock.today()
    if not title.holds_on(today):
        raise TitleNotHeld(rule=change, number=number, until=title.revoked_on or title.valid_until)
    rule = _rule(work.edition_of_title(title), change)
    if new_name is not None and not rule.renames:
        raise NoNewName(rule=rule.id, source=cited(rule.source), change=change)
    if changed_on > today:
        raise UnusableInput("changed_on", "in_the_future", given=changed_on.isoformat())
    late = rule.period is not None and today > last_day(rule.period, changed_on)
    reported = Change(
        change_id=uuid7(), title_id=title.title_id, rule=rule.id, changed_on=changed_on, reported_on=today, late=late,
        description=description, new_name=new_name, reported_by=str(tx.actor),
    )  # fmt: skip
    await change_store.add_change(tx, reported)
    tx.publish(work.events.ChangeReported(**_about_change(title, reported), late=late))
    return reported


async def decide_change(
    work: Casework, tx: Transaction, number: str, change_id: UUID, *, result: str, reasons: Sequence[str]
) -> Change:
    """An officer says what follows. A title that is kept gets the new name, and keeps its number and validity; one that
    ends is proposed for revocation on the edition's ground, which another officer decides.

    Raises NotFound, Forbidden, TiedToEnterprise, ChangeDecided, UnknownResult, ReasonsNeeded.
    """
    title = await take_title(tx, number, "title.decide_change")
    change = await change_store.lock_change(tx, title.title_id, change_id)
    if change is None:
        raise NotFound(thing="change")
    if change.result is not None:
        raise ChangeDecided(rule=change.rule, result=change.result)
    rule, said = _rule(work.edition_of_title(title), change.rule), given_reasons(reasons, "reasons")
    known = {one.id: one for one in rule.results}
    if result not in known:
        raise UnknownResult(
            rule=rule.id,
            source=cited(rule.source),
            duty=rule.id,
            result=result,
            known=", ".join(known) or "-",
        )
    decided = change.model_copy(update={
        "result": result, "reasons": said, "decided_by": str(tx.actor), "decided_at": tx.clock.now(),
    })  # fmt: skip
    await change_store.save_result(tx, decided)
    ground = known[result].ground
    new_name = change.new_name if ground is None else None
    if new_name is not None:
        await change_store.save_name(tx, title.title_id, new_name)
    tx.publish(work.events.ChangeDecided(**_about_change(title, decided), result=result, new_name=new_name))
    if ground is not None and not await stands_already(tx, title):
        await put_proposal(work, tx, title, ground=ground, conduct_on=change.changed_on, reasons=said)
    return decided


def _rule(edition: Edition, change: str) -> Rule:
    rule = edition.change(change)
    if rule is None:
        known = ", ".join(one.id for one in edition.changes) or "-"
        raise UnknownChange(rule="changes", source=edition.programme, change=change, known=known)
    return rule


def _about_change(title: Title, change: Change) -> dict[str, Any]:
    said = {"change_id": change.change_id, "change": change.rule, "changed_on": change.changed_on}
    return about_title(title) | said
