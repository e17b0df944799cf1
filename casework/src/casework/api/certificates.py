"""/v1/titles/{number}/certificate and /credential, /v1/status-lists, and the keys that these are checked with."""

import hashlib
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from casework import credentials, use_cases
from casework.credential_keys import key_id
from casework.issuing import Issuing
from casework.use_cases import Casework
from chassis.http import Ctx, Db, router

# Caches may keep these and must ask each time: what was revoked is revoked at once.
_ASK_EACH_TIME = "public, no-cache"
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}
_JWT: dict[int | str, dict[str, Any]] = {200: {"content": {credentials.MEDIA_TYPE: {}}}}
_LIST: dict[int | str, dict[str, Any]] = {**_JWT, 304: {"description": "The list is the one you have"}}
ListId = Annotated[int, Path(ge=0, le=2**31)]


class PublishedKeys(BaseModel):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, str]]


class DidDocument(BaseModel):
    model_config = ConfigDict(extra="allow")

    context: Annotated[list[str], Field(alias="@context")]
    id: str
    verificationMethod: list[dict[str, Any]]  # noqa: N815 - the name in the recommendation
    assertionMethod: list[str]  # noqa: N815


async def issuing(context: Ctx) -> Issuing:
    found = context.state["issuing"]
    if not isinstance(found, Issuing):
        raise TypeError("the service sets `issuing` when it starts")
    return found


Vouching = Annotated[Issuing, Depends(issuing)]


def certificate_router(work: Casework) -> APIRouter:
    routes = router("", ["public"])
    _add_certificates(routes, work)
    _add_lists(routes)
    _add_keys(routes)
    return routes


def _add_certificates(routes: APIRouter, work: Casework) -> None:
    @routes.get("/v1/titles/{number}/certificate", response_class=Response, responses=_PDF)
    async def certificate(number: str, db: Db, vouching: Vouching) -> Response:
        """The certificate as a signed PDF, made now; of a revoked title there is none (410)."""
        pdf = await use_cases.issue_certificate(work, db, vouching, number)
        name = f"inline; filename*=UTF-8''{quote(number, safe='')}.pdf"
        headers = {"Cache-Control": _ASK_EACH_TIME, "Content-Disposition": name}
        return Response(pdf, media_type="application/pdf", headers=headers)

    @routes.get("/v1/titles/{number}/credential", response_class=Response, responses=_JWT)
    async def credential(number: str, db: Db, vouching: Vouching) -> Response:
        """The title as a W3C Verifiable Credential 2.0; of a revoked title there is none (410)."""
        signed = await use_cases.issue_credential(work, db, vouching, number)
        return Response(signed, media_type=credentials.MEDIA_TYPE, headers={"Cache-Control": _ASK_EACH_TIME})


def _add_lists(routes: APIRouter) -> None:
    @routes.get("/v1/status-lists/{list_id}", response_class=Response, responses=_LIST)
    async def status_list(
        list_id: ListId, db: Db, vouching: Vouching, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """One bit per title, 1 where it was revoked (W3C Bitstring Status List)."""
        signed = await use_cases.issue_status_list(db, db.clock, vouching, list_id)
        tag = f'"{hashlib.sha256(signed.encode()).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": _ASK_EACH_TIME}
        if if_none_match is not None and tag in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(signed, media_type=credentials.MEDIA_TYPE, headers=headers)


def _add_keys(routes: APIRouter) -> None:
    @routes.get("/.well-known/jwks.json")
    async def jwks(vouching: Vouching) -> PublishedKeys:
        """The keys that credentials are signed with, under the `kid` that credentials name."""
        return PublishedKeys(keys=[{**jwk, "kid": name} for name, jwk in _published(vouching).items()])

    @routes.get("/.well-known/did.json")
    async def did(vouching: Vouching) -> DidDocument:
        """The same keys as a DID document (did:web)."""
        issuer = credentials.issuer_of(vouching.public_address)
        return DidDocument.model_validate(credentials.did_document(issuer, _published(vouching)))


def _published(vouching: Issuing) -> dict[str, dict[str, str]]:
    issuer, keys = credentials.issuer_of(vouching.public_address), vouching.credential_keys
    return {} if keys is None else {key_id(issuer, key): _public(key) for key in keys.published}


def _public(key: Any) -> dict[str, str]:
    jwk = key.as_dict(private=False)
    return {name: str(jwk[name]) for name in ("kty", "crv", "x")} | {"use": "sig"}
