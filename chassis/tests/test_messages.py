import sys
from pathlib import Path

import pytest
from joserfc import errors as jose

from chassis import problems
from chassis.errors import Forbidden, NotFound, Refused
from chassis.messages import Catalogue, Language, language_of, untranslated

PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en;q=0.3, zh;q=0.7", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("fr", "zh-CN"),
        ("fr, EN;q=0.1", "en"),
        ("*", "zh-CN"),
        ("en;q=9999999,,;;q=", "zh-CN"),
        ("en" + ",x" * 100_000, "en"),
    ],
)
def test_the_better_liked_language_is_spoken_and_chinese_when_in_doubt(
    accepted: str | None, language: Language
) -> None:
    assert language_of(accepted) == language


def test_every_refusal_of_the_chassis_has_a_chinese_text() -> None:
    assert untranslated(["chassis"]) == []


def test_every_text_of_a_problem_has_a_chinese_text() -> None:
    said = [*problems._TITLES.values(), *problems._RULES.values(), problems.UNAVAILABLE, problems.BUG]
    said += [problems.MALFORMED, problems._OTHER_RULE]
    catalogue = Catalogue([])
    assert [text for text in said if catalogue.text(text, "zh-CN") == text and text != "{error}"] == []


def test_the_usual_faults_of_tokens_have_a_chinese_text() -> None:
    catalogue = Catalogue([])
    for fault in (
        jose.ExpiredTokenError,
        jose.BadSignatureError,
        jose.InvalidClaimError,
        jose.MissingClaimError,
    ):
        assert catalogue.text(fault.error, "zh-CN") != fault.error


def test_a_message_is_filled_and_its_words_are_translated_too() -> None:
    catalogue = Catalogue([])
    assert catalogue.refusal(NotFound(thing="note"), "en") == "There is no such note."
    assert catalogue.refusal(NotFound(thing="note"), "zh-CN") == "没有这样的note。"
    assert catalogue.text("Your sign-in is not valid here: {reason}.", "zh-CN", reason="expired_token") == (
        "登录凭证在此无效：令牌已过期。"
    )


def test_a_field_cannot_reach_into_another_and_a_missing_one_stays_visible() -> None:
    catalogue = Catalogue([])
    assert catalogue.refusal(Forbidden(action="{field} {0.__class__}"), "en") == (
        "You may not do this: {field} {0.__class__}."
    )
    assert catalogue.text("{unknown}", "en") == "{unknown}"


def test_texts_that_lack_chinese_or_change_its_names_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "talkative"
    (package / "locale").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from chassis.errors import NotFound, Refused\n"
        'class Good(Refused):\n    """All is well."""\n'
        'class Bad(Refused):\n    """Nobody translated {this}."""\n'
        'class Renamed(Refused):\n    """There are {count}."""\n'
    )
    (package / "deep.py").write_text("from talkative import *\ndef f(): raise NotFound(thing='pencil')\n")
    (package / "locale" / "zh_CN.po").write_text(
        PO + '\nmsgid "All is well."\nmsgstr "好"\n\nmsgid "There are {count}."\nmsgstr "有 {number}"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert untranslated(["talkative"]) == [
        "talkative: Nobody translated {this}.",
        "talkative: There are {count}.",
        "talkative: pencil",
    ]
    good: type[Refused] = sys.modules["talkative"].Good
    assert Catalogue([]).refusal(good(), "zh-CN") == "好"
