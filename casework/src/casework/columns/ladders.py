"""Finds the bands that each row's facts allow for a score item: a set of bands is a number, one bit for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from casework.bands import ascending
from casework.columns.amounts import AT_LEAST, NO_GRADE, SPAN, Amounts, Judging, build, only
from casework.columns.conditions import compile_ladder
from casework.columns.whole import Mask
from casework.criteria import Item, ItemBand, Ladder
from casework.edition import Edition
from casework.ladders import as_points
from casework.verdict import Reach

_LADDER = ("absent_is_open", "measure", "with_", "bands")
_BAND = ("when", "grade", "grade_of", "next", "free")
_LOWEST = Reach("F", 0, 0, verified=True)
Sets: TypeAlias = NDArray[np.int64]
# The bands that are possible, and where no fact decides among them: for each row, or one for all.
Found: TypeAlias = "tuple[Sets, Mask]"
Finder: TypeAlias = Callable[[Judging], Found]


@dataclass(slots=True)
class Bands:
    """The bands of one item; bit `n` of a set stands for the n-th."""

    reaches: list[Reach] = field(default_factory=list)

    def bit(self, reach: Reach) -> int:
        if reach not in self.reaches:
            self.reaches.append(reach)
        return 1 << self.reaches.index(reach)


def compile_finder(item: Item, reaches: Mapping[str, Reach], edition: Edition, bands: Bands) -> Finder:
    """Raises NotColumnar. Without a ladder every grade is open to the expert."""
    if item.ladders:
        finder: Finder | None = None
        for ladder in reversed(item.ladders):
            finder = _compile_ladder(item, ladder, reaches, edition=edition, bands=bands, following=finder)
        assert finder is not None
        return finder
    open_to = tuple(reaches.values()) or (Reach(None, 0, as_points(item.max), verified=True),)
    everything = np.array([sum(bands.bit(reach) for reach in dict.fromkeys(open_to))]), np.array([True])
    return lambda _judging: everything


def _compile_ladder(
    item: Item,
    ladder: Ladder,
    reaches: Mapping[str, Reach],
    *,
    edition: Edition,
    bands: Bands,
    following: Finder | None,
) -> Finder:
    only(ladder, *_LADDER)
    measured = build(ladder.measure, edition, ladder.with_)
    steps = sorted(ladder.bands, key=lambda band: ascending(band.when))
    place = compile_ladder([step.when for step in steps])
    # A step that passes on has no bit of its own.
    bits = np.array([_bit(step, item, reaches, edition, bands) for step in steps], np.int64)
    passing = np.concatenate([[0], np.cumsum(bits == 0)])
    ranges = np.array([[_any(bits[a:b]) for b in range(len(bits) + 1)] for a in range(len(bits))], np.int64)
    lowest = bands.bit(reaches.get("F", _LOWEST))

    def find(judging: Judging) -> Found:
        amounts = measured(judging)
        first, last, decided = _candidates(amounts, place, len(steps))
        found = ranges[first, last]
        on = passing[last] > passing[first]
        free = np.zeros(len(found), np.bool_)
        if following is not None and on.any():
            more, more_free = following(judging)
            found = np.where(on, found | more, found)
            free |= on & (last - first == 1) & more_free
        if ladder.absent_is_open:
            free |= ~decided
        nothing = _without_value(amounts)
        found[nothing] = lowest
        free[nothing] = False
        return found, free

    return find


def _any(bits: NDArray[np.int64]) -> int:
    return int(np.bitwise_or.reduce(bits)) if len(bits) else 0


def _candidates(
    amounts: Amounts, place: Callable[..., NDArray[np.int64]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Mask]:
    """The first of the possible steps, the one after the last, and whether the facts decide."""
    first = place(amounts.numerator, amounts.denominator)
    last = first + 1
    if amounts.kind is None:
        return first, last, np.ones(len(first), np.bool_)
    span = amounts.are(SPAN)
    if span is not None:
        assert amounts.high is not None
        top = place(amounts.high, amounts.denominator) + 1
        if amounts.endless is not None:
            top[amounts.endless] = count
        last = np.where(span, top, last)
    last[amounts.kind >= AT_LEAST] = count
    first[amounts.kind > AT_LEAST] = 0
    return first, last, amounts.kind == 0


def _without_value(amounts: Amounts) -> Mask:
    """No grade is to be had, or the value is a number over zero."""
    size = len(amounts.numerator.low)
    nothing = np.zeros(size, np.bool_) if amounts.kind is None else amounts.kind == NO_GRADE
    if amounts.denominator is not None:
        zero = amounts.denominator.is_zero()
        nothing = nothing | (zero if amounts.kind is None else zero & (amounts.kind == 0))
    return nothing


def _bit(band: ItemBand, item: Item, reaches: Mapping[str, Reach], edition: Edition, bands: Bands) -> int:
    only(band, *_BAND)
    if band.next:
        return 0
    if band.free:
        return bands.bit(Reach(None, 0, as_points(item.max), verified=True))
    if band.grade is not None:
        return bands.bit(reaches[band.grade])
    assert band.grade_of is not None
    parameter = edition.parameters[band.grade_of]
    reach = reaches[str(parameter.value)]
    return bands.bit(reach if parameter.verified else reach._replace(verified=False))
