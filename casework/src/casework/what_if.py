"""What if another edition held: a population judged under two editions, whose verdict changes, and why."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from casework.carrying import carried, not_carried, without
from casework.columns.engine import OUTCOMES, ColumnEvaluator, Judged
from casework.columns.table import Table
from casework.columns.whole import Ints
from casework.criteria import Condition
from casework.edition import Edition
from casework.facts import Facts
from casework.unusable import UnusableInput
from casework.verdict import Outcome, exact_text

State: TypeAlias = Outcome | Literal["unusable"]
STATES: tuple[State, ...] = (*OUTCOMES, "unusable")
_UNUSABLE = len(OUTCOMES)
# So many outcomes find room in the 63 bits of a pattern.
_MOST_CONDITIONS = 39
FactsOf: TypeAlias = Callable[[int], "Facts | UnusableInput"]


class Subject(NamedTuple):
    """Who stands in a row. `edition_hash`: the edition under which its judgements were given, as far as is known."""

    enterprise_id: str | None
    name: str | None = None
    case_id: str | None = None
    edition_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the population: `table` has a row for each of the `subjects`."""

    subjects: Sequence[Subject]
    table: Table
    facts_of: FactsOf


class Side(NamedTuple):
    """One row under one edition. `score`: from, to; `refused`: path and rule of what is unusable."""

    verdict: State
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    score: tuple[str, str] | None = None
    refused: tuple[str, str] | None = None


class Flip(NamedTuple):
    """A condition of the one edition and its counterpart in the other, whose outcomes differ.

    None where an edition has no counterpart.
    """

    before: str | None
    after: str | None
    was: Outcome | None
    becomes: Outcome | None


class Row(NamedTuple):
    subject: Subject
    before: Side
    after: Side
    flips: tuple[Flip, ...]


@dataclass(slots=True)
class Totals:
    """What was counted. `moves`: from one state to another; `conditions`: of each edition, by id and outcome.

    `refused`: under each edition, by path and rule. `by_scalar`: how many judgements the scalar engine made.
    """

    judged: int = 0
    moves: Counter[tuple[State, State]] = field(default_factory=Counter)
    flips: Counter[Flip] = field(default_factory=Counter)
    conditions: tuple[Counter[tuple[str, Outcome]], Counter[tuple[str, Outcome]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    refused: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    by_scalar: int = 0

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.moves.items() if before != after)

    def add(self, other: "Totals") -> None:
        self.judged += other.judged
        self.moves += other.moves
        self.flips += other.flips
        for mine, theirs in zip(self.conditions, other.conditions, strict=True):
            mine.update(theirs)
        for counted, more in zip(self.refused, other.refused, strict=True):
            counted.update(more)
        self.by_scalar += other.by_scalar


def counterparts(before: Edition, after: Edition) -> list[tuple[Condition | None, Condition | None]]:
    """Which conditions ask about the same: those that share a measure of the same things.

    Then the conditions of either edition that have no counterpart.
    """
    pairs: list[tuple[Condition | None, Condition | None]] = [
        (one, other)
        for one in before.conditions
        for other in after.conditions
        if one.id == other.id or _asked(one) & _asked(other)
    ]
    paired = ({one.id for one, _ in pairs if one}, {other.id for _, other in pairs if other})
    pairs += [(one, None) for one in before.conditions if one.id not in paired[0]]
    return pairs + [(None, other) for other in after.conditions if other.id not in paired[1]]


def _asked(condition: Condition) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    return {
        (
            part.measure,
            frozenset((name, value) for name, value in part.with_.items() if isinstance(value, str)),
        )
        for part in condition.parts
    }


class WhatIf:
    """Two compiled editions; `editions` are all that judgements may have been given under, by hash."""

    def __init__(self, before: Edition, after: Edition, editions: Sequence[Edition] = ()) -> None:
        self.evaluators = (ColumnEvaluator(before), ColumnEvaluator(after))
        self._editions = {edition.hash: edition for edition in (*editions, before, after)}
        places, others = ([c.id for c in one.conditions] for one in (before, after))
        self._pairs = [
            (None if one is None else places.index(one.id), None if other is None else others.index(other.id))
            for one, other in counterparts(before, after)
        ]

    def judge(self, chunk: Chunk) -> tuple[Judged, Judged]:
        before, after = (self._judge(evaluator, chunk) for evaluator in self.evaluators)
        return before, after

    def _judge(self, evaluator: ColumnEvaluator, chunk: Chunk) -> Judged:
        edition = evaluator.edition
        own = [self._editions.get(subject.edition_hash or "") for subject in chunk.subjects]

        def facts_of(row: int) -> Facts | UnusableInput:
            facts = chunk.facts_of(row)
            return carried(facts, own[row], edition) if isinstance(facts, Facts) else facts

        table = chunk.table
        hashes = np.array([subject.edition_hash or "" for subject in chunk.subjects])
        for other in set(hashes.tolist()) - {"", edition.hash}:
            if other in self._editions:
                table = without(table, not_carried(self._editions[other], edition), hashes == other)
        return evaluator.judge(table, facts_of)

    def rows(self, chunk: Chunk, *, changed_only: bool, totals: Totals) -> Iterator[Row]:
        """The rows of the chunk, all or those whose verdict changes; what is counted is added to `totals`."""
        judged = self.judge(chunk)
        states = [np.where(one.refusals.code > 0, _UNUSABLE, one.verdict) for one in judged]
        self._count(totals, judged, states)
        changed = states[0] != states[1]
        self._count_flips(totals, judged, np.flatnonzero(changed))
        chosen = np.flatnonzero(changed) if changed_only else np.arange(len(changed))
        sides, other_sides = (_sides(one, chosen) for one in judged)
        flips = self._flips_of(judged, chosen)
        for row, before, after, why in zip(chosen.tolist(), sides, other_sides, flips, strict=True):
            yield Row(chunk.subjects[row], before, after, why)

    def _flips_of(self, judged: tuple[Judged, Judged], rows: Ints) -> Iterator[tuple[Flip, ...]]:
        known: dict[tuple[int, int], tuple[Flip, ...]] = {}
        before, after = (_patterns(one, rows) for one in judged)
        for row, key in zip(rows.tolist(), zip(before, after, strict=True), strict=True):
            if key not in known:
                known[key] = tuple(self._flips(judged, row)) if min(key) >= 0 else ()
            yield known[key]

    def _count_flips(self, totals: Totals, judged: tuple[Judged, Judged], rows: Ints) -> None:
        for flips, count in Counter(self._flips_of(judged, rows)).items():
            totals.flips.update(dict.fromkeys(flips, count))

    def _count(self, totals: Totals, judged: tuple[Judged, Judged], states: list[Any]) -> None:
        totals.judged += len(states[0])
        moves = np.bincount(states[0] * len(STATES) + states[1], minlength=len(STATES) ** 2)
        for at in np.flatnonzero(moves).tolist():
            totals.moves[STATES[at // len(STATES)], STATES[at % len(STATES)]] += int(moves[at])
        for one, counted, refused in zip(judged, totals.conditions, totals.refused, strict=True):
            codes = np.bincount(one.refusals.code).tolist()[1:]
            refused.update({why: n for why, n in zip(one.refusals.reasons, codes, strict=False) if n})
            usable = one.refusals.code == 0
            for at, condition in enumerate(one.edition.conditions):
                found = np.bincount(one.conditions[at, usable], minlength=len(OUTCOMES)).tolist()
                counted.update({(condition.id, o): n for o, n in zip(OUTCOMES, found, strict=True) if n})
            totals.by_scalar += one.by_scalar

    def _flips(self, judged: tuple[Judged, Judged], row: int) -> Iterator[Flip]:
        for before, after in self._pairs:
            was = None if before is None else OUTCOMES[judged[0].conditions[before, row]]
            becomes = None if after is None else OUTCOMES[judged[1].conditions[after, row]]
            # A condition without counterpart changes something unless it passes.
            if was != becomes and {was, becomes} != {None, "pass"}:
                yield Flip(_id(judged[0], before), _id(judged[1], after), was, becomes)


def _id(judged: Judged, place: int | None) -> str | None:
    return None if place is None else judged.edition.conditions[place].id


def _patterns(judged: Judged, rows: Ints) -> list[int]:
    """Equal numbers for rows with the same outcomes; below zero for those that were refused, by reason."""
    if len(judged.conditions) > _MOST_CONDITIONS:
        raise ValueError(f"an edition with {len(judged.conditions)} conditions")
    weights = len(OUTCOMES) ** np.arange(len(judged.conditions), dtype=np.int64)
    patterns = weights @ judged.conditions[:, rows].astype(np.int64)
    refused = judged.refusals.code[rows].astype(np.int64)
    numbers: list[int] = np.where(refused > 0, -refused, patterns).tolist()
    return numbers


def _sides(judged: Judged, rows: Ints) -> Iterator[Side]:
    """Rows with the same outcomes share words; a population has few that differ."""
    known: dict[int, Side] = {}
    scores: dict[tuple[int, int], tuple[str, str]] = {}
    totals = zip(judged.low[rows].tolist(), judged.high[rows].tolist(), strict=True)
    for row, pattern, total in zip(rows.tolist(), _patterns(judged, rows), totals, strict=True):
        side = known.get(pattern)
        if side is None:
            side = known[pattern] = _side(judged, row)
        if side.score is None:
            yield side
            continue
        score = scores.get(total)
        if score is None:
            score = scores[total] = _score_of(judged, row)
        yield Side(side.verdict, side.failed, side.unknown, score)


def _score_of(judged: Judged, row: int) -> tuple[str, str]:
    low, high = judged.score(row) or (0, 0)
    return exact_text(low), exact_text(high)


def _side(judged: Judged, row: int) -> Side:
    refused = judged.refusal(row)
    if refused is not None:
        return Side("unusable", refused=refused)
    named = zip(judged.edition.conditions, judged.conditions[:, row].tolist(), strict=True)
    found = [(condition.id, OUTCOMES[code]) for condition, code in named]
    return Side(
        OUTCOMES[judged.verdict[row]],
        tuple(name for name, outcome in found if outcome == "fail"),
        tuple(name for name, outcome in found if outcome == "unknown"),
        None if judged.edition.score is None else _score_of(judged, row),
    )
