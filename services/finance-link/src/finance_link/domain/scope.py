"""The closed set of fields that a consent may name, and the facts that a bank is told: the consented ones only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Enterprise(BaseModel):
    model_config = ConfigDict(frozen=True)

    enterprise_id: str
    name: str
    region: str
    established_on: date
    language: str
    contact_email: str | None


class Title(BaseModel):
    """A title of the enterprise, held from `granted_on` to `valid_until`, both included; on `revoked_on` no longer."""

    model_config = ConfigDict(frozen=True)

    title_id: UUID
    enterprise_id: str
    programme: str
    level: str | None
    number: str
    granted_on: date
    valid_until: date
    revoked_on: date | None = None

    def is_valid(self, today: date) -> bool:
        return self.granted_on <= today <= self.valid_until and (
            self.revoked_on is None or today < self.revoked_on
        )


@dataclass(frozen=True, slots=True)
class Known:
    """Everything this service knows and might tell. Money in yuan."""

    enterprise_id: str
    enterprise: Enterprise | None = None
    title: Title | None = None
    amount: Decimal | None = None
    term_months: int | None = None
    loan_use: str | None = None


Reading = Callable[[Known], object]


@dataclass(frozen=True, slots=True)
class Field:
    """`label` is the message id of its name for people; `is_personal` as in PIPL, Art. 4."""

    name: str
    label: str
    read: Reading
    is_personal: bool = False


def _of_enterprise(attribute: str) -> Reading:
    return lambda known: getattr(known.enterprise, attribute, None)


def _of_title(attribute: str) -> Reading:
    return lambda known: getattr(known.title, attribute, None)


FIELDS: Final[dict[str, Field]] = {
    field.name: field
    for field in (
        Field("enterprise.id", "unified social credit code", lambda known: known.enterprise_id),
        Field("enterprise.name", "name of the enterprise", _of_enterprise("name")),
        Field("enterprise.region", "region (GB/T 2260 code)", _of_enterprise("region")),
        Field("enterprise.established_on", "date of establishment", _of_enterprise("established_on")),
        Field("title.programme", "programme of the title", _of_title("programme")),
        Field("title.level", "level of the title", _of_title("level")),
        Field("title.number", "number of the title", _of_title("number")),
        Field("title.granted_on", "date of grant of the title", _of_title("granted_on")),
        Field("title.valid_until", "last day of the title", _of_title("valid_until")),
        Field("need.amount", "amount asked for, in yuan", lambda known: known.amount),
        Field("need.term_months", "term asked for, in months", lambda known: known.term_months),
        Field("need.use", "use of the loan", lambda known: known.loan_use),
        Field("contact.email", "e-mail of the contact person", _of_enterprise("contact_email"), is_personal=True),
    )
}  # fmt: skip

_FROM_REGISTER: Final = frozenset(
    {"enterprise.name", "enterprise.region", "enterprise.established_on", "contact.email"}
)


def facts_of(fields: Iterable[str], known: Known) -> dict[str, str]:
    """The named fields that have a value, in wire form; nothing else is ever looked at.

    Dates are ISO 8601, amounts plain decimals. Raises KeyError for a name outside the closed set.
    """
    read = {name: FIELDS[name].read(known) for name in fields}
    return {name: _written(fact) for name, fact in read.items() if fact is not None}


def _written(fact: object) -> str:
    if isinstance(fact, Decimal):
        return f"{fact:.2f}"
    return fact.isoformat() if isinstance(fact, date) else str(fact)


def needs_register(fields: Iterable[str]) -> bool:
    """Whether one of the fields is only known once the enterprise's registration has arrived."""
    return not _FROM_REGISTER.isdisjoint(fields)
