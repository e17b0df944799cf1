"""Compiles one score item: its measure's band, the points that the band allows, and the points given."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from casework.conditions import compile_ladder
from casework.edition import Edition, Item, ItemBand, Ladder, Score
from casework.measures.amounts import REGISTRY, Amount, AtLeast, Case, Missing, NoGrade, Span
from casework.unusable import UnusableInput
from casework.verdict import ItemResult, Ratio

_LOWEST = "F"


class Reach(NamedTuple):
    """A band the facts may lie in; `grade` is None where the text gives none and the expert is free."""

    grade: str | None
    lo: Decimal
    hi: Decimal
    verified: bool


class Found(NamedTuple):
    """Every band the facts may lie in, the deciding value, and what is missing to say more.

    `free`: no fact decides among the bands, so the points given may stand alone.
    """

    reaches: tuple[Reach, ...]
    ratio: Ratio | None
    needs: tuple[str, ...]
    free: bool = False


Finder = Callable[[Case], Found]


def compile_item(item: Item, score: Score, edition: Edition) -> Callable[[Case], ItemResult]:
    """The closure that rates the item. It raises UnusableInput when the points given break the law."""
    reaches = _reaches(item, score)
    find = _compile_ladders(item, reaches, edition) if item.ladders else _compile_free(item, reaches, edition)
    judge = _compile_given(item, score)
    own = (f"judgements.{item.id}",)
    verified = item.verified

    def rate(case: Case) -> ItemResult:
        case.flags.clear()
        found = find(case)
        flags = tuple(case.flags)
        given = case.judgements.get(item.id)
        points = None if given is None else judge(given, found.reaches)
        reach, known = _narrow(found, points)
        if known and points is not None:
            return ItemResult(
                item, found.ratio, reach.grade, reach.lo, reach.hi, points, points, points, (), flags,
                verified and reach.verified and not flags,
            )  # fmt: skip
        needs = found.needs or (own if reach.lo != reach.hi else ())
        return ItemResult(
            item, found.ratio, reach.grade, reach.lo, reach.hi, points, reach.lo, reach.hi, needs, flags,
            verified and reach.verified and not flags,
        )  # fmt: skip

    return rate


def _narrow(found: Found, points: Decimal | None) -> tuple[Reach, bool]:
    """The band, or the hull of the possible ones, and whether the points given may stand."""
    reaches = found.reaches
    if len(reaches) == 1:
        return reaches[0], True
    hull = Reach(None, min(r.lo for r in reaches), max(r.hi for r in reaches), verified=True)
    if not found.free or points is None:
        return hull, False
    chosen = [reach for reach in reaches if reach.lo <= points <= reach.hi]
    return (chosen[0] if chosen else hull), True


def _reaches(item: Item, score: Score) -> dict[str, Reach]:
    unit = item.max if score.given == "coefficient" else Decimal(1)
    grades = score.grades_of(item)
    return {grade: Reach(grade, lo * unit, hi * unit, verified=True) for grade, (lo, hi) in grades.items()}


def _compile_free(item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Finder:
    """Without a ladder every grade is open to the expert, or the whole range where no grades are published."""
    open_to = tuple(reaches.values()) or (Reach(None, Decimal(0), item.max, verified=True),)
    shown = None if item.shows is None else REGISTRY[item.shows.measure].build(edition, **item.shows.with_)

    def find(case: Case) -> Found:
        amount = None if shown is None else shown(case)
        return Found(open_to, amount if type(amount) is tuple else None, (), free=True)

    return find


def _compile_ladders(item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Finder:
    finder: Finder | None = None
    for ladder in reversed(item.ladders):
        finder = _compile_ladder(item, ladder, reaches, edition, finder)
    assert finder is not None
    return finder


def _compile_ladder(
    item: Item, ladder: Ladder, reaches: Mapping[str, Reach], edition: Edition, following: Finder | None
) -> Finder:
    measured = REGISTRY[ladder.measure].build(edition, **ladder.with_)
    bands = sorted(ladder.bands, key=lambda band: (band.when.low is not None, band.when.low or 0))
    place = compile_ladder([band.when for band in bands])
    results = [_reach(band, item, reaches, edition) for band in bands]
    lowest = (reaches.get(_LOWEST, Reach(_LOWEST, Decimal(0), Decimal(0), verified=True)),)
    absent_is_open = ladder.absent_is_open

    def at(case: Case, ratio: Ratio, places: range, needs: tuple[str, ...]) -> Found:
        found: list[Reach] = []
        for number in places:
            reach = results[number]
            if reach is not None:
                found.append(reach)
                continue
            assert following is not None
            passed_on = following(case)
            if len(places) == 1:
                return passed_on
            found += passed_on.reaches
            needs += passed_on.needs
        distinct = tuple(dict.fromkeys(found))
        return Found(distinct, ratio if len(distinct) == 1 else None, () if len(distinct) == 1 else needs)

    def find(case: Case) -> Found:
        amount = measured(case)
        if type(amount) is tuple:
            if amount[1] == 0:
                return Found(lowest, None, ())
            number = place(amount[0], amount[1])
            reach = results[number]
            return Found((reach,), amount, ()) if reach is not None else at(case, amount, range(number, number + 1), ())
        if isinstance(amount, NoGrade):
            return Found(lowest, None, ())
        found = at(case, (0, 1), _places(amount, place, len(results)), _needs(amount))
        return Found(found.reaches, None, () if absent_is_open else found.needs, absent_is_open)

    return find


def _places(amount: Amount, place: Callable[[int, int], int], count: int) -> range:
    if not isinstance(amount, Span):
        return range(count)
    assert isinstance(amount.low, int)
    high = count - 1 if amount.high is None else place(int(amount.high), 1)
    return range(place(amount.low, 1), high + 1)


def _needs(amount: Amount) -> tuple[str, ...]:
    return amount.needs if isinstance(amount, Span | Missing | AtLeast) else ()


def _reach(band: ItemBand, item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Reach | None:
    if band.next:
        return None
    if band.free:
        return Reach(None, Decimal(0), item.max, verified=True)
    if band.grade is not None:
        return reaches[band.grade]
    assert band.grade_of is not None
    parameter = edition.parameters[band.grade_of]
    reach = reaches[str(parameter.value)]
    return reach if parameter.verified else reach._replace(verified=False)


def _compile_given(item: Item, score: Score) -> Callable[[bool | Decimal, tuple[Reach, ...]], Decimal]:
    path = f"judgements.{item.id}"
    by_coefficient = score.given == "coefficient"
    unit = item.max if by_coefficient else Decimal(1)
    most = Decimal(1) if by_coefficient else item.max
    source = f"{item.source.instrument} {item.source.article}"

    def judge(given: bool | Decimal, reaches: tuple[Reach, ...]) -> Decimal:
        if isinstance(given, bool):
            raise UnusableInput(path, "judgement_not_number", source=source)
        if not by_coefficient and given != given.to_integral_value():
            raise UnusableInput(path, "judgement_not_whole", source=source, given=given)
        if not 0 <= given <= most:
            raise UnusableInput(path, "judgement_outside", source=source, given=given, lo=0, hi=most)
        points = given * unit
        if any(reach.lo <= points <= reach.hi for reach in reaches):
            return points
        if len(reaches) > 1:
            raise UnusableInput(path, "judgement_in_no_grade", source=source, given=given)
        only = reaches[0]
        raise UnusableInput(
            path, "judgement_outside_band", source=source, given=given,
            grade=only.grade or "", lo=only.lo / unit, hi=only.hi / unit,
        )  # fmt: skip

    return judge
