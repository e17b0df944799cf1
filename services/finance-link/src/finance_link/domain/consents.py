"""Consents: who may be told which fields, for which purpose, until when."""

from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.clock import SHANGHAI

Purpose = Literal["financing", "ip-pledge-financing"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

EndedBecause = Literal["withdrawn", "expired", "replaced"]


class Consent(BaseModel):
    """A separate consent for one bank and one purpose (PIPL, Art. 23).

    It stands until it is withdrawn, which is as easy as giving it (PIPL, Art. 15), replaced by a newer one for the
    same bank and purpose, or past `expires_on`, its last day. `on_title`: each title granted while it stands is
    referred without being asked for.
    """

    model_config = ConfigDict(frozen=True)

    consent_id: UUID
    enterprise_id: str
    bank_id: str
    purpose: Purpose
    fields: list[str]
    text_version: str
    on_title: bool
    given_on: date
    given_at: datetime
    given_by: str
    expires_on: date
    ended_at: datetime | None = None
    ended_because: EndedBecause | None = None

    def stands(self, today: date) -> bool:
        return self.ended_at is None and self.given_on <= today <= self.expires_on


def end_of(last_day: date) -> datetime:
    """The first instant after a legal day, in Asia/Shanghai."""
    return datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI)
