"""What a bank may report about a referral. Amounts in yuan, rates as shares per year."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, TypeAdapter


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Accepted(_Answer):
    kind: Literal["accepted"] = "accepted"


class Returned(_Answer):
    kind: Literal["returned"] = "returned"
    reason: str


class Approved(_Answer):
    kind: Literal["approved"] = "approved"
    amount: Decimal
    annual_rate: Decimal
    term_months: int


class Disbursed(_Answer):
    kind: Literal["disbursed"] = "disbursed"
    contract_number: str
    amount: Decimal
    disbursed_on: date


class Rejected(_Answer):
    """The reason is compulsory; `next_application_on` is the first day on which the bank takes a new request."""

    kind: Literal["rejected"] = "rejected"
    reason_code: str
    reason: str
    next_application_on: date | None = None


Answer = Annotated[Accepted | Returned | Approved | Disbursed | Rejected, Discriminator("kind")]

ANSWERS: Final[TypeAdapter[Accepted | Returned | Approved | Disbursed | Rejected]] = TypeAdapter(Answer)
