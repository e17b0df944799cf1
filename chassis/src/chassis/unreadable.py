"""Records that aiokafka cannot read. It decodes the names of headers as UTF-8, as no broker does; a name that is not
ends its reading: every fetch of the partition fails at the same place, for ever.

So what cannot be read, and what its producer sent behind it in the same batch, is replaced by records that say so and
name no place in a sequence: they are set aside in `parked`, and the record itself stays in Kafka at its offset.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher

_READING = fetcher.PartitionRecords


class _Remembering:
    """Record batches one by one, and the one that was given last."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self.last: Any = None
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        self.last = self._batches.next_batch()
        return self.last


class ReadableRecords(_READING):  # type: ignore[misc, valid-type]  # aiokafka has no types
    _tp: TopicPartition
    _records: Any
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord[bytes, bytes]]:
        batches = self._records = _Remembering(self._records)
        while True:
            try:
                yield from super()._unpack_records()
            except UnicodeDecodeError as error:
                for offset in range(self.next_fetch_offset, batches.last.next_offset):
                    self.next_fetch_offset = offset + 1
                    yield self._stand_in(offset, batches.last.max_timestamp, str(error))
            else:
                return

    def _stand_in(self, offset: int, timestamp: int, error: str) -> ConsumerRecord[bytes, bytes]:
        headers = (("unreadable", error.encode(errors="backslashreplace")),)
        return ConsumerRecord(
            self._tp.topic, self._tp.partition, offset, timestamp, 0, None, None, None, -1, -1, headers
        )


def read_past_the_unreadable() -> None:
    """For every consumer of this process. Nothing else of aiokafka lets a record be passed that it cannot read."""
    fetcher.PartitionRecords = ReadableRecords
