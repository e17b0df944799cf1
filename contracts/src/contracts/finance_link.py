"""What finance-link says: consents, referrals and their outcomes, and what a bank is told on its own topic."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event
from contracts.values import Day, EnterpriseId, Instant, Money, Share, Slug, Text

Months = Annotated[int, Field(ge=1, le=1200)]


class ConsentGiven(Event, topic="finance-link.consents", key="enterprise_id"):
    """The enterprise lets one bank know the named fields for one purpose (PIPL, Art. 23), until `expires_on`."""

    consent_id: UUID
    enterprise_id: EnterpriseId
    bank_id: Slug
    purpose: Text
    fields: list[Text]
    text_version: Text
    given_on: Day
    expires_on: Day


class ConsentWithdrawn(Event, topic="finance-link.consents", key="enterprise_id"):
    """The enterprise took its consent back; nothing more may be told."""

    consent_id: UUID
    enterprise_id: EnterpriseId
    bank_id: Slug
    withdrawn_at: Instant


class ReferralFact(Event):
    """A fact about one financing request passed, or about to be passed, to one bank."""

    referral_id: UUID
    enterprise_id: EnterpriseId
    bank_id: Slug
    product_id: Text


class ReferralDrafted(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """A referral is being prepared; the bank knows nothing of it."""


class ReferralSent(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The referral was passed to the bank under a consent valid at `sent_at`."""

    sent_at: Instant
    consent_id: UUID


class ReferralAccepted(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The bank takes the request up."""


class ReferralReturned(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The bank sends the request back to be mended."""

    reason: Text


class ReferralApproved(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The bank approves credit. `amount` in yuan, `annual_rate` a share per year."""

    amount: Money
    annual_rate: Share
    term_months: Months


class ReferralDisbursed(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The bank paid out. `amount` in yuan."""

    contract_number: Text
    amount: Money
    disbursed_on: Day


class ReferralRejected(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The bank refuses, with its reason and, where it says so, the day from which a new request is welcome."""

    reason_code: Text
    reason: Text
    next_application_on: Day | None


class ReferralWithdrawn(ReferralFact, topic="finance-link.referrals", key="referral_id"):
    """The request was taken back, by the enterprise or because its consent ended."""

    reason: Text


class ReferralOffered(Event, topic="finance-link.bank.{bank_id}", key="referral_id"):
    """For the bank: a financing request. `facts` holds the consented fields and nothing else."""

    referral_id: UUID
    bank_id: Slug
    product_id: Text
    consent_id: UUID
    purpose: Text
    amount: Money | None
    term_months: Months | None
    facts: dict[Text, Text]


class ReferralCalledBack(Event, topic="finance-link.bank.{bank_id}", key="referral_id"):
    """For the bank: the request no longer stands; what was told with it must not be used any more."""

    referral_id: UUID
    bank_id: Slug
    reason: Text
