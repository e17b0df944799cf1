"""Whatever bytes stand on a topic, reading them ends in an event or in a ValueError."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Event
from contracts.finance_link import ReferralOffered
from contracts.registry import event_types

EVENTS = list(event_types().values())
POISON = {
    "empty": b"",
    "not UTF-8": b'{"case_id": "\xff\xfe"}',
    "UTF-16": '{"case_id": "x"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "not JSON": b"<xml/>",
    "a NUL": b"\x00",
    "an array": b"[]",
    "null": b"null",
    "a number": b"1",
    "cut": b'{"case_id": "01564b0e',
    "nested lists": b"[" * 10_000 + b"]" * 10_000,
    "nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "unclosed": b'{"a":[' * 100_000,
    "nested under an unknown field": b'{"surprise":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a huge number": b'{"term_months": ' + b"9" * 100_000 + b"}",
    "a mebibyte": b'{"x": "' + b"x" * 2**20 + b'"}',
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poison_is_a_value_error(event: type[Event], poison: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        event.read(poison)


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_refused_even_in_an_unknown_field(contracts_folder: Path, token: str) -> None:
    for payload in _golden(contracts_folder, ReferralOffered):
        with pytest.raises(ValueError, match=r"\w"):
            ReferralOffered.read(payload[:-1] + f', "surprise": {token}}}'.encode())


def test_the_word_nan_may_be_said(contracts_folder: Path) -> None:
    offered = ReferralOffered.read(_golden(contracts_folder, ReferralOffered)[0])
    said = offered.model_copy(update={"facts": {"enterprise.name": "NaN Infinity 楠"}})
    assert ReferralOffered.read(said.payload()) == said


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_a_nul_in_any_text_is_refused(contracts_folder: Path, event: type[Event]) -> None:
    payload = json.loads(_golden(contracts_folder, event)[0])
    for field, value in payload.items():
        if isinstance(value, str):
            poisoned = payload | {field: value + "\x00"}
            with pytest.raises(ValueError, match=r"\w"):
                event.read(json.dumps(poisoned).encode())


@given(st.binary(max_size=300))
def test_random_bytes_are_a_value_error(poison: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ReferralOffered.read(poison)


@given(st.data())
def test_one_changed_byte_is_an_event_or_a_value_error(data: st.DataObject) -> None:
    folder = Path(__file__).resolve().parents[2] / "contracts"
    event = data.draw(st.sampled_from(EVENTS))
    payload = bytearray(_golden(folder, event)[0])
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = event.read(bytes(payload))
    except ValueError:
        return
    assert event.read(read.payload()) == read


def _golden(folder: Path, event: type[Event]) -> list[bytes]:
    payloads = json.loads((folder / "examples" / f"{event.type}.json").read_bytes())
    return [json.dumps(payload).encode() for payload in payloads]
