"""What banks report back: once per bank reference, and only what the referral's state allows."""

from typing import assert_never
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound
from contracts import finance_link as events
from finance_link.domain.answers import (
    ANSWERS,
    Accepted,
    Approved,
    Disbursed,
    Rejected,
    Returned,
)
from finance_link.domain.referrals import Referral
from finance_link.domain.refusals import ReferenceReused
from finance_link.store import referrals as store
from finance_link.store.referrals import Outcome
from finance_link.store.terms import terms
from finance_link.use_cases.policy import POLICY
from finance_link.use_cases.sending import naming, set_deadline

Answer = Accepted | Returned | Approved | Disbursed | Rejected


async def report_outcome(tx: Transaction, referral_id: UUID, bank_reference: str, answer: Answer) -> Outcome:
    """Records what the bank did. The same reference with the same answer gives the same outcome and does nothing.

    Raises NotFound (also for another bank's referral and for one never sent), ReferenceReused, NotPossibleNow,
    DisbursedOverApproved.
    """
    referral = await store.lock_referral(tx, referral_id)
    if referral is None:
        raise NotFound(thing="referral")
    authorize(
        POLICY, tx.actor, "referral.answer", enterprise_id=referral.enterprise_id, bank_id=referral.bank_id
    )
    if not referral.was_sent:
        raise NotFound(thing="referral")
    earlier = await store.find_outcome(tx, referral.bank_id, bank_reference)
    if earlier is not None:
        return _same(earlier, referral_id, answer)
    referral.check_answer(answer.kind)
    await _record(tx, referral, answer)
    outcome = Outcome(
        uuid7(), referral_id, referral.bank_id, bank_reference, answer.kind, answer.model_dump(mode="json"),
        answer.kind, tx.clock.now(),
    )  # fmt: skip
    if not await store.add_outcome(tx, outcome):
        raise ReferenceReused(bank_reference=bank_reference)
    return outcome


def _same(earlier: Outcome, referral_id: UUID, answer: Answer) -> Outcome:
    """Compared as values, so that 100 and 100.00 are the same amount."""
    if earlier.referral_id != referral_id or ANSWERS.validate_python(earlier.details) != answer:
        raise ReferenceReused(bank_reference=earlier.bank_reference)
    return earlier


async def _record(tx: Transaction, referral: Referral, answer: Answer) -> None:
    reason = answer.reason if isinstance(answer, Returned | Rejected) else None
    next_on = answer.next_application_on if isinstance(answer, Rejected) else None
    if isinstance(answer, Approved):
        await store.save_amounts(tx, referral.model_copy(update={"approved_amount": answer.amount}))
    if isinstance(answer, Disbursed):
        total = referral.after_disbursing(answer.amount)
        await store.save_amounts(tx, referral.model_copy(update={"disbursed_amount": total}))
    await store.save_state(tx, referral.referral_id, answer.kind, reason=reason, next_on=next_on)
    lasts_until = tx.clock.now() + terms().draft_lasts if isinstance(answer, Returned) else None
    await set_deadline(tx, referral, lasts_until)
    tx.publish(_event(referral, answer))


def _event(referral: Referral, answer: Answer) -> events.ReferralFact:
    told = naming(referral) | answer.model_dump(exclude={"kind"})
    match answer:
        case Accepted():
            return events.ReferralAccepted(**told)
        case Returned():
            return events.ReferralReturned(**told)
        case Approved():
            return events.ReferralApproved(**told)
        case Disbursed():
            return events.ReferralDisbursed(**told)
        case Rejected():
            return events.ReferralRejected(**told)
        case _:
            assert_never(answer)
