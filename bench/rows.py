"""A measured row: ours beside the peer, in one run, over several rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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


def at_most_times(
    row_id: str,
    what: str,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    *,
    bound: float,
    unit: str,
) -> Row:
    """A row whose promise is a ratio of medians, less being better."""
    mine, theirs = statistics.median(ours), statistics.median(peer)
    ratio = mine / theirs
    return Row(
        row_id, what, round(mine, 2), round(theirs, 2), peer_name, round(ratio, 2), f"<= {bound:g}x", ratio <= bound,
        unit, round((max(ours) - min(ours)) / mine, 3),
    )  # fmt: skip


def at_least_share(
    row_id: str,
    what: str,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    *,
    share: float,
    unit: str,
) -> Row:
    """A row whose promise is that ours stays near another figure of our own."""
    return replace(
        against(row_id, what, ours, peer, peer_name, at_least=share, unit=unit), promise=f">= {share:g}x"
    )


def told(
    row_id: str, what: str, ours: float, unit: str, *, peer: float | None = None, peer_name: str = "-"
) -> Row:
    """A row that promises nothing: a figure, and how it compares where it is compared."""
    ratio = round(ours / peer, 2) if peer else None
    return Row(row_id, what, round(ours, 1), peer, peer_name, ratio, "-", met=True, unit=unit, spread=0.0)
