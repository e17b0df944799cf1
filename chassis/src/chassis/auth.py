"""Who knocks (OIDC bearer tokens) and what they may do (one policy per service, denied unless written down)."""

import asyncio
import hashlib
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, cast, get_args

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, OKPKey

from chassis.errors import Forbidden, NotFound, Refused, Unavailable
from chassis.identity import PUBLIC, ROLES, Actor, Role
from chassis.issuer_keys import read, read_keys
from chassis.once import create_once
from chassis.settings import ServiceSettings

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
DEVELOPMENT_ISSUER: Final = "urn:huiqi:development"
LEEWAY: Final = 10
KEYS_FRESH_FOR: Final = 600.0
FETCH_INTERVAL: Final = 15.0
REMEMBERED: Final = 4_096

_SUBJECT: Final = re.compile(r"[^\x00-\x20\x7f-\x9f\ud800-\udfff]{1,128}")
_SIGNED_IN: Final = ROLES - {"system", "public"}
_OWNERS: Final = ("enterprise", "bank")

log = structlog.get_logger()
# RFC 9864 renames EdDSA to Ed25519; issuers in the field still write EdDSA.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)


class Unauthenticated(Refused):
    """Your sign-in is not valid here: {reason}."""

    status: ClassVar[int] = 401


class SignInNeeded(Refused):
    """Sign in first."""

    status: ClassVar[int] = 401


class _Signed(NamedTuple):
    """What a token says, and the key that its signature was checked with."""

    kid: str | None
    key: Key
    claims: dict[str, Any]


class Authenticator:
    """Checks bearer tokens of one issuer for one audience against its published keys.

    Keys are cached and fetched again when a token names an unknown one, at most every FETCH_INTERVAL seconds. Where
    the issuer does not answer, the known keys keep working.
    """

    def __init__(
        self, *, issuer: str, audience: str, jwks_url: str, fetch_interval: float = FETCH_INTERVAL
    ) -> None:
        self._jwks_url = jwks_url
        self._fetch_interval = fetch_interval
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._keys: dict[str, Key] = {}
        self._signed: dict[bytes, _Signed] = {}
        self._asked_at = float("-inf")
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "Authenticator":
        """Raises ValueError when the development issuer would be trusted in production."""
        if settings.environment == "production" and settings.issuer == DEVELOPMENT_ISSUER:
            raise ValueError("issuer: the development issuer signs for anybody; production needs a real one")
        return cls(issuer=settings.issuer, audience=settings.audience, jwks_url=settings.jwks_url)

    async def actor(self, authorization: str | None) -> Actor:
        """Who the `Authorization` header says; without one, the public.

        Raises Unauthenticated for a token that is not good here, Unavailable while no key is known.
        """
        if authorization is None:
            return PUBLIC
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated(reason="a bearer token is needed")
        return _actor_of(await self._checked(token.strip()))

    async def _checked(self, token: str) -> dict[str, Any]:
        """The claims of a token that is good now. Its signature is looked at once for as long as its key is the same."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        try:
            signed = self._signed.get(digest)
            if signed is None or signed.key is not await self._key(signed.kid):
                signed = await self._verified(token)
                if len(self._signed) >= REMEMBERED:
                    del self._signed[next(iter(self._signed))]
                self._signed[digest] = signed
            self._claims.validate(signed.claims)
        except (JoseError, ValueError, AttributeError, UnicodeError) as error:
            raise Unauthenticated(reason=getattr(error, "error", "malformed_token")) from error
        return signed.claims

    async def _verified(self, token: str) -> "_Signed":
        header = orjson.loads(_decoded(token.partition(".")[0]))
        kid = header.get("kid")
        kid = kid if isinstance(kid, str) else None
        key = await self._key(kid)
        return _Signed(kid, key, jwt.decode(token, key, algorithms=ALGORITHMS).claims)

    async def _key(self, kid: str | None) -> Key:
        now = time.monotonic()
        if kid not in self._keys and (kid is not None or len(self._keys) != 1):
            await self._fetch()
        elif now - self._fetched_at > KEYS_FRESH_FOR and (
            self._refreshing is None or self._refreshing.done()
        ):
            self._refreshing = asyncio.create_task(self._fetch())
        if not self._keys:
            raise Unavailable("the issuer's keys cannot be fetched", retry_after=5)
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if kid not in self._keys:
            raise Unauthenticated(reason="unknown_key")
        return self._keys[kid]

    async def _fetch(self) -> None:
        """Asks for the keys unless that was done a moment ago; a failure leaves the known ones."""
        async with self._fetching:
            interval = self._fetch_interval if self._keys else min(self._fetch_interval, 1.0)
            if time.monotonic() - self._asked_at < interval:
                return
            self._asked_at = time.monotonic()
            try:
                self._keys = read_keys(await read(self._jwks_url))
                self._fetched_at = time.monotonic()
            except (
                OSError,
                ValueError,
                LookupError,
                TypeError,
                AttributeError,
                JoseError,
                Unavailable,
            ) as error:
                log.warning("auth.keys_unavailable", error=repr(error), known=len(self._keys))


def _decoded(part: str) -> bytes:
    from joserfc.util import urlsafe_b64decode  # noqa: PLC0415

    return urlsafe_b64decode(part.encode())


def _actor_of(claims: dict[str, Any]) -> Actor:
    subject, role = claims["sub"], claims.get("role")
    if not _SUBJECT.fullmatch(subject):
        raise Unauthenticated(reason="invalid_claim sub")
    if not isinstance(role, str) or role not in _SIGNED_IN:
        raise Unauthenticated(reason="invalid_claim role")
    owner = {name: claims.get(f"{name}_id") for name in _OWNERS}
    for name, number in owner.items():
        if (number is None and role == name == "bank") or not (
            number is None or (isinstance(number, str) and _SUBJECT.fullmatch(number))
        ):
            raise Unauthenticated(reason=f"invalid_claim {name}_id")
    return Actor(subject, cast("Role", role), enterprise_id=owner["enterprise"], bank_id=owner["bank"])


Owner = Literal["enterprise", "bank"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The roles that may act; an enterprise or a bank named in `own` only on what is its own."""

    roles: frozenset[Role]
    own: frozenset[Owner] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if unknown := (self.roles - ROLES) | (self.own - set(get_args(Owner))):
            raise ValueError(f"unknown roles {sorted(unknown)}")


def allow(*roles: Role, own: Owner | tuple[Owner, ...] = ()) -> Rule:
    return Rule(frozenset(roles), frozenset((own,) if isinstance(own, str) else own))


Policy = Mapping[str, Rule]


def authorize(
    policy: Policy, actor: Actor, action: str, *, enterprise_id: str | None = None, bank_id: str | None = None
) -> None:
    """Ends quietly when the actor may do the action to the object with these owners.

    Raises SignInNeeded for the public, NotFound for an object of somebody else's, so that its existence is not told,
    else Forbidden. An action that the policy does not name is nobody's.
    """
    rule = policy.get(action)
    owners = {"enterprise": enterprise_id, "bank": bank_id}
    acts_for = {"enterprise": actor.enterprise_id, "bank": actor.bank_id}
    is_own = actor.role not in owners or (
        owners[actor.role] is not None and owners[actor.role] == acts_for[actor.role]
    )
    if rule is not None and actor.role in rule.roles and (actor.role not in rule.own or is_own):
        return
    if actor.role == "public":
        raise SignInNeeded
    owned = enterprise_id is not None or bank_id is not None
    if not is_own and (owned or (rule is not None and actor.role in rule.own)):
        raise NotFound(thing=action.partition(".")[0])
    raise Forbidden(action=action)


class DevelopmentIssuer:
    """Signs tokens for anybody who can read its folder. Services in production refuse to trust it."""

    name: ClassVar[str] = DEVELOPMENT_ISSUER

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        secret = directory / "development-issuer.json"
        if not secret.exists():
            made = OKPKey.generate_key("Ed25519", auto_kid=True)
            create_once(secret, orjson.dumps(made.as_dict(private=True)))
        self._key = OKPKey.import_key(orjson.loads(secret.read_bytes()))
        self._published = directory / "jwks.json"
        if not self._published.exists():
            create_once(self._published, orjson.dumps(self.jwks()))

    @property
    def jwks_url(self) -> str:
        return self._published.absolute().as_uri()

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def token(
        self,
        subject: str,
        role: str,
        audience: str | list[str],
        *,
        enterprise_id: str | None = None,
        bank_id: str | None = None,
        lifetime: timedelta = timedelta(hours=8),
    ) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.name, "aud": audience, "sub": subject, "role": role,
            "iat": now, "exp": now + int(lifetime.total_seconds()),
        }  # fmt: skip
        claims |= {"enterprise_id": enterprise_id} if enterprise_id is not None else {}
        claims |= {"bank_id": bank_id} if bank_id is not None else {}
        return jwt.encode({"alg": "Ed25519", "kid": self._key.kid}, claims, self._key, algorithms=["Ed25519"])
