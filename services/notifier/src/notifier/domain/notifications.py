"""The life of one notification: waiting or pending, then delivered or undelivered with a reason."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from notifier.domain.table import Audience, Channel, Notice, Row, Table
from notifier.domain.wording import Language, Text, Wording

State = Literal["waiting", "pending", "delivered", "undelivered"]
Reason = Literal[
    "no_address",  # the enterprise gave none
    "bad_address",  # what it gave is no address that mail can be sent to
    "address_refused",  # the mail server refuses the recipient for good
    "message_refused",  # the mail server refuses the message for good
    "no_answer_in_time",  # every attempt failed until the budget was used up
    "unknown_recipient",  # the enterprise was never registered
]

OFFICERS = "role:officer"
LONGEST_DELAY = timedelta(hours=1)
LONGEST_ANSWER = 300

_ADDRESS = re.compile(
    r"(?=.{3,254}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)


@dataclass(frozen=True, slots=True)
class Notices:
    """Who is told what, and in which words."""

    table: Table
    wording: Wording


@dataclass(frozen=True, slots=True)
class Enterprise:
    """What is known of an enterprise: without a name it was only heard of."""

    enterprise_id: str
    name: str | None = None
    language: Language = "zh-CN"
    contact_email: str | None = None

    @property
    def is_known(self) -> bool:
        return self.name is not None


NO_ENTERPRISE = Enterprise("")


@dataclass(frozen=True, slots=True)
class Told:
    """One notification, as far as it can be made now. `text` is None while its recipient is not known."""

    recipient: str
    channel: Channel
    template: str
    statutory: bool
    state: State
    reason_code: Reason | None
    text: Text | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What is said of a notification when it ends: ids and names, never an address."""

    notification_id: UUID
    recipient: str
    channel: Channel
    template: str
    caused_by: str


def box_of(role: str, subject: str, enterprise_id: str | None, bank_id: str | None) -> str | None:
    """The inbox that an actor reads: an enterprise's, a bank's or an expert's own, the officers' shared one, or none."""
    if role == "officer":
        return OFFICERS
    if role == "expert":
        return f"expert:{subject}"
    if role == "enterprise":
        return enterprise_id
    return f"bank:{bank_id}" if role == "bank" and bank_id else None


def owners_of(recipient: str) -> dict[str, str]:
    """The owner of a notification in the words of `authorize`."""
    if recipient.startswith("bank:"):
        return {"bank_id": recipient.removeprefix("bank:")}
    return {} if recipient == OFFICERS or recipient.startswith("expert:") else {"enterprise_id": recipient}


def recipient_of(audience: Audience, facts: Mapping[str, Any]) -> str:
    match audience:
        case "enterprise":
            return str(facts["enterprise_id"])
        case "bank":
            return f"bank:{facts['bank_id']}"
        case "officers":
            return OFFICERS
        case "expert":
            return f"expert:{facts['subject']}"


def names_for(audience: Audience, fields: Collection[str]) -> frozenset[str]:
    """What a template may speak of. A bank is never told here which enterprise it is: that needs a consent.

    An expert learns which cases it judges after signing in: others of the bureau see what it was told.
    """
    match audience:
        case "enterprise":
            return frozenset({*fields, "name"})
        case "officers":
            return frozenset({*fields, "enterprise_name"})
        case "bank":
            return frozenset(fields) - {"enterprise_id", "name"}
        case "expert":
            return frozenset(fields) - {"expert_id", "subject", "draw_id"}


def told(
    row: Row, notice: Notice, facts: Mapping[str, Any], enterprise: Enterprise, wording: Wording
) -> list[Told]:
    """The notifications of one audience, one for each channel."""
    recipient = recipient_of(notice.audience, facts)
    text: Text | None = None
    if notice.audience != "enterprise" or enterprise.is_known:
        text = written(notice.audience, notice.template, facts, enterprise, wording)
    return [
        Told(recipient, channel, notice.template, row.statutory, *fate(channel, text, enterprise), text)
        for channel in notice.channels
    ]


def written(
    audience: Audience, template: str, facts: Mapping[str, Any], enterprise: Enterprise, wording: Wording
) -> Text:
    """The text for an audience, in the enterprise's language where it is the reader, else in Chinese."""
    called = enterprise.name or enterprise.enterprise_id
    known = {**facts, "name": called, "enterprise_name": called}
    allowed = names_for(audience, facts.keys())
    language: Language = enterprise.language if audience == "enterprise" else "zh-CN"
    return wording.text(template, language, {name: known[name] for name in allowed})


def fate(channel: Channel, text: Text | None, enterprise: Enterprise) -> tuple[State, Reason | None]:
    """Where a notification stands as soon as it is made."""
    if text is None:
        return "waiting", None
    if channel == "inbox":
        return "delivered", None
    fault = address_fault(enterprise.contact_email)
    return ("undelivered", fault) if fault else ("pending", None)


def address_fault(address: str | None) -> Reason | None:
    """Why no mail can be sent there; None when it can. Only what every mail server takes counts as an address."""
    if address is None:
        return "no_address"
    local = address.partition("@")[0]
    return None if _ADDRESS.fullmatch(address) and len(local) <= 64 else "bad_address"


@dataclass(frozen=True, slots=True)
class Mail:
    """What one attempt sends. The same notification is the same bytes and the same Message-ID at every attempt."""

    notification_id: UUID
    address: str
    language: Language
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The server took the mail."""

    answer: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server refuses it for good."""

    reason: Reason
    answer: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now. `ambiguous`: the text had left when the answer failed to come, so the server may have taken it."""

    answer: str
    ambiguous: bool = False


Answer = Taken | Rejected | Deferred


def delay(attempts: int, first: timedelta, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling up to an hour; `chance` in [0, 1) takes off up to a half."""
    doubled = first * int(2 ** min(attempts - 1, 16))
    return min(doubled, LONGEST_DELAY) * (1 - chance / 2)
