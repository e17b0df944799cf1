"""Finds the band of a score item: one ladder of bands per measure, tried in order."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from casework.bands import ascending, compile_ladder
from casework.criteria import Item, ItemBand, Ladder
from casework.edition import Edition
from casework.measures.amounts import REGISTRY, Amount, AtLeast, Case, Missing, NoGrade, Span, Whole
from casework.verdict import Points, Ratio, Reach

_LOWEST = Reach("F", 0, 0, verified=True)


# Every band the facts may lie in; the deciding value; what is missing to say more; and whether no fact decides
# among the bands, so that the points given may stand alone.
Found: TypeAlias = tuple[tuple[Reach, ...], Ratio | None, tuple[str, ...], bool]
Finder = Callable[[Case], Found]
_Place = Callable[[Whole, Whole], int]


def as_points(number: Decimal) -> Points:
    """The same number, an int where it is whole."""
    return int(number) if number == number.to_integral_value() else number


def compile_finder(item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Finder:
    """The closure that finds the item's bands. Without a ladder every grade is open to the expert."""
    if not item.ladders:
        return _compile_free(item, reaches, edition)
    if item.choice is None:
        return _compile_ladders(item, item.ladders, reaches, edition)
    return _compile_chosen(item, item.choice, reaches, edition)


def _compile_ladders(
    item: Item, ladders: Sequence[Ladder], reaches: Mapping[str, Reach], edition: Edition
) -> Finder:
    finder: Finder | None = None
    for ladder in reversed(ladders):
        finder = _compile_ladder(item, ladder, reaches, edition, finder)
    assert finder is not None
    return finder


def _compile_chosen(item: Item, choice: str, reaches: Mapping[str, Reach], edition: Edition) -> Finder:
    """The ladders of the option that the enterprise chose. Nothing is known of the item while it has not."""
    finders = {
        option: _compile_ladders(
            item, [ladder for ladder in item.ladders if ladder.chosen == option], reaches, edition
        )
        for option in dict.fromkeys(ladder.chosen for ladder in item.ladders)
    }
    open_to: Found = (tuple(reaches.values()), None, (f"choices.{choice}",), False)

    def find(case: Case) -> Found:
        finder = finders.get(case.facts.choices.get(choice))
        return open_to if finder is None else finder(case)

    return find


def _compile_free(item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Finder:
    open_to = tuple(reaches.values()) or (Reach(None, 0, as_points(item.max), verified=True),)
    if item.shows is None:
        always: Found = (open_to, None, (), True)
        return lambda _case: always
    shown = REGISTRY[item.shows.measure].build(edition, **item.shows.with_)

    def find(case: Case) -> Found:
        amount = shown(case)
        return open_to, amount if isinstance(amount, tuple) else None, (), True

    return find


def _compile_ladder(
    item: Item, ladder: Ladder, reaches: Mapping[str, Reach], edition: Edition, following: Finder | None
) -> Finder:
    measured = REGISTRY[ladder.measure].build(edition, **ladder.with_)
    bands = sorted(ladder.bands, key=lambda band: ascending(band.when))
    place = compile_ladder([band.when for band in bands])
    results = [_reach(band, item, reaches, edition) for band in bands]
    alone = [None if reach is None else (reach,) for reach in results]
    lowest = (reaches.get("F", _LOWEST),)
    absent_is_open = ladder.absent_is_open

    def find(case: Case) -> Found:
        amount = measured(case)
        if isinstance(amount, tuple):
            if amount[1] == 0:
                return lowest, None, (), False
            reach = alone[place(amount[0], amount[1])]
            if reach is not None:
                return reach, amount, (), False
            assert following is not None
            return following(case)
        if isinstance(amount, NoGrade):
            return lowest, None, (), False
        candidates = [results[at] for at in _places(amount, place, len(results))]
        found = _several(case, candidates, amount.needs, following)
        return (found[0], None, (), True) if absent_is_open else found

    return find


def _several(
    case: Case, candidates: list[Reach | None], needs: tuple[str, ...], following: Finder | None
) -> Found:
    reaches: list[Reach] = []
    for reach in candidates:
        if reach is not None:
            reaches.append(reach)
            continue
        assert following is not None
        passed_on = following(case)
        if len(candidates) == 1:
            return passed_on
        reaches += passed_on[0]
        needs += passed_on[2]
    distinct = tuple(dict.fromkeys(reaches))
    return distinct, None, () if len(distinct) == 1 else tuple(dict.fromkeys(needs)), False


def _places(amount: Amount, place: _Place, count: int) -> range:
    if isinstance(amount, Span):
        top = count - 1 if amount.high is None else place(amount.high, 1)
        return range(place(amount.low, 1), top + 1)
    if isinstance(amount, AtLeast):
        return range(place(amount.low[0], amount.low[1]), count)
    assert isinstance(amount, Missing)
    return range(count)


def _reach(band: ItemBand, item: Item, reaches: Mapping[str, Reach], edition: Edition) -> Reach | None:
    if band.next:
        return None
    if band.free:
        return Reach(None, 0, as_points(item.max), verified=True)
    if band.grade is not None:
        return reaches[band.grade]
    assert band.grade_of is not None
    parameter = edition.parameters[band.grade_of]
    reach = reaches[str(parameter.value)]
    return reach if parameter.verified else reach._replace(verified=False)
