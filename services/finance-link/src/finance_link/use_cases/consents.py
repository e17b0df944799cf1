"""Giving and ending consent. Separate for each bank and purpose (PIPL, Art. 23), withdrawn as easily (Art. 15)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound
from chassis.work import add_work, cancel_work
from contracts import finance_link as events
from finance_link.domain.consents import Consent, Purpose, end_of
from finance_link.domain.refusals import PIPL_15, PIPL_23, BankUnknown, ConsentEndsTooEarly, ConsentOver
from finance_link.store import consents, products, referrals
from finance_link.use_cases.policy import POLICY
from finance_link.use_cases.sending import take_back, try_to_send

EXPIRE_CONSENT = "consent.expire"


@dataclass(frozen=True, slots=True)
class Scope:
    """What the enterprise agrees to. `expires_on` is the last day; `on_title` refers each new title unasked."""

    bank_id: str
    purpose: Purpose
    fields: list[str]
    text_version: str
    expires_on: date
    on_title: bool = False


async def give_consent(tx: Transaction, enterprise_id: str, scope: Scope) -> Consent:
    """A new consent; it replaces a standing one for the same bank and purpose, because a change of scope needs a new
    consent (PIPL, Art. 23). Drafts that waited for it are sent.

    Raises BankUnknown, ConsentEndsTooEarly.
    """
    authorize(POLICY, tx.actor, "consent.give", enterprise_id=enterprise_id)
    today = tx.clock.today()
    if not await products.has_products(tx, scope.bank_id):
        raise BankUnknown(bank_id=scope.bank_id, rule="consent.recipient", source=PIPL_23)
    if scope.expires_on < today:
        raise ConsentEndsTooEarly(expires_on=scope.expires_on, today=today, rule="consent.expires_on")
    await consents.lock_relation(tx, enterprise_id, scope.bank_id, scope.purpose)
    await consents.end_standing(tx, enterprise_id, scope.bank_id, scope.purpose)
    consent = Consent(
        consent_id=uuid7(), enterprise_id=enterprise_id, bank_id=scope.bank_id, purpose=scope.purpose,
        fields=sorted(set(scope.fields)), text_version=scope.text_version, on_title=scope.on_title, given_on=today,
        given_at=tx.clock.now(), given_by=str(tx.actor), expires_on=scope.expires_on,
    )  # fmt: skip
    await consents.add_consent(tx, consent)
    tx.publish(_given(consent))
    await add_work(tx, EXPIRE_CONSENT, str(consent.consent_id), {}, end_of(consent.expires_on))
    await _send_waiting(tx, consent)
    return consent


def _given(consent: Consent) -> events.ConsentGiven:
    return events.ConsentGiven(
        consent_id=consent.consent_id,
        enterprise_id=consent.enterprise_id,
        bank_id=consent.bank_id,
        purpose=consent.purpose,
        fields=consent.fields,
        text_version=consent.text_version,
        given_on=consent.given_on,
        expires_on=consent.expires_on,
    )


async def _send_waiting(tx: Transaction, consent: Consent) -> None:
    for draft in await referrals.list_drafts(tx, consent.enterprise_id):
        if (draft.bank_id, draft.purpose) == (consent.bank_id, consent.purpose):
            await try_to_send(tx, draft)


async def withdraw_consent(tx: Transaction, consent_id: UUID) -> Consent:
    """Ends the consent at once: drafts under it are withdrawn, what was sent and is still open is called back.

    Withdrawing it again changes nothing and gives the same answer. Raises ConsentOver when it ended another way.
    """
    consent = await consents.lock_consent(tx, consent_id)
    if consent is None:
        raise NotFound(thing="consent")
    authorize(POLICY, tx.actor, "consent.withdraw", enterprise_id=consent.enterprise_id)
    if consent.ended_because == "withdrawn":
        return consent
    if consent.ended_because is not None:
        raise ConsentOver(reason=consent.ended_because, rule="consent.withdrawal", source=PIPL_15)
    withdrawn_at = await consents.end_consent(tx, consent_id, "withdrawn")
    await cancel_work(tx, EXPIRE_CONSENT, str(consent_id), "withdrawn")
    tx.publish(
        events.ConsentWithdrawn(
            consent_id=consent_id,
            enterprise_id=consent.enterprise_id,
            bank_id=consent.bank_id,
            withdrawn_at=withdrawn_at,
        )
    )
    for referral in await referrals.lock_open(tx, consent.enterprise_id, consent.bank_id, consent.purpose):
        await take_back(tx, referral, "withdrawn", "the consent was withdrawn")
    return consent.model_copy(update={"ended_at": withdrawn_at, "ended_because": "withdrawn"})
