from pathlib import Path

import pytest

from chassis.auth import (
    DEVELOPMENT_ISSUER,
    Authenticator,
    DevelopmentIssuer,
    Rule,
    SignInNeeded,
    allow,
    authorize,
)
from chassis.errors import Forbidden, NotFound
from chassis.identity import PUBLIC, Actor
from chassis.settings import ServiceSettings


def test_production_does_not_trust_the_development_issuer() -> None:
    settings = ServiceSettings.model_construct(
        environment="production", issuer=DEVELOPMENT_ISSUER, audience="door", jwks_url="https://id/keys"
    )
    with pytest.raises(ValueError, match="development issuer"):
        Authenticator.from_settings(settings)


async def test_a_person_may_be_of_no_enterprise(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer(tmp_path)
    checks = Authenticator(issuer=issuer.name, audience="door", jwks_url=issuer.jwks_url)
    token = issuer.token("wang", "enterprise", "door")
    assert await checks.actor(f"Bearer {token}") == Actor("wang", "enterprise")


POLICY = {
    "case.read": allow("enterprise", "officer", own="enterprise"),
    "case.decide": allow("officer"),
    "referral.read": allow("enterprise", "bank", own=("enterprise", "bank")),
    "title.read": allow("enterprise", "bank", "officer", "public"),
}
OWN = Actor("wang", "enterprise", enterprise_id="E1")
BANK = Actor("zhao", "bank", bank_id="B1")
OFFICER = Actor("li", "officer")


@pytest.mark.parametrize(
    ("actor", "action", "owners", "refusal"),
    [
        (OWN, "case.read", {"enterprise_id": "E1"}, None),
        (OWN, "case.read", {"enterprise_id": "E2"}, NotFound),
        (OWN, "case.read", {}, NotFound),
        (OFFICER, "case.read", {"enterprise_id": "E2"}, None),
        (BANK, "case.read", {"enterprise_id": "E1"}, NotFound),
        (OWN, "case.decide", {"enterprise_id": "E1"}, Forbidden),
        (OWN, "case.decide", {"enterprise_id": "E2"}, NotFound),
        (OFFICER, "case.decide", {"enterprise_id": "E2"}, None),
        (OFFICER, "case.burn", {"enterprise_id": "E2"}, Forbidden),
        (OWN, "case.burn", {"enterprise_id": "E2"}, NotFound),
        (OWN, "case.burn", {}, Forbidden),
        (OWN, "referral.read", {"enterprise_id": "E1", "bank_id": "B9"}, None),
        (BANK, "referral.read", {"enterprise_id": "E1", "bank_id": "B1"}, None),
        (BANK, "referral.read", {"enterprise_id": "E1", "bank_id": "B9"}, NotFound),
        (OFFICER, "referral.read", {"enterprise_id": "E1", "bank_id": "B1"}, Forbidden),
        (OWN, "title.read", {"enterprise_id": "E2"}, None),
        (PUBLIC, "title.read", {}, None),
        (PUBLIC, "case.read", {"enterprise_id": "E1"}, SignInNeeded),
        (Actor("x", "enterprise"), "case.read", {}, NotFound),
    ],
)
def test_only_what_the_policy_names_is_allowed(
    actor: Actor, action: str, owners: dict[str, str], refusal: type[Exception] | None
) -> None:
    if refusal is None:
        authorize(POLICY, actor, action, **owners)
    else:
        with pytest.raises(refusal):
            authorize(POLICY, actor, action, **owners)


def test_a_policy_with_an_unknown_role_does_not_load() -> None:
    with pytest.raises(ValueError, match="unknown roles"):
        Rule(frozenset({"king"}))  # type: ignore[arg-type]
