"""Every text can be written, in Chinese and in English, and stays on its lines."""

from datetime import timedelta
from decimal import Decimal

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from contracts.envelope import Event
from contracts.registry import event_types
from notifier.domain.lines import one_line
from notifier.domain.notifications import Enterprise, address_fault, delay, told, written
from notifier.domain.table import Notice
from notifier.domain.wording import Language, Wording
from notifier_rig import FIRM, NOTICES, golden

CASES = [
    (notice, event, language)
    for row in NOTICES.table.values()
    for notice in row.notices
    for event in golden(row.type)
    for language in ("zh-CN", "en")
]


@pytest.mark.parametrize(("notice", "event", "language"), CASES)
def test_every_template_is_written_for_every_golden_event(
    notice: Notice, event: Event, language: Language
) -> None:
    firm = Enterprise(FIRM, "示例精密制造有限公司", language, "office@firm.example")
    facts = event.model_dump()
    text = NOTICES.wording.text(
        notice.template, language, {**facts, "name": firm.name, "enterprise_name": firm.name}
    )
    assert text.subject
    assert len(text.body.strip()) > 40
    assert "None" not in text.subject + text.body
    assert ("惠企系统" in text.body) == (language == "zh-CN")
    read = written(notice.audience, notice.template, facts, firm, NOTICES.wording)
    assert read.language == (language if notice.audience == "enterprise" else "zh-CN")


def test_every_template_belongs_to_a_row() -> None:
    used = {notice.template for row in NOTICES.table.values() for notice in row.notices}
    assert used == set(NOTICES.wording.templates)


def test_a_bank_reads_nothing_of_the_enterprise() -> None:
    firm = Enterprise(FIRM, "示例精密制造有限公司", "zh-CN", "office@firm.example")
    texts = [
        written("bank", notice.template, event.model_dump(), firm, NOTICES.wording)
        for row in NOTICES.table.values()
        for notice in row.notices
        if notice.audience == "bank"
        for event in golden(row.type)
    ]
    assert texts
    assert not any(
        secret in text.subject + text.body for text in texts for secret in (FIRM, "示例", "office@")
    )


def test_a_missing_fact_is_an_error_and_no_gap() -> None:
    with pytest.raises(UndefinedError):
        NOTICES.wording.text("title-granted", "en", {"programme": "hnte", "level": None})


def test_a_name_cannot_break_out_of_its_line() -> None:
    name = "坏\r\nBcc: all@firm.example\n\u2028\u202egnp\x00 厂"
    row = NOTICES.table["cn.huiqi.certification.title-granted.v1"]
    (event, *_) = golden(row.type)
    facts = event.model_dump() | {"number": "GR1\r\nSubject: x"}
    (inbox, _) = told(row, row.notices[0], facts, Enterprise(FIRM, name, "zh-CN"), NOTICES.wording)
    assert inbox.text is not None
    assert inbox.text.body.splitlines()[0] == "坏 Bcc: all@firm.example gnp 厂："
    assert "证书编号：GR1 Subject: x" in inbox.text.body.splitlines()


def test_templates_cannot_reach_into_python() -> None:
    wording = Wording(
        {f"x.v1.{language}.txt": "{{ name.__class__.__mro__ }}\n\nbody\n" for language in ("zh-CN", "en")}, {}
    )
    with pytest.raises(SecurityError):
        wording.text("x", "en", {"name": "a"})


def test_the_highest_version_is_used_and_named() -> None:
    files = {f"x.v{n}.{lang}.txt": f"subject {n}\n\nbody\n" for n in (1, 2, 10) for lang in ("zh-CN", "en")}
    text = Wording(files, {}).text("x", "en", {})
    assert (text.version, text.subject) == (10, "subject 10")


def test_markup_in_a_name_is_left_as_it_is() -> None:
    wording = Wording({f"x.v1.{language}.txt": "{{ name }}\n\nbody\n" for language in ("zh-CN", "en")}, {})
    assert wording.text("x", "en", {"name": "A & B <{{ 7 * 7 }}>"}).subject == "A & B <{{ 7 * 7 }}>"


def test_a_long_subject_is_cut() -> None:
    assert len(one_line("长" * 4000, 200)) == 200


def test_amounts_and_shares_are_exact() -> None:
    text = "{{ amount | yuan }} {{ share | percent }}\n\nbody\n"
    wording = Wording({f"x.v1.{language}.txt": text for language in ("zh-CN", "en")}, {})
    written_out = wording.text("x", "en", {"amount": Decimal("1234567.80"), "share": Decimal("0.10")})
    assert written_out.subject == "¥1,234,567.80 10 %"


def test_a_word_that_is_not_listed_is_shown_as_it_is() -> None:
    text = "{{ programme | named(level) }}\n\nbody\n"
    wording = Wording({f"x.v1.{language}.txt": text for language in ("zh-CN", "en")}, {})
    assert wording.text("x", "en", {"programme": "new-one", "level": None}).subject == "new-one"
    assert wording.text("x", "zh-CN", {"programme": "new-one", "level": "city"}).subject == "new-one（city）"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        (None, "no_address"),
        ("office@firm.example", None),
        ("o'brien+tag@sub.firm.example", None),
        ("a@b", "bad_address"),
        ("", "bad_address"),
        ("office@firm.example\r\nBcc: x@firm.example", "bad_address"),
        ("office@firm.example\n", "bad_address"),
        ("<office@firm.example>", "bad_address"),
        ("a@firm.example, b@firm.example", "bad_address"),
        ("两@firm.example", "bad_address"),
        (f"{'a' * 65}@firm.example", "bad_address"),
        (f"a@{'b' * 250}.example", "bad_address"),
    ],
)
def test_only_one_plain_address_is_an_address(address: str | None, fault: str | None) -> None:
    assert address_fault(address) == fault


def test_delays_double_to_an_hour_and_are_spread() -> None:
    first = timedelta(seconds=30)
    assert delay(1, first, 0) == first
    assert delay(3, first, 0) == timedelta(seconds=120)
    assert delay(3, first, 0.999) < timedelta(seconds=61)
    assert delay(10_000, first, 0) == timedelta(hours=1)


def test_every_event_that_is_told_has_a_golden_example() -> None:
    assert all(golden(type_) for type_ in event_types())
