"""Compiles one score item: its measure's band, the points that the band allows, and the points given."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from casework.criteria import Item, Score
from casework.edition import Edition
from casework.ladders import as_points, compile_finder
from casework.measures.amounts import Case
from casework.unusable import UnusableInput
from casework.verdict import Given, ItemResult, Points, Reach


def compile_item(item: Item, score: Score, edition: Edition) -> Callable[[Case], ItemResult]:
    """The closure that rates the item. It raises UnusableInput when the points given break the law."""
    name = item.id
    find = compile_finder(item, _reaches(item, score), edition)
    points_of = _compile_given(item, score)
    own = (f"judgements.{name}",)
    whole_points = score.given == "points"

    def rate(case: Case) -> ItemResult:
        reaches, ratio, needs, free = find(case)
        flags: tuple[str, ...] = ()
        if case.flags:
            flags = tuple(case.flags)
            case.flags.clear()
        given = case.judgements.get(name)
        if (
            type(given) is int
            and whole_points
            and reaches[0].lo <= given <= reaches[0].hi
            and len(reaches) == 1
        ):
            return tuple.__new__(ItemResult, (item, ratio, reaches[0], given, given, given, (), flags))
        try:
            points = None if given is None else points_of(given, reaches)
        except _OutsideBand as outside:
            if not case.estimated:
                raise outside.refusal from None
            only = reaches[0]
            needs = own if only.lo != only.hi else ()
            return ItemResult(item, ratio, only, outside.points, only.lo, only.hi, needs, (*flags, *own))
        single = len(reaches) == 1
        reach = reaches[0] if single else _narrow(reaches, points, free=free)
        if points is not None and (single or free):
            return ItemResult(item, ratio, reach, points, points, points, (), flags)
        needs = needs or (own if reach.lo != reach.hi else ())
        return ItemResult(item, ratio, reach, points, reach.lo, reach.hi, needs, flags)

    return rate if item.ladders or item.shows is not None else _remembered(name, rate)


def _remembered(name: str, rate: Callable[[Case], ItemResult]) -> Callable[[Case], ItemResult]:
    """Where the points given alone decide, equal points give the same result object."""
    results: dict[object, ItemResult] = {}

    def rate_once(case: Case) -> ItemResult:
        given = case.judgements.get(name)
        if type(given) is not int:
            return rate(case)
        result = results.get(given)
        if result is None:
            result = results[given] = rate(case)
        return result

    return rate_once


def _narrow(reaches: tuple[Reach, ...], points: Given | None, *, free: bool) -> Reach:
    """The hull of the possible bands, or the one the points lie in where no fact decides between them."""
    if free and points is not None:
        for reach in reaches:
            if reach.lo <= points <= reach.hi:
                return reach
    return Reach(None, min(r.lo for r in reaches), max(r.hi for r in reaches), verified=True)


def _reaches(item: Item, score: Score) -> dict[str, Reach]:
    unit = item.max if score.given == "coefficient" else Decimal(1)
    grades = score.grades_of(item)
    return {
        grade: Reach(grade, as_points(low * unit), as_points(high * unit), verified=True)
        for grade, (low, high) in grades.items()
    }


def _compile_given(item: Item, score: Score) -> Callable[[bool | Given, tuple[Reach, ...]], Given]:
    by_coefficient = score.given == "coefficient"
    unit = as_points(item.max) if by_coefficient else 1
    most = 1 if by_coefficient else as_points(item.max)

    def points_of(given: bool | Given, reaches: tuple[Reach, ...]) -> Given:
        # The mean of sheets, each of which was checked, may lie between two grades.
        if isinstance(given, Fraction):
            return given * Fraction(unit)
        points = _checked(item, given, most, by_coefficient=by_coefficient) * unit
        for reach in reaches:
            if reach.lo <= points <= reach.hi:
                return points
        if len(reaches) > 1:
            raise _refused(item, "judgement_in_no_grade", given=given)
        only = reaches[0]
        limits: Mapping[str, Any] = {"lo": Decimal(only.lo) / unit, "hi": Decimal(only.hi) / unit}
        refusal = _refused(item, "judgement_outside_band", given=given, grade=only.grade or "", **limits)
        raise _OutsideBand(points, refusal)

    return points_of


def _checked(item: Item, given: bool | Points, most: Points, *, by_coefficient: bool) -> Points:
    if isinstance(given, bool):
        raise _refused(item, "judgement_not_number")
    if not by_coefficient and not isinstance(given, int):
        raise _refused(item, "judgement_not_whole", given=given)
    if not 0 <= given <= most:
        raise _refused(item, "judgement_outside", given=given, lo=0, hi=most)
    return given


class _OutsideBand(Exception):
    """The points given are none that the band, which the facts alone decide, allows."""

    def __init__(self, points: Given, refusal: UnusableInput) -> None:
        super().__init__(str(refusal))
        self.points = points
        self.refusal = refusal


def _refused(item: Item, rule: str, **values: Any) -> UnusableInput:
    source = f"{item.source.instrument} {item.source.article}"
    return UnusableInput(f"judgements.{item.id}", rule, source=source, **values)
