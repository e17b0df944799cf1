"""Intervals in the law's own notation, and ladders of them that neither overlap nor leave a gap."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

_NOTATION = re.compile(
    r"([\[(])\s*(-inf|-?[0-9]+(?:\.[0-9]+)?)\s*,\s*(inf|-?[0-9]+(?:\.[0-9]+)?)\s*([\])])\Z"
)


class Interval(NamedTuple):
    """`[low, high)` and its kin; None is no bound on that side. Bounds are exact."""

    low: Fraction | None
    high: Fraction | None
    low_included: bool
    high_included: bool

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Reads `[0.35, inf)`, `(50000000, 200000000]`, `[4, 4]`. Raises ValueError."""
        match = _NOTATION.match(text)
        if match is None:
            raise ValueError(f"no interval: {text!r}")
        left, low_text, high_text, right = match.groups()
        low = None if low_text == "-inf" else Fraction(Decimal(low_text))
        high = None if high_text == "inf" else Fraction(Decimal(high_text))
        interval = cls(low, high, left == "[" and low is not None, right == "]" and high is not None)
        if low is not None and high is not None and not interval._holds_something(low, high):
            raise ValueError(f"empty interval: {text!r}")
        return interval

    def _holds_something(self, low: Fraction, high: Fraction) -> bool:
        return low < high or (low == high and self.low_included and self.high_included)

    def holds(self, number: Fraction) -> bool:
        if self.low is not None and (number < self.low or (number == self.low and not self.low_included)):
            return False
        return self.high is None or number < self.high or (number == self.high and self.high_included)


def check_ladder(bands: Sequence[Interval], *, whole_numbers: bool, negative: bool) -> str | None:
    """What is wrong with the bands as a ladder over their whole range (`overlap …`, `gap …`), or None.

    `whole_numbers`: the measure counts, so `[1, 2]` and `[3, 4]` touch. `negative`: it may fall below zero.
    """
    ordered = sorted(bands, key=lambda band: (band.low is not None, band.low or 0, not band.low_included))
    lowest = ordered[0].low
    if lowest is not None and (negative or lowest > 0 or not ordered[0].low_included):
        return f"gap below {lowest}"
    for lower, upper in pairwise(ordered):
        problem = _between(lower, upper, whole_numbers=whole_numbers)
        if problem is not None:
            return problem
    if ordered[-1].high is not None:
        return f"gap above {ordered[-1].high}"
    return None


def _between(lower: Interval, upper: Interval, *, whole_numbers: bool) -> str | None:
    if lower.high is None or upper.low is None or lower.high > upper.low:
        return f"overlap at {upper.low if upper.low is not None else '-inf'}"
    if lower.high == upper.low:
        if lower.high_included and upper.low_included:
            return f"overlap at {upper.low}"
        touching = lower.high_included or upper.low_included
        return None if touching else f"gap at {upper.low}"
    follows = whole_numbers and lower.high_included and upper.low_included and upper.low == lower.high + 1
    return None if follows else f"gap between {lower.high} and {upper.low}"


def ascending(interval: Interval) -> tuple[bool, Fraction, bool]:
    """The order of touching intervals: by where they begin, an included begin first."""
    low = Fraction(0) if interval.low is None else interval.low
    return interval.low is not None, low, not interval.low_included


def compile_ladder(intervals: list[Interval]) -> Callable[[int | Fraction, int | Fraction], int]:
    """The place of a fraction (denominator above zero) in ascending, touching intervals.

    Every edge is a whole number on the grid of the common denominator. Twice that number stands for the edge itself,
    the odd numbers for what lies between two grid points, so that one search in whole numbers decides exactly.
    """
    edges = [(interval.high, interval.high_included) for interval in intervals if interval.high is not None]
    grid = lcm(*(edge.denominator for edge, _ in edges))
    tops = [int(edge * grid) * 2 - (not included) for edge, included in edges]

    def place(numerator: int | Fraction, denominator: int | Fraction) -> int:
        whole, rest = divmod(numerator * grid, denominator)
        return bisect_left(tops, whole * 2 + (rest != 0))

    return place
