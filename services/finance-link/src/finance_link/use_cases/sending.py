"""The one place where something leaves for a bank, and the one where it is called back.

Promise I6: what is sent names a consent that stands at `sent_at`, and holds a part of that consent's fields.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chassis.database import Transaction
from chassis.work import add_work, cancel_work
from contracts import finance_link as events
from finance_link.domain.consents import Consent
from finance_link.domain.products import Product, opening_title
from finance_link.domain.referrals import SENDABLE, Missing, Referral, State
from finance_link.domain.scope import Enterprise, Known, Title, facts_of, needs_register
from finance_link.store import consents, known, products, referrals
from finance_link.store.terms import terms

EXPIRE_REFERRAL = "referral.expire"


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What a sending rests on; None where it is not there."""

    consent: Consent | None
    product: Product | None
    enterprise: Enterprise | None
    title: Title | None

    @property
    def missing(self) -> list[Missing]:
        found: list[Missing] = []
        if self.consent is None:
            found.append("consent")
        elif self.enterprise is None and needs_register(self.consent.fields):
            found.append("enterprise")
        if self.product is None:
            found.append("product")
        elif self.product.programmes and self.title is None:
            found.append("title")
        return found


async def add_draft(tx: Transaction, draft: Referral) -> Referral | None:
    """Keeps the draft and sends it at once where nothing is missing.

    None when the event that causes it has already caused one for this bank and purpose.
    """
    if not await referrals.add_referral(tx, draft):
        return None
    tx.publish(events.ReferralDrafted(**naming(draft)))
    await set_deadline(tx, draft, tx.clock.now() + terms().draft_lasts)
    return await try_to_send(tx, draft)


async def try_to_send(tx: Transaction, seen: Referral) -> Referral:
    """Sends a draft or a mended referral if a consent stands and the product's rules hold; else notes what is missing."""
    consent = await consents.lock_standing(tx, seen.enterprise_id, seen.bank_id, seen.purpose)
    referral = await referrals.lock_referral(tx, seen.referral_id)
    if referral is None or referral.state not in SENDABLE:
        return referral or seen
    grounds = await _grounds(tx, referral, consent)
    if grounds.consent is None or grounds.missing:
        await referrals.save_missing(tx, referral.referral_id, grounds.missing)
        return referral.model_copy(update={"missing": grounds.missing})
    return await _send(tx, referral, grounds.consent, grounds)


async def _grounds(tx: Transaction, referral: Referral, consent: Consent | None) -> _Grounds:
    today = tx.clock.today()
    product = await products.find_product(tx, referral.bank_id, referral.product_id)
    title = await _title_for(tx, referral, product)
    return _Grounds(
        consent=consent if consent is not None and consent.stands(today) else None,
        product=product if product is not None and product.is_open else None,
        enterprise=await known.find_enterprise(tx, referral.enterprise_id),
        title=title,
    )


async def _title_for(tx: Transaction, referral: Referral, product: Product | None) -> Title | None:
    today = tx.clock.today()
    if referral.title_id is not None:
        title = await known.find_title(tx, referral.title_id)
        return title if title is not None and title.is_valid(today) else None
    if product is None:
        return None
    return opening_title(product, await known.list_titles(tx, referral.enterprise_id), today)


async def _send(tx: Transaction, referral: Referral, consent: Consent, grounds: _Grounds) -> Referral:
    facts = facts_of(
        consent.fields,
        Known(
            referral.enterprise_id, grounds.enterprise, grounds.title, referral.amount, referral.term_months,
            referral.loan_use,
        ),
    )  # fmt: skip
    sent_at = max(tx.clock.now(), consent.given_at)
    sent = await referrals.save_sent(tx, referral.referral_id, consent, sorted(facts), sent_at)
    tx.publish(
        events.ReferralSent(**naming(sent), sent_at=sent_at, consent_id=consent.consent_id),
        _offer(sent, consent, facts),
    )
    await set_deadline(tx, sent, tx.clock.now() + terms().answer_within)
    return sent


def _offer(sent: Referral, consent: Consent, facts: dict[str, str]) -> events.ReferralOffered:
    """Built from the facts alone: what the consent does not name is not here to be told."""
    amount, term = facts.get("need.amount"), facts.get("need.term_months")
    return events.ReferralOffered(
        referral_id=sent.referral_id,
        bank_id=sent.bank_id,
        product_id=sent.product_id,
        consent_id=consent.consent_id,
        purpose=consent.purpose,
        amount=Decimal(amount) if amount is not None else None,
        term_months=int(term) if term is not None else None,
        facts=facts,
    )


async def take_back(tx: Transaction, referral: Referral, state: State, reason: str) -> None:
    """Ends an open referral, and calls it back from the bank if the bank was told of it."""
    await referrals.save_state(tx, referral.referral_id, state, reason=reason)
    await set_deadline(tx, referral, None)
    tx.publish(events.ReferralWithdrawn(**naming(referral), reason=reason))
    if referral.was_sent:
        tx.publish(
            events.ReferralCalledBack(
                referral_id=referral.referral_id, bank_id=referral.bank_id, reason=reason
            )
        )


async def set_deadline(tx: Transaction, referral: Referral, due_at: datetime | None) -> None:
    """The referral ends by itself at this time; never when None."""
    await cancel_work(tx, EXPIRE_REFERRAL, str(referral.referral_id), "the referral moved on")
    if due_at is not None:
        await add_work(tx, EXPIRE_REFERRAL, str(referral.referral_id), {}, due_at)


def naming(referral: Referral) -> dict[str, Any]:
    """The fields that every fact about a referral begins with."""
    return {
        "referral_id": referral.referral_id,
        "enterprise_id": referral.enterprise_id,
        "bank_id": referral.bank_id,
        "product_id": referral.product_id,
    }
