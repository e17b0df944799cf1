"""What finance-link refuses, and in which words. The first line of each docstring is the English message."""

from typing import ClassVar, Final

from chassis.errors import Refused

PIPL_23: Final = "个人信息保护法 (PIPL, in force 2021-11-01), Art. 23"
PIPL_15: Final = "个人信息保护法 (PIPL, in force 2021-11-01), Art. 15"


class BankUnknown(Refused):
    """The bank {bank_id} offers no product here."""


class ConsentEndsTooEarly(Refused):
    """The consent would end on {expires_on}, before it begins on {today}."""


class ConsentOver(Refused):
    """The consent has already ended: {reason}."""


class ProductClosed(Refused):
    """The product {product_id} of {bank_id} takes no requests at present."""


class AmountOverProduct(Refused):
    """The product lends at most {amount_max} yuan; {amount} were asked for."""


class TermOverProduct(Refused):
    """The product lends for at most {term_months_max} months; {term_months} were asked for."""


class AlreadyReferred(Refused):
    """A request for this product is already under way: {referral_id}."""


class TooEarly(Refused):
    """The bank asked for no new request before {next_application_on}."""


class NotPossibleNow(Refused):
    """A referral that is {state} cannot become {kind}; possible now: {allowed}."""


class NeedIsFixed(Refused):
    """What is asked for can be changed only in a draft or a returned referral; this one is {state}."""


class NotWithdrawable(Refused):
    """A referral that is {state} can no longer be taken back."""


class DisbursedOverApproved(Refused):
    """With {amount} yuan more than the approved {approved_amount} would be disbursed; {left} are left."""


class ReferenceReused(Refused):
    """The bank reference {bank_reference} already stands for another outcome."""

    status: ClassVar[int] = 422
