"""Credentials of titles and the lists that say which were revoked, checked with the published keys alone."""

from datetime import date, timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, OKPKey

from casework import credential_store, credentials, status_lists
from casework.case import Title
from casework.credential_keys import CredentialKeys
from casework.sourced import Text
from casework.status_lists import LIST_LENGTH, Place, decoded, encoded, is_set
from casework.store import casework_sql
from casework_way import OFFICER, STRANGER, USCC, Door, Way
from chassis.clock import FixedClock
from chassis.identity import Actor

HOST = "https://titles.example.gov.cn"
FRAUD: dict[str, Any] = {
    "ground": "serious_fraud", "conduct_on": date(2016, 8, 1), "reasons": ["invented"],
}  # fmt: skip


async def get(door: Door, path: str, **headers: str) -> httpx.Response:
    async with door.client() as anybody:
        return await anybody.get(path, headers=headers)


async def checked(door: Door, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of the credential at the path; the signature holds by a published key."""
    answer = await get(door, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/vc+jwt")
    keys = KeySet.import_key_set((await get(door, "/.well-known/jwks.json")).json())
    signed = jws.deserialize_compact(answer.text, keys, algorithms=["EdDSA"])
    return dict(signed.headers()), orjson.loads(signed.payload)


async def bit(door: Door, entry: dict[str, str]) -> bool:
    """What the list says that the entry names."""
    _, claims = await checked(door, entry["statusListCredential"].removeprefix(HOST))
    bits = decoded(claims["credentialSubject"]["encodedList"])
    assert len(bits) * 8 == LIST_LENGTH == 131_072
    return is_set(bits, int(entry["statusListIndex"]))


async def revoke(way: Way, title: Title) -> None:
    await way.step("propose_revocation", OFFICER, title.number, **FRAUD)
    colleague = Actor("zhao", "officer")
    await way.step("decide_revocation", colleague, title.number, decision="revoke", reasons=["confirmed"])


async def test_anybody_checks_a_credential_with_the_published_keys_alone(door: Door, title: Title) -> None:
    header, said = await checked(door, f"/v1/titles/{title.number}/credential")
    issuer = "did:web:titles.example.gov.cn"
    assert (header["alg"], header["typ"], header["cty"]) == ("EdDSA", "vc+jwt", "vc")
    assert header["kid"].startswith(f"{issuer}#")
    assert said["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert said["type"][0] == "VerifiableCredential"
    assert said["issuer"]["id"] == issuer
    assert (said["validFrom"], said["validUntil"]) == (
        "2016-08-31T00:00:00+08:00",
        "2019-08-31T23:59:59+08:00",
    )
    subject = said["credentialSubject"]
    assert (subject["uscc"], subject["title"]["number"]) == (USCC, title.number)
    assert subject["title"]["name"][0] == {"@value": "高新技术企业", "@language": "zh-CN"}
    entry = said["credentialStatus"]
    assert (entry["type"], entry["statusPurpose"]) == ("BitstringStatusListEntry", "revocation")


async def test_the_did_document_has_the_keys_of_the_jwk_set(door: Door, title: Title) -> None:
    did = (await get(door, "/.well-known/did.json")).json()
    (method,) = did["verificationMethod"]
    (key,) = (await get(door, "/.well-known/jwks.json")).json()["keys"]
    assert did["assertionMethod"] == [method["id"]] == [key["kid"]]
    assert method["publicKeyJwk"]["x"] == key["x"]
    assert "d" not in key
    header, _ = await checked(door, f"/v1/titles/{title.number}/credential")
    assert header["kid"] == key["kid"]


async def test_the_bit_of_a_title_is_set_the_moment_it_is_revoked(door: Door, way: Way, title: Title) -> None:
    _, said = await checked(door, f"/v1/titles/{title.number}/credential")
    before = await get(door, "/v1/status-lists/0")
    assert not await bit(door, said["credentialStatus"])
    await revoke(way, title)
    assert await bit(door, said["credentialStatus"])
    assert (await get(door, "/v1/status-lists/0")).headers["ETag"] != before.headers["ETag"]
    _, listed = await checked(door, "/v1/status-lists/0")
    assert listed["type"][1] == "BitstringStatusListCredential"
    assert listed["id"] == said["credentialStatus"]["statusListCredential"]


async def test_a_list_that_did_not_change_is_not_sent_again(door: Door, title: Title) -> None:
    first = await get(door, "/v1/status-lists/0")
    assert "no-cache" in first.headers["Cache-Control"]
    again = await get(door, "/v1/status-lists/0", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await get(door, "/v1/status-lists/1")).status_code == 404


async def test_every_title_has_a_place_of_its_own_and_keeps_it(
    way: Way, title: Title, clock: FixedClock
) -> None:
    found = await credential_store.find_placed_title(way.db, title.number)
    assert found is not None
    second = Way(way.db, way.work, way.storage, applicant=STRANGER)
    case = await second.on_notice()
    clock.advance(timedelta(days=30))
    await second.meet_deadlines()
    granted: Title = await second.step("grant_case", OFFICER, case.case_id)
    other = await credential_store.find_placed_title(way.db, granted.number)
    assert other is not None
    assert found[1] != other[1]
    assert (await credential_store.find_placed_title(way.db, title.number)) == found


async def test_a_title_that_was_there_before_the_lists_gets_a_place(way: Way, title: Title) -> None:
    async with way.db.transaction() as tx:
        await tx.execute("ALTER TABLE titles DROP COLUMN status_place")
        await tx.execute((casework_sql() / "0010_pre_status_lists.sql").read_text("utf-8"))
    found = await credential_store.find_placed_title(way.db, title.number)
    assert found is not None
    assert found[1] == Place(0, 0)


async def test_a_full_list_is_followed_by_the_next(door: Door, way: Way, title: Title) -> None:
    await way.db.fetch("UPDATE titles SET status_place = $1", LIST_LENGTH + 3)
    _, said = await checked(door, f"/v1/titles/{title.number}/credential")
    entry = said["credentialStatus"]
    assert (entry["statusListCredential"], entry["statusListIndex"]) == (f"{HOST}/v1/status-lists/1", "3")
    await revoke(way, title)
    assert await bit(door, entry)
    assert not await bit(door, {**entry, "statusListCredential": f"{HOST}/v1/status-lists/0"})


def test_after_a_change_of_keys_both_are_published_and_the_first_signs() -> None:
    new, old = (OKPKey.generate_key("Ed25519").as_dict(private=True) for _ in range(2))
    del old["d"]
    keys = CredentialKeys.read(orjson.dumps({"keys": [new, old]}).decode())
    assert [key.is_private for key in keys.published] == [True, False]
    token = keys.sign({"id": "x"}, kind="vc+jwt", issuer="did:web:a")
    assert token == keys.sign({"id": "x"}, kind="vc+jwt", issuer="did:web:a")
    assert jws.deserialize_compact(token, keys.published[0], algorithms=["EdDSA"]).payload
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(token, keys.published[1], algorithms=["EdDSA"])
    with pytest.raises(ValueError, match="private"):
        CredentialKeys.read(orjson.dumps({"keys": [old, new]}).decode())


@given(st.sets(st.integers(min_value=0, max_value=LIST_LENGTH - 1), max_size=40))
def test_a_list_says_exactly_what_was_put_in(revoked: set[int]) -> None:
    bits = decoded(encoded(revoked))
    assert all(is_set(bits, index) for index in revoked)
    assert int.from_bytes(bits).bit_count() == len(revoked)
    assert encoded(revoked) == encoded(sorted(revoked))


def test_the_first_bit_is_the_highest_of_the_first_byte() -> None:
    assert decoded(encoded([0, 9]))[:2] == b"\x80\x40"
    assert Place.numbered(131_073) == Place(1, 1)


@pytest.mark.parametrize("text", ["", "zAAAA", "u", "uAAAA", encoded([])[:40]])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the list"):
        decoded(text)
    with pytest.raises(ValueError, match="outside"):
        is_set(decoded(encoded([])), LIST_LENGTH)


def test_a_host_with_a_port_is_a_did_that_can_be_resolved() -> None:
    assert credentials.issuer_of("http://127.0.0.1:8000") == "did:web:127.0.0.1%3A8000"
    said = credentials.list_credential(
        0, [], date(2026, 1, 1), Text(zh="局", en="B"), "http://127.0.0.1:8000"
    )
    assert said["credentialSubject"]["encodedList"] == status_lists.encoded([])
