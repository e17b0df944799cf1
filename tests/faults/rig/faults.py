"""Every fault that the rig knows, by name."""

from typing import Final

from rig import (
    faults_brokers,
    faults_database,
    faults_handlers,
    faults_network,
    faults_processes,
    faults_records,
)
from rig.fault import Fault

__all__ = ["FAULTS", "Fault"]

_GROUPS: Final = (
    faults_processes.FAULTS, faults_database.FAULTS, faults_network.FAULTS, faults_brokers.FAULTS,
    faults_records.FAULTS, faults_handlers.FAULTS,
)  # fmt: skip
FAULTS: Final = {fault.name: fault for group in _GROUPS for fault in group}
