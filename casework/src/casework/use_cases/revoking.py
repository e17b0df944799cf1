"""How a title is lost before its time: one officer proposes, another decides."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from uuid_utils.compat import uuid7

from casework import bars, inspection_store, revocation_store
from casework.case import Revocation, Title
from casework.edition import Edition
from casework.lifecycle import cited
from casework.unusable import UnusableInput
from casework.use_cases.casework import Casework
from casework.use_cases.permitting import permit
from casework.use_cases.refusals import (
    NoProposal,
    OwnProposal,
    ProposedAlready,
    TitleNotHeld,
    UnknownGround,
)
from casework.use_cases.steps import about_title, check_no_tie, given_reasons
from chassis.database import Transaction
from chassis.errors import NotFound

Decided = Literal["revoke", "drop"]


async def propose_revocation(
    work: Casework, tx: Transaction, number: str, *, ground: str, conduct_on: date, reasons: Sequence[str]
) -> Revocation:
    """Proposes to take the title away on a ground of the edition it was granted under. Nothing changes yet.

    `conduct_on`: when the ground arose. Raises NotFound, Forbidden, TiedToEnterprise, TitleNotHeld, UnknownGround,
    ReasonsNeeded, ProposedAlready, UnusableInput for a day to come.
    """
    title = await take_title(tx, number, "title.revoke")
    today = tx.clock.today()
    if title.revoked_on is not None or title.valid_until < today:
        raise TitleNotHeld(rule="revocation", number=number, until=title.revoked_on or title.valid_until)
    if conduct_on > today:
        raise UnusableInput("conduct_on", "in_the_future", given=conduct_on.isoformat())
    _check_ground(work.edition_of_title(title), ground, today)
    said = given_reasons(reasons, "reasons")
    if await stands_already(tx, title):
        raise ProposedAlready(rule="revocation", number=number)
    return await put_proposal(work, tx, title, ground=ground, conduct_on=conduct_on, reasons=said)


async def stands_already(tx: Transaction, title: Title) -> bool:
    """Whether the title, which is locked, is revoked or a proposal to revoke it waits for its decision."""
    return (
        title.revoked_on is not None or await revocation_store.lock_proposal(tx, title.title_id) is not None
    )


async def put_proposal(
    work: Casework, tx: Transaction, title: Title, *, ground: str, conduct_on: date, reasons: tuple[str, ...]
) -> Revocation:
    """Keeps the actor's proposal for the locked title, of which none stands, and tells of it."""
    proposed = Revocation(
        revocation_id=uuid7(), title_id=title.title_id, ground=ground, conduct_on=conduct_on, reasons=reasons,
        state="proposed", proposed_by=str(tx.actor), proposed_at=tx.clock.now(),
    )  # fmt: skip
    await revocation_store.add_proposal(tx, title, proposed)
    tx.publish(
        work.events.RevocationProposed(
            **about_title(title), ground=ground, conduct_on=conduct_on, reasons=list(reasons)
        )
    )
    return proposed


async def decide_revocation(
    work: Casework, tx: Transaction, number: str, *, decision: Decided, reasons: Sequence[str]
) -> Revocation:
    """Another officer takes the title away, or drops the proposal.

    Raises NotFound, Forbidden, TiedToEnterprise, NoProposal, OwnProposal, ReasonsNeeded.
    """
    title = await take_title(tx, number, "title.revoke")
    proposed = await revocation_store.lock_proposal(tx, title.title_id)
    if proposed is None:
        raise NoProposal(rule="revocation", number=number)
    if proposed.proposed_by == str(tx.actor):
        raise OwnProposal(rule="four_eyes")
    revoked_on, edition = tx.clock.today(), work.edition_of_title(title)
    changes: dict[str, Any] = {
        "state": "dropped" if decision == "drop" else "revoked",
        "decided_by": str(tx.actor), "decided_at": tx.clock.now(), "decision_reasons": given_reasons(reasons, "reasons"),
    }  # fmt: skip
    if decision == "revoke":
        until = bars.barred_until(edition, proposed.ground, revoked_on)
        changes |= {"revoked_on": revoked_on, "barred_until": until}
    decided = proposed.model_copy(update=changes)
    await revocation_store.save_decision(tx, decided)
    if decision == "revoke":
        await inspection_store.lapse_inspections(tx, [title.case_id])
        tx.publish(work.events.TitleRevoked(
            **about_title(title), revoked_on=revoked_on, ground=decided.ground, conduct_on=decided.conduct_on,
            barred_until=decided.barred_until,
        ))  # fmt: skip
    return decided


async def take_title(tx: Transaction, number: str, action: str) -> Title:
    """The title under its row lock, for who may do the action to it. Raises NotFound, Forbidden, TiedToEnterprise."""
    title = await revocation_store.lock_title(tx, number)
    if title is None:
        raise NotFound(thing="title")
    await permit(tx, tx.actor, action, title.enterprise_id)
    await check_no_tie(tx, title.enterprise_id)
    return title


def _check_ground(edition: Edition, ground: str, today: date) -> None:
    if bars.ground_of(edition, ground, today) is None:
        known = [rule for rule in edition.revocation if rule.applies_on(today)]
        raise UnknownGround(
            rule="revocation", source=cited(known[0].source) if known else edition.programme, ground=ground,
            known=", ".join(rule.id for rule in known) or "-",
        )  # fmt: skip
