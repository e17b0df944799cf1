"""Referrals that an enterprise wishes for, changes or takes back."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.auth import authorize
from chassis.database import Transaction
from chassis.errors import NotFound
from finance_link.domain.consents import Purpose
from finance_link.domain.products import Product
from finance_link.domain.referrals import Referral
from finance_link.domain.refusals import AlreadyReferred, ProductClosed, TooEarly
from finance_link.store import consents, products
from finance_link.store import referrals as store
from finance_link.store.surroundings import find_surroundings
from finance_link.use_cases.policy import POLICY
from finance_link.use_cases.sending import add_draft, take_back, try_to_send


@dataclass(frozen=True, slots=True)
class Need:
    """`amount` in yuan."""

    amount: Decimal
    term_months: int
    loan_use: str | None = None


async def ask_for_referral(
    tx: Transaction, enterprise_id: str, product_key: tuple[str, str], purpose: Purpose, need: Need
) -> Referral:
    """A referral on the enterprise's own wish, sent at once if its consent stands, else a draft that says what is
    missing. `product_key` is bank and product.

    Raises NotFound, ProductClosed, AmountOverProduct, TermOverProduct, AlreadyReferred, TooEarly.
    """
    authorize(POLICY, tx.actor, "referral.ask", enterprise_id=enterprise_id)
    bank_id, product_id = product_key
    await consents.lock_relation(tx, enterprise_id, bank_id, purpose)
    consent = await consents.lock_standing(tx, enterprise_id, bank_id, purpose)
    around = await find_surroundings(tx, enterprise_id, bank_id)
    product = _open(around.product(product_id))
    product.check_need(need.amount, need.term_months)
    await _refuse_repetition(tx, enterprise_id, product, purpose)
    if around.is_barred(tx.clock.today()):
        raise TooEarly(next_application_on=around.barred_until)
    draft = Referral(
        referral_id=uuid7(), enterprise_id=enterprise_id, bank_id=bank_id, product_id=product_id, purpose=purpose,
        amount=need.amount, term_months=need.term_months, loan_use=need.loan_use, created_at=tx.clock.now(),
    )  # fmt: skip
    return await add_draft(tx, draft, consent, around) or draft


def _open(product: Product | None) -> Product:
    if product is None:
        raise NotFound(thing="product")
    if not product.is_open:
        raise ProductClosed(bank_id=product.bank_id, product_id=product.product_id)
    return product


async def _refuse_repetition(tx: Transaction, enterprise_id: str, product: Product, purpose: str) -> None:
    under_way = await store.find_open_for_product(
        tx, enterprise_id, product.bank_id, product.product_id, purpose
    )
    if under_way is not None:
        raise AlreadyReferred(referral_id=under_way)


async def change_need(tx: Transaction, referral_id: UUID, need: Need) -> Referral:
    """Mends a draft or a returned referral and sends it if nothing is missing.

    Raises NotFound, NeedIsFixed, ProductClosed, AmountOverProduct, TermOverProduct.
    """
    seen = await store.find_referral(tx, referral_id)
    if seen is None:
        raise NotFound(thing="referral")
    authorize(POLICY, tx.actor, "referral.ask", enterprise_id=seen.enterprise_id)
    await consents.lock_standing(tx, seen.enterprise_id, seen.bank_id, seen.purpose)
    referral = await store.lock_referral(tx, referral_id) or seen
    referral.check_need_may_change()
    product = _open(await products.find_product(tx, referral.bank_id, referral.product_id))
    product.check_need(need.amount, need.term_months)
    changed = referral.model_copy(
        update={"amount": need.amount, "term_months": need.term_months, "loan_use": need.loan_use}
    )
    await store.save_need(tx, changed)
    return await try_to_send(tx, changed)


async def withdraw_referral(tx: Transaction, referral_id: UUID) -> Referral:
    """Takes an open referral back; a bank that was told of it is told that too. Doing it twice changes nothing.

    Raises NotFound, NotWithdrawable.
    """
    referral = await store.lock_referral(tx, referral_id)
    if referral is None:
        raise NotFound(thing="referral")
    authorize(POLICY, tx.actor, "referral.withdraw", enterprise_id=referral.enterprise_id)
    if referral.state == "withdrawn":
        return referral
    referral.check_withdrawable()
    reason = "the enterprise took the request back"
    await take_back(tx, referral, "withdrawn", reason)
    return referral.model_copy(update={"state": "withdrawn", "reason": reason, "missing": []})
