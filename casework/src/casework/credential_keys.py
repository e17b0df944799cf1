"""The keys that sign credentials: Ed25519, the first of a set; all of the set are published, so that keys can change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.once import create_once

ALGORITHM: Final = "EdDSA"  # RFC 9864 renames it Ed25519, which wallets and verifiers do not read yet
_DEVELOPMENT: Final = "made_for_development"


@dataclass(frozen=True, slots=True)
class CredentialKeys:
    """`signing` is private. What is published has no private part."""

    signing: OKPKey = field(repr=False)
    published: Sequence[OKPKey]
    for_development: bool = False

    @classmethod
    def read(cls, jwk_set: str) -> Self:
        """A JWK set whose first key is private. Raises ValueError."""
        try:
            entries = orjson.loads(jwk_set)["keys"]
            keys = [_ed25519(entry) for entry in entries]
            if not keys[0].is_private:
                raise ValueError("credential_keys: the first key signs, and so is private")
        except (JoseError, LookupError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
            raise ValueError("credential_keys: a JWK set of Ed25519 keys is needed") from error
        return cls(keys[0], keys, any(entry.get(_DEVELOPMENT) for entry in entries))

    def sign(self, claims: dict[str, Any], *, kind: str, issuer: str) -> str:
        """The claims as a JWT of the type `kind`; of the same claims always the same text."""
        header = {"alg": ALGORITHM, "kid": key_id(issuer, self.signing), "typ": kind, "cty": "vc"}
        return jws.serialize_compact(header, orjson.dumps(claims), self.signing, algorithms=[ALGORITHM])


def key_id(issuer: str, key: OKPKey) -> str:
    return f"{issuer}#{key.thumbprint()}"


def _ed25519(entry: dict[str, Any]) -> OKPKey:
    if entry.get("kty") != "OKP" or entry.get("crv") != "Ed25519":
        raise ValueError("credential_keys: every key is an Ed25519 key")
    return OKPKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "d") if name in entry})


def development_credential_keys(directory: Path) -> CredentialKeys:
    """The keys in the folder, made when they are asked for first."""
    kept = directory / "development-credentials.json"
    if not kept.exists():
        directory.mkdir(parents=True, exist_ok=True)
        made = OKPKey.generate_key("Ed25519").as_dict(private=True)
        create_once(kept, orjson.dumps({"keys": [{**made, _DEVELOPMENT: True}]}))
    return CredentialKeys.read(kept.read_text())
