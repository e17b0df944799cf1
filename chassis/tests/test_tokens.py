"""Bearer tokens: which are good here, and from whom their keys come."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from chassis.auth import Authenticator, DevelopmentIssuer, Unauthenticated
from chassis.errors import Unavailable
from chassis.identity import PUBLIC, Actor

NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": "https://id",
    "aud": "door",
    "sub": "li",
    "role": "officer",
    "exp": NOW + 3600,
}


class Issuer:
    """A real HTTP server that publishes keys, can be told to fail, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.asked = 0
        self.body: Callable[[], bytes] = lambda: orjson.dumps(
            {
                "keys": [
                    key.as_dict(private=False) if not isinstance(key, OctKey) else key.as_dict()
                    for key in self.keys
                ]
            }
        )
        self.status = 200
        outer = self

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(outer.body())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Keys)
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/keys"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def issuer() -> Any:
    issuer = Issuer()
    yield issuer
    issuer.stop()


def authenticator(issuer: Issuer, **options: Any) -> Authenticator:
    return Authenticator(issuer="https://id", audience="door", jwks_url=issuer.url, **options)


def signed(key: Any, algorithm: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    body = {name: claim for name, claim in {**CLAIMS, **claims}.items() if claim is not None}
    head = {"alg": algorithm, "kid": key.kid, **(header or {})}
    return "Bearer " + jwt.encode(
        {k: v for k, v in head.items() if v is not None}, body, key, algorithms=[algorithm]
    )


KEYS: dict[str, Any] = {
    "RS256": RSAKey.generate_key(2048, auto_kid=True),
    "ES256": ECKey.generate_key("P-256", auto_kid=True),
    "EdDSA": OKPKey.generate_key("Ed25519", auto_kid=True),
    "Ed25519": OKPKey.generate_key("Ed25519", auto_kid=True),
}
KEY = KEYS["ES256"]


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_good_token_says_who_acts_for_whom(issuer: Issuer, algorithm: str) -> None:
    issuer.keys = list(KEYS.values())
    token = signed(KEYS[algorithm], algorithm, role="bank", bank_id="b1", aud=["other", "door"])
    assert await authenticator(issuer).actor(token) == Actor("li", "bank", bank_id="b1")


async def test_without_a_token_one_is_the_public(issuer: Issuer) -> None:
    assert await authenticator(issuer).actor(None) is PUBLIC
    assert issuer.asked == 0


def part(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def by_hand(header: dict[str, Any], secret: bytes | None = None, **claims: Any) -> str:
    """A token as no library would write it; with a `secret`, signed by HMAC."""
    text = f"{part(orjson.dumps({'kid': KEY.kid, **header}))}.{part(orjson.dumps({**CLAIMS, **claims}))}"
    signature = b"" if secret is None else hmac.digest(secret, text.encode(), "sha256")
    return f"Bearer {text}.{part(signature)}"


def tampered(**claims: Any) -> str:
    """A good token whose claims were changed after it was signed."""
    head, _, signature = signed(KEY, "ES256").removeprefix("Bearer ").split(".")
    return f"Bearer {head}.{part(orjson.dumps({**CLAIMS, **claims}))}.{signature}"


OTHER = ECKey.generate_key("P-256", parameters={"kid": KEY.kid})
SECRET = OctKey.generate_key(256, parameters={"kid": "s"})
BAD = {
    "expired": signed(KEY, "ES256", exp=NOW - 20),
    "never expires": signed(KEY, "ES256", exp=None),
    "expires at NaN": signed(KEY, "ES256", exp=float("nan")),
    "not yet valid": signed(KEY, "ES256", nbf=NOW + 3600),
    "of another issuer": signed(KEY, "ES256", iss="https://evil"),
    "of no issuer": signed(KEY, "ES256", iss=None),
    "for another audience": signed(KEY, "ES256", aud="window"),
    "for no audience": signed(KEY, "ES256", aud=None),
    "of nobody": signed(KEY, "ES256", sub=None),
    "of a subject with a line break": signed(KEY, "ES256", sub="li\nevil"),
    "of no role": signed(KEY, "ES256", role=None),
    "of an invented role": signed(KEY, "ES256", role="king"),
    "of several roles": signed(KEY, "ES256", role=["officer"]),
    "of the system itself": signed(KEY, "ES256", role="system"),
    "of the public": signed(KEY, "ES256", role="public"),
    "of a bank that is not said": signed(KEY, "ES256", role="bank"),
    "of a bank that is no text": signed(KEY, "ES256", role="bank", bank_id=7),
    "signed by another key": signed(OTHER, "ES256"),
    "signed by an unknown key": signed(KEYS["Ed25519"], "Ed25519"),
    "signed with a published secret": signed(SECRET, "HS256"),
    "not signed": "Bearer "
    + jwt.encode({"alg": "none", "kid": KEY.kid}, dict(CLAIMS), KEY, algorithms=["none"]),
    **{f"not signed, and says {name!r}": by_hand({"alg": name}) for name in ("none", "None", "NONE", "")},
    **{
        f"signed by HMAC with the public key as {form}": by_hand({"alg": "HS256"}, secret)
        for form, secret in {
            "PEM": KEY.as_pem(private=False),
            "DER": KEY.as_der(private=False),
            "JWK": orjson.dumps(KEY.as_dict(private=False)),
            "nothing": b"",
        }.items()
    },
    "of an algorithm that its key is not for": by_hand({"alg": "RS256"}, b"x"),
    "with a key of its own": signed(OTHER, "ES256", header={"jwk": OTHER.as_dict(private=False)}),
    "with the address of a key": signed(OTHER, "ES256", header={"jku": "https://evil/keys"}),
    "with a part too many": signed(KEY, "ES256").replace("Bearer ", "Bearer e30."),
    "of another role than was signed": tampered(role="operator"),
    "of another person than was signed": tampered(sub="zhao"),
    "that shall last longer than was signed": tampered(exp=NOW + 7200),
    "changed": signed(KEY, "ES256")[:-8] + "AAAAAAAA",
    "no token": "Bearer ",
    "not base64": "Bearer ÿ.ÿ.ÿ",
    "a list as header": "Bearer W10.e30.e30",
    "of another scheme": "Basic bGk6bGk=",
}


@pytest.mark.parametrize("authorization", BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_nobodys(issuer: Issuer, authorization: str) -> None:
    issuer.keys = [KEY, SECRET]
    with pytest.raises(Unauthenticated):
        await authenticator(issuer).actor(authorization)


async def test_a_clock_a_little_off_is_forgiven(issuer: Issuer) -> None:
    issuer.keys = [KEY]
    assert await authenticator(issuer).actor(
        signed(KEY, "ES256", exp=int(time.time()) - 2, nbf=int(time.time()) + 5)
    )


async def test_a_rotated_key_works_once_the_keys_are_fetched_again_and_the_dropped_one_does_no_more(
    issuer: Issuer,
) -> None:
    issuer.keys = [KEY]
    checks = authenticator(issuer, fetch_interval=0)
    assert await checks.actor(signed(KEY, "ES256"))
    fresh = ECKey.generate_key("P-256", auto_kid=True)
    issuer.keys = [KEY, fresh]
    assert await checks.actor(signed(fresh, "ES256"))
    assert await checks.actor(signed(KEY, "ES256")), "both hold while the issuer publishes both"
    issuer.keys = [fresh]
    with pytest.raises(Unauthenticated):  # asks again, and so learns what was dropped
        await checks.actor(signed(KEY, "ES256", header={"kid": "made-up"}))
    with pytest.raises(Unauthenticated):
        await checks.actor(signed(KEY, "ES256"))
    assert await checks.actor(signed(fresh, "ES256"))


async def test_made_up_keys_do_not_flood_the_issuer(issuer: Issuer) -> None:
    issuer.keys = [KEY]
    checks = authenticator(issuer, fetch_interval=3600)
    await checks.actor(signed(KEY, "ES256"))
    issuer.keys = [ECKey.generate_key("P-256", auto_kid=True)]
    for number in range(50):
        with pytest.raises(Unauthenticated):
            await checks.actor(signed(KEY, "ES256", header={"kid": f"made-up-{number}"}))
    assert issuer.asked == 1


async def test_a_dropped_key_is_known_no_longer_than_keys_stay_fresh(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.keys = [KEY]
    checks = authenticator(issuer, fetch_interval=0)
    await checks.actor(signed(KEY, "ES256"))
    issuer.keys = [ECKey.generate_key("P-256", auto_kid=True)]
    monkeypatch.setattr("chassis.auth.KEYS_FRESH_FOR", 0.0)
    async with asyncio.timeout(20):
        with pytest.raises(
            Unauthenticated
        ):  # the first request after the time still passes, and asks behind its back
            while await checks.actor(signed(KEY, "ES256")):
                await asyncio.sleep(0.01)


async def test_without_a_name_only_an_only_key_is_meant(issuer: Issuer) -> None:
    nameless = signed(KEY, "ES256", header={"kid": None})
    issuer.keys = [KEY]
    assert await authenticator(issuer).actor(nameless)
    issuer.keys = [KEY, KEYS["RS256"]]
    with pytest.raises(Unauthenticated):
        await authenticator(issuer).actor(nameless)


async def test_many_first_requests_ask_for_the_keys_once(issuer: Issuer) -> None:
    issuer.keys = [KEY]
    checks = authenticator(issuer)
    await asyncio.gather(*(checks.actor(signed(KEY, "ES256")) for _ in range(20)))
    assert issuer.asked == 1


@pytest.mark.parametrize("fault", ["down", "refuses", "nonsense", "redirects", "floods", "empty"])
async def test_an_issuer_out_of_order_stops_nobody_whose_key_is_known(issuer: Issuer, fault: str) -> None:
    issuer.keys = [KEY]
    checks = authenticator(issuer, fetch_interval=0)
    await checks.actor(signed(KEY, "ES256"))
    match fault:
        case "down":
            issuer.stop()
        case "refuses":
            issuer.status = 500
        case "redirects":
            issuer.status = 302
        case "nonsense":
            issuer.body = lambda: b'{"keys": [7]}'
        case "floods":
            issuer.body = lambda: b"[" * 1_000_000
        case _:
            issuer.body = lambda: b'{"keys": []}'
    with pytest.raises(Unauthenticated):
        await checks.actor(signed(KEYS["RS256"], "RS256"))
    assert await checks.actor(signed(KEY, "ES256"))


async def test_without_any_key_the_service_is_unavailable_and_recovers(issuer: Issuer) -> None:
    issuer.status = 503
    checks = authenticator(issuer, fetch_interval=0.05)
    with pytest.raises(Unavailable):
        await checks.actor(signed(KEY, "ES256"))
    issuer.status, issuer.keys = 200, [KEY]
    await asyncio.sleep(0.1)
    assert await checks.actor(signed(KEY, "ES256"))


async def test_the_development_issuer_signs_from_every_process_with_one_key(tmp_path: Path) -> None:
    first, second = DevelopmentIssuer(tmp_path), DevelopmentIssuer(tmp_path)
    checks = Authenticator(issuer=first.name, audience="door", jwks_url=first.jwks_url)
    for issuer in (first, second):
        token = issuer.token("wang", "enterprise", "door", enterprise_id="E")
        assert await checks.actor(f"Bearer {token}") == Actor("wang", "enterprise", enterprise_id="E")
    late = first.token("wang", "officer", "door", lifetime=timedelta(seconds=-60))
    with pytest.raises(Unauthenticated):
        await checks.actor(f"Bearer {late}")
    assert (tmp_path / "development-issuer.json").stat().st_mode & 0o077 == 0
    assert b'"d"' not in (tmp_path / "jwks.json").read_bytes()
