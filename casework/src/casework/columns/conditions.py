"""Compiles one condition: each part a measure against a bound, for all rows at once.

Outcomes are numbers such that the least of them decides: a failure prevails, then what is unknown.
"""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from casework.bands import Interval, ascending
from casework.columns.amounts import (
    AT_LEAST,
    MISSING,
    NO_GRADE,
    SPAN,
    Amounts,
    ColumnMeasure,
    Judging,
    NotColumnar,
    build,
    only,
)
from casework.columns.whole import Ints, Mask, Whole
from casework.criteria import Condition, Part, Tiers
from casework.edition import Edition

FAIL: Final = 0
UNKNOWN: Final = 1
PASS: Final = 2
Outcomes: TypeAlias = NDArray[np.int8]
Check: TypeAlias = Callable[[Judging], Outcomes]

_CONDITION = ("id", "title", "parts", "source", "verified")
_PART = (
    "measure", "with_", "title", "at_least", "at_least_of", "more_than", "more_than_of", "at_most", "at_most_of",
    "tiers", "when_known",
)  # fmt: skip
_KINDS = ("at_least", "more_than", "at_most")
# A bound as one number for all rows, or as one per row.
_Side: TypeAlias = "int | Whole"


def compile_condition(condition: Condition, edition: Edition) -> Check:
    """All parts must hold. Raises NotColumnar."""
    only(condition, *_CONDITION)
    checks = [_compile_part(part, edition) for part in condition.parts]
    if len(checks) == 1:
        return checks[0]

    def check(judging: Judging) -> Outcomes:
        outcomes: Outcomes = np.minimum.reduce([check(judging) for check in checks])
        return outcomes

    return check


def _compile_part(part: Part, edition: Edition) -> Check:
    only(part, *_PART)
    measured = build(part.measure, edition, part.with_)
    if part.tiers is not None:
        return _in_tiers(measured, part.tiers, edition)
    kind, bound = _bound_of(part, edition)
    absent = PASS if part.when_known else UNKNOWN

    def check(judging: Judging) -> Outcomes:
        amounts = measured(judging)
        return _compared(amounts, kind, bound.numerator, bound.denominator, absent)

    return check


def _bound_of(part: Part, edition: Edition) -> tuple[str, Fraction]:
    for kind in _KINDS:
        value, name = getattr(part, kind), getattr(part, f"{kind}_of", None)
        if value is not None or name is not None:
            return kind, edition.bound(value, name)
    raise NotColumnar(f"the bound on {part.measure} has no columnar form")


def _in_tiers(measured: ColumnMeasure, tiers: Tiers, edition: Edition) -> Check:
    only(tiers, "by", "steps")
    for step in tiers.steps:
        only(step, "over", "at_least", "at_least_of")
    figure = build("latest_figure", edition, {"of": tiers.by})
    steps = sorted(tiers.steps, key=lambda step: ascending(step.over))
    place = compile_ladder([step.over for step in steps])
    bounds = [edition.bound(step.at_least, step.at_least_of) for step in steps]
    if any(bound.numerator >= 1 << 31 or bound.denominator >= 1 << 31 for bound in bounds):
        raise NotColumnar("a bound of so many digits has no columnar form")
    tops = np.array([bound.numerator for bound in bounds], np.int64)
    bottoms = np.array([bound.denominator for bound in bounds], np.int64)

    def check(judging: Judging) -> Outcomes:
        by = figure(judging)
        at = place(by.numerator, by.denominator)
        outcomes = _compared(
            measured(judging), "at_least", Whole.of(tops[at]), Whole.of(bottoms[at]), UNKNOWN
        )
        missing = by.are(MISSING)
        if missing is not None:
            outcomes[missing] = UNKNOWN
        return outcomes

    return check


def _compared(amounts: Amounts, kind: str, top: _Side, bottom: _Side, absent: int) -> Outcomes:
    """`top / bottom` is the bound; `absent` is the outcome where nothing is known."""
    holds = _holds(amounts.numerator, amounts.denominator, kind, top, bottom)
    outcomes = np.where(holds, np.int8(PASS), np.int8(FAIL))
    if amounts.kind is None:
        return outcomes
    outcomes[amounts.kind == MISSING] = absent
    outcomes[amounts.kind == NO_GRADE] = FAIL
    at_least = amounts.are(AT_LEAST)
    if at_least is not None:
        outcomes[at_least & ~holds] = UNKNOWN
        if kind == "at_most":
            outcomes[at_least] = UNKNOWN
    span = amounts.are(SPAN)
    if span is not None:
        assert amounts.high is not None
        high_holds = _holds(amounts.high, amounts.denominator, kind, top, bottom)
        if amounts.endless is not None:
            high_holds = np.where(amounts.endless, kind != "at_most", high_holds)
        outcomes[span & (holds != high_holds)] = UNKNOWN
    return outcomes


def _holds(numerator: Whole, denominator: Whole | None, kind: str, top: _Side, bottom: _Side) -> Mask:
    if denominator is None:
        if not isinstance(top, Whole) and not isinstance(bottom, Whole) and numerator.high is None:
            return _counts(numerator.low.view(np.int64), kind, Fraction(top, bottom))
        denominator = Whole.of(np.ones(len(numerator.low), np.int64), 1)
    left, right = numerator * bottom, denominator * top
    if kind == "at_least":
        holds = left.at_least(right)
    elif kind == "more_than":
        holds = left.more_than(right)
    else:
        holds = right.at_least(left)
    return holds & ~denominator.is_zero()


def _counts(numbers: Ints, kind: str, bound: Fraction) -> Mask:
    if kind == "at_least":
        holds: Mask = numbers >= ceil(bound)
    elif kind == "more_than":
        holds = numbers > floor(bound)
    else:
        holds = numbers <= floor(bound)
    return holds


def compile_ladder(intervals: list[Interval]) -> Callable[[Whole, Whole | None], Ints]:
    """The place of each fraction in ascending, touching intervals; of one over zero, any."""
    edges = [(Fraction(i.high), i.high_included) for i in intervals if i.high is not None]

    def place(numerator: Whole, denominator: Whole | None) -> Ints:
        at = np.zeros(len(numerator.low), np.int64)
        for edge, included in edges:
            kind = "more_than" if included else "at_least"
            at += _holds(numerator, denominator, kind, edge.numerator, edge.denominator)
        return at

    return place
