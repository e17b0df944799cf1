"""Who may do what in finance-link; everything else is denied."""

from typing import Final

from chassis.auth import Policy, allow

POLICY: Final[Policy] = {
    "product.save": allow("officer", "bank", own="bank"),
    "consent.give": allow("enterprise", own="enterprise"),
    "consent.withdraw": allow("enterprise", own="enterprise"),
    "consent.read": allow("enterprise", "officer", "auditor", own="enterprise"),
    "referral.ask": allow("enterprise", own="enterprise"),
    "referral.withdraw": allow("enterprise", own="enterprise"),
    "referral.read": allow("enterprise", "bank", "officer", "auditor", own=("enterprise", "bank")),
    "referral.answer": allow("bank", own="bank"),
    "bank.read": allow("bank", "officer", "auditor", own="bank"),
}
