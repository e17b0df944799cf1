"""What a running service says about itself: logs in JSON without personal fields, metrics, and the trace of a fact."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from random import getrandbits
from typing import Any, Final

import orjson
import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram

from chassis.settings import ServiceSettings

_MASK: Final = "***"
_SECRET_NAMES: Final = re.compile(
    r"authorization|cookie|token|secret|passw|credential|api_?key|e?_?mail|phone|mobile|id_?card|id_?number|"
    r"identity_?card|address$|bank_?account",
    re.IGNORECASE,
)
# A number begins behind anything but a letter or digit of ours: Chinese has no blanks, and what was written as an
# escape (`\n`, `\u53f7`) ends in one.
_BEGINS: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=\\u[0-9a-fA-F]{4})|(?<=\\x[0-9a-fA-F]{2}))"
_ENDS: Final = r"(?![A-Za-z0-9_-])"
# In text: e-mail addresses, mainland mobile numbers, resident identity numbers, tokens, URL passwords.
_SECRET_TEXT: Final = re.compile(
    r"(?P<mail>[\w.+-]+(?:@|%40|\\u0040)[\w-]+(?:\.[\w-]+)+)"
    rf"|{_BEGINS}(?:(?:\+|00)?86[- ]?)?1[3-9]\d(?P<gap>[- ]?)\d{{4}}(?P=gap)\d{{4}}{_ENDS}"
    rf"|{_BEGINS}[1-8]\d{{5}}(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}[\dXx]{_ENDS}"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|(?<=\b[Bb]earer )[\w.~+/=-]+"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
)
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The service's own metrics, each with its name on `/metrics`. Ages and times are in seconds."""

    def __init__(self) -> None:
        self.http_requests = Counter("http_requests_total", "answers given", ["method", "route", "status"])
        self.http_seconds = Histogram(
            "http_request_seconds", "time to answer", ["method", "route"], buckets=_BUCKETS
        )
        self.http_cut = Counter("http_connections_cut_total", "connections ended by us, and why", ["reason"])
        self.idempotent_replays = Counter(
            "idempotent_replays_total", "answers given again for a repeated key"
        )
        self.outbox_rows = Gauge("outbox_rows", "events not yet acknowledged by Kafka")
        self.outbox_oldest = Gauge("outbox_oldest_seconds", "age of the oldest such event")
        self.stuck_topics = Gauge("outbox_stuck_topics", "topics that the broker refuses, see stuck_topics")
        self.relay_published = Counter("relay_published_total", "events acknowledged by Kafka")
        self.inbox_applied = Counter("inbox_applied_total", "events applied")
        self.inbox_duplicates = Counter("inbox_duplicates_total", "events that came again")
        self.inbox_refused = Counter("inbox_refused_total", "events whose rule said no")
        self.inbox_unknown = Counter("inbox_unknown_total", "events of a type that nobody here listens to")
        self.inbox_gaps = Counter("inbox_gaps_total", "events that came before their turn")
        self.consumer_lag = Gauge("consumer_lag", "records behind the high watermark, all partitions")
        self.parked_events = Gauge("parked_events", "events set aside until an operator decides")
        self.work_overdue = Gauge("work_overdue", "due work nobody has finished")
        self.pool_in_use = Gauge("pool_in_use", "database connections taken")


METRICS: Final = Metrics()


def mask(value: Any) -> Any:
    """The value with personal fields and secrets replaced, at every depth of mappings and lists."""
    match value:
        case str():
            return _SECRET_TEXT.sub(_MASK, value)
        case bytes():
            return mask(value.decode(errors="replace"))
        case Mapping():
            return dict(_masked_entry(key, entry) for key, entry in value.items())
        case list() | tuple() | set() | frozenset():
            return [mask(entry) for entry in value]
        case int() if value > 10**10 and _SECRET_TEXT.fullmatch(str(value)):
            return _MASK
        case _:
            return value


def _masked_entry(key: Any, entry: Any) -> tuple[Any, Any]:
    if not isinstance(key, str):
        return mask(key), mask(entry)
    name, is_secret = _masked_name(key)
    return name, _MASK if is_secret and entry is not None else mask(entry)


@lru_cache(maxsize=1_024)
def _masked_name(name: str) -> tuple[str, bool]:
    """As it may be shown, and whether what stands under it is a secret."""
    return mask(name), _SECRET_NAMES.search(name) is not None


def _masked(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return dict(mask(event))


def _traced(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
        event["span_id"] = f"{span.span_id:016x}"
    return event


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=lambda told: mask(str(told)), option=orjson.OPT_NON_STR_KEYS).decode()


def configure(settings: ServiceSettings, service: str) -> None:
    """Logs to standard output, one JSON object per line, ours and the libraries'; exports traces where told to."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]

    def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        _masked,  # what comes after it is of our own making
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        _traced,
    ]
    render = structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(sys.stdout)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(max(level, logging.WARNING))  # libraries speak only when something is wrong
    if settings.otlp_endpoint:
        _export_traces(settings.otlp_endpoint, service)


def _export_traces(endpoint: str, service: str) -> None:
    # The SDK is an extra and costs memory: it is imported only where traces are exported.
    sdk = import_module("opentelemetry.sdk.trace")
    batches = import_module("opentelemetry.sdk.trace.export").BatchSpanProcessor
    exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter
    resource = import_module("opentelemetry.sdk.resources").Resource.create({"service.name": service})
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(batches(exporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)


_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the work being done now, None outside of any."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


@contextmanager
def continue_trace(traceparent: str | None, name: str = "event") -> Iterator[None]:
    """Does the block as a step of the given trace, or of a new one when there is none or it cannot be read."""
    parent = _parent(traceparent)
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent)) if parent else otel_context.Context()
    span = trace.get_tracer("chassis").start_span(name, context)
    if not span.is_recording():
        span = trace.NonRecordingSpan(_step_of(parent))
    token = otel_context.attach(trace.set_span_in_context(span))
    try:
        yield
    except Exception as error:
        span.record_exception(error)
        raise
    finally:
        otel_context.detach(token)
        span.end()


def _parent(traceparent: str | None) -> trace.SpanContext | None:
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    return trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))


def _step_of(parent: trace.SpanContext | None) -> trace.SpanContext:
    """A new span id, so that the trace is told apart in logs and events also where nothing is exported."""
    if parent is None:
        return trace.SpanContext(getrandbits(128) | 1, getrandbits(64) | 1, is_remote=False)
    return trace.SpanContext(
        parent.trace_id, getrandbits(64) | 1, is_remote=False, trace_flags=parent.trace_flags
    )
