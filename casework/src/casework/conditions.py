"""Compiles one condition: each part a measure against a bound, all parts to hold."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from casework.bands import Interval
from casework.edition import Condition, Edition, Part, Tiers
from casework.measures.amounts import REGISTRY, Amount, AtLeast, Case, Missing, NoGrade, Registered, Span
from casework.verdict import ConditionResult, Outcome, PartResult, Ratio, exact_text

_OPERATORS = {"at_least": ">=", "more_than": ">", "at_most": "<="}


class _Bound(NamedTuple):
    kind: str
    text: str
    numerator: int
    denominator: int
    verified: bool


def compile_condition(condition: Condition, edition: Edition) -> Callable[[Case], ConditionResult]:
    """The closure that checks the condition. Its first part is shown unless another one decides."""
    parts = tuple(_compile_part(part, condition, edition) for part in condition.parts)
    if len(parts) == 1:
        only = parts[0]

        def check_one(case: Case) -> ConditionResult:
            part = only(case)
            return ConditionResult(condition, part.outcome, part, part.needs, (part,))

        return check_one

    def check(case: Case) -> ConditionResult:
        results = tuple([part(case) for part in parts])
        failed = next((part for part in results if part.outcome == "fail"), None)
        if failed is not None:
            return ConditionResult(condition, "fail", failed, (), results)
        unknown = [part for part in results if part.outcome == "unknown"]
        if not unknown:
            return ConditionResult(condition, "pass", results[0], (), results)
        needs = tuple(dict.fromkeys(need for part in unknown for need in part.needs))
        return ConditionResult(condition, "unknown", unknown[0], needs, results)

    return check


def _compile_part(part: Part, condition: Condition, edition: Edition) -> Callable[[Case], PartResult]:
    registered = REGISTRY[part.measure]
    measured = registered.build(edition, **part.with_)
    bound_of = _compile_bound(part, edition)
    title = part.title or condition.title
    money, when_known = registered.money, part.when_known
    points = edition.score is not None and edition.score.given == "points"
    step = 1 if registered.whole_numbers or (part.measure == "score" and points) else 0

    def check(case: Case) -> PartResult:
        amount = measured(case)
        if when_known and isinstance(amount, Missing):
            return PartResult(title, "pass", None, None, None, (), True, money)
        bound = bound_of(case)
        if isinstance(bound, Missing):
            return _without_bound(title, amount, bound, money=money)
        outcome, ratio, needs = _compare(amount, bound)
        gap = _gap(ratio, bound, case.figures.scale if money else 0, step) if outcome == "fail" else None
        return PartResult(title, outcome, bound.text, ratio, gap, needs, bound.verified, money)

    return check


def _without_bound(title: object, amount: Amount, bound: Missing, *, money: bool) -> PartResult:
    ratio = amount if type(amount) is tuple else None
    more = amount.needs if isinstance(amount, Span | AtLeast | Missing) else ()
    needs = tuple(dict.fromkeys((*bound.needs, *more)))
    return PartResult(title, "unknown", None, ratio, None, needs, True, money)  # type: ignore[arg-type]


def _compile_bound(part: Part, edition: Edition) -> Callable[[Case], _Bound | Missing]:
    if part.tiers is not None:
        return _compile_tiers(part.tiers, edition)
    for kind in _OPERATORS:
        value, name = getattr(part, kind), getattr(part, f"{kind}_of", None)
        if value is not None or name is not None:
            bound = _bound(kind, edition.bound(value, name), verified=_is_verified(edition, name))
            return lambda _case: bound
    raise AssertionError(part)


def _is_verified(edition: Edition, name: str | None) -> bool:
    return True if name is None else edition.parameters[name].verified


def _bound(kind: str, number: Fraction, *, verified: bool) -> _Bound:
    text = f"{_OPERATORS[kind]} {exact_text(number)}"
    return _Bound(kind, text, number.numerator, number.denominator, verified)


def _compile_tiers(tiers: Tiers, edition: Edition) -> Callable[[Case], _Bound | Missing]:
    figure = REGISTRY["latest_figure"].build(edition, of=tiers.by)
    steps = sorted(tiers.steps, key=lambda step: (step.over.low is not None, step.over.low or 0, step.over.high or 0))
    ladder = [
        (
            step.over,
            _bound(
                "at_least",
                edition.bound(step.at_least, step.at_least_of),
                verified=_is_verified(edition, step.at_least_of),
            ),
        )
        for step in steps
    ]
    place = compile_ladder([interval for interval, _ in ladder])
    bounds = [bound for _, bound in ladder]

    def bound_of(case: Case) -> _Bound | Missing:
        amount = figure(case)
        if isinstance(amount, Missing):
            return amount
        assert type(amount) is tuple
        return bounds[place(amount[0], amount[1])]

    return bound_of


def compile_ladder(intervals: list[Interval]) -> Callable[[int | Fraction, int | Fraction], int]:
    """The place of a fraction in ascending, touching intervals."""
    tops = [
        (interval.high.numerator, interval.high.denominator, interval.high_included)
        for interval in intervals
        if interval.high is not None
    ]
    last = len(intervals) - 1

    def place(numerator: int | Fraction, denominator: int | Fraction) -> int:
        for at, (top, under, included) in enumerate(tops):
            left, right = numerator * under, top * denominator
            if left < right or (included and left == right):
                return at
        return last

    return place


def _compare(amount: Amount, bound: _Bound) -> tuple[Outcome, Ratio | None, tuple[str, ...]]:
    if type(amount) is tuple:
        return ("pass" if _holds(amount[0], amount[1], bound) else "fail"), amount, ()
    if isinstance(amount, Missing):
        return "unknown", None, amount.needs
    if isinstance(amount, NoGrade):
        return "fail", None, ()
    if isinstance(amount, AtLeast):
        if bound.kind != "at_most" and _holds(amount.low[0], amount.low[1], bound):
            return "pass", amount.low, ()
        return "unknown", None, amount.needs
    assert isinstance(amount, Span)
    return _compare_span(amount, bound)


def _compare_span(span: Span, bound: _Bound) -> tuple[Outcome, Ratio | None, tuple[str, ...]]:
    low, high = span.low, span.high
    low_holds = _holds(low, 1, bound)
    high_holds = bound.kind != "at_most" if high is None else _holds(high, 1, bound)
    if low_holds and high_holds:
        return "pass", (low, 1), ()
    if low_holds or high_holds:
        return "unknown", None, span.needs
    shown = low if bound.kind == "at_most" or high is None else high
    return "fail", (shown, 1), ()


def _holds(numerator: int | Fraction, denominator: int | Fraction, bound: _Bound) -> bool:
    if denominator == 0:
        return False
    left, right = numerator * bound.denominator, bound.numerator * denominator
    if bound.kind == "at_least":
        return left >= right
    return left > right if bound.kind == "more_than" else left <= right


def _gap(ratio: Ratio | None, bound: _Bound, scale: int, step: int) -> Ratio | None:
    """What is missing to pass: yuan when `scale` is given, else in the unit of the value."""
    if ratio is None or ratio[1] == 0:
        return None
    numerator, denominator = ratio
    short = bound.numerator * denominator - numerator * bound.denominator
    if bound.kind == "at_most":
        short = -short
    if bound.kind == "more_than":
        short += step * denominator * bound.denominator
    return (short, bound.denominator * (scale or denominator))
