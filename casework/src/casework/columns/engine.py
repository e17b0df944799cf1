"""Judges many enterprises at once under one edition, with the same outcome for each as casework.evaluate has."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

import casework.columns.twins  # noqa: F401 - registers the columnar forms
from casework.columns.amounts import Judging, NotColumnar, only
from casework.columns.conditions import Check, Outcomes, compile_condition
from casework.columns.refusing import Refusals
from casework.columns.scoring import CompiledScore, compile_score
from casework.columns.table import ABSENT, LARGEST, NO, SCALE, YES, Table
from casework.columns.whole import Ints, TooWide
from casework.conditions import compile_condition as compile_scalar
from casework.edition import Edition
from casework.evaluate import COMMON_JUDGEMENTS, Evaluator, compile_edition
from casework.facts import Facts
from casework.measures.amounts import Case, Span
from casework.unusable import UnusableInput
from casework.verdict import ConditionResult, Outcome, Verdict

OUTCOMES: tuple[Outcome, ...] = ("fail", "unknown", "pass")
_CODES = {outcome: np.int8(code) for code, outcome in enumerate(OUTCOMES)}
# Everything an edition says beside these may bear on the judgement.
_EDITION = (
    "programme", "level", "title", "in_force_from", "in_force_to", "hash", "title_number", "instruments", "case_types",
    "parameters", "judgements", "rights", "rd_caliber", "conditions", "score", "process", "notice_working_days",
    "validity", "panel", "documents", "inspections", "agents", "deadlines", "duties", "changes", "revocation",
    "reapplication", "renewals",
)  # fmt: skip
FactsOf = Callable[[int], "Facts | UnusableInput"]


@dataclass(slots=True, eq=False)
class Judged:
    """What became of each row. Where `refusals` name a reason, nothing else of the row has a meaning.

    `conditions`: one row of outcomes per condition of the edition, in its order. The totals are `low / grid` and
    `high / grid`. `by_scalar`: how many rows the scalar engine judged.
    """

    edition: Edition
    verdict: Outcomes
    conditions: NDArray[np.int8]
    low: Ints
    high: Ints
    grid: int
    refusals: Refusals
    by_scalar: int = 0

    def refusal(self, row: int) -> tuple[str, str] | None:
        """Path and rule, None for a row that was judged."""
        code = int(self.refusals.code[row])
        return self.refusals.reasons[code - 1] if code else None

    def score(self, row: int) -> tuple[Fraction, Fraction] | None:
        if self.edition.score is None:
            return None
        return Fraction(int(self.low[row]), self.grid), Fraction(int(self.high[row]), self.grid)


class ColumnEvaluator:
    """One compiled edition.

    `reasons` says of each condition, or of the whole (`edition`), why it has no columnar form: the scalar engine judges
    these. Safe to share between threads.
    """

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.evaluator: Evaluator = compile_edition(edition)
        self.reasons: dict[str, str] = {}
        self._score: CompiledScore | None = None
        self._checks: list[Check | None] = []
        try:
            self._allowed = Allowed.by(edition)
            self._score = None if edition.score is None else compile_score(edition)
        except NotColumnar as reason:
            self.reasons["edition"] = str(reason)
            return
        self._scalar: dict[int, Callable[[Case], ConditionResult]] = {}
        for at, condition in enumerate(edition.conditions):
            try:
                self._checks.append(compile_condition(condition, edition))
            except NotColumnar as reason:
                self.reasons[condition.id] = str(reason)
                self._checks.append(None)
                self._scalar[at] = compile_scalar(condition, edition)

    def judge(self, table: Table, facts_of: FactsOf) -> Judged:
        """Judges every row. Points outside the band that the facts reach do not stand, as with `estimated`.

        `facts_of` gives a row's facts where the scalar engine is needed.
        """
        size = table.size
        grid = 1 if self._score is None else self._score.grid
        judged = Judged(
            self.edition, np.zeros(size, np.int8), np.zeros((len(self.edition.conditions), size), np.int8),
            np.zeros(size, np.int64), np.zeros(size, np.int64), grid, Refusals.none(size),
        )  # fmt: skip
        by_scalar: Iterable[int] = range(size)
        if "edition" not in self.reasons:
            try:
                self._judge(table, judged, facts_of)
                by_scalar = sorted(table.odd)
            except TooWide:
                judged.refusals = Refusals.none(size)
        self._judge_rows(judged, by_scalar, table, facts_of)
        return judged

    def _judge(self, table: Table, judged: Judged, facts_of: FactsOf) -> None:
        judging = Judging(table)
        self._allowed.check(table, judged.refusals)
        if self._score is not None:
            judged.low, judged.high = self._score.rate(judging, judged.refusals)
        for at, check in enumerate(self._checks):
            if check is not None:
                judged.conditions[at] = check(judging)
        if self._scalar:
            self._add_scalar(table, judged, facts_of)
        judged.verdict = judged.conditions.min(axis=0)

    def _add_scalar(self, table: Table, judged: Judged, facts_of: FactsOf) -> None:
        """The conditions that have no columnar form, row by row."""
        for row in np.flatnonzero(judged.refusals.code == 0).tolist():
            facts = None if row in table.odd else facts_of(row)
            if not isinstance(facts, Facts):
                continue
            case = Case(facts, estimated=True)
            totals = judged.score(row)
            if totals is not None:
                low, high = totals
                case.score = low.as_integer_ratio() if low == high else Span(low, high, ())
            for at, check in self._scalar.items():
                judged.conditions[at, row] = _CODES[check(case).outcome]
            judged.by_scalar += 1

    def _judge_rows(self, judged: Judged, rows: Iterable[int], table: Table, facts_of: FactsOf) -> None:
        refusals = judged.refusals
        for row in rows:
            found = _by_scalar(self.evaluator, table.odd.get(row) or facts_of(row))
            if isinstance(found, UnusableInput):
                refusals.code[row] = refusals.code_of(found.path, found.rule_id)
                continue
            refusals.code[row] = 0
            _put(judged, row, found)
            judged.by_scalar += 1


def _by_scalar(evaluator: Evaluator, facts: Facts | UnusableInput) -> Verdict | UnusableInput:
    if isinstance(facts, UnusableInput):
        return facts
    try:
        return evaluator.judge(facts, estimated=True)
    except UnusableInput as refusal:
        return refusal


def _put(judged: Judged, row: int, verdict: Verdict) -> None:
    judged.verdict[row] = _CODES[verdict.verdict]
    judged.conditions[:, row] = [_CODES[result.outcome] for result in verdict.conditions]
    if verdict.score is None:
        return
    totals = [Fraction(verdict.score.lo), Fraction(verdict.score.hi)]
    grid = lcm(judged.grid, *(total.denominator for total in totals))
    if grid != judged.grid:
        judged.low, judged.high = (column * (grid // judged.grid) for column in (judged.low, judged.high))
        judged.grid = grid
    judged.low[row], judged.high[row] = (int(total * grid) for total in totals)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which case types and judgements the edition takes."""

    case_types: tuple[str, ...]
    known: frozenset[str]
    booleans: tuple[str, ...]
    counts: dict[str, int | None]

    @classmethod
    def by(cls, edition: Edition) -> "Allowed":
        """Raises NotColumnar."""
        only(edition, *_EDITION)
        for judgement in edition.judgements.values():
            only(judgement, "kind", "title", "max")
            if judgement.kind not in {"boolean", "count"}:
                raise NotColumnar(f"a judgement that is a {judgement.kind} has no columnar form")
        items = () if edition.score is None else edition.score.items
        own = {*edition.judgements, *(item.id for item in items)}
        return cls(
            edition.case_types,
            frozenset(own | COMMON_JUDGEMENTS),
            tuple(name for name, judgement in edition.judgements.items() if judgement.kind == "boolean"),
            {name: j.max for name, j in edition.judgements.items() if j.kind == "count"},
        )

    def check(self, table: Table, refusals: Refusals) -> None:
        """The same checks in the same order as the scalar engine's before it judges."""
        known_type = np.isin(table.case_type, [-1, *(table.code(name) for name in self.case_types)])
        refusals.add("case_type", "case_type_not_allowed", ~known_type)
        for name in sorted(table.judgements.keys() - self.known):
            refusals.add(f"judgements.{name}", "unknown_judgement", table.judgements[name] != ABSENT)
        for name in self.booleans:
            refusals.add(f"judgements.{name}", "judgement_not_boolean", table.judgement(name) > YES)
        for name, most in self.counts.items():
            given, path = table.judgement(name), f"judgements.{name}"
            number = given > YES
            refusals.add(path, "judgement_not_number", (given == NO) | (given == YES))
            refusals.add(path, "judgement_not_whole", number & (given % SCALE != 0))
            too_much = given > LARGEST if most is None else given > most * SCALE
            refusals.add(path, "judgement_outside", number & ((given < 0) | too_much))
