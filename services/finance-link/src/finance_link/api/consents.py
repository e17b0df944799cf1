from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from chassis.auth import authorize
from chassis.errors import NotFound
from chassis.http import Body, Db, Page, Paged, Tx, Who, page, router
from contracts.values import Day, EnterpriseId, Slug
from finance_link.api.values import Line
from finance_link.api.words import CATALOGUE, Liked
from finance_link.domain.consents import Consent, Purpose
from finance_link.domain.scope import FIELDS
from finance_link.store import consents as store
from finance_link.use_cases.consents import Scope, give_consent, withdraw_consent
from finance_link.use_cases.policy import POLICY

routes = router(tags=["consents"])


def _known(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"one of {', '.join(FIELDS)}")
    return name


class ConsentAsked(Body):
    """A separate consent for one bank and one purpose (PIPL, Art. 23), good to the end of `expires_on`.

    `fields`: names out of GET /v1/consent-fields; nothing else will ever be told. `text_version`: which text was
    shown. `on_title`: each title granted from now on is referred to the bank unasked.
    """

    bank_id: Slug
    purpose: Purpose
    fields: Annotated[
        list[Annotated[str, AfterValidator(_known)]], Field(min_length=1, max_length=len(FIELDS))
    ]
    text_version: Line
    expires_on: Day
    on_title: bool = False


class ConsentShown(BaseModel):
    consent_id: UUID
    enterprise_id: str
    bank_id: str
    purpose: str
    fields: list[str]
    text_version: str
    on_title: bool
    given_on: Day
    expires_on: Day
    ended_at: datetime | None
    ended_because: str | None


class FieldShown(BaseModel):
    name: str
    label: str
    personal: bool


def _shown(consent: Consent) -> ConsentShown:
    return ConsentShown(**consent.model_dump(exclude={"given_at", "given_by"}))


@routes.get("/v1/consent-fields")
async def list_fields(liked: Liked) -> list[FieldShown]:
    """Public: the closed set of fields that a consent may name. `personal` as in PIPL, Art. 4."""
    return [
        FieldShown(name=field.name, label=CATALOGUE.text(field.label, liked), personal=field.is_personal)
        for field in FIELDS.values()
    ]


@routes.post("/v1/consents", status_code=201)
async def give(body: ConsentAsked, tx: Tx, who: Who) -> ConsentShown:
    """The enterprise's own; it replaces a standing consent for the same bank and purpose."""
    authorize(POLICY, who, "consent.give", enterprise_id=who.enterprise_id)
    scope = Scope(body.bank_id, body.purpose, body.fields, body.text_version, body.expires_on, body.on_title)
    return _shown(await give_consent(tx, str(who.enterprise_id), scope))


@routes.post("/v1/consents/{consent_id}/withdrawal")
async def withdraw(consent_id: UUID, tx: Tx) -> ConsentShown:
    """At once: what was not sent never will be, what was sent and is open is called back (PIPL, Art. 15)."""
    return _shown(await withdraw_consent(tx, consent_id))


@routes.get("/v1/consents")
async def list_own(
    db: Db, who: Who, asked: Paged, enterprise_id: EnterpriseId | None = None, bank_id: Slug | None = None
) -> Page[ConsentShown]:
    """The enterprise's own; all for officers and auditors."""
    owner = who.enterprise_id if who.role == "enterprise" and enterprise_id is None else enterprise_id
    authorize(POLICY, who, "consent.read", enterprise_id=owner)
    after = asked.after(UUID)
    rows = await store.page_consents(
        db, after=after[0] if after else None, limit=asked.limit, enterprise_id=owner, bank_id=bank_id
    )
    return page(rows, asked, key=lambda consent: (consent.consent_id,), item=_shown)


@routes.get("/v1/consents/{consent_id}")
async def show(consent_id: UUID, db: Db, who: Who) -> ConsentShown:
    consent = await store.find_consent(db, consent_id)
    if consent is None:
        raise NotFound(thing="consent")
    authorize(POLICY, who, "consent.read", enterprise_id=consent.enterprise_id)
    return _shown(consent)
