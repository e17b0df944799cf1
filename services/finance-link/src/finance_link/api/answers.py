"""What a bank's report looks like on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.http import Body
from contracts.values import Day
from finance_link.api.values import Amount, Line, Rate, Reason, Reference


class AcceptedBody(Body):
    kind: Literal["accepted"]
    bank_reference: Reference


class ReturnedBody(Body):
    kind: Literal["returned"]
    bank_reference: Reference
    reason: Reason


class ApprovedBody(Body):
    """`amount` in yuan, `annual_rate` a share per year."""

    kind: Literal["approved"]
    bank_reference: Reference
    amount: Amount
    annual_rate: Rate
    term_months: Annotated[int, Field(ge=1, le=1200)]


class DisbursedBody(Body):
    """`amount` in yuan."""

    kind: Literal["disbursed"]
    bank_reference: Reference
    contract_number: Line
    amount: Amount
    disbursed_on: Day


class RejectedBody(Body):
    """The reason is compulsory. `next_application_on`: the first day on which a new request is welcome."""

    kind: Literal["rejected"]
    bank_reference: Reference
    reason_code: Line
    reason: Reason
    next_application_on: Day | None = None


AnswerBody = Annotated[
    AcceptedBody | ReturnedBody | ApprovedBody | DisbursedBody | RejectedBody, Field(discriminator="kind")
]
