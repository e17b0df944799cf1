"""`huiqi verify certificate` and `credential`: what somebody shows is checked from files alone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click.testing
import orjson
import pytest
from joserfc.jwk import OKPKey

from casework.case import Title
from casework.certificates.face import face_of
from casework.certificates.keys import development_key
from casework.certificates.press import Press
from casework.credential_file import NotGood, keys_address
from casework.credential_keys import CredentialKeys, key_id
from casework.credentials import KIND, issuer_of, list_credential, title_credential
from casework.sourced import Text
from casework.status_lists import Place
from huiqi.cli import main

HOST = "https://titles.example.gov.cn"
ISSUER = issuer_of(HOST)
BUREAU, NAME = Text(zh="示例市科学技术局", en="Bureau"), Text(zh="高新技术企业", en="HNTE")
TODAY = datetime.now(UTC).date()
TITLE = Title(
    title_id=UUID(int=1), case_id=UUID(int=2), enterprise_id="91441702MA4UABCD1F", enterprise_name="示例公司",
    programme="hnte", level="national", number="GR202644000001", granted_on=TODAY - timedelta(days=30),
    valid_until=TODAY + timedelta(days=900), edition=date(2016, 1, 1), edition_hash="e",
)  # fmt: skip
KEY = OKPKey.generate_key("Ed25519")
KEYS = CredentialKeys(KEY, [KEY])


def _run(*arguments: str | Path) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["verify", *map(str, arguments)])


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    signed = Press()._signed(face_of(TITLE, NAME, BUREAU, HOST), development_key(tmp_path / "ours"))
    (tmp_path / "title.pdf").write_bytes(signed)
    (tmp_path / "ours.pem").write_bytes(development_key(tmp_path / "ours").chain)
    (tmp_path / "other.pem").write_bytes(development_key(tmp_path / "other").chain)
    return tmp_path / "title.pdf"


def test_a_certificate_names_its_title_and_who_signed(pdf: Path) -> None:
    done = _run("certificate", pdf)
    assert done.exit_code == 0, done.output
    assert TITLE.number in done.output
    assert "huiqi development" in done.output
    assert "not checked" in done.output
    trusted = _run("certificate", pdf, "--trust", pdf.with_name("ours.pem"))
    assert (trusted.exit_code, trusted.output.splitlines()[-1]) == (0, "vouched for by what --trust names")
    strange = _run("certificate", pdf, "--trust", pdf.with_name("other.pem"))
    assert (strange.exit_code, strange.output.splitlines()[-1]) == (
        1,
        "not vouched for by what --trust names",
    )


def test_a_changed_certificate_and_what_is_none_are_found(pdf: Path) -> None:
    content = bytearray(pdf.read_bytes())
    content[len(content) // 3] ^= 1
    for broken in (bytes(content), pdf.read_bytes() + b"\n", b"", b"nonsense"):
        pdf.write_bytes(broken)
        done = _run("certificate", pdf)
        assert (done.exit_code, done.output[:14]) == (1, "does not hold:")


def _credential(tmp_path: Path, *, revoked: tuple[int, ...] = (), **changes: Any) -> list[str | Path]:
    """The arguments that check a credential at place 5 from files alone."""
    title = TITLE.model_copy(update=changes)
    said = title_credential(title, NAME, BUREAU, Place(0, 5), HOST)
    listed = list_credential(0, revoked, TODAY, BUREAU, HOST)
    jwk = {**KEY.as_dict(private=False), "kid": key_id(ISSUER, KEY)}
    (tmp_path / "keys.json").write_bytes(orjson.dumps({"keys": [jwk]}))
    (tmp_path / "list.jwt").write_text(KEYS.sign(listed, kind=KIND, issuer=ISSUER))
    (tmp_path / "title.jwt").write_text(KEYS.sign(said, kind=KIND, issuer=ISSUER) + "\n")
    files = [tmp_path / name for name in ("title.jwt", "keys.json", "list.jwt")]
    return ["credential", files[0], "--keys", files[1], "--list", files[2]]


def test_a_credential_is_checked_with_no_network_from_three_files(tmp_path: Path) -> None:
    done = _run(*_credential(tmp_path, revoked=(4, 6)))
    assert done.exit_code == 0, done.output
    assert f"title {TITLE.number} of 示例公司" in done.output
    assert f"the list of {TODAY}" in done.output
    assert f"issued by {ISSUER}" in done.output


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"revoked": (5,)}, "the title was revoked"),
        ({"valid_until": TODAY - timedelta(days=2)}, "the title is held from"),
        ({"granted_on": TODAY + timedelta(days=2)}, "the title is held from"),
    ],
)
def test_a_title_that_was_lost_ran_out_or_has_not_begun_is_named(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    done = _run(*_credential(tmp_path, **changes))
    assert done.exit_code == 1
    assert named in done.output


def _changed(text: str) -> str:
    """Another signature."""
    head, _, signature = text.strip().rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def test_what_the_issuer_did_not_sign_is_found(tmp_path: Path) -> None:
    arguments = _credential(tmp_path)
    token, listed = (tmp_path / "title.jwt").read_text(), (tmp_path / "list.jwt").read_text()
    other = OKPKey.generate_key("Ed25519")
    of_other = CredentialKeys(other, [other])
    said = title_credential(TITLE, NAME, BUREAU, Place(0, 5), HOST)
    elsewhere = list_credential(1, (), TODAY, BUREAU, HOST)
    cases = {
        "signature": (_changed(token), listed), "no key": (of_other.sign(said, kind=KIND, issuer=ISSUER), listed),
        "type is JWT": (KEYS.sign(said, kind="JWT", issuer=ISSUER), listed),
        "not the credential of a title": (listed, listed), "not a status list": (token, token),
        "this list is": (token, KEYS.sign(elsewhere, kind=KIND, issuer=ISSUER)), "not a cred": ("x.y", listed),
    }  # fmt: skip
    for named, (shown, kept) in cases.items():
        (tmp_path / "title.jwt").write_text(shown)
        (tmp_path / "list.jwt").write_text(kept)
        done = _run(*arguments)
        assert done.exit_code == 1, (named, done.output)
        assert done.output.startswith("does not hold"), named


def test_a_key_of_another_issuer_does_not_sign_for_this_one(tmp_path: Path) -> None:
    arguments = _credential(tmp_path)
    strange = issuer_of("https://elsewhere.example")
    said = title_credential(TITLE, NAME, BUREAU, Place(0, 5), HOST)
    (tmp_path / "title.jwt").write_text(KEYS.sign(said, kind=KIND, issuer=strange))
    jwk = {**KEY.as_dict(private=False), "kid": key_id(strange, KEY)}
    (tmp_path / "keys.json").write_bytes(orjson.dumps({"keys": [jwk]}))
    done = _run(*arguments)
    assert (done.exit_code, "the key is of" in done.output) == (1, True)


def test_the_keys_are_asked_for_where_the_issuer_says(tmp_path: Path) -> None:
    _credential(tmp_path)
    assert keys_address((tmp_path / "title.jwt").read_text()) == f"{HOST}/.well-known/jwks.json"
    said = title_credential(TITLE, NAME, BUREAU, Place(0, 5), "http://127.0.0.1:8000")
    local = KEYS.sign(said, kind=KIND, issuer=issuer_of("http://127.0.0.1:8000"))
    assert keys_address(local) == "http://127.0.0.1:8000/.well-known/jwks.json"
    with pytest.raises(NotGood):
        keys_address("nonsense")
