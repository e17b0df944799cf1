# ruff: noqa: INP001
"""Runs a command with KAFKA_BOOTSTRAP set to an Apache Kafka in a container, which is removed afterwards."""

import os
import subprocess
import sys

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from chassis.embedded import free_port

IMAGE = os.environ.get("KAFKA_IMAGE", "apache/kafka:4.3.1")
SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
}


def main(command: list[str]) -> int:
    port = free_port()
    address = f"127.0.0.1:{port}"
    kafka = DockerContainer(IMAGE).with_bind_ports(9092, port)
    kafka.with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://{address}")
    for name, setting in SETTINGS.items():
        kafka.with_env(name, setting)
    kafka.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(120))
    with kafka:
        return subprocess.call(command, env={**os.environ, "KAFKA_BOOTSTRAP": address})  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
