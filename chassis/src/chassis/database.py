"""One service's PostgreSQL: a pool with every timeout set, and transactions that carry their events.

A transaction writes what it published in one statement just before COMMIT, so the row lock that orders a key's
events is held as shortly as can be, and a rollback has said nothing.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg
import orjson
import structlog

from chassis import outbox
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.failpoints import failpoint, switched_off
from chassis.identity import SYSTEM, Actor
from contracts.envelope import Envelope, Event

T = TypeVar("T")
ACQUIRE_TIMEOUT = 5.0
LONGEST_WAIT = 5.0
CLOSE_TIMEOUT = 2.0
COMMAND_TIMEOUT = 20.0
SERVER_SETTINGS = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
    # A bitmap scan looks at every dead entry of a queue each time and never marks it; a plain one passes it by next time.
    "enable_bitmapscan": "off",
}
# 25P03 idle in transaction, 25006 read only, 40001/40P01 conflict, 53xxx resources, 55P03 lock, 57xxx shutdown
_TRY_AGAIN_CLASSES = ("08", "53", "57")
_TRY_AGAIN_STATES = frozenset({"25006", "25P03", "40001", "40P01", "55P03"})
DRIVER_ERRORS = (
    OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip
_CONNECTION_LOST = re.compile(r"(connection|pool) is clos|released back to the pool|operation is cancelling")
_EXPIRE_POOL = ("08", "57P01", "57P02", "57P03", "25006")

log = structlog.get_logger()


def unavailable(error: BaseException) -> Unavailable | None:
    """The error as Unavailable when the same work may succeed later, else None."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return Unavailable("the schema has just changed")
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state in _TRY_AGAIN_STATES or state.startswith(_TRY_AGAIN_CLASSES):
            return Unavailable(f"{type(error).__name__}: {error}")
        return None
    if isinstance(error, asyncpg.InterfaceError) and not _CONNECTION_LOST.search(str(error)):
        return None  # ours: arguments that do not fit, two statements at once on one connection
    return Unavailable(f"{type(error).__name__}: {error}") if isinstance(error, DRIVER_ERRORS) else None


def _to_json(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads)


async def _keep_session(_connection: asyncpg.Connection) -> None:
    """Sessions hold no state between transactions, so the pool's reset round trip is not needed."""


async def when_available(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives once the server answers, however long that takes: services and servers start in any order."""
    wait = 0.1
    while True:
        try:
            return await ask()
        except (Unavailable, *DRIVER_ERRORS) as error:
            if not isinstance(error, Unavailable) and unavailable(error) is None:
                raise
            log.warning("database.waiting", error=repr(error))
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


class NotCommitted(Exception):
    """A statement failed and its error was passed over: nothing of the transaction was written."""


class Transaction:
    """What a use case may do: read and write rows, and publish. Ends with the block that opened it."""

    def __init__(self, connection: asyncpg.Connection, service: str, clock: Clock, actor: Actor) -> None:
        self.connection = connection
        self.service = service
        self.clock = clock
        self.actor = actor
        self.cause: Envelope | None = None
        self.published: list[outbox.Pending] = []
        self.wakes = False
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.fetch = connection.fetch
        self.fetchrow = connection.fetchrow
        self.fetchval = connection.fetchval

    @property
    def caused_by(self) -> str | None:
        """`topic/key/sequence` of the event being applied, None outside a consumer."""
        return self.cause.cause if self.cause else None

    def publish(self, *events: Event) -> None:
        """Says the events, in this order, if and when the transaction commits.

        Raises EventTooLarge when Kafka would refuse the record.
        """
        self.published.extend(outbox.pending(event, self) for event in events)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        said = len(self.published)
        await self.execute("SAVEPOINT inner_block")
        try:
            yield
            await self.execute("RELEASE SAVEPOINT inner_block")
        except BaseException:
            del self.published[said:]
            await _roll_back(
                self.connection, "ROLLBACK TO SAVEPOINT inner_block; RELEASE SAVEPOINT inner_block"
            )
            raise


class Database:
    def __init__(self, pool: asyncpg.Pool, service: str, clock: Clock) -> None:
        self.pool = pool
        self.service = service
        self.clock = clock
        self.wake: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, url: str, *, service: str, clock: Clock, pool_size: int = 8) -> "Database":
        """Raises Unavailable while the server does not answer."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=pool_size,
                command_timeout=COMMAND_TIMEOUT,
                timeout=ACQUIRE_TIMEOUT,
                max_inactive_connection_lifetime=300,
                init=_prepare,
                reset=_keep_session,
                server_settings={**SERVER_SETTINGS, "application_name": service},
            )
        except DRIVER_ERRORS as error:
            raise unavailable(error) or error from error
        return cls(pool, service, clock)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self.pool.close(), CLOSE_TIMEOUT)
        except DRIVER_ERRORS:
            self.pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A pooled connection; database errors that a later try may cure come out as Unavailable."""
        try:
            async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
                yield connection
        except DRIVER_ERRORS as error:
            await self._expire_if_broken(error)
            raise unavailable(error) or error from error

    async def _expire_if_broken(self, error: BaseException) -> None:
        if isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(_EXPIRE_POOL):
            await self.pool.expire_connections()

    @asynccontextmanager
    async def transaction(self, actor: Actor = SYSTEM) -> AsyncIterator[Transaction]:
        """Commits when the block ends, rolls back when it raises.

        Raises Unavailable when the outcome is a failure *or unknown*: repeat the whole unit, never report it failed;
        NotCommitted.
        """
        async with self.connection() as connection:
            await connection.execute("BEGIN")
            tx = Transaction(connection, self.service, self.clock, actor)
            try:
                yield tx
                if not switched_off("outbox"):
                    await outbox.write(tx)
                if tx.published:
                    await failpoint("publish.before_commit")
            except BaseException:
                await _roll_back(connection, "ROLLBACK")
                raise
            # PostgreSQL answers the COMMIT of a transaction with a failed statement by ROLLBACK, and no error.
            if await connection.execute("COMMIT") != "COMMIT":
                raise NotCommitted
            if tx.published:
                await failpoint("publish.after_commit")
            if switched_off("outbox"):
                await outbox.write(tx)
        if tx.published or tx.wakes:
            self.wake()

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def stream(
        self, sql: str, *arguments: object, prefetch: int = 500
    ) -> AsyncGenerator[asyncpg.Record, None]:
        """Rows of a long read in one snapshot, without holding them all in memory."""
        async with (
            self.connection() as connection,
            connection.transaction(readonly=True, isolation="repeatable_read"),
        ):
            async for row in connection.cursor(sql, *arguments, prefetch=prefetch):
                yield row


async def _roll_back(connection: asyncpg.Connection, statement: str) -> None:
    # A statement that the block began and did not wait for may still run on the connection.
    ends = time.monotonic() + ACQUIRE_TIMEOUT
    while True:
        try:
            await connection.execute(statement)
        except asyncpg.InterfaceError as error:
            if _CONNECTION_LOST.search(str(error)):
                return  # and with it the transaction
            if time.monotonic() > ends:
                break
            await asyncio.sleep(0.05)
        except DRIVER_ERRORS:
            break
        else:
            return
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


def values(rows: Iterable[asyncpg.Record], column: str) -> list[Any]:
    return [row[column] for row in rows]
