"""Compiles what a part asks: one bound, or one that depends on a figure of the firm or on its region."""

from collections.abc import Callable
from fractions import Fraction

from casework.bands import ascending, compile_ladder
from casework.criteria import Part, RegionStep, Tiers
from casework.edition import Edition
from casework.measures.amounts import REGISTRY, Case, Missing, Registered
from casework.verdict import Bound, exact_text

OPERATORS = {"at_least": ">=", "more_than": ">", "at_most": "<="}
BoundOf = Callable[[Case], Bound | Missing]


def fixed_bound(part: Part, registered: Registered, edition: Edition) -> Bound:
    points = edition.score is not None and edition.score.given == "points"
    whole = registered.whole_numbers or (part.measure == "score" and points)
    for kind in OPERATORS:
        value, name = getattr(part, kind), getattr(part, f"{kind}_of", None)
        if value is not None or name is not None:
            number = edition.bound(value, name)
            return _bound(kind, number, edition, name, step=int(whole and kind == "more_than"))
    raise AssertionError(part)


def _bound(kind: str, number: Fraction, edition: Edition, parameter: str | None, step: int = 0) -> Bound:
    verified = True if parameter is None else edition.parameters[parameter].verified
    text = f"{OPERATORS[kind]} {exact_text(number)}"
    return Bound(kind, text, number.numerator, number.denominator, step, verified)


def compile_tiers(tiers: Tiers, edition: Edition) -> BoundOf:
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


def compile_regions(part: Part, edition: Edition) -> BoundOf:
    """A bound counts as unverified where the list of the regions that decides about it is."""
    steps = part.regions or ()
    lists = [edition.parameters[step.within_of] for step in steps if step.within_of is not None]
    verified = all(listed.verified for listed in lists)
    bounds = []
    for step in steps:
        number = edition.bound(step.at_least, step.at_least_of)
        bound = _bound("at_least", number, edition, step.at_least_of)
        bounds.append((_prefixes(step, edition), bound._replace(verified=bound.verified and verified)))

    def bound_of(case: Case) -> Bound | Missing:
        region = case.facts.enterprise.region
        if region is None:
            return Missing(("enterprise.region",))
        return next(bound for prefixes, bound in bounds if prefixes is None or region.startswith(prefixes))

    return bound_of


def _prefixes(step: RegionStep, edition: Edition) -> tuple[str, ...] | None:
    if step.within_of is not None:
        return tuple(str(edition.parameter(step.within_of)).split())
    return step.within
