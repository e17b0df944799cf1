"""Event classes: how they are named, what writers may not say, what readers pass over."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts import certification, finance_link, ip_enterprise
from contracts.casework import CaseFact
from contracts.envelope import Event
from contracts.registry import DoubledType, event_types, event_types_of
from contracts.values import Slug, Text

ENTERPRISE = "91350100M000100Y43"
REFERRAL: dict[str, Any] = {
    "referral_id": UUID(int=1),
    "enterprise_id": ENTERPRISE,
    "bank_id": "city-bank",
    "product_id": "p1",
}


def approved(**fields: Any) -> finance_link.ReferralApproved:
    given: dict[str, Any] = {"amount": Decimal("1.50"), "annual_rate": Decimal("0.0435"), "term_months": 12}
    return finance_link.ReferralApproved(**REFERRAL, **(given | fields))


def test_the_type_on_the_wire_says_service_fact_and_version() -> None:
    assert ip_enterprise.TitleGranted.type == "cn.huiqi.ip-enterprise.title-granted.v1"
    assert certification.TitleGranted.type == "cn.huiqi.certification.title-granted.v1"


def test_every_module_names_its_own_service() -> None:
    for type_, event in event_types().items():
        service = event.__module__.removeprefix("contracts.").replace("_", "-")
        assert type_.startswith(f"cn.huiqi.{service}.")
        assert event.topic_template.startswith(f"{service}.")


def test_a_new_version_is_a_new_class_of_the_same_fact() -> None:
    class ThingSeenV2(Event, topic="tests.things", key="thing_id", version=2):
        thing_id: str

    assert ThingSeenV2.type == "cn.huiqi.tests.thing-seen.v2"


def test_an_event_knows_its_topic_and_its_key() -> None:
    offered = finance_link.ReferralCalledBack(
        referral_id=UUID(int=5), bank_id="city-bank", reason="withdrawn"
    )
    assert (offered.topic, offered.key) == ("finance-link.bank.city-bank", str(UUID(int=5)))
    assert approved().topic == "finance-link.referrals"


def test_a_name_with_a_dot_cannot_reach_another_topic() -> None:
    with pytest.raises(ValidationError):
        finance_link.ReferralCalledBack(referral_id=UUID(int=5), bank_id="a.b", reason="x")

    class Loose(Event, topic="tests.bank.{bank}", key="bank"):
        bank: Text

    with pytest.raises(ValueError, match="no topic"):
        _ = Loose(bank="a b").topic


def test_a_shape_is_no_event() -> None:
    assert not hasattr(CaseFact, "type")
    assert CaseFact not in event_types().values()


@pytest.mark.parametrize(
    "naming",
    [
        {"topic": "tests.things", "key": "missing"},
        {"topic": "tests.{missing}", "key": "thing_id"},
        {"topic": "tests_things", "key": "thing_id"},
        {"topic": "tests.things"},
        {"key": "thing_id"},
    ],
)
def test_a_class_that_misnames_its_topic_or_key_cannot_be_defined(naming: dict[str, Any]) -> None:
    with pytest.raises(TypeError):

        class Misnamed(Event, **naming):
            thing_id: Slug


def test_two_classes_of_one_type_are_refused() -> None:
    class TitleGranted(Event, topic="certification.titles", key="enterprise_id"):
        enterprise_id: str

    TitleGranted.__module__ = ip_enterprise.__name__
    module = type(ip_enterprise)(ip_enterprise.__name__)
    module.__dict__.update(one=TitleGranted, other=certification.TitleGranted)
    certification_type = type("TitleGranted", (certification.TitleGranted.__base__ or Event,), {}, **NAMED)
    certification_type.__module__ = ip_enterprise.__name__
    module.__dict__["other"] = certification_type
    with pytest.raises(DoubledType):
        event_types_of((module,))


NAMED = {"topic": "certification.titles", "key": "enterprise_id"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 1.5},
        {"amount": 1},
        {"amount": "1.50"},
        {"amount": Decimal("1.501")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("Infinity")},
        {"amount": Decimal("1e17")},
        {"annual_rate": 0.0435},
        {"term_months": 0},
        {"term_months": "12"},
        {"bank_id": "City Bank"},
        {"enterprise_id": "91350100M000100Y44"},
        {"referral_id": "00000000-0000-0000-0000-000000000001"},
        {"product_id": ""},
        {"product_id": "a\x00"},
        {"product_id": "\ud800"},
        {"surprise": 1},
    ],
)
def test_a_writer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        finance_link.ReferralApproved(
            **(REFERRAL | {"amount": Decimal(1), "annual_rate": Decimal("0.1"), "term_months": 1} | wrong)
        )


def test_a_date_is_no_datetime_and_an_instant_is_aware() -> None:
    consent: dict[str, Any] = {"consent_id": UUID(int=1), "enterprise_id": ENTERPRISE, "bank_id": "b"}
    with pytest.raises(ValidationError):
        finance_link.ConsentWithdrawn(**consent, withdrawn_at=datetime(2016, 8, 1))  # noqa: DTZ001
    with pytest.raises(ValidationError):
        ip_enterprise.AssetExpired(
            asset_id="a", enterprise_id=ENTERPRISE, expired_on=datetime(2016, 8, 1, tzinfo=UTC)
        )
    assert ip_enterprise.AssetExpired(asset_id="a", enterprise_id=ENTERPRISE, expired_on=date(2016, 8, 1))


def test_an_event_cannot_be_changed_after_it_was_said() -> None:
    with pytest.raises(ValidationError):
        approved().term_months = 3  # type: ignore[misc]


def test_an_enumeration_of_text_is_written_as_text() -> None:
    class Language(StrEnum):
        ENGLISH = "en"

    known = certification.EnterpriseRegistered(
        enterprise_id=ENTERPRISE,
        name="n",
        region="350100",
        established_on=date(2009, 3, 18),
        language=Language.ENGLISH,  # type: ignore[arg-type]
    )
    assert json.loads(known.payload())["language"] == "en"
    assert type(known.language) is str


def test_a_reader_passes_over_fields_it_does_not_know() -> None:
    newer = json.loads(approved().payload()) | {"surprise": [{"deep": None}]}
    assert finance_link.ReferralApproved.read(json.dumps(newer).encode()) == approved()


def test_money_is_a_string_with_two_places_on_the_wire() -> None:
    written = json.loads(approved(amount=Decimal("1E+2")).payload())
    assert (written["amount"], written["annual_rate"]) == ("100.00", "0.0435")
