"""/v1/enterprises: the register and the facts of each enterprise."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Response
from pydantic import BaseModel, Field

from casework.api import in_the_callers_words
from casework.fact_types import Region
from casework.unusable import UnusableInput
from casework.uscc import is_uscc
from casework.use_cases.permitting import permit
from certification import store, use_cases
from certification.domain import Enterprise
from chassis.auth import authorize
from chassis.errors import NotFound
from chassis.http import Body, Db, Page, Paged, Tx, Who, etag, page, router, version_of
from contracts.values import Day

register = router("/v1/enterprises", ["enterprises"])
register.dependencies.append(Depends(in_the_callers_words))


async def seen_version(
    seen: Annotated[str | None, Header(alias="If-Match", description="the ETag that was read")] = None,
) -> int | None:
    return None if seen is None else version_of(seen)


Seen = Annotated[int | None, Depends(seen_version)]


async def checked_uscc(uscc: str) -> str:
    if not is_uscc(uscc):
        raise UnusableInput("uscc", "uscc", given=uscc[:40])
    return uscc


UsccPath = Annotated[str, Depends(checked_uscc)]


class EnterpriseGiven(Body):
    """What is to be known of the enterprise; what is left out is not known."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    region: Region
    established_on: Day
    mainland_resident: bool | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    contact_email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None


class FactsView(BaseModel):
    """`given`: the facts as given. `known`: with the register and the IP assets, as an application would take them."""

    given: dict[str, Any]
    known: dict[str, Any]
    version: int


@register.get("")
async def enterprises(db: Db, who: Who, asked: Paged) -> Page[Enterprise]:
    authorize(use_cases.POLICY, who, "enterprise.list")
    after = asked.after(str)
    rows = await store.list_enterprises(db, after=after[0] if after else None, limit=asked.limit + 1)
    return page(rows, asked, key=lambda row: [row.enterprise_id], item=lambda row: row)


@register.put("/{uscc}")
async def put_enterprise(
    uscc: UsccPath, body: EnterpriseGiven, tx: Tx, seen: Seen, response: Response
) -> Enterprise:
    given = Enterprise.model_validate({"enterprise_id": uscc, **body.model_dump()})
    enterprise, happened = await use_cases.register_enterprise(tx, given, expected=seen)
    response.status_code = 201 if happened == "registered" else 200
    response.headers["ETag"] = etag(enterprise.version)
    return enterprise


@register.get("/{uscc}")
async def enterprise(uscc: UsccPath, db: Db, who: Who, response: Response) -> Enterprise:
    await permit(db, who, "enterprise.read", uscc, use_cases.REGISTER)
    found = await store.find_enterprise(db, uscc)
    if found is None:
        raise NotFound(thing="enterprise")
    response.headers["ETag"] = etag(found.version)
    return found


@register.put("/{uscc}/facts")
async def put_facts(
    uscc: UsccPath, body: dict[str, Any], tx: Tx, seen: Seen, response: Response
) -> FactsView:
    """`years`, `ip`, `conversions`, `incidents`, `choices` as in a facts file; what is left out is unknown."""
    given, version = await use_cases.keep_facts(tx, uscc, body, expected=seen)
    response.headers["ETag"] = etag(version)
    return FactsView(given=given, known=await use_cases.facts_of(tx, uscc), version=version)


@register.get("/{uscc}/facts")
async def facts(uscc: UsccPath, db: Db, who: Who, response: Response) -> FactsView:
    await permit(db, who, "enterprise.read", uscc, use_cases.REGISTER)
    if await store.find_enterprise(db, uscc) is None:
        raise NotFound(thing="enterprise")
    given, version = await store.find_facts(db, uscc)
    response.headers["ETag"] = etag(version)
    return FactsView(given=given, known=await use_cases.facts_of(db, uscc), version=version)
