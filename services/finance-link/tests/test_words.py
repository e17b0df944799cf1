"""Everything that people read exists in Chinese and English."""

from chassis.messages import untranslated
from finance_link.api.words import CATALOGUE
from finance_link.domain.referrals import MISSING_TEXTS
from finance_link.domain.scope import FIELDS
from finance_link.use_cases.policy import POLICY


def test_every_refusal_has_its_chinese_text() -> None:
    assert untranslated(["finance_link"]) == []


def test_every_field_reason_and_action_has_its_chinese_text() -> None:
    texts = [field.label for field in FIELDS.values()] + list(MISSING_TEXTS.values()) + list(POLICY)
    assert [text for text in texts if CATALOGUE.text(text, "zh-CN") == text] == []
