"""The one place where something leaves for a bank, and the one where it is called back.

Promise I6: what is sent names a consent that stands at `sent_at`, and holds a part of that consent's fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chassis.database import Transaction
from chassis.work import add_work, cancel_work
from contracts import finance_link as events
from finance_link.domain.consents import Consent
from finance_link.domain.products import Product, opening_title
from finance_link.domain.referrals import SENDABLE, Missing, Referral, State
from finance_link.domain.scope import Enterprise, Known, Title, facts_of, needs_register
from finance_link.store import consents, referrals
from finance_link.store.surroundings import Surroundings, find_surroundings
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


@dataclass(frozen=True, slots=True)
class _Ready:
    """A referral as it leaves, the consent it leaves under, and the facts that the bank is told."""

    referral: Referral
    consent: Consent
    facts: dict[str, str]
    sent_at: datetime


async def add_draft(
    tx: Transaction, draft: Referral, consent: Consent | None, around: Surroundings
) -> Referral | None:
    """Keeps the draft, sent at once where nothing is missing. `consent` is locked by the caller.

    None when the event that causes it has already caused one for this bank and purpose.
    """
    grounds = _grounds(tx, draft, consent, around)
    ready = _ready(tx, draft, grounds)
    kept = ready.referral if ready else draft.model_copy(update={"missing": grounds.missing})
    if not await referrals.add_referral(tx, kept):
        return None
    tx.publish(events.ReferralDrafted(**naming(kept)))
    if ready:
        _tell(tx, ready)
    lasts = terms().answer_within if ready else terms().draft_lasts
    await add_work(tx, EXPIRE_REFERRAL, str(kept.referral_id), {}, tx.clock.now() + lasts)
    return kept


async def try_to_send(tx: Transaction, seen: Referral) -> Referral:
    """Sends a draft or a mended referral if a consent stands and the product's rules hold; else notes what is missing."""
    consent = await consents.lock_standing(tx, seen.enterprise_id, seen.bank_id, seen.purpose)
    referral = await referrals.lock_referral(tx, seen.referral_id)
    if referral is None or referral.state not in SENDABLE:
        return referral or seen
    around = await find_surroundings(tx, referral.enterprise_id, referral.bank_id)
    grounds = _grounds(tx, referral, consent, around)
    ready = _ready(tx, referral, grounds)
    if ready is None:
        await referrals.save_missing(tx, referral.referral_id, grounds.missing)
        return referral.model_copy(update={"missing": grounds.missing})
    await referrals.save_sent(tx, ready.referral)
    _tell(tx, ready)
    await set_deadline(tx, ready.referral, tx.clock.now() + terms().answer_within)
    return ready.referral


def _grounds(tx: Transaction, referral: Referral, consent: Consent | None, around: Surroundings) -> _Grounds:
    today = tx.clock.today()
    product = around.product(referral.product_id)
    return _Grounds(
        consent=consent if consent is not None and consent.stands(today) else None,
        product=product if product is not None and product.is_open else None,
        enterprise=around.enterprise,
        title=_title_for(referral, product, around.titles, today),
    )


def _title_for(
    referral: Referral, product: Product | None, titles: Sequence[Title], today: date
) -> Title | None:
    """The title that the referral is of; for one on the enterprise's own wish that which opens the product."""
    if referral.title_id is None:
        return opening_title(product, titles, today) if product is not None else None
    own = (title for title in titles if title.title_id == referral.title_id)
    return next((title for title in own if title.is_valid(today)), None)


def _ready(tx: Transaction, referral: Referral, grounds: _Grounds) -> _Ready | None:
    """The referral as it is when it leaves now; None while something is missing."""
    consent = grounds.consent
    if consent is None or grounds.missing:
        return None
    facts = facts_of(
        consent.fields,
        Known(
            referral.enterprise_id, grounds.enterprise, grounds.title, referral.amount, referral.term_months,
            referral.loan_use,
        ),
    )  # fmt: skip
    sent_at = max(tx.clock.now(), consent.given_at)
    sent = {
        "state": "sent", "missing": [], "consent_id": consent.consent_id, "fields_sent": sorted(facts),
        "sent_at": sent_at, "reason": None,
    }  # fmt: skip
    return _Ready(referral.model_copy(update=sent), consent, facts, sent_at)


def _tell(tx: Transaction, ready: _Ready) -> None:
    sent, consent = ready.referral, ready.consent
    tx.publish(
        events.ReferralSent(**naming(sent), sent_at=ready.sent_at, consent_id=consent.consent_id),
        _offer(sent, consent, ready.facts),
    )


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
