"""The certificate of a title: what it says, who signed it, and what becomes of it when the title is lost."""

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr, ValidationError

from casework.case import Title
from casework.certificates.face import Face, title_name
from casework.certificates.keys import CertificateKey, development_key
from casework.certificates.press import FORM, WAITING, CannotBeSet, Press
from casework.certificates.signing import NotSigned, read_signed
from casework.credential_keys import CredentialKeys, development_credential_keys
from casework.issuing import Issuing
from casework.sourced import Text
from casework_way import OFFICER, USCC, Door, Settings
from chassis.clock import FixedClock
from chassis.errors import Unavailable
from chassis.identity import Actor

FACE = Face(
    number="GR201644000001", name=Text(zh="高新技术企业", en="High and New Technology Enterprise"),
    enterprise_name="示例精密制造有限公司", enterprise_id=USCC, granted_on=date(2016, 8, 31),
    valid_until=date(2019, 8, 30), bureau=Text(zh="示例市科学技术局", en="Bureau"),
    verify_at="https://titles.example.gov.cn/v1/titles/GR201644000001",
)  # fmt: skip
REVOCATION = {"ground": "serious_fraud", "conduct_on": "2016-08-01", "reasons": ["invented"]}


async def asked(door: Door, number: str, what: str = "certificate", language: str = "en") -> httpx.Response:
    async with door.client(language=language) as anybody:
        return await anybody.get(f"/v1/titles/{number}/{what}")


async def revoke(door: Door, number: str) -> None:
    address = f"/v1/titles/{number}/revocation"
    async with door.client(OFFICER) as one, door.client(Actor("zhao", "officer")) as other:
        assert (await one.post(address, json=REVOCATION)).status_code == 201
        decision = {"decision": "revoke", "reasons": ["confirmed"]}
        assert (await other.post(f"{address}/decision", json=decision)).status_code == 200


async def test_anybody_gets_a_signed_certificate_that_says_what_was_granted(
    door: Door, title: Title, tmp_path: Path
) -> None:
    answer = await asked(door, title.number)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    signed = await asyncio.to_thread(read_signed, answer.content, development_key(tmp_path).chain)
    assert (signed.number, signed.trusted) == (title.number, True)
    page = pypdfium2.PdfDocument(answer.content)[0]
    assert page.get_width() > page.get_height()
    text = page.get_textpage().get_text_bounded().replace(" ", "")
    for word in (
        "高新技术企业",
        "示例精密制造有限公司",
        USCC,
        title.number,
        "2016年8月31日",
        "2019年8月31日",
    ):
        assert word in text
    picture = page.render(scale=3).to_numpy()
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [
        f"https://titles.example.gov.cn/v1/titles/{title.number}"
    ]


async def test_a_title_that_ran_out_keeps_its_certificate_and_a_revoked_one_loses_it_at_once(
    door: Door, title: Title, clock: FixedClock
) -> None:
    now = clock.now()
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert (await asked(door, title.number)).status_code == 200
    clock.set(now)
    await revoke(door, title.number)
    for what in ("certificate", "credential"):
        refused = await asked(door, title.number, what, "zh-CN")
        assert (refused.status_code, refused.json()["code"]) == (410, "title-was-revoked")
        assert "撤销" in refused.json()["detail"]
    assert (await asked(door, "GR201644000002")).status_code == 404


async def test_without_a_key_nothing_is_vouched_for(door: Door, title: Title) -> None:
    keyless = settings(environment="development")
    door.app.state.context.state["issuing"] = Issuing.of(keyless)
    for what in ("certificate", "credential"):
        refused = await asked(door, title.number, what)
        assert (refused.status_code, refused.json()["code"]) == (409, "no-signing-key")


def test_the_same_title_is_the_same_file_before_it_is_signed() -> None:
    assert Press().set(FACE) == Press().set(FACE)
    assert Press().set(FACE) != Press().set(FACE.model_copy(update={"enterprise_name": "别的公司"}))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
def test_a_changed_byte_is_found_wherever_it_is(tmp_path: Path, share: float) -> None:
    signed = bytearray(Press()._signed(FACE, development_key(tmp_path)))
    assert read_signed(bytes(signed)).number == FACE.number
    signed[int(len(signed) * share)] ^= 1
    with pytest.raises(NotSigned):
        read_signed(bytes(signed))


def test_what_is_added_after_the_signature_is_found_and_another_signer_is_not_trusted(tmp_path: Path) -> None:
    signed = Press()._signed(FACE, development_key(tmp_path / "one"))
    with pytest.raises(NotSigned):
        read_signed(signed + b"\n% added\n")
    assert not read_signed(signed, development_key(tmp_path / "other").chain).trusted
    with pytest.raises(NotSigned):
        read_signed(Press().set(FACE))
    with pytest.raises(NotSigned):
        read_signed(b"%PDF-1.7 nothing")


async def test_the_event_loop_goes_on_while_a_certificate_is_made(tmp_path: Path) -> None:
    press, turns = Press(), 0
    made = asyncio.create_task(press.certificate(FACE, development_key(tmp_path)))
    while not made.done():
        await asyncio.sleep(0)
        turns += 1
    assert made.result().startswith(b"%PDF")
    assert turns > 100


async def test_who_comes_while_too_many_wait_is_asked_to_come_again(tmp_path: Path) -> None:
    press, key = Press(), development_key(tmp_path)
    made = await asyncio.gather(
        *(press.certificate(FACE, key) for _ in range(WAITING + 1)), return_exceptions=True
    )
    assert [type(one) for one in made if not isinstance(one, bytes)] == [Unavailable]
    assert (await press.certificate(FACE, key)).startswith(b"%PDF")


async def test_the_bureaus_own_form_takes_the_place_of_ours(tmp_path: Path) -> None:
    form = tmp_path / "own.typ"
    form.write_text('#let it = json(bytes(sys.inputs.certificate))\n#set document(title: "own")\n#it.number')
    text = pypdfium2.PdfDocument(Press(form).set(FACE))[0].get_textpage().get_text_bounded()
    assert text.strip() == FACE.number
    form.write_text(FORM.read_text("utf-8").replace("it.number", "it.no_such_thing"))
    with pytest.raises(CannotBeSet, match="no_such_thing"):
        Press(form).set(FACE)


def test_a_character_that_no_font_has_is_refused_and_never_printed_as_a_box() -> None:
    with pytest.raises(CannotBeSet, match="could not be displayed"):
        Press().set(FACE.model_copy(update={"enterprise_name": "Ⴀ公司"}))


def test_the_longest_names_stay_on_one_page() -> None:
    words = Text(
        zh="国家级高新技术产业开发区科学技术局", en="National High-tech Industrial Development Zone Award"
    )
    long = {"enterprise_name": "示例精密制造装备研究院" * 9, "name": words, "bureau": words}
    assert len(pypdfium2.PdfDocument(Press().set(FACE.model_copy(update=long)))) == 1


def test_a_programme_without_a_name_of_its_own_is_called_by_its_edition() -> None:
    otherwise = Text(zh="某某", en="Something")
    assert title_name("hnte", "national", otherwise).zh == "高新技术企业"
    assert title_name("etrc", "municipal", otherwise).zh == "市级工程技术研究中心"
    assert title_name("etrc", None, otherwise) == title_name("new", None, otherwise) == otherwise


def test_what_sets_certificates_is_loaded_when_the_first_is_asked_for() -> None:
    heavy = "{'typst', 'pyhanko', 'segno', 'aiohttp', 'lxml'} & set(sys.modules)"
    checked = f"import sys, casework.api, casework.issuing; print({heavy})"
    ended = subprocess.run([sys.executable, "-c", checked], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": SecretStr("unused"), "kafka_bootstrap": "127.0.0.1:9", "issuer": "https://id.example.gov.cn",
        "audience": "test", "jwks_url": "https://id.example.gov.cn/jwks", "bureau_zh": "局", "bureau_en": "Bureau",
        "public_url": "https://titles.example.gov.cn",
    }  # fmt: skip
    return Settings(**(given | changes))


def test_production_refuses_keys_that_were_made_for_development(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="development_keys"):
        settings(development_keys=tmp_path)
    key = development_key(tmp_path)
    copied = {"certificate_key": SecretStr(key.key.decode()), "certificate_chain": key.chain.decode()}
    with pytest.raises(ValueError, match="certificate_chain: made for development"):
        Issuing.of(settings(**copied))
    development_credential_keys(tmp_path)
    kept = (tmp_path / "development-credentials.json").read_text()
    with pytest.raises(ValueError, match="credential_keys: made for development"):
        Issuing.of(settings(credential_keys=SecretStr(kept)))
    assert Issuing.of(settings(environment="development", credential_keys=SecretStr(kept)))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"public_url": "http://titles.example.gov.cn"}, "public_url"), ({"public_url": None}, "public_url"),
        ({"public_url": "https://titles.example.gov.cn/path"}, "public_url"),
    ],
)  # fmt: skip
def test_production_vouches_under_an_https_address_only(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        settings(credential_keys=SecretStr("{}"), **changes)


def test_a_key_that_is_not_the_certificates_stops_the_start(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="not the key of the first certificate"):
        CertificateKey(other, development_key(tmp_path).chain)
    for broken in ("{}", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}', "nonsense"):
        with pytest.raises(ValueError, match="credential_keys"):
            CredentialKeys.read(broken)
