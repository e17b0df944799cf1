"""A client without manners: bytes on a socket, and what comes back."""

import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

HOST = b"Host: x\r\n"


@dataclass(frozen=True)
class Heard:
    """`status` is None where the connection was closed without a word; `seconds` from the first byte sent."""

    status: int | None
    head: bytes
    body: bytes
    seconds: float

    @property
    def is_problem(self) -> bool:
        return b"application/problem+json" in self.head.lower()


class Line:
    """One connection."""

    def __init__(self, url: str, patience: float = 60) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=patience)
        self._began = time.monotonic()

    def say(self, *parts: bytes | Iterable[bytes]) -> None:
        """Whatever the other side no longer takes is left unsaid."""
        try:
            for part in parts:
                for piece in [part] if isinstance(part, bytes) else part:
                    self._socket.sendall(piece)
        except OSError:
            return

    def hear(self) -> Heard:
        """The first answer, or how the connection ended. Raises TimeoutError when neither comes."""
        heard = b""
        try:
            while not _is_whole(heard) and (more := self._socket.recv(65536)):
                heard += more
        except TimeoutError:
            raise
        except OSError:
            pass
        return _read(heard, time.monotonic() - self._began)

    def close(self) -> None:
        self._socket.close()


def _is_whole(heard: bytes) -> bool:
    head, blank, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head.lower())
    return bool(blank) and length is not None and len(body) >= int(length[1])


def _read(heard: bytes, seconds: float) -> Heard:
    head, _, body = heard.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    return Heard(int(status[1]) if status else None, head, body, seconds)


def asked(url: str, *parts: bytes | Iterable[bytes], patience: float = 60) -> Heard:
    line = Line(url, patience)
    try:
        line.say(*parts)
        return line.hear()
    finally:
        line.close()


def head(start: str, *headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"{start} HTTP/1.1", "Host: x", *headers, "")).encode("latin-1")
