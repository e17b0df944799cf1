"""What follows from the news of other services: copies are kept, titles are referred, waiting drafts go on."""

from datetime import date
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Transaction
from finance_link.domain.consents import Consent
from finance_link.domain.products import opening_title, routed
from finance_link.domain.referrals import Referral
from finance_link.domain.scope import Enterprise, Title
from finance_link.store import consents, known, referrals
from finance_link.store.surroundings import find_surroundings
from finance_link.use_cases.sending import add_draft, take_back, try_to_send

REVOKED: Final = "the title was revoked"


async def note_enterprise(tx: Transaction, enterprise: Enterprise) -> None:
    await known.save_enterprise(tx, enterprise)
    await _send_waiting(tx, enterprise.enterprise_id)


async def refer_title(tx: Transaction, title: Title) -> None:
    """Refers a new title to each bank whose standing consent asks for it, by the rules of the bank's products."""
    if not await known.add_title(tx, title):
        return
    await _send_waiting(tx, title.enterprise_id)
    for consent in await consents.lock_standing_on_title(tx, title.enterprise_id):
        if consent.stands(tx.clock.today()) and title.is_valid(tx.clock.today()):
            await _refer(tx, consent, title)


async def _refer(tx: Transaction, consent: Consent, title: Title) -> None:
    around = await find_surroundings(tx, title.enterprise_id, consent.bank_id)
    product = routed(around.products, title)
    if product is None or around.is_barred(tx.clock.today()):
        return
    draft = Referral(
        referral_id=uuid7(), enterprise_id=title.enterprise_id, bank_id=consent.bank_id,
        product_id=product.product_id, purpose=consent.purpose, title_id=title.title_id,
        created_at=tx.clock.now(), caused_by=tx.caused_by,
    )  # fmt: skip
    await add_draft(tx, draft, consent, around)


async def end_title(tx: Transaction, title_id: UUID, revoked_on: date) -> None:
    """Takes back what rests on a title that was revoked, as long as no money has moved."""
    title = await known.save_revoked(tx, title_id, revoked_on)
    if title is None:
        return
    for referral in await referrals.lock_open_of(tx, title.enterprise_id):
        if await _rests_on(tx, referral, title):
            await take_back(tx, referral, "withdrawn", REVOKED)


async def _rests_on(tx: Transaction, referral: Referral, title: Title) -> bool:
    """Made of this title; or sent on the enterprise's own wish for a product that no title opens now."""
    if referral.title_id is not None or not referral.was_sent:
        return referral.title_id == title.title_id
    around = await find_surroundings(tx, referral.enterprise_id, referral.bank_id)
    product = around.product(referral.product_id)
    if product is None or title.programme not in product.programmes:
        return False
    return opening_title(product, around.titles, tx.clock.today()) is None


async def _send_waiting(tx: Transaction, enterprise_id: str) -> None:
    for draft in await referrals.list_drafts(tx, enterprise_id):
        await try_to_send(tx, draft)
