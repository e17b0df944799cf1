"""The load generator, a process of its own: sends ready-made HTTP requests and writes down when each was answered.

Nothing is built or parsed here beyond the status and the length of the answer, so that it takes a small part of one
core where two cores have to do for it, the service and the database. `LoadResult.busy` says how small.
"""

import asyncio
import json
import resource
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop

_LENGTH = struct.Struct(">I")
_END_OF_HEAD = b"\r\n\r\n"
_CONTENT_LENGTH = b"\r\ncontent-length: "
PATIENCE = 300.0


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one HTTP/1.1 request on a connection that stays open."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class LoadResult:
    """Milliseconds and seconds. `busy` is the part of one core that the generator itself took.

    `sent_at` and `answered_at` are instants in seconds since 1970, by place in the requests; where a rate was asked
    for, `sent_at` is when the request was due: a late one has waited.
    """

    seconds: float
    statuses: dict[str, int]
    busy: float
    sent_at: list[float]
    answered_at: list[float]

    @property
    def per_second(self) -> float:
        return len(self.sent_at) / self.seconds

    @property
    def milliseconds(self) -> list[float]:
        return [(done - sent) * 1000 for sent, done in zip(self.sent_at, self.answered_at, strict=True)]

    def expect(self, status: int) -> "LoadResult":
        """Itself. Raises AssertionError when an answer has another status."""
        if set(self.statuses) != {str(status)}:
            raise AssertionError(f"expected {status} only: {self.statuses}")
        return self


def percentile(figures: Sequence[float], share: float) -> float:
    """The figure below which `share` of them lie, e.g. 0.99."""
    return statistics.quantiles(figures, n=1000, method="inclusive")[round(share * 1000) - 1]


def send(
    directory: Path, port: int, requests: Iterable[bytes], *, connections: int, rate: float | None = None
) -> LoadResult:
    """Sends all requests from a process of its own and returns when each is answered.

    Without a rate each connection sends its next request as soon as it has an answer; with one (requests per second)
    requests are sent when they are due, whatever became of those before.
    """
    asked, told = directory / "requests", directory / "load.json"
    with asked.open("wb") as file:
        for one in requests:
            file.write(_LENGTH.pack(len(one)) + one)
    command = [sys.executable, __file__, str(port), str(asked), str(told), str(connections), str(rate or 0)]
    subprocess.run(command, check=True)
    return LoadResult(**json.loads(told.read_bytes()))


class Generator:
    def __init__(self, requests: list[bytes], rate: float) -> None:
        self.requests = requests
        self.rate = rate
        self.next = 0
        self.sent_at = [0.0] * len(requests)
        self.answered_at = [0.0] * len(requests)
        self.statuses: Counter[str] = Counter()
        self.idle: deque[Connection] = deque()
        self.left = len(requests)
        self.done = asyncio.Event()
        self.began = 0.0
        self.is_woken = False

    def begin(self, connections: Sequence["Connection"]) -> None:
        self.began = time.time()
        self.idle.extend(connections)
        if self.rate:
            self.sent_at = [self.began + place / self.rate for place in range(len(self.requests))]
        self.send_due()

    def send_due(self) -> None:
        now = time.time()
        while self.idle and self.next < len(self.requests):
            if self.rate and self.sent_at[self.next] > now:
                self.wake_in(self.sent_at[self.next] - now)
                return
            place, self.next = self.next, self.next + 1
            if not self.rate:
                self.sent_at[place] = now
            self.idle.popleft().send(place, self.requests[place])

    def wake_in(self, seconds: float) -> None:
        if not self.is_woken:
            self.is_woken = True
            asyncio.get_running_loop().call_later(seconds, self.woken)

    def woken(self) -> None:
        self.is_woken = False
        self.send_due()

    def answered(self, connection: "Connection", place: int, status: str) -> None:
        self.answered_at[place] = time.time()
        self.statuses[status] += 1
        self.left -= 1
        if not self.left:
            self.done.set()
            return
        self.idle.append(connection)
        self.send_due()


class Connection(asyncio.Protocol):
    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._answer = b""
        self._place = -1
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, place: int, content: bytes) -> None:
        self._place = place
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head = self._answer.find(_END_OF_HEAD)
        if head < 0:
            return
        at = self._answer.lower().find(_CONTENT_LENGTH, 0, head)
        length = int(self._answer[at + len(_CONTENT_LENGTH) :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._answer) < head + len(_END_OF_HEAD) + length:
            return
        status, self._answer = self._answer[9:12].decode(), b""
        self._generator.answered(self, self._place, status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._generator.left:
            raise SystemExit(f"the server closed a connection: {error!r}")


async def generate(port: int, requests: list[bytes], connections: int, rate: float) -> LoadResult:
    loop = asyncio.get_running_loop()
    generator = Generator(requests, rate)
    opened = [
        (await loop.create_connection(lambda: Connection(generator), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    before = resource.getrusage(resource.RUSAGE_SELF)
    generator.begin(opened)
    await asyncio.wait_for(generator.done.wait(), PATIENCE + (len(requests) / rate if rate else 0))
    seconds = time.time() - generator.began
    after = resource.getrusage(resource.RUSAGE_SELF)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return LoadResult(
        seconds, dict(generator.statuses), round(took / seconds, 3), generator.sent_at, generator.answered_at
    )


def read(file: Path) -> list[bytes]:
    content, requests, at = file.read_bytes(), [], 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        requests.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return requests


def main(port: str, asked: str, told: str, connections: str, rate: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(generate(int(port), read(Path(asked)), int(connections), float(rate)))
    Path(told).write_text(json.dumps(asdict(result)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
