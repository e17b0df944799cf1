"""Wrong settings stop the start."""

import pytest
from pydantic import SecretStr, ValidationError

from chassis.messages import untranslated
from notifier_rig import settings


def test_a_password_never_travels_in_the_clear_in_production() -> None:
    secret = {"smtp_username": "bureau", "smtp_password": SecretStr("x")}
    strict = {"environment": "production", "jwks_url": "https://issuer.example/jwks"}
    with pytest.raises(ValidationError, match="smtp_starttls"):
        settings(25, **secret, **strict)
    assert settings(25, **secret, **strict, smtp_starttls=True).smtp_username == "bureau"


def test_a_name_without_a_password_is_refused() -> None:
    with pytest.raises(ValidationError, match="give both or neither"):
        settings(25, smtp_username="bureau")


@pytest.mark.parametrize(
    "sender", ["bureau", "a@b\r\nBcc: c@d.example", "Bureau <a@b.example>", "a@b.example\n"]
)
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ValidationError, match="mail_from"):
        settings(25, mail_from=sender)


def test_an_attempt_ends_before_its_lease() -> None:
    with pytest.raises(ValidationError, match="smtp_timeout"):
        settings(25, smtp_timeout=60)


def test_every_refusal_has_its_chinese_text() -> None:
    assert untranslated(["notifier"]) == []
