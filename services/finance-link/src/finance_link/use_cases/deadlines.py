"""What ends by itself."""

from uuid import UUID

from chassis.database import Transaction
from chassis.work import Job
from finance_link.domain.referrals import Missing
from finance_link.store import consents, referrals
from finance_link.use_cases.sending import take_back

_CONSENT: list[Missing] = ["consent"]


async def expire_consent(job: Job, tx: Transaction) -> None:
    """Nothing more is sent under the consent. What was sent while it stood stays with the bank."""
    consent = await consents.lock_consent(tx, UUID(job.subject))
    if consent is None or consent.ended_at is not None:
        return
    await consents.end_consent(tx, consent.consent_id, "expired")
    for referral in await referrals.lock_open(tx, consent.enterprise_id, consent.bank_id, consent.purpose):
        if referral.state == "draft":
            await referrals.save_missing(tx, referral.referral_id, _CONSENT)


async def expire_referral(job: Job, tx: Transaction) -> None:
    """Ends a draft that nobody completed, a request that no bank answered, a return that nobody mended."""
    referral = await referrals.lock_referral(tx, UUID(job.subject))
    if referral is None or referral.state not in ("draft", "sent", "returned"):
        return
    reason = "the bank did not answer in time" if referral.state == "sent" else "it was not completed in time"
    await take_back(tx, referral, "expired", reason)
