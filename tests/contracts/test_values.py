"""Values have one written form each, and what may be said can be read."""

from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.envelope import Event
from contracts.values import Day, EnterpriseId, Instant, Money, Share, Text, check_character


class Held(Event):
    money: Money = Decimal(0)
    share: Share = Decimal(0)
    day: Day = date(2016, 8, 1)
    at: Instant = datetime(2016, 8, 1, tzinfo=UTC)
    text: Text = "x"
    enterprise_id: EnterpriseId = "91350100M000100Y43"


CENTS = st.integers(-(10**18) + 1, 10**18 - 1)
SHARES = st.integers(-(10**18) + 1, 10**18 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(CENTS, SHARES, st.integers(0, 20), st.integers(3, 28))
def test_any_amount_that_may_be_said_can_be_read(cents: int, parts: int, zeros: int, precision: int) -> None:
    money = Decimal(cents).scaleb(-2, Context(prec=40))
    padded = Decimal(f"{money:f}" + ("0" * zeros))
    share = Decimal(parts).scaleb(-12, Context(prec=40))
    with localcontext() as context:
        context.prec = precision
        held = Held(money=padded, share=share)
        assert Held.read(held.payload()) == held
    assert (held.money, held.share) == (money, share)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_whatever_decimal_a_writer_gets_through_is_the_one_that_is_read(value: Decimal) -> None:
    for field in ("money", "share"):
        try:
            given: dict[str, Any] = {field: value}
            held = Held(**given)
        except ValidationError:
            continue
        assert getattr(Held.read(held.payload()), field) == value


@given(st.dates(), st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC)), TEXTS)  # noqa: DTZ001
def test_dates_times_and_texts_are_read_as_they_were_said(day: date, at: datetime, text: str) -> None:
    try:
        held = Held(day=day, at=at, text=text)
    except ValidationError:
        assert any(character < " " or character == "\x7f" for character in text)
        return
    read = Held.read(held.payload())
    assert (read.day, read.at, read.text) == (day, at, text)


def test_an_instant_keeps_its_place_in_utc() -> None:
    held = Held.read(b'{"at": "2016-08-01T10:00:00.5+08:00"}')
    assert held.at == datetime(2016, 8, 1, 2, 0, 0, 500_000, tzinfo=UTC)
    assert held.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "payload",
    [
        '{"money": 1.5}',
        '{"money": 1}',
        '{"money": "1e5"}',
        '{"money": "1_000.00"}',
        '{"money": " 1.00"}',
        '{"money": "+1.00"}',
        '{"money": "01.00"}',
        '{"money": "1.001"}',
        '{"money": "1.00\\n"}',
        '{"money": "１.00"}',
        '{"money": "NaN"}',
        '{"money": "Infinity"}',
        '{"money": "10000000000000000.00"}',
        '{"share": "0.0000000000001"}',
        '{"day": "1470009600"}',
        '{"day": 1470009600}',
        '{"day": "2016-02-30"}',
        '{"day": "2016-08-01T00:00:00"}',
        '{"at": "1470009600"}',
        '{"at": "2016-08-01T00:00:00"}',
        '{"at": "2016-08-01T25:00:00Z"}',
        '{"at": "0001-01-01T00:00:00+14:00"}',
        '{"text": ""}',
        '{"text": "\\u0000"}',
        '{"text": "\\ud800"}',
        '{"text": 1}',
        '{"enterprise_id": "91350100M000100Y4"}',
        '{"enterprise_id": "91350100M000100Y42"}',
        '{"enterprise_id": "91350100m000100y43"}',
        '{"enterprise_id": "9135010OM000100Y43"}',
    ],
)
def test_a_value_that_is_written_otherwise_is_refused(payload: str) -> None:
    with pytest.raises(ValidationError):
        Held.read(payload.encode())


@pytest.mark.parametrize("code", ["91350100M000100Y43", "914403001922038216", "9144030071526726XG"])
def test_codes_of_real_registers_have_the_right_check_character(code: str) -> None:
    assert check_character(code[:17]) == code[17]


@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17),
    st.integers(0, 16),
    st.integers(1, 30),
)
def test_one_wrong_character_is_always_noticed(first: str, place: int, by: int) -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    wrong = first[:place] + alphabet[(alphabet.index(first[place]) + by) % 31] + first[place + 1 :]
    assert check_character(wrong) != check_character(first)


@pytest.mark.parametrize(
    "first", ["", "9135010", "91350100M000100YI", "91350100M000100Y43", "９１３５０１００M000100Y4"]
)
def test_a_check_character_needs_seventeen_characters_of_the_code(first: str) -> None:
    with pytest.raises(ValueError, match="unified social credit code"):
        check_character(first)
