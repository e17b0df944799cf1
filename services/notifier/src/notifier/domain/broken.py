"""What stops the start."""

from typing import NamedTuple


class Fault(NamedTuple):
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class BrokenTable(ValueError):
    """The table or a template cannot be used. One line for each fault: `file:line: what is wrong`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
