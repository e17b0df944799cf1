"""Compiles one condition: each part a measure against a bound, all parts to hold."""

from collections.abc import Callable
from typing import NamedTuple

from casework.bounds import BoundOf, compile_regions, compile_tiers, fixed_bound
from casework.criteria import Condition, Part
from casework.edition import Edition, Text
from casework.measures.amounts import REGISTRY, Amount, AtLeast, Case, Measure, Missing, Span, Whole
from casework.verdict import Bound, ConditionResult, Outcome, PartResult, PartSpec, Ratio

# Counts repeat from case to case: equal ones share one result object.
_REMEMBERED = 256
_HOLDS: Outcome = "pass"
_FALLS_SHORT: Outcome = "fail"
# Results are named tuples, made in the hot path without the detour over their own constructor.
_new = tuple.__new__
_Checked = tuple[Outcome, Ratio | None, tuple[str, ...]]
_NOT_YET_LAW = Missing(())


def compile_condition(condition: Condition, edition: Edition) -> Callable[[Case], ConditionResult]:
    """The closure that checks the condition. Its first part is shown unless another one decides."""
    check = _compile_parts(condition, edition)
    if not condition.or_else:
        return check
    ways = tuple(
        tuple(
            compile_part(part, part.title or way.title or condition.title, edition, alternative=True)
            for part in way.parts
        )
        for way in condition.or_else
    )
    return _or_else(condition, check, ways)


def _compile_parts(condition: Condition, edition: Edition) -> Callable[[Case], ConditionResult]:
    parts = tuple(compile_part(part, part.title or condition.title, edition) for part in condition.parts)
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


class CompiledPart(NamedTuple):
    """What is measured, and what the amount says of the part. `counts`: equal amounts give equal results."""

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
    condition: Condition, parts: tuple[CompiledPart, ...], *, counts: bool
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


def _or_else(
    condition: Condition,
    check: Callable[[Case], ConditionResult],
    ways: tuple[tuple[CompiledPart, ...], ...],
) -> Callable[[Case], ConditionResult]:
    def check_ways(case: Case) -> ConditionResult:
        result = check(case)
        if result.outcome == "pass":
            return result
        parts, needs, outcome = result.parts, result.needs, result.outcome
        for way in ways:
            tried = _decided(condition, tuple(part.result_of(case, part.measured(case)) for part in way))
            if tried.outcome == "pass":
                return tried._replace(parts=(*parts, *tried.parts))
            if tried.outcome == "unknown":
                outcome, needs = "unknown", (*needs, *tried.needs)
            elif tried.shown.asked is None:
                continue
            parts = (*parts, *tried.parts)
        return ConditionResult(condition, outcome, result.shown, tuple(dict.fromkeys(needs)), parts)

    return check_ways


def _decided(condition: Condition, parts: tuple[PartResult, ...]) -> ConditionResult:
    for part in parts:
        if part.outcome == "fail":
            return ConditionResult(condition, "fail", part, (), parts)
    unknown = [part for part in parts if part.outcome == "unknown"]
    if not unknown:
        return ConditionResult(condition, "pass", parts[0], (), parts)
    needs = tuple(dict.fromkeys(need for part in unknown for need in part.needs))
    return ConditionResult(condition, "unknown", unknown[0], needs, parts)


def compile_part(part: Part, title: Text, edition: Edition, *, alternative: bool = False) -> CompiledPart:
    """One bound on one measure. A part that plays no role passes; as an `alternative` it fails, without a bound."""
    registered = REGISTRY[part.measure]
    measured = _since(part, registered.build(edition, **part.with_))
    spec = PartSpec(title, registered.money, registered.unit, alternative)
    if part.tiers is not None or part.regions is not None:
        bound_of = compile_tiers(part.tiers, edition) if part.tiers else compile_regions(part, edition)
        return CompiledPart(
            measured, _if_it_counts(part, spec, None, _where_it_lies(spec, bound_of)), counts=False
        )
    bound = fixed_bound(part, registered, edition)

    def result_of(case: Case, amount: Amount) -> PartResult:
        if isinstance(amount, tuple):
            outcome = _HOLDS if _holds(amount[0], amount[1], bound) else _FALLS_SHORT
            return _new(PartResult, (spec, outcome, bound, amount, case.figures.scale, ()))
        outcome, ratio, needs = _compare(amount, bound)
        return PartResult(spec, outcome, bound, ratio, case.figures.scale, needs)

    return CompiledPart(
        measured, _if_it_counts(part, spec, bound, result_of), counts=registered.whole_numbers
    )


def _since(part: Part, measured: Measure) -> Measure:
    begins = part.applies_from
    if begins is None:
        return measured

    def since(case: Case) -> Amount:
        applied_on = case.figures.applied_on
        return _NOT_YET_LAW if applied_on is not None and applied_on < begins else measured(case)

    return since


def _if_it_counts(part: Part, spec: PartSpec, bound: Bound | None, result_of: _ResultOf) -> _ResultOf:
    """The result of the part where it plays a role."""
    if not part.when_known and part.applies_from is None:
        return result_of
    not_yet = PartResult(spec, "fail" if spec.alternative else "pass", None, None, 1, ())
    unsaid = not_yet if spec.alternative else not_yet._replace(asked=bound)
    when_known = part.when_known

    def counted(case: Case, amount: Amount) -> PartResult:
        if amount is _NOT_YET_LAW:
            return not_yet
        if when_known and isinstance(amount, Missing):
            return unsaid
        return result_of(case, amount)

    return counted


def _where_it_lies(spec: PartSpec, bound_of: BoundOf) -> _ResultOf:
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
