"""HTTP on the wire: uvicorn's protocol, and the limits that it lacks against clients that are slow, many or endless."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.messages import Catalogue
from chassis.problems import unread
from chassis.telemetry import METRICS

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 100
PATIENCE: Final = 20.0
MAX_UNREAD_BYTES: Final = 16_777_216
MAX_CONNECTIONS: Final = 500
MAX_PIPELINED: Final = 16

_CATALOGUE: Final = Catalogue(())
_WHY: Final = {
    HTTPStatus.BAD_REQUEST: "malformed",
    HTTPStatus.REQUEST_TIMEOUT: "slow",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "too large",
}


class _TooMuch(Exception):
    pass


class GuardedProtocol(HttpToolsProtocol):
    """One connection. It is cut when a head is late or too large, when too many requests are sent before their answers
    are read, or when nobody reads an answer.

    Of too many connections the one that has kept us waiting longest is cut. PATIENCE is in seconds. A body has its
    own limits in `chassis.bodies`; what a refused request still sends is read and dropped within PATIENCE and
    MAX_UNREAD_BYTES, so that the answer is not lost with the connection.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_head = True
        self._received = 0
        self._parts = 0
        self._refused_with = HTTPStatus.BAD_REQUEST
        self._deadline: asyncio.TimerHandle | None = None
        self._waits_since = self.loop.time()

    @property
    def waits_since(self) -> float | None:
        """Since when it is the client's turn, by the loop's clock; None while a request is being answered."""
        is_answered = self.cycle is None or self.cycle.response_complete
        is_ours = not is_answered and not self.cycle.more_body and not self.flow.write_paused
        return None if is_ours else self._waits_since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            _cut_one(self.connections)
        self._await_client()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        parts = self._parts
        super().data_received(data)
        if self.transport.is_closing():
            return
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._parts == parts:  # else some of it ended a head or a body, and what is left is little
            self._received += len(data)
        if self._is_head and self._received > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif not self._is_head and is_answered and self._received > MAX_UNREAD_BYTES:
            self.cut("unread")
        elif is_answered and self._deadline is None:
            self._await_client()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS or _size(self.headers) + len(self.url) > MAX_HEAD_BYTES:
            self._refused_with = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _TooMuch
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooMuch
        self._begin_part(is_head=False)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._begin_part(is_head=True)
        super().on_message_complete()

    def _begin_part(self, *, is_head: bool) -> None:
        self._is_head, self._received = is_head, 0
        self._parts += 1
        self._stop_waiting()
        self._waits_since = self.loop.time()

    def on_response_complete(self) -> None:
        is_read = self._is_head or self.pipeline
        super().on_response_complete()
        self._received, self._waits_since = 0, self.loop.time()
        if not is_read and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._await_client()

    def send_400_response(self, msg: str) -> None:
        """The name is uvicorn's: the parser gave up."""
        del msg
        self._refuse(self._refused_with)

    def _unsupported_upgrade_warning(self) -> None:
        """A client may offer another protocol; it is answered in this one."""

    def pause_writing(self) -> None:
        self._await_client()
        super().pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def _await_client(self) -> None:
        if self.flow.write_paused:
            return  # it has been the client's turn since then
        self._stop_waiting()
        self._waits_since = self.loop.time()
        self._deadline = self.loop.call_later(PATIENCE, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._deadline is not None and not self.flow.write_paused:
            self._deadline.cancel()
            self._deadline = None

    def _lose_patience(self) -> None:
        if self._is_head and self._received and not self.flow.write_paused:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.cut("slow")

    def _refuse(self, status: HTTPStatus) -> None:
        """Says why and closes; without a word where an answer is on its way, whose middle this would be."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cut(_WHY[status])
            return
        METRICS.http_cut.labels(_WHY[status]).inc()
        answer = unread(status, _CATALOGUE)
        head = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), b"connection: close"]
        head += [b"%s: %s" % header for header in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", answer.body]))
        self.transport.close()

    def cut(self, reason: str) -> None:
        METRICS.http_cut.labels(reason).inc()
        self.connections.discard(self)
        self.transport.abort()


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(text) for name, text in headers)


def _cut_one(connections: set[Any]) -> None:
    waiting = [one for one in connections if one.waits_since is not None]
    min(waiting, key=lambda one: one.waits_since).cut("crowded")
