"""Compiles one condition: each part a measure against a bound, all parts to hold."""

from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from casework.bands import Interval
from casework.criteria import Condition, Part, Tiers
from casework.edition import Edition
from casework.measures.amounts import (
    REGISTRY,
    Amount,
    AtLeast,
    Case,
    Measure,
    Missing,
    Registered,
    Span,
    Whole,
)
from casework.verdict import Bound, ConditionResult, Outcome, PartResult, PartSpec, Ratio, exact_text

_OPERATORS = {"at_least": ">=", "more_than": ">", "at_most": "<="}
# Counts repeat from case to case: equal ones share one result object.
_REMEMBERED = 256
_HOLDS: Outcome = "pass"
_FALLS_SHORT: Outcome = "fail"
# Results are named tuples, made in the hot path without the detour over their own constructor.
_new = tuple.__new__
_Checked = tuple[Outcome, Ratio | None, tuple[str, ...]]


def compile_condition(condition: Condition, edition: Edition) -> Callable[[Case], ConditionResult]:
    """The closure that checks the condition. Its first part is shown unless another one decides."""
    parts = tuple(_compile_part(part, condition, edition) for part in condition.parts)
    counts = all(part.counts for part in parts)
    if len(parts) > 1:
        return _all_of(condition, parts, counts=counts)
    (measured, result_of, _) = parts[0]
    if counts:
        return _remembered(condition, measured, result_of)

    def check(case: Case) -> ConditionResult:
        part = result_of(case, measured(case))
        return _new(ConditionResult, (condition, part[1], part, part[5], (part,)))

    return check


class _Part(NamedTuple):
    measured: Measure
    result_of: "_ResultOf"
    counts: bool


_ResultOf = Callable[[Case, Amount], PartResult]


def _remembered(
    condition: Condition, measured: Measure, result_of: _ResultOf
) -> Callable[[Case], ConditionResult]:
    results: dict[Amount, ConditionResult] = {}

    def check(case: Case) -> ConditionResult:
        amount = measured(case)
        result = results.get(amount)
        if result is None:
            part = result_of(case, amount)
            result = ConditionResult(condition, part.outcome, part, part.needs, (part,))
            if len(results) < _REMEMBERED:
                results[amount] = result
        return result

    return check


def _all_of(
    condition: Condition, parts: tuple[_Part, ...], *, counts: bool
) -> Callable[[Case], ConditionResult]:
    results: dict[tuple[Amount, ...], ConditionResult] = {}

    def check(case: Case) -> ConditionResult:
        amounts = tuple([part.measured(case) for part in parts])
        result = results.get(amounts) if counts else None
        if result is None:
            checked = tuple(part.result_of(case, amount) for part, amount in zip(parts, amounts, strict=True))
            result = _decided(condition, checked)
            if counts and len(results) < _REMEMBERED:
                results[amounts] = result
        return result

    return check


def _decided(condition: Condition, parts: tuple[PartResult, ...]) -> ConditionResult:
    for part in parts:
        if part.outcome == "fail":
            return ConditionResult(condition, "fail", part, (), parts)
    unknown = [part for part in parts if part.outcome == "unknown"]
    if not unknown:
        return ConditionResult(condition, "pass", parts[0], (), parts)
    needs = tuple(dict.fromkeys(need for part in unknown for need in part.needs))
    return ConditionResult(condition, "unknown", unknown[0], needs, parts)


def _compile_part(part: Part, condition: Condition, edition: Edition) -> _Part:
    registered = REGISTRY[part.measure]
    measured = registered.build(edition, **part.with_)
    spec = PartSpec(part.title or condition.title, registered.money, registered.unit)
    if part.tiers is not None:
        return _Part(measured, _in_tiers(spec, _compile_tiers(part.tiers, edition)), counts=False)
    bound = _fixed_bound(part, registered, edition)
    when_known = part.when_known

    def result_of(case: Case, amount: Amount) -> PartResult:
        if isinstance(amount, tuple):
            outcome = _HOLDS if _holds(amount[0], amount[1], bound) else _FALLS_SHORT
            return _new(PartResult, (spec, outcome, bound, amount, case.figures.scale, ()))
        if when_known and isinstance(amount, Missing):
            return PartResult(spec, "pass", None, None, 1, ())
        outcome, ratio, needs = _compare(amount, bound)
        return PartResult(spec, outcome, bound, ratio, case.figures.scale, needs)

    return _Part(measured, result_of, counts=registered.whole_numbers)


def _in_tiers(spec: PartSpec, bound_of: Callable[[Case], Bound | Missing]) -> _ResultOf:
    def result_of(case: Case, amount: Amount) -> PartResult:
        bound, scale = bound_of(case), case.figures.scale
        if isinstance(bound, tuple) and isinstance(amount, tuple):
            outcome = _HOLDS if _holds(amount[0], amount[1], bound) else _FALLS_SHORT
            return _new(PartResult, (spec, outcome, bound, amount, scale, ()))
        if isinstance(bound, Missing):
            more = amount.needs if isinstance(amount, Span | AtLeast | Missing) else ()
            needs = tuple(dict.fromkeys((*bound.needs, *more)))
            ratio = amount if isinstance(amount, tuple) else None
            return PartResult(spec, "unknown", None, ratio, scale, needs)
        outcome, ratio, needs = _compare(amount, bound)
        return PartResult(spec, outcome, bound, ratio, scale, needs)

    return result_of


def _fixed_bound(part: Part, registered: Registered, edition: Edition) -> Bound:
    points = edition.score is not None and edition.score.given == "points"
    whole = registered.whole_numbers or (part.measure == "score" and points)
    for kind in _OPERATORS:
        value, name = getattr(part, kind), getattr(part, f"{kind}_of", None)
        if value is not None or name is not None:
            number = edition.bound(value, name)
            return _bound(kind, number, edition, name, step=int(whole and kind == "more_than"))
    raise AssertionError(part)


def _bound(kind: str, number: Fraction, edition: Edition, parameter: str | None, step: int = 0) -> Bound:
    verified = True if parameter is None else edition.parameters[parameter].verified
    text = f"{_OPERATORS[kind]} {exact_text(number)}"
    return Bound(kind, text, number.numerator, number.denominator, step, verified)


def _compile_tiers(tiers: Tiers, edition: Edition) -> Callable[[Case], Bound | Missing]:
    figure = REGISTRY["latest_figure"].build(edition, of=tiers.by)
    steps = sorted(tiers.steps, key=lambda step: ascending(step.over))
    place = compile_ladder([step.over for step in steps])
    bounds = [
        _bound("at_least", edition.bound(step.at_least, step.at_least_of), edition, step.at_least_of)
        for step in steps
    ]

    def bound_of(case: Case) -> Bound | Missing:
        amount = figure(case)
        if isinstance(amount, tuple):
            return bounds[place(amount[0], amount[1])]
        assert isinstance(amount, Missing)
        return amount

    return bound_of


def ascending(interval: Interval) -> tuple[bool, Fraction, bool]:
    """The order of touching intervals: by where they begin, an included begin first."""
    low = Fraction(0) if interval.low is None else interval.low
    return interval.low is not None, low, not interval.low_included


def compile_ladder(intervals: list[Interval]) -> Callable[[Whole, Whole], int]:
    """The place of a fraction (denominator above zero) in ascending, touching intervals.

    Every edge is a whole number on the grid of the common denominator. Twice that number stands for the edge itself,
    the odd numbers for what lies between two grid points, so that one search in whole numbers decides exactly.
    """
    edges = [(interval.high, interval.high_included) for interval in intervals if interval.high is not None]
    grid = lcm(*(edge.denominator for edge, _ in edges))
    tops = [int(edge * grid) * 2 - (not included) for edge, included in edges]

    def place(numerator: Whole, denominator: Whole) -> int:
        whole, rest = divmod(numerator * grid, denominator)
        return bisect_left(tops, whole * 2 + (rest != 0))

    return place


def _compare(amount: Amount, bound: Bound) -> _Checked:
    if isinstance(amount, tuple):
        return ("pass" if _holds(amount[0], amount[1], bound) else "fail"), amount, ()
    if isinstance(amount, Missing):
        return "unknown", None, amount.needs
    if isinstance(amount, Span):
        return _compare_span(amount, bound)
    if isinstance(amount, AtLeast):
        if bound.kind != "at_most" and _holds(amount.low[0], amount.low[1], bound):
            return "pass", amount.low, ()
        return "unknown", None, amount.needs
    return "fail", None, ()


def _compare_span(span: Span, bound: Bound) -> _Checked:
    low, high = span.low, span.high
    low_holds = _holds(low, 1, bound)
    high_holds = bound.kind != "at_most" if high is None else _holds(high, 1, bound)
    if low_holds and high_holds:
        return "pass", (low, 1), ()
    if low_holds or high_holds:
        return "unknown", None, span.needs
    shown = low if bound.kind == "at_most" or high is None else high
    return "fail", (shown, 1), ()


def _holds(numerator: Whole, denominator: Whole, bound: Bound) -> bool:
    if denominator == 0:
        return False
    left, right = numerator * bound.denominator, bound.numerator * denominator
    if bound.kind == "at_least":
        return left >= right
    return left > right if bound.kind == "more_than" else left <= right
