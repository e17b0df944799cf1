"""A credential that somebody shows: whether the issuer signed it, and whether it holds. No input or output."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from casework.credentials import KIND
from casework.status_lists import decoded, is_set

_ALGORITHMS: Final = ("EdDSA", "Ed25519")
_AT_HOME: Final = ("127.0.0.1", "localhost")


class NotGood(Exception):
    """Why the credential is not to be relied on."""


class _Entry(BaseModel):
    type: Literal["BitstringStatusListEntry"]
    status_purpose: Annotated[Literal["revocation"], Field(alias="statusPurpose")]
    index: Annotated[int, Field(alias="statusListIndex", ge=0)]
    listed_in: Annotated[str, Field(alias="statusListCredential")]


class _Issuer(BaseModel):
    id: str


class _Title(BaseModel):
    number: str


class _Subject(BaseModel):
    uscc: str
    name: str | None = None
    title: _Title


class Credential(BaseModel):
    """What the credential of a title says, as far as it is looked at."""

    type: tuple[Literal["VerifiableCredential"], Literal["TitleCredential"]]
    issuer: _Issuer
    valid_from: Annotated[AwareDatetime, Field(alias="validFrom")]
    valid_until: Annotated[AwareDatetime, Field(alias="validUntil")]
    subject: Annotated[_Subject, Field(alias="credentialSubject")]
    status: Annotated[_Entry, Field(alias="credentialStatus")]


class _Bits(BaseModel):
    status_purpose: Annotated[Literal["revocation"], Field(alias="statusPurpose")]
    encoded_list: Annotated[str, Field(alias="encodedList")]


class StatusList(BaseModel):
    """`valid_from`: the first instant of the day on which the list was given out."""

    type: tuple[Literal["VerifiableCredential"], Literal["BitstringStatusListCredential"]]
    id: str
    issuer: _Issuer
    valid_from: Annotated[AwareDatetime, Field(alias="validFrom")]
    bits: Annotated[_Bits, Field(alias="credentialSubject")]


def keys_address(token: str) -> str:
    """Where the keys of the issuer are whom the credential names; nothing is checked yet. Raises NotGood."""
    try:
        claims = orjson.loads(urlsafe_b64decode(token.split(".")[1].encode()))
        issuer = str(claims["issuer"]["id"])
    except (ValueError, LookupError, TypeError) as error:
        raise NotGood("not a credential") from error
    method, _, host = issuer.rpartition(":")
    if method != "did:web":
        raise NotGood(f"the issuer {issuer} is not a did:web without a path; give its keys with --keys")
    place = unquote(host)
    scheme = "http" if place.partition(":")[0] in _AT_HOME else "https"
    return f"{scheme}://{place}/.well-known/jwks.json"


def read_credential(token: str, keys: Mapping[str, Key]) -> Credential:
    """Raises NotGood when no key of the issuer signed it, or it is no credential of a title."""
    issuer, claims = _signed(token, keys)
    try:
        credential = Credential.model_validate(claims)
    except ValidationError as error:
        raise NotGood(f"not the credential of a title: {_first(error)}") from error
    _same_issuer(credential.issuer, issuer)
    return credential


def read_list(token: str, keys: Mapping[str, Key], credential: Credential) -> StatusList:
    """The list that the credential names. Raises NotGood when it is another, or not signed by the same issuer."""
    issuer, claims = _signed(token, keys)
    try:
        found = StatusList.model_validate(claims)
    except ValidationError as error:
        raise NotGood(f"not a status list: {_first(error)}") from error
    _same_issuer(found.issuer, issuer)
    _same_issuer(found.issuer, credential.issuer.id)
    if found.id != credential.status.listed_in:
        raise NotGood(f"the credential stands in {credential.status.listed_in}, this list is {found.id}")
    return found


def check(credential: Credential, listed: StatusList, now: datetime) -> None:
    """Raises NotGood when the title was revoked, has run out or has not begun."""
    try:
        revoked = is_set(decoded(listed.bits.encoded_list), credential.status.index)
    except ValueError as error:
        raise NotGood(str(error)) from error
    if revoked:
        raise NotGood("the title was revoked")
    if not credential.valid_from <= now <= credential.valid_until:
        raise NotGood(f"the title is held from {credential.valid_from} to {credential.valid_until} only")


def _signed(token: str, keys: Mapping[str, Key]) -> tuple[str, dict[str, Any]]:
    """The issuer whose key signed the token, and the claims."""
    try:
        header = orjson.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
        kid = str(header["kid"])
        key = keys.get(kid)
        if key is None:
            raise NotGood(f"the issuer has no key {kid}")
        if header.get("typ") != KIND:
            raise NotGood(f"its type is {header.get('typ')}, not {KIND}")
        claims = orjson.loads(jws.deserialize_compact(token, key, algorithms=_ALGORITHMS).payload)
    except (JoseError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotGood(f"the signature does not hold: {error or type(error).__name__}") from error
    return kid.partition("#")[0], claims


def _same_issuer(said: _Issuer, issuer: str) -> None:
    if said.id != issuer:
        raise NotGood(f"it says that {said.id} issued it, the key is of {issuer}")


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
