"""Topics made and removed. `client` is what connects an aiokafka client: bootstrap_servers, security_protocol, …"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

Client = Mapping[str, Any]


class Broker(Protocol):
    """A Kafka that clients and services can be told of: the embedded one, or one that is given."""

    @property
    def idempotence(self) -> bool: ...
    @property
    def bootstrap(self) -> str: ...
    @property
    def client(self) -> dict[str, Any]:
        """Connection arguments for an aiokafka client."""
        ...

    def environment(self, prefix: str) -> dict[str, str]:
        """The settings of a service that uses this broker, e.g. with prefix `NOTIFIER_`."""
        ...


_COPIES = 3
_DONE = 0
_UNKNOWN_TOPIC = 3
_TOPIC_EXISTS = 36


@asynccontextmanager
async def _admin(client: Client) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def create_topics(client: Client, topics: Mapping[str, int], *, replication: int | None = None) -> None:
    """Creates the topics (name → partitions) that are missing; without `replication` with three copies at most.

    Raises a KafkaError when the broker refuses.
    """
    async with _admin(client) as admin:
        if replication is None:
            cluster = await admin.describe_cluster()
            replication = min(_COPIES, len(cluster["brokers"]))
        response = await admin.create_topics([NewTopic(n, p, replication) for n, p in topics.items()])
        _raise_for(response.topic_errors, {_DONE, _TOPIC_EXISTS})


async def delete_topics(client: Client, topics: Collection[str]) -> None:
    """Deletes the topics that exist and returns when the broker no longer lists them."""
    async with _admin(client) as admin:
        response = await admin.delete_topics(list(topics))
        _raise_for(response.topic_error_codes, {_DONE, _UNKNOWN_TOPIC})
        while set(topics) & set(await admin.list_topics()):  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.05)


async def list_topics(client: Client) -> list[str]:
    """The topics that are not the broker's own."""
    async with _admin(client) as admin:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))


async def count_partitions(client: Client) -> dict[str, int]:
    """How many partitions each topic has that is not the broker's own."""
    async with _admin(client) as admin:
        names = [name for name in await admin.list_topics() if not name.startswith("__")]
        described = await admin.describe_topics(names) if names else []
    _raise_for([(topic["topic"], topic["error_code"]) for topic in described], {_DONE})
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def _raise_for(results: Iterable[tuple[Any, ...]], fine: set[int]) -> None:
    for name, code, *_ in results:
        if code not in fine:
            error: type[KafkaError] = for_code(code)
            raise error(name)
