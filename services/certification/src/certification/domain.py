"""Enterprises, what is known of them, and who is invited to act for them."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from casework.fact_types import Region, Uscc
from casework.member import Membership

SECTIONS = ("years", "ip", "conversions", "incidents", "choices")


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enterprise(Kept):
    """An enterprise on the register. `enterprise_id` is its USCC, `region` a GB/T 2260 code."""

    enterprise_id: Uscc
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    region: Region
    established_on: date
    mainland_resident: bool | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    contact_email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    version: int = 1


class Invitation(Membership):
    """An invitation to act for an enterprise. Its code is kept nowhere; `code_hash` is the SHA-256 of it."""

    invitation_id: UUID
    enterprise_id: str
    code_hash: bytes
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None

    def is_opened_by(self, code: str) -> bool:
        return hmac.compare_digest(self.code_hash, hash_of(code))


def hash_of(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


class Asset(Kept):
    """An IP right as the register of IP assets tells it."""

    enterprise_id: str
    asset_id: str
    kind: str
    acquired: str
    granted_on: date
    expires_on: date | None
    in_force: bool
    owned: bool
    related: bool


class Use(Kept):
    """An IP right that carried a title: the programme and the year of application."""

    asset_id: str
    programme: str
    year: int


def known_facts(
    enterprise: Enterprise, given: Mapping[str, Any], assets: Sequence[Asset], uses: Iterable[Use]
) -> dict[str, Any]:
    """Everything that is known, in the names of the facts file.

    The register of IP assets prevails over what was given of the same right. A right that carried a title before
    says so (国科发火〔2016〕195号 三(一): class II rights count once).
    """
    facts = {name: given[name] for name in SECTIONS if name in given}
    facts["enterprise"] = {
        "uscc": enterprise.enterprise_id,
        "name": enterprise.name,
        "region": enterprise.region,
        "established_on": enterprise.established_on.isoformat(),
    }
    if enterprise.mainland_resident is not None:
        facts["enterprise"]["mainland_resident"] = enterprise.mainland_resident
    if "ip" in given or assets:
        facts["ip"] = known_rights(given.get("ip", ()), assets, uses)
    return facts


def known_rights(
    given: Iterable[Mapping[str, Any]], assets: Sequence[Asset], uses: Iterable[Use]
) -> list[dict[str, Any]]:
    rights = {right["id"]: dict(right) for right in given}
    for asset in assets:
        rights.setdefault(asset.asset_id, {}).update(right_of(asset))
    for use in uses:
        if (right := rights.get(use.asset_id)) is not None:
            used = {"programme": use.programme, "year": use.year}
            right["used_for"] = [other for other in right.get("used_for", []) if other != used] + [used]
    return list(rights.values())


def right_of(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.asset_id,
        "kind": asset.kind,
        "acquired": asset.acquired,
        "granted_on": asset.granted_on.isoformat(),
        "in_force": asset.in_force,
        "owned": asset.owned,
        "related": asset.related,
    }
