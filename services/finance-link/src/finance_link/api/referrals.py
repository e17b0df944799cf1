from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field

from chassis.auth import authorize
from chassis.errors import NotFound
from chassis.http import Body, Db, Page, Paged, Tx, Who, page, router
from chassis.identity import Actor
from chassis.messages import Language
from contracts.values import Day, EnterpriseId, Money, Slug
from finance_link.api.answers import AnswerBody
from finance_link.api.values import Amount, Line
from finance_link.api.words import CATALOGUE, Liked
from finance_link.domain.answers import ANSWERS
from finance_link.domain.consents import Purpose
from finance_link.domain.referrals import MISSING_TEXTS, Missing, Referral, State
from finance_link.store import referrals as store
from finance_link.store.referrals import Filter, Outcome
from finance_link.use_cases import referrals as use_cases
from finance_link.use_cases.outcomes import report_outcome
from finance_link.use_cases.policy import POLICY

routes = router("/v1/referrals", ["referrals"])
bank_routes = router("/v1/banks", ["banks"])


class NeedBody(Body):
    """`amount` in yuan."""

    amount: Amount
    term_months: Annotated[int, Field(ge=1, le=1200)]
    use: Line | None = None

    def need(self) -> use_cases.Need:
        return use_cases.Need(self.amount, self.term_months, self.use)


class ReferralAsked(NeedBody):
    bank_id: Slug
    product_id: Slug
    purpose: Purpose


class Waits(BaseModel):
    """What a draft waits for, for machines and for people."""

    code: Missing
    text: str


class ReferralShown(BaseModel):
    """Amounts in yuan. A bank sees of enterprise and need only what it was told."""

    referral_id: UUID
    enterprise_id: str | None
    bank_id: str
    product_id: str
    purpose: str
    title_id: UUID | None
    amount: Money | None
    term_months: int | None
    use: str | None
    state: State
    missing: list[Waits]
    consent_id: UUID | None
    sent_at: datetime | None
    fields_sent: list[str] | None
    approved_amount: Money | None
    disbursed_amount: Money
    next_application_on: Day | None
    reason: str | None
    created_at: datetime


class OutcomeShown(BaseModel):
    outcome_id: UUID
    referral_id: UUID
    bank_reference: str
    kind: str
    state: str
    recorded_at: datetime
    details: dict[str, str | int | None]


class ReferralWithOutcomes(ReferralShown):
    outcomes: list[OutcomeShown]


def _shown(referral: Referral, who: Actor, liked: Language) -> ReferralShown:
    seen = referral.seen_by_bank() if who.role == "bank" else referral
    told = seen.model_dump(exclude={"missing", "loan_use", "caused_by"})
    waits = [Waits(code=code, text=CATALOGUE.text(MISSING_TEXTS[code], liked)) for code in seen.missing]
    reason = CATALOGUE.text(seen.reason, liked) if seen.reason is not None else None
    told |= {"enterprise_id": seen.enterprise_id or None, "reason": reason}
    return ReferralShown(**told, use=seen.loan_use, missing=waits)


def _outcome(outcome: Outcome) -> OutcomeShown:
    return OutcomeShown(
        outcome_id=outcome.outcome_id,
        referral_id=outcome.referral_id,
        bank_reference=outcome.bank_reference,
        kind=outcome.kind,
        state=outcome.state_after,
        recorded_at=outcome.recorded_at,
        details={name: part for name, part in outcome.details.items() if name != "kind"},
    )


@routes.post("", status_code=201)
async def ask(body: ReferralAsked, tx: Tx, who: Who, liked: Liked) -> ReferralShown:
    """The enterprise's own wish. Sent at once under a standing consent, else a draft that names what is missing."""
    authorize(POLICY, who, "referral.ask", enterprise_id=who.enterprise_id)
    referral = await use_cases.ask_for_referral(
        tx, str(who.enterprise_id), (body.bank_id, body.product_id), body.purpose, body.need()
    )
    return _shown(referral, who, liked)


@routes.put("/{referral_id}/need")
async def change_need(referral_id: UUID, body: NeedBody, tx: Tx, who: Who, liked: Liked) -> ReferralShown:
    """Mends a draft or a returned referral and sends it again."""
    return _shown(await use_cases.change_need(tx, referral_id, body.need()), who, liked)


@routes.post("/{referral_id}/withdrawal")
async def withdraw(referral_id: UUID, tx: Tx, who: Who, liked: Liked) -> ReferralShown:
    return _shown(await use_cases.withdraw_referral(tx, referral_id), who, liked)


@routes.post("/{referral_id}/outcomes", status_code=201)
async def report(referral_id: UUID, body: AnswerBody, tx: Tx) -> OutcomeShown:
    """By the bank. The same `bank_reference` and body give the same answer and one effect; another body is refused."""
    answer = ANSWERS.validate_python(body.model_dump(exclude={"bank_reference"}))
    return _outcome(await report_outcome(tx, referral_id, body.bank_reference, answer))


async def _chosen(
    enterprise_id: EnterpriseId | None = None,
    bank_id: Slug | None = None,
    product_id: Slug | None = None,
    state: State | None = None,
) -> Filter:
    return Filter(enterprise_id, bank_id, product_id, state)


Chosen = Annotated[Filter, Depends(_chosen)]


@routes.get("")
async def list_referrals(db: Db, who: Who, asked: Paged, chosen: Chosen, liked: Liked) -> Page[ReferralShown]:
    """An enterprise's own, a bank's own once they were sent, all for officers and auditors.

    A bank cannot narrow by enterprise: that would tell whose a referral is where no consent says so.
    """
    if who.role == "bank" and chosen.enterprise_id is not None:
        raise NotFound(thing="referral")
    owned = Filter(
        chosen.enterprise_id or (who.enterprise_id if who.role == "enterprise" else None),
        chosen.bank_id or (who.bank_id if who.role == "bank" else None),
        chosen.product_id,
        chosen.state,
        only_sent=who.role == "bank",
    )
    authorize(POLICY, who, "referral.read", enterprise_id=owned.enterprise_id, bank_id=owned.bank_id)
    return await _page(db, who, asked, owned, liked)


async def _page(db: Db, who: Actor, asked: Paged, chosen: Filter, liked: Language) -> Page[ReferralShown]:
    after = asked.after(UUID)
    rows = await store.page_referrals(db, chosen, after=after[0] if after else None, limit=asked.limit)
    return page(
        rows, asked, key=lambda referral: (referral.referral_id,), item=lambda row: _shown(row, who, liked)
    )


@routes.get("/{referral_id}")
async def show(referral_id: UUID, db: Db, who: Who, liked: Liked) -> ReferralWithOutcomes:
    referral = await store.find_referral(db, referral_id)
    if referral is None:
        raise NotFound(thing="referral")
    authorize(POLICY, who, "referral.read", enterprise_id=referral.enterprise_id, bank_id=referral.bank_id)
    if who.role == "bank" and not referral.was_sent:
        raise NotFound(thing="referral")
    outcomes = [_outcome(outcome) for outcome in await store.list_outcomes(db, referral_id)]
    return ReferralWithOutcomes(**_shown(referral, who, liked).model_dump(), outcomes=outcomes)


@bank_routes.get("/{bank_id}/referrals")
async def list_of_bank(
    *, bank_id: Slug, db: Db, who: Who, asked: Paged, liked: Liked, state: State | None = None
) -> Page[ReferralShown]:
    """What was sent to the bank."""
    authorize(POLICY, who, "bank.read", bank_id=bank_id)
    return await _page(db, who, asked, Filter(bank_id=bank_id, state=state, only_sent=True), liked)
