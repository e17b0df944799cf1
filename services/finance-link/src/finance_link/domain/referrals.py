"""Referrals: an enterprise's financing request, its states, and what a bank may answer in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from finance_link.domain.refusals import (
    DisbursedOverApproved,
    NeedIsFixed,
    NotPossibleNow,
    NotWithdrawable,
)

State = Literal[
    "draft", "sent", "accepted", "returned", "approved", "disbursed", "rejected", "withdrawn", "expired"
]
Kind = Literal["accepted", "returned", "approved", "disbursed", "rejected"]
Missing = Literal["consent", "title", "enterprise", "product"]

# No official list of states was found; these follow the interfaces of real banks.
_POSSIBLE: Final[Mapping[State, tuple[Kind, ...]]] = {
    "sent": ("accepted", "returned", "rejected"),
    "accepted": ("returned", "approved", "rejected"),
    "approved": ("disbursed", "rejected"),
    "disbursed": ("disbursed",),
}
OPEN: Final[tuple[State, ...]] = ("draft", "sent", "accepted", "returned", "approved")
"""States in which a referral can still be taken back, because no money has moved."""
SENDABLE: Final[tuple[State, ...]] = ("draft", "returned")


@dataclass(frozen=True, slots=True)
class Terms:
    """After these a draft that nobody completes and a request that no bank answers come to their end."""

    draft_lasts: timedelta
    answer_within: timedelta


MISSING_TEXTS: Final[Mapping[Missing, str]] = {
    "consent": "a consent for this bank and this purpose that is valid today",
    "title": "a valid title of a programme that the product asks for",
    "enterprise": "the enterprise's registration, which has not arrived yet",
    "product": "an open product",
}
"""Message ids of what a draft waits for."""


class Referral(BaseModel):
    """One financing request for one product. Amounts in yuan; `fields_sent` is what the bank was told last."""

    model_config = ConfigDict(frozen=True)

    referral_id: UUID
    enterprise_id: str
    bank_id: str
    product_id: str
    purpose: str
    title_id: UUID | None = None
    amount: Decimal | None = None
    term_months: int | None = None
    loan_use: str | None = None
    state: State = "draft"
    missing: list[Missing] = []
    consent_id: UUID | None = None
    sent_at: datetime | None = None
    fields_sent: list[str] | None = None
    approved_amount: Decimal | None = None
    disbursed_amount: Decimal = Decimal(0)
    next_application_on: date | None = None
    reason: str | None = None
    created_at: datetime
    caused_by: str | None = None

    @property
    def was_sent(self) -> bool:
        return self.sent_at is not None

    def check_answer(self, kind: Kind) -> None:
        """Raises NotPossibleNow with the state and the kinds that are possible in it."""
        allowed = _POSSIBLE.get(self.state, ())
        if kind not in allowed:
            raise NotPossibleNow(
                state=self.state, kind=kind, allowed=", ".join(allowed) or "–", rule="referral.states"
            )

    def after_disbursing(self, amount: Decimal) -> Decimal:
        """All that is disbursed once `amount` is paid too. Raises DisbursedOverApproved."""
        approved = self.approved_amount or Decimal(0)
        total = self.disbursed_amount + amount
        if total > approved:
            left = approved - self.disbursed_amount
            raise DisbursedOverApproved(
                amount=amount, approved_amount=approved, left=left, rule="referral.approved_amount"
            )
        return total

    def check_need_may_change(self) -> None:
        """Raises NeedIsFixed."""
        if self.state not in SENDABLE:
            raise NeedIsFixed(state=self.state)

    def check_withdrawable(self) -> None:
        """Raises NotWithdrawable."""
        if self.state not in OPEN:
            raise NotWithdrawable(state=self.state)

    def seen_by_bank(self) -> "Referral":
        """The same without what the bank was not told: a field that was not sent, or that was called back."""
        told = (
            frozenset(self.fields_sent or ()) if self.state not in ("withdrawn", "expired") else frozenset()
        )
        hidden: dict[str, object] = {"title_id": None, "caused_by": None}
        for name, column in (
            ("need.amount", "amount"),
            ("need.term_months", "term_months"),
            ("need.use", "loan_use"),
        ):
            if name not in told:
                hidden[column] = None
        if "enterprise.id" not in told:
            hidden["enterprise_id"] = ""
        return self.model_copy(update=hidden)
