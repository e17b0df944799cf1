"""The eight promises, and what a check of one finds."""

from dataclasses import dataclass, field
from typing import Any, Final

SHOWN: Final = 20
TEXTS: Final = {
    "I1": "nothing lost",
    "I2": "no effect twice",
    "I3": "nothing invented",
    "I4": "in order",
    "I5": "never stuck",
    "I6": "consent",
    "I7": "audit",
    "I8": "outside channels",
}

Finding = dict[str, Any]


@dataclass(slots=True)
class Promise:
    """One promise as it was found. `findings` are the first SHOWN breaks; `notes` say what is worth knowing besides."""

    id: str
    checked: int = 0
    broken: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return TEXTS[self.id]

    def breaks(self, why: str, *, times: int = 1, **where: Any) -> None:
        self.broken += times
        if len(self.findings) < SHOWN:
            self.findings.append({**where, "why": why})


def promises() -> dict[str, Promise]:
    return {name: Promise(name) for name in TEXTS}
