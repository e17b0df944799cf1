"""The Kafka that the environment names, for a house: its topics are deleted first, those that a house needs and no others."""

import os
from dataclasses import dataclass
from typing import Any

from chassis import kafka_admin
from chassis.topics import load_topics


@dataclass(frozen=True)
class NamedKafka:
    bootstrap: str
    idempotence: bool = True

    @property
    def client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.bootstrap}

    def environment(self, prefix: str) -> dict[str, str]:
        return {f"{prefix}KAFKA_BOOTSTRAP": self.bootstrap, f"{prefix}KAFKA_IDEMPOTENCE": "true"}


async def emptied(banks: tuple[str, ...]) -> NamedKafka:
    """Raises KeyError without KAFKA_BOOTSTRAP."""
    kafka = NamedKafka(os.environ["KAFKA_BOOTSTRAP"])
    topics = [
        name.format(bank_id=bank) if topic.is_template else name
        for name, topic in load_topics().items()
        for bank in (banks if topic.is_template else ("",))
    ]
    await kafka_admin.delete_topics(kafka.client, topics)
    return kafka
