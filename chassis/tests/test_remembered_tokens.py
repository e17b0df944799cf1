"""A token's signature is looked at once; what else makes it good is asked every time."""

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from chassis.auth import LEEWAY, Authenticator, Unauthenticated

CLAIMS: dict[str, Any] = {"iss": "https://id", "aud": "door", "sub": "li", "role": "officer"}


def signed(key: ECKey, *, exp: float, kid: str | None = None) -> str:
    header = {"alg": "ES256", "kid": kid or key.kid}
    return "Bearer " + jwt.encode(header, CLAIMS | {"exp": exp}, key, algorithms=["ES256"])


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def publish(place: Path, *keys: ECKey) -> None:
    place.write_bytes(orjson.dumps({"keys": [key.as_dict(private=False) for key in keys]}))


def authenticator(place: Path) -> Authenticator:
    return Authenticator(issuer="https://id", audience="door", jwks_url=place.as_uri(), fetch_interval=0)


async def test_a_remembered_token_ends_with_its_time(tmp_path: Path) -> None:
    key, place = new_key(), tmp_path / "keys"
    publish(place, key)
    checks, token = authenticator(place), signed(key, exp=time.time() - LEEWAY + 2)
    assert await checks.actor(token)
    async with asyncio.timeout(20):
        with pytest.raises(Unauthenticated):
            while await checks.actor(token):
                await asyncio.sleep(0.05)


async def test_a_remembered_token_ends_with_its_key(tmp_path: Path) -> None:
    key, other, place = new_key(), new_key(), tmp_path / "keys"
    publish(place, key, other)
    checks, token = authenticator(place), signed(key, exp=time.time() + 3600)
    assert await checks.actor(token)
    publish(place, other)
    with pytest.raises(Unauthenticated):
        await checks.actor(signed(key, exp=time.time() + 3600, kid="made-up"))  # asks for the keys again
    with pytest.raises(Unauthenticated):
        await checks.actor(token)


async def test_only_so_many_tokens_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.auth.REMEMBERED", 3)
    key, place = new_key(), tmp_path / "keys"
    publish(place, key)
    checks = authenticator(place)
    tokens = [signed(key, exp=time.time() + 3600) for _ in range(10)]
    for token in [*tokens, *tokens]:
        assert await checks.actor(token)
    assert len(checks._signed) == 3
