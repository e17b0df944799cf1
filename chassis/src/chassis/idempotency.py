"""One request key, one effect: the answer is stored with the effect and given again to whoever repeats the request."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response

from chassis.database import Transaction
from chassis.errors import Invalid, Refused, Unavailable
from chassis.identity import PUBLIC, Actor
from chassis.telemetry import METRICS

HEADER: Final = "Idempotency-Key"
REPLAY_HEADER: Final = "Idempotent-Replay"
_KEY: Final = re.compile(r"[!-~]{1,255}")
_BOUNDARY: Final = re.compile(r'boundary="?([^";]{1,70})"?')


class KeyReused(Refused):
    """The Idempotency-Key already belongs to another request."""

    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this transaction is the first to use, for the actor in `scope`."""

    scope: str
    key: str


def _scope(actor: Actor) -> str:
    return "|".join((str(actor), actor.enterprise_id or "", actor.bank_id or ""))


def _body_hash(request: Request, body: bytes) -> bytes:
    """A form's boundary is drawn anew for every attempt and says nothing, so it is left out."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is not None:
        body = body.replace(boundary[1].encode("latin-1"), b"")
    return hashlib.sha256(body).digest()


async def claim(tx: Transaction, request: Request) -> Claim | Response | None:
    """The claim to the request's key, the answer already given for it, or None without a key.

    A second request waits here until the first has committed or rolled back. Nobody who is not signed in has keys:
    they would share them with everybody.
    """
    key = request.headers.get(HEADER)
    if key is None or tx.actor == PUBLIC:
        return None
    if not _KEY.fullmatch(key):
        raise Invalid(field=HEADER, rule_broken="1 to 255 visible ASCII characters")
    scope, asked = _scope(tx.actor), f"{request.method} {request.url.path}?{request.url.query}".rstrip("?")
    body_hash = _body_hash(request, await request.body())
    is_first = await tx.fetchval(
        "INSERT INTO idempotency (actor, key, request, body_hash) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING RETURNING true",
        scope, key, asked, body_hash,
    )  # fmt: skip
    if is_first:
        return Claim(scope, key)
    return await _given(tx, scope, key, (asked, body_hash))


async def _given(tx: Transaction, scope: str, key: str, asked: tuple[str, bytes]) -> Response:
    row = await tx.fetchrow("SELECT * FROM idempotency WHERE actor = $1 AND key = $2", scope, key)
    if row is None:
        raise Unavailable("the stored answer was cleared away just now")
    if (row["request"], row["body_hash"]) != asked:
        raise KeyReused
    METRICS.idempotent_replays.inc()
    headers = {**dict(row["headers"]), REPLAY_HEADER: "true"}
    return Response(row["body"], status_code=row["status"], headers=headers)


async def keep(tx: Transaction, claimed: Claim, response: Response) -> None:
    headers = [
        [name.decode("latin-1"), text.decode("latin-1")]
        for name, text in response.raw_headers
        if name != b"content-length"
    ]
    await tx.execute(
        "UPDATE idempotency SET status = $3, headers = $4, body = $5 WHERE actor = $1 AND key = $2",
        claimed.scope, claimed.key, response.status_code, headers, bytes(response.body),
    )  # fmt: skip


async def forget_answers(tx: Transaction, older_than: timedelta = timedelta(days=7)) -> None:
    """Clears stored answers away, a thousand at a time; a request repeated later than that is a new one."""
    await tx.execute(
        "DELETE FROM idempotency WHERE (actor, key) IN"
        " (SELECT actor, key FROM idempotency WHERE created_at < now() - $1::interval ORDER BY created_at LIMIT 1000"
        " FOR UPDATE SKIP LOCKED)",
        older_than,
    )
