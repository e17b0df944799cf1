"""Why rows cannot be judged: the first rule that a row breaks, as the scalar engine would say it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casework.columns.whole import Mask


@dataclass(slots=True)
class Refusals:
    """`code` 0: not refused; else the place, counted from 1, in `reasons` (path, rule)."""

    code: NDArray[np.int16]
    reasons: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def none(cls, size: int) -> "Refusals":
        return cls(np.zeros(size, np.int16))

    def add(self, path: str, rule: str, rows: Mask) -> None:
        """Rows that were refused before keep their reason."""
        if rows.any():
            self.code[rows & (self.code == 0)] = self.code_of(path, rule)

    def code_of(self, path: str, rule: str) -> int:
        if (path, rule) not in self.reasons:
            self.reasons.append((path, rule))
        return self.reasons.index((path, rule)) + 1
