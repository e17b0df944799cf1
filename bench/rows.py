"""A measured row: ours beside the peer, in one run, over several rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the results. `ratio` compares as the promise does; `spread` is (max - min) / median of ours."""

    id: str
    what: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    promise: str
    met: bool
    unit: str
    spread: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def against(
    row_id: str,
    what: str,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    *,
    at_least: float,
    unit: str,
) -> Row:
    """A row whose promise is a ratio of medians, more being better."""
    mine, theirs = statistics.median(ours), statistics.median(peer)
    ratio = mine / theirs
    spread = (max(ours) - min(ours)) / mine
    return Row(
        row_id, what, round(mine, 1), round(theirs, 1), peer_name, round(ratio, 2), f">= {at_least:g}x",
        ratio >= at_least, unit, round(spread, 3),
    )  # fmt: skip


def at_most(row_id: str, what: str, ours: Sequence[float], bound: float, unit: str) -> Row:
    """A row whose promise is an absolute bound, less being better."""
    mine = statistics.median(ours)
    spread = (max(ours) - min(ours)) / mine
    return Row(
        row_id,
        what,
        round(mine, 2),
        None,
        "-",
        None,
        f"<= {bound:g} {unit}",
        max(ours) <= bound,
        unit,
        round(spread, 3),
    )
