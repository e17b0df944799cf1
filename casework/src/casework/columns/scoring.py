"""Compiles the score: the points of every item, the groups' caps, and why points that were given are refused."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, lcm
from typing import Final

import numpy as np

from casework.columns.amounts import SPAN, Amounts, Judging, only
from casework.columns.ladders import Bands, Finder, compile_finder
from casework.columns.refusing import Refusals
from casework.columns.table import ABSENT, SCALE, YES
from casework.columns.whole import Ints, Mask, Whole
from casework.criteria import Item, Score
from casework.edition import Edition
from casework.ladders import as_points
from casework.verdict import Reach

_SCORE: Final = (
    "pass_above", "pass_above_of", "pass_at_least", "pass_at_least_of", "given", "grades", "groups", "items",
    "source", "verified",
)  # fmt: skip
_ITEM: Final = ("id", "title", "group", "by", "max", "grades", "ladders", "shows", "source", "verified")


@dataclass(frozen=True, slots=True, eq=False)
class _CompiledItem:
    """Points are whole numbers on the score's grid.

    `least`, `most` and `single` are looked up by the set of the possible bands; `points` and `bands_of`, the set of the
    bands that hold them, by what was given: whole points, or a coefficient times SCALE.
    """

    name: str
    find: Finder
    whole_points: bool
    least: Ints
    most: Ints
    single: Mask
    points: Ints
    bands_of: Ints

    def rate(self, judging: Judging, refusals: Refusals) -> tuple[Ints, Ints]:
        """The least and the most that the item adds, for each row or one for all."""
        possible, free = self.find(judging)
        least, most = self.least[possible], self.most[possible]
        given = judging.table.judgements.get(self.name)
        if given is None:
            return least, most
        place = given // SCALE if self.whole_points else given
        usable = (place >= 0) & (place < len(self.points))
        if self.whole_points:
            usable &= place * SCALE == given
        place = np.where(usable, place, 0)
        inside = usable & (self.bands_of[place] & possible != 0)
        single = self.single[possible]
        self._refuse(refusals, given, usable, inside | single)
        taken, points = inside & (single | free), self.points[place]
        return np.where(taken, points, least), np.where(taken, points, most)

    def _refuse(self, refusals: Refusals, given: Ints, usable: Mask, has_place: Mask) -> None:
        refused = (given != ABSENT) & ~(usable & has_place)
        if not refused.any():
            return
        path, number = f"judgements.{self.name}", given > YES
        refusals.add(path, "judgement_not_number", refused & ~number)
        if self.whole_points:
            refusals.add(path, "judgement_not_whole", refused & (given % SCALE != 0))
        refusals.add(path, "judgement_outside", refused & ~usable)
        refusals.add(path, "judgement_in_no_grade", refused)


@dataclass(frozen=True, slots=True)
class CompiledScore:
    """`grid` times every total is a whole number."""

    grid: int
    items: tuple[_CompiledItem, ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]

    def rate(self, judging: Judging, refusals: Refusals) -> tuple[Ints, Ints]:
        """The least and the highest total, on the grid; `judging.score` is set."""
        rated = [item.rate(judging, refusals) for item in self.items]
        low = high = np.zeros(judging.table.size, np.int64)
        for cap, members in self.groups:
            low = low + np.minimum(cap, sum(rated[at][0] for at in members))
            high = high + np.minimum(cap, sum(rated[at][1] for at in members))
        judging.score = Amounts(
            Whole.of(low),
            Whole.of(np.full(len(low), self.grid, np.int64), self.grid),
            np.where(low == high, 0, SPAN).astype(np.int8),
            Whole.of(high),
        )
        return low, high


def compile_score(edition: Edition) -> CompiledScore:
    """Raises NotColumnar."""
    score = edition.score
    assert score is not None
    only(score, *_SCORE)
    grid = lcm(*_denominators(score))
    items = tuple(_compile_item(item, score, edition, grid) for item in score.items)
    groups = tuple(
        (
            int(Fraction(group.max) * grid),
            tuple(at for at, i in enumerate(score.items) if i.group == group.id),
        )
        for group in score.groups
    )
    return CompiledScore(grid, items, tuple(pair for pair in groups if pair[1]))


def _denominators(score: Score) -> list[int]:
    numbers = [Fraction(group.max) for group in score.groups]
    for item in score.items:
        unit = _unit(item, score)
        grades = score.grades_of(item).values()
        numbers += [Fraction(edge) * unit for grade in grades for edge in grade]
        numbers += [Fraction(item.max), unit / (1 if score.given == "points" else SCALE)]
    return [number.denominator for number in numbers]


def _unit(item: Item, score: Score) -> Fraction:
    return Fraction(item.max) if score.given == "coefficient" else Fraction(1)


def _compile_item(item: Item, score: Score, edition: Edition, grid: int) -> _CompiledItem:
    only(item, *_ITEM)
    unit = _unit(item, score)
    bands = Bands()
    listed = {grade: _reach(grade, edges, item, score) for grade, edges in score.grades_of(item).items()}
    find = compile_finder(item, listed, edition, bands)
    edges = [(int(Fraction(reach.lo) * grid), int(Fraction(reach.hi) * grid)) for reach in bands.reaches]
    sets = range(1 << len(edges))
    within = [[edge for at, edge in enumerate(edges) if one >> at & 1] for one in sets]
    whole_points = score.given == "points"
    steps = floor(item.max) if whole_points else SCALE
    points = [int(at * unit * grid / (1 if whole_points else SCALE)) for at in range(steps + 1)]
    return _CompiledItem(
        item.id, find, whole_points,
        least=np.array([min((low for low, _ in some), default=0) for some in within]),
        most=np.array([max((high for _, high in some), default=0) for some in within]),
        single=np.array([len(some) == 1 for some in within]),
        points=np.array(points),
        bands_of=np.array([sum(1 << at for at, (low, high) in enumerate(edges) if low <= p <= high) for p in points]),
    )  # fmt: skip


def _reach(grade: str, edges: tuple[Decimal, Decimal], item: Item, score: Score) -> Reach:
    unit = item.max if score.given == "coefficient" else Decimal(1)
    low, high = (as_points(edge * unit) for edge in edges)
    return Reach(grade, low, high, verified=True)
