"""What can be done to the brokers of a run."""

import os
import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Protocol

from chassis.embedded import EmbeddedBroker
from chassis.kafka_admin import Broker

CONTROL = "CHAOS_KAFKA_CONTROL"
_PATIENCE = 240


class BrokerControl(Protocol):
    """Nodes are numbered from 1. `lasting`: what a broker has acknowledged is there when it comes back.

    Starting returns when the broker answers. Each verb may be said twice; `from_thread` tells whether it may be said
    from a thread that is not the main one.
    """

    @property
    def nodes(self) -> Sequence[int]: ...
    @property
    def controlled(self) -> bool: ...
    @property
    def lasting(self) -> bool: ...
    @property
    def from_thread(self) -> bool: ...
    def kill(self, node: int) -> None: ...
    def stop(self, node: int) -> None: ...
    def start(self, node: int) -> None: ...
    def pause(self, node: int) -> None: ...
    def resume(self, node: int) -> None: ...


class EmbeddedControl:
    """The embedded broker, which forgets everything when its process ends."""

    nodes = (1,)
    controlled = True
    lasting = False
    from_thread = False

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    def kill(self, node: int) -> None:
        self._broker.kill()

    def stop(self, node: int) -> None:
        self._broker.stop()

    def start(self, node: int) -> None:
        self._broker.start()

    def pause(self, node: int) -> None:
        if self._broker.running:
            self._broker.pause()

    def resume(self, node: int) -> None:
        if self._broker.running:
            self._broker.resume()


class CommandControl:
    """A given Kafka whose brokers a command ends, freezes and starts: `COMMAND kill|stop|start|pause|resume NODE`."""

    controlled = True
    lasting = True
    from_thread = True

    def __init__(self, command: str, bootstrap: str) -> None:
        self._command = shlex.split(command)
        self._servers = bootstrap.split(",")
        self.nodes = tuple(range(1, len(self._servers) + 1))

    def kill(self, node: int) -> None:
        self._tell("kill", node)
        self._until(node, there=False)

    def stop(self, node: int) -> None:
        self._tell("stop", node)
        self._until(node, there=False)

    def start(self, node: int) -> None:
        """A broker that is still ending counts as running for the command, hence the repetition."""
        until = time.monotonic() + _PATIENCE
        told = self._tell("start", node)
        while not self._until(node, there=True, seconds=2):
            if time.monotonic() > until:
                raise RuntimeError(f"broker {node} does not start:\n{told.stdout}{told.stderr}")
            told = self._tell("start", node)

    def pause(self, node: int) -> None:
        self._tell("pause", node)

    def resume(self, node: int) -> None:
        self._tell("resume", node)

    def _tell(self, verb: str, node: int) -> subprocess.CompletedProcess[str]:
        command = [*self._command, verb, str(node)]
        return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)

    def _until(self, node: int, *, there: bool, seconds: float = 60) -> bool:
        """Waits until the broker's port is open, or no longer."""
        host, _, port = self._servers[node - 1].rpartition(":")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with socket.socket() as probe:
                probe.settimeout(1)
                if (probe.connect_ex((host, int(port))) == 0) == there:
                    return True
            time.sleep(0.05)
        return False


class NoControl:
    """A given Kafka that nothing can be done to."""

    controlled = False
    lasting = True
    from_thread = True

    def __init__(self, bootstrap: str) -> None:
        self.nodes = tuple(range(1, len(bootstrap.split(",")) + 1))

    def kill(self, node: int) -> None:
        raise NotImplementedError(f"nothing is known that ends brokers: {CONTROL}")

    stop = pause = kill

    def start(self, node: int) -> None: ...

    resume = start


def given_control() -> BrokerControl | None:
    """For the Kafka that KAFKA_BOOTSTRAP names; None where the embedded broker is used."""
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
    if not bootstrap:
        return None
    command = os.environ.get(CONTROL)
    return CommandControl(command, bootstrap) if command else NoControl(bootstrap)


def control_of(broker: Broker) -> BrokerControl:
    if isinstance(broker, EmbeddedBroker):
        return EmbeddedControl(broker)
    return NoControl(broker.bootstrap)
