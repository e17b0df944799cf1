"""Values of requests, in the form they have on the wire."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from contracts.values import Money, Share


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise ValueError("an amount above zero")
    return amount


def _not_negative(rate: Decimal) -> Decimal:
    if rate < 0:
        raise ValueError("a share of zero or more")
    return rate


Amount = Annotated[Money, AfterValidator(_positive)]
"""Yuan, above zero: "1200000.00"."""

Rate = Annotated[Share, AfterValidator(_not_negative)]
"""Share per year: "0.0435" is 4.35 %."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE, strip_whitespace=True)
]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=_PRINTABLE, strip_whitespace=True)
]
"""A text for people; blanks alone are none."""

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,100}$")]
"""The bank's own number of a report."""
