"""PostgreSQL's wire protocol, as far as it takes to see a COMMIT go by and its answer come back."""

import struct
from dataclasses import dataclass, field

_ENCRYPTION = {
    80877103,
    80877104,
}  # TLS, GSSAPI: asked for before a session is opened, answered by one bare byte
_ENDS = {b"COMMIT", b"ROLLBACK"}


@dataclass(slots=True)
class _Messages:
    """Cuts a stream into whole messages, each its type and its body."""

    _rest: bytearray = field(default_factory=bytearray)

    def add(self, received: bytes) -> None:
        self._rest += received

    def bare(self) -> bytes | None:
        return bytes([self._rest.pop(0)]) if self._rest else None

    def next(self, *, typed: bool = True) -> tuple[bytes, bytes] | None:
        head = 5 if typed else 4
        if len(self._rest) < head:
            return None
        (length,) = struct.unpack_from("!i", self._rest, head - 4)
        size = length + head - 4
        if len(self._rest) < size:
            return None
        message = bytes(self._rest[: head - 4]), bytes(self._rest[head:size])
        del self._rest[:size]
        return message


@dataclass(slots=True)
class Conversation:
    """One connection. Bytes are given in the order in which they pass."""

    _client: _Messages = field(default_factory=_Messages)
    _server: _Messages = field(default_factory=_Messages)
    _opened: bool = False
    _bare_answers: int = 0
    _statements: dict[bytes, bool] = field(default_factory=dict)
    _portals: dict[bytes, bool] = field(default_factory=dict)

    def client(self, said: bytes) -> bool:
        """Whether a COMMIT ends among these bytes, by the simple protocol or the extended one."""
        self._client.add(said)
        commits = False
        while message := self._client.next(typed=self._opened):
            kind, body = message
            if self._opened:
                commits |= self._commits(kind, body)
            elif int.from_bytes(body[:4]) in _ENCRYPTION:
                self._bare_answers += 1
            else:
                self._opened = True
        return commits

    def server(self, said: bytes) -> str | None:
        """How a transaction ended, if these bytes tell: "COMMIT", "ROLLBACK" or "error"."""
        self._server.add(said)
        while self._bare_answers and self._server.bare() is not None:
            self._bare_answers -= 1
        outcome = None
        while message := self._server.next():
            kind, body = message
            if kind == b"E":
                outcome = "error"
            elif kind == b"C" and (tag := body.rstrip(b"\0")) in _ENDS:
                outcome = tag.decode()
        return outcome

    def _commits(self, kind: bytes, body: bytes) -> bool:
        name, _, rest = body.partition(b"\0")
        match kind:
            case b"Q":
                return _is_commit(name)
            case b"P":
                self._statements[name] = _is_commit(rest.partition(b"\0")[0])
            case b"B":
                self._portals[name] = self._statements.get(rest.partition(b"\0")[0], False)
            case b"E":
                return self._portals.get(name, False)
        return False


def _is_commit(sql: bytes) -> bool:
    return sql.strip().rstrip(b";").strip().upper() == b"COMMIT"
