"""Compiles an edition to closures once, and judges facts with them.

Three-valued: a condition is unknown when its outcome hangs on an absent fact; a verdict fails as soon as
something certain fails.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from casework.conditions import compile_condition
from casework.criteria import Choice
from casework.edition import Edition
from casework.facts import Facts
from casework.ladders import as_points
from casework.measures.amounts import Case, Span
from casework.measures.spending import collect
from casework.scoring import compile_item
from casework.unusable import UnusableInput
from casework.verdict import (
    Collected,
    ConditionResult,
    Given,
    ItemResult,
    Outcome,
    Points,
    ScoreResult,
    Verdict,
)

# Names that a facts file may hold whatever the edition; only the edition's own ones have an effect.
COMMON_JUDGEMENTS = frozenset(
    {
        "core_ip_supports", "in_supported_field", "ip_advancement", "ip_core_support", "ip_count", "ip_acquisition",
        "standards_bonus", "conversion", "rd_rules", "rd_body", "conversion_incentives", "staff_training",
        "growth_net_assets", "growth_sales", "core_ip", "rd_organisation", "growth_total_assets", "rd_checks_met",
    }
)  # fmt: skip


class Evaluator:
    """One compiled edition. Safe to share between threads: judging changes nothing in it."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._conditions = tuple(compile_condition(condition, edition) for condition in edition.conditions)
        self._score = None if edition.score is None else _compile_score(edition)
        items = () if edition.score is None else edition.score.items
        own = {*edition.judgements, *(item.id for item in items)}
        self._known = frozenset(own | COMMON_JUDGEMENTS)
        self._counts = {name: j.max for name, j in edition.judgements.items() if j.kind == "count"}
        self._amounts = tuple(name for name, j in edition.judgements.items() if j.kind == "amount")
        self._choices = tuple(edition.choices.items())
        self._booleans = tuple(name for name, j in edition.judgements.items() if j.kind == "boolean")

    def judge(
        self, facts: Facts, *, estimated: bool = False, means: Mapping[str, Fraction] | None = None
    ) -> Verdict:
        """Judges the facts. Raises UnusableInput when they cannot be judged under this edition.

        Points outside the band that the facts reach are refused from an expert; where they are the firm's own
        estimate (`estimated`) they do not stand and are flagged, and the item spans its band. `means` are the items of
        a panel, each the exact mean of its sheets, in the unit that the edition gives them in.

        Source: the edition's conditions and score items, each with its own instrument and article.
        """
        edition = self.edition
        self._check(facts)
        case = Case(facts, estimated=estimated)
        if means:
            case.judgements = {**case.judgements, **means}
        score = None if self._score is None else self._score(case)
        conditions = tuple([check(case) for check in self._conditions])
        return Verdict(
            edition.programme,
            edition.in_force_from,
            edition.hash,
            facts.applied_on,
            _overall(conditions),
            conditions,
            score,
            _collected(case, edition) if case.figures.collects else (),
        )

    def _check(self, facts: Facts) -> None:
        case_type = facts.case_type
        if case_type is not None and case_type not in self.edition.case_types:
            raise UnusableInput("case_type", "case_type_not_allowed", given=case_type)
        judgements = facts.judgements
        if not judgements.keys() <= self._known:
            name = min(judgements.keys() - self._known)
            raise UnusableInput(f"judgements.{name}", "unknown_judgement")
        for name in self._booleans:
            if not isinstance(judgements.get(name, True), bool):
                raise UnusableInput(f"judgements.{name}", "judgement_not_boolean")
        for name, most in self._counts.items():
            _check_count(name, judgements.get(name), most)
        for name in self._amounts:
            _check_amount(name, judgements.get(name))
        for name, choice in self._choices:
            _check_choice(name, facts.choices.get(name), choice)


def compile_edition(edition: Edition) -> Evaluator:
    """Compiles the edition's conditions and score items. Raises KeyError or ValueError on a malformed one."""
    return Evaluator(edition)


def _check_count(name: str, given: bool | Decimal | None, most: int | None) -> None:
    if given is None:
        return
    if isinstance(given, bool):
        raise UnusableInput(f"judgements.{name}", "judgement_not_number")
    if given != given.to_integral_value():
        raise UnusableInput(f"judgements.{name}", "judgement_not_whole", given=given)
    if given < 0 or (most is not None and given > most):
        raise UnusableInput(f"judgements.{name}", "judgement_outside", given=given, lo=0, hi=most)


def _check_amount(name: str, given: bool | Decimal | None) -> None:
    if isinstance(given, bool):
        raise UnusableInput(f"judgements.{name}", "judgement_not_number")
    if given is not None and given < 0:
        raise UnusableInput(f"judgements.{name}", "negative", given=given)


def _check_choice(name: str, given: str | None, choice: Choice) -> None:
    if given is not None and given not in choice.options:
        source = f"{choice.source.instrument} {choice.source.article}"
        known = ", ".join(choice.options)
        raise UnusableInput(f"choices.{name}", "not_one_of", source=source, given=given, expected=known)


def _overall(conditions: tuple[ConditionResult, ...]) -> Outcome:
    overall: Outcome = "pass"
    for result in conditions:
        if result.outcome == "fail":
            return "fail"
        if result.outcome == "unknown":
            overall = "unknown"
    return overall


def _compile_score(edition: Edition) -> Callable[[Case], ScoreResult]:
    score = edition.score
    assert score is not None
    rated = tuple(compile_item(item, score, edition) for item in score.items)
    pass_above = _mark(edition, score.pass_above, score.pass_above_of)
    pass_at_least = _mark(edition, score.pass_at_least, score.pass_at_least_of)
    groups = tuple(
        (as_points(group.max), tuple(at for at, item in enumerate(score.items) if item.group == group.id))
        for group in score.groups
    )

    def rate(case: Case) -> ScoreResult:
        case.items = items = tuple([rate_item(case) for rate_item in rated])
        lo, hi = _totals(
            items if case.judgements is case.figures.judgements else _as_fractions(items), groups
        )
        if lo == hi:
            case.score = lo.as_integer_ratio()
        else:
            needs = tuple(dict.fromkeys([need for item in items if item.needs for need in item.needs]))
            case.score = Span(_exact(lo), _exact(hi), needs)
        return ScoreResult(lo, hi, pass_above, items, pass_at_least)

    return rate


def _mark(edition: Edition, value: Decimal | None, parameter: str | None) -> Decimal | None:
    if value is None and parameter is None:
        return None
    bound = edition.bound(value, parameter)
    return Decimal(bound.numerator) / Decimal(bound.denominator)


def _exact(points: Given) -> int | Fraction:
    return points if isinstance(points, int) else Fraction(points)


def _as_fractions(items: Sequence[ItemResult]) -> tuple[ItemResult, ...]:
    """The same items, so that a panel's means and decimal bands may be added."""
    return tuple(item._replace(least=Fraction(item.least), most=Fraction(item.most)) for item in items)


def _totals(
    items: tuple[ItemResult, ...], groups: tuple[tuple[Points, tuple[int, ...]], ...]
) -> tuple[Given, Given]:
    lo: Any = 0
    hi: Any = 0
    for cap, members in groups:
        group_lo: Any = 0
        group_hi: Any = 0
        for at in members:
            item = items[at]
            group_lo += item.least
            group_hi += item.most
        lo += min(cap, group_lo)
        hi += min(cap, group_hi)
    return lo, hi


def _collected(case: Case, edition: Edition) -> tuple[Collected, ...]:
    return tuple(
        collect(year.year, year.rd_items, edition.rd_caliber, case.figures.scale)
        for year in case.figures.window
        if year.rd_items is not None
    )
