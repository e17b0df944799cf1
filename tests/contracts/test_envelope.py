"""The envelope on the wire: CloudEvents 1.0 for Kafka in binary mode, strict about what the house relies on."""

import string
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import MAX_SEQUENCE, Envelope, MalformedEnvelope

TOPIC = "certification.titles"
REQUIRED = [
    "ce_id",
    "ce_source",
    "ce_specversion",
    "ce_type",
    "ce_time",
    "ce_partitionkey",
    "ce_sequence",
    "ce_actor",
    "content-type",
]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def envelope(sequence: int = 7, actor: str = "officer:李", traceparent: str | None = TRACE) -> Envelope:
    return Envelope(
        event_id=UUID("01564b0e-0c00-7000-8000-000000000001"),
        source="/huiqi/certification",
        type="cn.huiqi.certification.title-granted.v1",
        topic=TOPIC,
        key="91350100M000100Y43",
        sequence=sequence,
        time=datetime(2016, 8, 1, 2, 0, tzinfo=UTC),
        actor=actor,
        traceparent=traceparent,
    )


def changed(**headers: bytes | None) -> list[tuple[str, bytes]]:
    """The headers of an envelope with some replaced, or left out where None; `_` stands for `-`, but in `ce_`."""
    given = dict(envelope().to_headers())
    for name, value in headers.items():
        header = name if name.startswith("ce_") else name.replace("_", "-")
        given.pop(header)
        if value is not None:
            given[header] = value
    return list(given.items())


def test_the_headers_are_those_of_cloudevents_in_binary_mode() -> None:
    assert envelope().to_headers() == [
        ("ce_id", b"01564b0e-0c00-7000-8000-000000000001"),
        ("ce_source", b"/huiqi/certification"),
        ("ce_specversion", b"1.0"),
        ("ce_type", b"cn.huiqi.certification.title-granted.v1"),
        ("ce_time", b"2016-08-01T02:00:00.000000Z"),
        ("ce_partitionkey", b"91350100M000100Y43"),
        ("ce_sequence", b"0000000000000000007"),
        ("ce_actor", "officer:李".encode()),
        ("ce_dataschema", b"urn:huiqi:schema:cn.huiqi.certification.title-granted.v1"),
        ("content-type", b"application/json"),
        ("traceparent", TRACE.encode()),
    ]


def test_a_cause_names_the_place_of_the_event() -> None:
    assert envelope().cause == "certification.titles/91350100M000100Y43/7"


LINES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], include_characters=string.printable[:95]),
    min_size=1,
    max_size=40,
)


@given(
    event_id=st.uuids(),
    text=st.lists(LINES, min_size=4, max_size=4),
    sequence=st.integers(1, MAX_SEQUENCE),
    time=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
)
def test_what_one_service_writes_another_reads(
    event_id: UUID, text: list[str], sequence: int, time: datetime
) -> None:
    source, type_, key, actor = text
    said = Envelope(event_id, source, type_, TOPIC, key, sequence, time, actor)
    heard = Envelope.from_headers(TOPIC, said.to_headers())
    assert heard == said
    assert heard.time.tzinfo is UTC


def test_an_envelope_that_is_not_checked_again_has_the_same_headers() -> None:
    said = envelope()
    assert Envelope.unchecked(tuple(said)).to_headers() == said.to_headers()


def outcome(read: Callable[[str, list[tuple[str, bytes]]], Envelope], headers: list[Any]) -> Any:
    try:
        return read(TOPIC, headers)
    except MalformedEnvelope as refused:
        return refused.header, str(refused)


ODD: list[bytes | None] = [
    b"1.0", b"0", b"9" * 19, b"0" * 19, b"-000000000000000007", b"2016-13-01T00:00:00.000000Z", TRACE.encode(),
    b"2016-08-01T02:00:00.000000Z", b"2016-08-01T02:00:00+08:00", b"0001-01-01T00:00:00.000000Z", b"a\nb", b"\n", b"",
    b"application/json", b"application/json\n" + TRACE.encode(), b"\xc2\x85", b"\xed\xa0\x80", b"x" * 501, b"00-a-b-01",
    b"01564B0E-0C00-7000-8000-000000000001", "\u2028".encode(), "\u0661".encode() * 19, None,
]  # fmt: skip
KINDS = ("set", "drop", "double", "move", "add")
PLACES = range(11)
VALUES = st.one_of(st.sampled_from(ODD), LINES.map(str.encode), st.binary(max_size=20))


def odd_headers(changes: Iterable[tuple[str, int, bytes | None]], traced: bool) -> list[Any]:
    headers: list[Any] = envelope(traceparent=TRACE if traced else None).to_headers()
    for kind, place, value in changes:
        at = place % max(1, len(headers))
        name = headers[at][0] if headers else "ce_id"
        match kind:
            case "set":
                headers[at : at + 1] = [(name, value)]
            case "drop":
                del headers[at : at + 1]
            case "double":
                headers.append((name, value))
            case "move":
                headers.append(headers.pop(at) if headers else (name, value))
            case _:
                headers.insert(at, ("x-proxy", value))
    return headers


def assert_read_alike(headers: list[Any]) -> None:
    assert outcome(Envelope.from_headers, headers) == outcome(Envelope._header_by_header, headers), headers


def test_the_quick_reading_accepts_and_refuses_one_odd_header_as_reading_header_by_header_does() -> None:
    for change in product(KINDS, PLACES, ODD):
        for traced in (False, True):
            assert_read_alike(odd_headers([change], traced))


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(PLACES), VALUES), max_size=4), st.booleans()
)
def test_the_quick_reading_accepts_and_refuses_any_headers_as_reading_header_by_header_does(
    changes: list[tuple[str, int, bytes | None]], traced: bool
) -> None:
    assert_read_alike(odd_headers(changes, traced))


def test_what_the_house_writes_is_read_the_quick_way() -> None:
    for written in (envelope(), envelope(traceparent=None)):
        assert Envelope._as_written(TOPIC, written.to_headers()) == written


@given(st.integers(1, MAX_SEQUENCE), st.integers(1, MAX_SEQUENCE))
def test_sequences_sort_as_text_as_they_sort_as_numbers(one: int, other: int) -> None:
    first, second = (dict(envelope(place).to_headers())["ce_sequence"] for place in (one, other))
    assert (first < second) == (one < other)


@pytest.mark.parametrize("header", REQUIRED)
def test_a_missing_header_is_named(header: str) -> None:
    headers = [(name, value) for name, value in envelope().to_headers() if name != header]
    with pytest.raises(MalformedEnvelope, match="missing") as refused:
        Envelope.from_headers(TOPIC, headers)
    assert refused.value.header == header


FORMED = ["ce_id", "ce_specversion", "ce_time", "ce_sequence", "content-type"]
POISON = [b"\xff\xfe", b"\x00", b"", b"a\nb", b"x" * 501]


@pytest.mark.parametrize(
    ("header", "poison"),
    [(header, poison) for header in REQUIRED for poison in POISON]
    + [(header, "１".encode()) for header in FORMED],
)
def test_poison_in_a_header_is_refused_by_its_name(header: str, poison: bytes) -> None:
    headers = [(name, poison if name == header else value) for name, value in envelope().to_headers()]
    with pytest.raises(MalformedEnvelope) as refused:
        Envelope.from_headers(TOPIC, headers)
    assert refused.value.header == header


@pytest.mark.parametrize("header", REQUIRED)
def test_a_doubled_header_is_refused_by_its_name(header: str) -> None:
    headers = envelope().to_headers()
    headers.append((header, dict(headers)[header]))
    with pytest.raises(MalformedEnvelope, match="twice") as refused:
        Envelope.from_headers(TOPIC, headers)
    assert refused.value.header == header


def test_headers_of_others_are_passed_over_even_when_doubled() -> None:
    headers = [("x-proxy", b"a"), *envelope().to_headers(), ("x-proxy", b"\xff")]
    assert Envelope.from_headers(TOPIC, headers) == envelope()


@pytest.mark.parametrize("wrong", [b"0", b"-1", b"1.0", b"+1", b" 1", b"1_0", b"9" * 19, b"0x1", b"1e3"])
def test_a_sequence_is_a_number_from_one(wrong: bytes) -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        Envelope.from_headers(TOPIC, changed(ce_sequence=wrong))
    assert refused.value.header == "ce_sequence"


@pytest.mark.parametrize(
    "wrong",
    [
        b"2016-08-01T02:00:00",
        b"2016-08-01",
        b"1470009600",
        b"2016-13-01T00:00:00Z",
        b"0001-01-01T00:00:00+14:00",
    ],
)
def test_a_time_is_an_instant_with_its_zone(wrong: bytes) -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        Envelope.from_headers(TOPIC, changed(ce_time=wrong))
    assert refused.value.header == "ce_time"


def test_a_time_of_another_zone_is_read_as_utc() -> None:
    read = Envelope.from_headers(TOPIC, changed(ce_time=b"2016-08-01T10:00:00+08:00"))
    assert (read.time, read.time.tzinfo) == (datetime(2016, 8, 1, 2, 0, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "wrong",
    [b"", b"\xff", b"00-0-0-00", b"ff-" + TRACE[3:].encode(), b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01"],
)
def test_an_unusable_traceparent_costs_the_trace_and_not_the_event(wrong: bytes) -> None:
    assert Envelope.from_headers(TOPIC, changed(traceparent=wrong)) == envelope(traceparent=None)


@pytest.mark.parametrize("content", [b"application/json; charset=utf-8", b"Application/JSON"])
def test_json_is_json_with_or_without_its_charset(content: bytes) -> None:
    assert Envelope.from_headers(TOPIC, changed(content_type=content)) == envelope()


@pytest.mark.parametrize(
    "content", [b"application/cloudevents+json", b"text/plain", b"application/json; charset=gbk"]
)
def test_a_payload_in_another_format_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        Envelope.from_headers(TOPIC, changed(content_type=content))
    assert refused.value.header == "content-type"


def test_a_writer_may_not_say_what_a_reader_would_refuse() -> None:
    with pytest.raises(MalformedEnvelope, match="ce_actor"):
        envelope(actor="officer:\x00")
    with pytest.raises(MalformedEnvelope, match="ce_actor"):
        envelope(actor="officer:\ud800")
    with pytest.raises(MalformedEnvelope, match="ce_sequence"):
        envelope(sequence=0)
    with pytest.raises(MalformedEnvelope, match="traceparent"):
        envelope(traceparent="made up")
    with pytest.raises(MalformedEnvelope, match="ce_time"):
        Envelope(UUID(int=1), "/huiqi/x", "t", TOPIC, "k", 1, datetime(2016, 8, 1), "a:b")  # noqa: DTZ001


def test_what_was_checked_cannot_be_changed_afterwards() -> None:
    said: Any = envelope()
    with pytest.raises(AttributeError):
        said.sequence = 0


def test_a_writer_in_shanghai_writes_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    said = Envelope(UUID(int=1), "/huiqi/x", "t", TOPIC, "k", 1, datetime(2016, 8, 1, tzinfo=shanghai), "a:b")
    assert dict(said.to_headers())["ce_time"] == b"2016-07-31T16:00:00.000000Z"
