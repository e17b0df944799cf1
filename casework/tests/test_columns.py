"""The columnar engine and the scalar engine say the same of every firm, whatever its facts."""

import random
from collections import Counter
from datetime import date
from typing import Any

import pytest

import made_firms
from casework.columns.engine import OUTCOMES, ColumnEvaluator, Judged
from casework.columns.gathering import Gathering
from casework.columns.table import Table
from casework.evaluate import Evaluator
from casework.facts import Facts, facts_from
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.unusable import UnusableInput

RULEBOOKS = load_rulebooks(rulebooks_of("certification"), rulebooks_of("ip_enterprise"))
HNTE = [ColumnEvaluator(RULEBOOKS.edition("hnte", date(year, 1, 1))) for year in (2008, 2016)]
Said = tuple[Any, ...]
FEW, MANY, AT_ONCE = 3_000, 100_000, 5_000


def scalar(evaluator: Evaluator, facts: Facts | UnusableInput) -> Said:
    try:
        if isinstance(facts, UnusableInput):
            raise facts
        verdict = evaluator.judge(facts, estimated=True)
    except UnusableInput as refusal:
        return "unusable", refusal.path, refusal.rule_id
    outcomes = [result.outcome for result in verdict.conditions]
    assert verdict.score is not None
    return verdict.verdict, outcomes, verdict.score.lo, verdict.score.hi


def read(document: Any) -> Facts | UnusableInput:
    try:
        return facts_from(document)
    except UnusableInput as refusal:
        return refusal


def columnar(judged: Judged, row: int) -> Said:
    refusal = judged.refusal(row)
    if refusal is not None:
        return "unusable", *refusal
    outcomes = [OUTCOMES[code] for code in judged.conditions[:, row]]
    return OUTCOMES[judged.verdict[row]], outcomes, *(judged.score(row) or ())


def gathered(documents: list[Any]) -> Table:
    gathering = Gathering()
    for document in documents:
        gathering.add(document)
    return gathering.table()


def compare(evaluators: list[ColumnEvaluator], documents: list[Any]) -> list[tuple[Counter[str], Judged]]:
    """How often each verdict came out under each edition, the same in both engines."""
    facts, table = [read(document) for document in documents], gathered(documents)
    found = []
    for evaluator in evaluators:
        judged, seen = evaluator.judge(table, lambda row: facts[row]), Counter[str]()
        for row, document in enumerate(documents):
            expected = scalar(evaluator.evaluator, facts[row])
            assert columnar(judged, row) == expected, document
            seen[expected[0]] += 1
        found.append((seen, judged))
    return found


def firms(seed: int, count: int) -> list[Any]:
    pick = random.Random(seed)
    return [made_firms.firm(pick) for _ in range(count)]


@pytest.mark.parametrize("evaluator", HNTE, ids=["2008", "2016"])
def test_the_edition_needs_no_scalar_engine(evaluator: ColumnEvaluator) -> None:
    assert evaluator.reasons == {}


def test_every_firm_gets_the_scalar_verdict() -> None:
    for seen, judged in compare(HNTE, firms(1, FEW)):
        assert min(seen[verdict] for verdict in ("pass", "fail", "unknown", "unusable")) > 10
        assert judged.by_scalar < FEW / 10


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_one_of_100000_firms_gets_the_scalar_verdict() -> None:
    for part in range(MANY // AT_ONCE):
        compare(HNTE, firms(100 + part, AT_ONCE))


def test_nasty_documents_are_refused_as_facts_are() -> None:
    pick = random.Random(7)
    documents = [made_firms.spoiled(pick, made_firms.firm(pick)) for _ in range(1_000)]
    for seen, _ in compare(HNTE, documents):
        assert seen["unusable"] > 300
