"""A TCP proxy of ours between one process and its PostgreSQL, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal, Self, TypeVar

import uvloop

from chassis.servers import HOST
from rig.pgwire import Conversation

_CHUNK = 65_536
Way = Literal["to", "from"]  # the server
T = TypeVar("T")


class Proxy:
    """Listens on loopback for the connections of one process and passes them on to `HOST:target`.

    A context manager; all its methods may be called from any thread. What is held back is late, never lost: TCP
    would bring it too, and a stream with a hole would be a fault that no network has.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.answers_lost = 0
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy to {target}", daemon=True)
        self._links: set[_Link] = set()
        self._refusing = False
        self._delay = 0.0
        self._open: dict[Way, asyncio.Event] = {"to": asyncio.Event(), "from": asyncio.Event()}
        self._commits_to_cut = 0
        self._server: asyncio.Server

    def __enter__(self) -> Self:
        self._thread.start()
        self.let_pass()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    def let_pass(self) -> None:
        """Everything passes again, and what was held back first."""
        self._do(self._let_pass)

    def cut(self) -> None:
        """Drops all connections and, until `let_pass`, every new one."""
        self._do(self._refuse)

    def drop(self) -> None:
        """Drops all connections; new ones pass."""
        self._do(self._drop_all)

    def hold(self, *ways: Way) -> None:
        """Nothing passes `to` or `from` the server, and no connection ends or begins, until `let_pass`."""
        self._do(lambda: self._hold(ways))

    def delay(self, seconds: float) -> None:
        """Everything that is sent, either way, waits so long."""
        self._delay = seconds

    def cut_after_commit(self, times: int = 1) -> None:
        """Drops the next connections that commit, when the server has answered and before the client is told."""
        self._commits_to_cut = times

    @property
    def commits_to_cut(self) -> int:
        return self._commits_to_cut

    def connections(self) -> set[int]:
        """The local ports from which the server is reached, as `pg_stat_activity.client_port` shows them."""
        return self._do(lambda: {link.port for link in self._links if link.port})

    def _do(self, work: Callable[[], T]) -> T:
        async def there() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(10)

    def _let_pass(self) -> None:
        self._refusing, self._delay, self._commits_to_cut = False, 0.0, 0
        for gate in self._open.values():
            gate.set()

    def _refuse(self) -> None:
        self._refusing = True
        self._drop_all()

    def _hold(self, ways: Iterable[Way]) -> None:
        for way in ways:
            self._open[way].clear()

    def _drop_all(self) -> None:
        for link in list(self._links):
            link.drop()

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _end(self) -> None:
        self._server.close()
        self._let_pass()
        self._drop_all()
        while self._links:
            await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    async def passage(self, way: Way) -> None:
        """Waits as long as nothing may pass this way."""
        await self._open[way].wait()
        if self._delay:
            await asyncio.sleep(self._delay)
            await self._open[way].wait()

    def takes_a_commit(self) -> bool:
        """Whether the answer to a COMMIT that passes now has to be lost."""
        if self._commits_to_cut <= 0:
            return False
        self._commits_to_cut -= 1
        return True

    def give_back(self) -> None:
        self._commits_to_cut += 1


class _Link:
    """One connection and its counterpart on the server's side."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = reader, writer
        self._writers = [writer]
        self._talk = Conversation()
        self._held: bytes | None = None
        self._pumps: list[asyncio.Task[None]] = []
        self._dropped = False
        self.port = 0

    async def run(self) -> None:
        try:
            await self._proxy.passage("to")
            await self._proxy.passage("from")
            reader, writer = await asyncio.open_connection(HOST, self._proxy.target)
        except OSError:
            self._client[1].transport.abort()
            return
        self._writers.append(writer)
        if self._dropped:
            self.drop()
            return
        self.port = writer.get_extra_info("sockname")[1]
        for end in self._writers:
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pumps = [
            asyncio.create_task(self._pump("to", self._client[0], writer, self._to_server)),
            asyncio.create_task(self._pump("from", reader, self._client[1], self._to_client)),
        ]
        await asyncio.wait(self._pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for end in self._writers:
            end.close()

    def drop(self) -> None:
        """Both ends see a reset."""
        self._dropped = True
        for end in self._writers:
            end.transport.abort()
        for pump in self._pumps:
            pump.cancel()

    async def _pump(
        self,
        way: Way,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inspect: Callable[[bytes], bytes],
    ) -> None:
        with suppress(OSError):
            while received := await reader.read(_CHUNK):
                await self._proxy.passage(way)
                writer.write(inspect(received))
                await writer.drain()
            await self._proxy.passage(way)  # the end of a stream is held back like the rest

    def _to_server(self, said: bytes) -> bytes:
        if self._talk.client(said) and self._held is None and self._proxy.takes_a_commit():
            self._held = b""
        return said

    def _to_client(self, said: bytes) -> bytes:
        outcome = self._talk.server(said)
        if self._held is None:
            return said
        self._held += said
        if outcome is None:
            return b""
        if outcome == "COMMIT":
            self._proxy.answers_lost += 1
            self.drop()
            return b""
        said, self._held = self._held, None
        self._proxy.give_back()
        return said
