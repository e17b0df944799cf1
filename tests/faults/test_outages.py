"""Ten seconds without the broker, ten without the database: held, then done; nothing parked, nothing lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from test_killed_at_each_step import known_to_all, said
from way import Way

from chassis.embedded import EmbeddedBroker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_ten_seconds_without_the_broker(way: Way) -> None:
    broker = way.house.broker
    if not isinstance(broker, EmbeddedBroker):
        pytest.skip("a given Kafka is not ours to stop")
    broker.pause()
    began = time.monotonic()
    firms = [way.register() for _ in range(3)]  # enterprises are served meanwhile
    time.sleep(max(0.0, 10 - (time.monotonic() - began)))
    broker.resume()
    way.until(lambda: all(known_to_all(way, firm) for firm in firms), "known to all", 90)
    way.assert_kept()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_database_restarts_and_every_acknowledged_write_is_there_once(
    way: Way, mode: Literal["fast", "immediate"]
) -> None:
    with ThreadPoolExecutor(4) as many:
        writes = [many.submit(way.register) for _ in range(12)]
        way.house.postgres.restart(mode)
        firms = [write.result() for write in writes]
    way.until(lambda: all(known_to_all(way, firm) for firm in firms), "known to all", 90)
    assert [said(way, firm) for firm in firms] == [1] * len(firms)
    way.assert_kept()


def test_ten_seconds_without_the_database(way: Way) -> None:
    postgres = way.house.postgres
    postgres.stop()
    time.sleep(10)
    postgres.start()
    firm = way.register()
    way.until(lambda: known_to_all(way, firm), "known to all", 90)
    assert all(service.running for service in way.house.services.values())
    way.assert_kept()
