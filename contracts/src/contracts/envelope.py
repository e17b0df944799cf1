"""What every message carries: a CloudEvents 1.0 envelope in Kafka's binary mode, and an event as JSON payload."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from string import Formatter
from typing import Any, ClassVar, Final, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from contracts.values import TOPIC_FORM

MAX_SEQUENCE: Final = 2**63 - 1
MAX_TEXT: Final = 500
CONTENT_TYPE: Final = "application/json"
SCHEMA_URN: Final = "urn:huiqi:schema:"

_REQUIRED: Final = (
    "ce_id",
    "ce_source",
    "ce_specversion",
    "ce_type",
    "ce_time",
    "ce_partitionkey",
    "ce_sequence",
    "ce_actor",
    "content-type",
)
_TEXT: Final = f"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_TEXT}}}"
_LINE: Final = re.compile(_TEXT)
_SPEC_VERSION: Final = re.compile(r"1\.0")
_CONTENT_TYPE: Final = re.compile(r"application/json( *; *charset=utf-8)?", re.IGNORECASE)
_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEQUENCE: Final = re.compile("[0-9]{1,19}")
_SECOND: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_TIME: Final = re.compile(rf"{_SECOND}(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})")
_TRACE_PARENT: Final = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_NAMES: Final = (
    "ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "ce_partitionkey", "ce_sequence", "ce_actor",
    "ce_dataschema", "content-type",
)  # fmt: skip
# The values that `to_headers` writes, one a line. No value may hold a line's end, so none can pass for two.
_VALUES: Final = "\n".join(
    (f"({_UUID.pattern})", f"({_TEXT})", r"1\.0", f"({_TEXT})", rf"({_SECOND}\.[0-9]{{6}}Z)", f"({_TEXT})", "([0-9]{19})",
     f"({_TEXT})", r"[^\n]*", CONTENT_TYPE)
)  # fmt: skip
_AS_WRITTEN: Final = {
    _NAMES: re.compile(_VALUES),
    (*_NAMES, "traceparent"): re.compile(f"{_VALUES}\n({_TRACE_PARENT.pattern})"),
}


class MalformedEnvelope(ValueError):
    """A header is missing, doubled or not what it must be. `header` is its name."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"{header}: {reason}")
        self.header = header


class Event(BaseModel):
    """A fact that one service tells the others.

    A concrete event names its topic, which may hold fields in braces, and the field that is its key:
    `class TitleGranted(Event, topic="certification.titles", key="enterprise_id")`. Its type on the wire is
    `cn.huiqi.<service>.<kebab-fact>.v<version>`; a trailing `V<version>` of the class name is left out of the fact.
    Without a topic it is a shape for others to build on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    topic_template: ClassVar[str]
    key_field: ClassVar[str]
    type: ClassVar[str]
    version: ClassVar[int]

    def __init_subclass__(
        cls, *, topic: str | None = None, key: str | None = None, version: int = 1, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, topic: str | None = None, key: str | None = None, version: int = 1, **kwargs: Any
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if topic is None or key is None:
            if (topic, key) != (None, None) or hasattr(cls, "type"):
                raise TypeError(f"{cls.__name__} must name both its topic and its key")
            return
        names = [name for _, name, _, _ in Formatter().parse(topic) if name is not None]
        unknown = {key, *names} - cls.model_fields.keys()
        if unknown or not TOPIC_FORM.fullmatch(topic.format_map(dict.fromkeys(names, "x"))):
            raise TypeError(f"{cls.__name__}: bad topic {topic!r} or unknown fields {sorted(unknown)}")
        cls.topic_template, cls.key_field, cls.version = topic, key, version
        fact = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__.removesuffix(f"V{version}")).lower()
        cls.type = f"cn.huiqi.{topic.partition('.')[0]}.{fact}.v{version}"

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """The event in a payload. Unknown fields are passed over; anything else that is wrong is a ValueError."""
        if b"NaN" in payload or b"Infinity" in payload:
            from_json(payload, allow_inf_nan=False)
        return cls.__pydantic_validator__.validate_json(payload, extra="ignore")  # type: ignore[no-any-return]

    def payload(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self)

    @property
    def topic(self) -> str:
        template = self.topic_template
        if "{" not in template:
            return template
        topic = template.format_map(self.__dict__)
        if not TOPIC_FORM.fullmatch(topic):
            raise ValueError(f"{topic!r} is no topic")
        return topic

    @property
    def key(self) -> str:
        return str(getattr(self, self.key_field))


class _Envelope(NamedTuple):
    event_id: UUID
    source: str
    type: str
    topic: str
    key: str
    sequence: int
    time: datetime
    actor: str
    traceparent: str | None


class Envelope(_Envelope):
    """Where an event stands: `sequence` is its place, from 1 without gaps, among the events of `(topic, key)`.

    `time` is aware and kept in UTC. `actor` is `role:subject`. `traceparent` is W3C Trace Context or absent.
    Raises MalformedEnvelope.
    """

    __slots__ = ()

    def __new__(  # noqa: PLR0917
        cls, event_id: UUID, source: str, type: str, topic: str, key: str, sequence: int, time: datetime, actor: str,  # noqa: A002
        traceparent: str | None = None,
    ) -> Self:  # fmt: skip
        refuse_unwritable(source, type, topic, key, actor)
        if traceparent is not None and not _TRACE_PARENT.fullmatch(traceparent):
            raise MalformedEnvelope("traceparent", "is not W3C Trace Context")
        if not 1 <= sequence <= MAX_SEQUENCE:
            raise MalformedEnvelope("ce_sequence", "must be a number from 1 to 2^63 - 1")
        return cls._make((event_id, source, type, topic, key, sequence, _in_utc(time), actor, traceparent))

    @property
    def cause(self) -> str:
        return f"{self.topic}/{self.key}/{self.sequence}"

    def to_headers(self) -> list[tuple[str, bytes]]:
        """The headers of the Kafka record. The sequence is padded because CloudEvents wants it to sort as text."""
        event_id, source, type_, _, key, sequence, time, actor, traceparent = self
        headers = [
            ("ce_id", str(event_id).encode()),
            ("ce_source", source.encode()),
            ("ce_specversion", b"1.0"),
            ("ce_type", type_.encode()),
            ("ce_time", f"{time.isoformat(timespec='microseconds')[:26]}Z".encode()),
            ("ce_partitionkey", key.encode()),
            ("ce_sequence", b"%019d" % sequence),
            ("ce_actor", actor.encode()),
            ("ce_dataschema", f"{SCHEMA_URN}{type_}".encode()),
            ("content-type", CONTENT_TYPE.encode()),
        ]
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        return headers

    @classmethod
    def unchecked(cls, fields: Iterable[Any]) -> Self:
        """From its fields in order, of what was checked when it was said. `time` must be in UTC."""
        return cls._make(fields)

    @classmethod
    def from_headers(cls, topic: str, headers: Sequence[tuple[str, bytes]]) -> Self:
        """Reads what `to_headers` wrote; other headers are passed over, an unusable traceparent is dropped.

        Raises MalformedEnvelope with the name of the first header that is missing, doubled or wrong.
        """
        return cls._as_written(topic, headers) or cls._header_by_header(topic, headers)

    @classmethod
    def _as_written(cls, topic: str, headers: Sequence[tuple[str, bytes]]) -> Self | None:
        """Five times quicker, and only for what the house wrote itself; None for all else, well formed or not."""
        try:
            names, values = zip(*headers, strict=True)
            match = _AS_WRITTEN[names].fullmatch(b"\n".join(values).decode())
            if match is None or not _LINE.fullmatch(topic):
                return None
            event_id, source, type_, time, key, sequence, actor, *trace = match.groups()
            number, at = int(sequence), datetime.fromisoformat(time)
        except (ValueError, TypeError, KeyError):
            return None
        if not 1 <= number <= MAX_SEQUENCE:
            return None
        traceparent = trace[0] if trace else None
        return cls._make((UUID(event_id), source, type_, topic, key, number, at, actor, traceparent))

    @classmethod
    def _header_by_header(cls, topic: str, headers: Sequence[tuple[str, bytes]]) -> Self:
        given = dict(headers)
        if len(given) != len(headers):
            _refuse_doubles(headers)
        try:
            event_id, source, version, type_, time, key, sequence, actor, content = [
                given[header].decode() for header in _REQUIRED
            ]
        except (KeyError, AttributeError, UnicodeDecodeError):
            raise _unreadable(given) from None
        for header, text, form in (
            ("ce_id", event_id, _UUID),
            ("ce_specversion", version, _SPEC_VERSION),
            ("ce_time", time, _TIME),
            ("ce_sequence", sequence, _SEQUENCE),
            ("content-type", content, _CONTENT_TYPE),
        ):
            if not form.fullmatch(text):
                raise MalformedEnvelope(header, "is not well formed")
        at, trace = _instant(time), _traceparent(given.get("traceparent"))
        return cls(UUID(event_id), source, type_, topic, key, int(sequence), at, actor, trace)


def refuse_unwritable(source: str, type_: str, topic: str, key: str, actor: str) -> None:
    """Raises MalformedEnvelope when a reader would refuse one of them."""
    texts = (source, type_, topic, key, actor)
    # Almost every envelope is plain text and passes here; the loop finds the one that does not.
    if all(texts) and "".join(texts).isprintable() and len(max(texts, key=len)) <= MAX_TEXT:
        return
    for header, text in zip(
        ("ce_source", "ce_type", "topic", "ce_partitionkey", "ce_actor"), texts, strict=True
    ):
        if not _LINE.fullmatch(text):
            raise MalformedEnvelope(header, f"must be 1 to {MAX_TEXT} characters, none a control character")


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise MalformedEnvelope("ce_time", "must say its time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise MalformedEnvelope("ce_time", "lies outside the years 1 to 9999 in UTC") from None


def _refuse_doubles(headers: Sequence[tuple[str, bytes]]) -> None:
    seen: set[str] = set()
    for name, _ in headers:
        if name in seen and (name.startswith("ce_") or name == "content-type"):
            raise MalformedEnvelope(name, "is given twice")
        seen.add(name)


def _unreadable(given: Mapping[str, bytes]) -> MalformedEnvelope:
    for header in _REQUIRED:
        value: bytes | None = given.get(header)
        if value is None:
            return MalformedEnvelope(header, "is missing")
        try:
            value.decode()
        except UnicodeDecodeError:
            return MalformedEnvelope(header, "is not UTF-8")
    raise AssertionError("every required header can be read")


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MalformedEnvelope("ce_time", "is no time") from None


def _traceparent(value: bytes | None) -> str | None:
    if value is None:
        return None
    text = value.decode(errors="replace")
    return text if _TRACE_PARENT.fullmatch(text) else None
