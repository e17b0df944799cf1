"""The clients' own record: what was meant, each request that was sent, each answer that was got.

One JSON object a line, flushed before anything else happens, so that what the file says was sent is at least all that
was. Lines: `intent` (once, with the body), `sent`, `answer`, `lost`, `given up`.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

LONGEST_KEPT = 20_000


@dataclass(slots=True)
class Attempt:
    """One request. Times are seconds of this process's monotonic clock; `lost` says how no answer came."""

    intent: str
    number: int
    url: str
    sent_at: float
    ended_at: float | None = None
    status: int | None = None
    lost: str | None = None
    etag: str | None = None
    digest: str = ""
    content: Any = None

    @property
    def answered(self) -> bool:
        """Whether the service has said yes or no; 5xx says neither."""
        return self.status is not None and self.status < 500

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def refused(self) -> bool:
        return self.answered and not self.acknowledged


@dataclass(slots=True)
class Intent:
    """Something a client wants, sent once or often. `actor` is `role:subject`, as the services' tables name it.

    The subject holds the intent's id, so every row and event of an actor is of one intent. `seen` is the If-Match.
    """

    id: str
    kind: str
    actor: str
    service: str
    method: str
    path: str
    key: str | None = None
    seen: str | None = None
    body: bytes | None = None
    media: str = "application/json"
    on_behalf: Mapping[str, str | None] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    given_up: bool = False

    @property
    def is_write(self) -> bool:
        return self.key is not None

    @property
    def acknowledged(self) -> Attempt | None:
        """The first attempt that was answered by yes."""
        return next((attempt for attempt in self.attempts if attempt.acknowledged), None)

    @property
    def answer(self) -> Attempt | None:
        refusal = next((attempt for attempt in self.attempts if attempt.refused), None)
        return self.acknowledged or refusal

    @property
    def is_open(self) -> bool:
        """Sent, not answered, not given up: it will be repeated."""
        return self.is_write and bool(self.attempts) and self.answer is None and not self.given_up

    @property
    def is_refused(self) -> bool:
        """Every attempt was answered by no, so nothing of it may be anywhere.

        A lost attempt may have run later than the answer to a repetition: then only a version that has moved on says
        for certain that it never will.
        """
        if not self.attempts or self.acknowledged is not None:
            return False
        if all(attempt.refused for attempt in self.attempts):
            return True
        return self.seen is not None and any(attempt.status == 412 for attempt in self.attempts)


class Journal:
    """A context manager over one file. `requests` counts attempts, lost ones included."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.intents: dict[str, Intent] = {}
        self.requests = 0
        self.answers: dict[int, int] = {}
        self.losses = 0
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def next_id(self) -> str:
        return f"i{len(self.intents) + 1:06d}"

    def writes(self) -> list[Intent]:
        return [intent for intent in self.intents.values() if intent.is_write]

    def open(self) -> list[Intent]:
        return [intent for intent in self.intents.values() if intent.is_open]

    def intend(self, intent: Intent) -> None:
        self.intents[intent.id] = intent
        self._line(
            "intent", intent, kind=intent.kind, actor=intent.actor, service=intent.service, method=intent.method,
            path=intent.path, key=intent.key, seen=intent.seen, about=dict(intent.about), body=_text(intent.body),
        )  # fmt: skip

    def send(self, intent: Intent, url: str) -> Attempt:
        self.requests += 1
        attempt = Attempt(intent.id, len(intent.attempts) + 1, url, time.monotonic())
        intent.attempts.append(attempt)
        self._line("sent", intent, attempt=attempt.number, url=url)
        return attempt

    def take(self, intent: Intent, attempt: Attempt, answer: httpx.Response) -> None:
        content = answer.content
        attempt.ended_at = time.monotonic()
        attempt.etag = answer.headers.get("etag")
        attempt.digest = hashlib.sha256(content).hexdigest()
        attempt.content = _parsed(content)
        attempt.status = answer.status_code
        self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
        shown = attempt.content if len(content) <= LONGEST_KEPT else None
        self._line(
            "answer", intent, attempt=attempt.number, status=attempt.status, etag=attempt.etag,
            replayed="idempotent-replay" in answer.headers, digest=attempt.digest, body=shown,
        )  # fmt: skip

    def lose(self, intent: Intent, attempt: Attempt, how: str) -> None:
        self.losses += 1
        attempt.ended_at = time.monotonic()
        attempt.lost = how
        self._line("lost", intent, attempt=attempt.number, how=how)

    def give_up(self, intent: Intent) -> None:
        intent.given_up = True
        self._line("given up", intent)

    def _line(self, what: str, intent: Intent, **more: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(orjson.dumps({"at": at, "line": what, "intent": intent.id, **more}) + b"\n")
        self._file.flush()


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode(errors="backslashreplace")


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content[:500].decode(errors="backslashreplace")
