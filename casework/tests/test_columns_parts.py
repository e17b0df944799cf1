"""What the columnar engine stands on: exact columns, the registry of measures, and what it leaves to the scalar engine."""

import inspect
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import casework.columns.twins  # noqa: F401 - registers the columnar forms
from casework.columns.amounts import TWINS
from casework.columns.engine import ColumnEvaluator
from casework.columns.whole import TooWide, Whole
from casework.criteria import Condition, Part
from casework.edition import Edition
from casework.measures import REGISTRY
from test_columns import RULEBOOKS, compare, firms, gathered

EDITION = RULEBOOKS.edition("hnte", date(2016, 1, 1))
BIG = 1 << 62
NUMBERS = st.lists(st.integers(-BIG, BIG), min_size=1, max_size=20)


def column(numbers: list[int]) -> Whole:
    return Whole.of(np.array(numbers, np.int64))


def numbers_of(whole: Whole) -> list[int]:
    if whole.high is None:
        return [int(low) for low in whole.low]
    return [
        int(high) * 2**64 + int(low) for high, low in zip(whole.high, whole.low.view(np.uint64), strict=True)
    ]


@given(NUMBERS, st.integers(-BIG, BIG), st.integers(-(2**33), 2**33))
def test_sums_products_and_comparisons_are_those_of_whole_numbers(
    numbers: list[int], other: int, factor: int
) -> None:
    one, another = column(numbers), column([other] * len(numbers))
    made: list[tuple[Whole, Callable[[int], int]]] = [
        (one + another, lambda n: n + other),
        (one - another, lambda n: n - other),
        (one * another, lambda n: n * other),
        (one * another - another, lambda n: n * other - other),
        (one * factor, lambda n: n * factor),
    ]
    for found, expected in made:
        assert numbers_of(found) == [expected(n) for n in numbers]
        assert found.limit >= max(abs(expected(n)) for n in numbers)
    product = one * another
    assert product.at_least(another).tolist() == [n * other >= other for n in numbers]
    assert product.more_than(one).tolist() == [n * other > n for n in numbers]
    assert product.is_zero().tolist() == [n * other == 0 for n in numbers]


def test_what_might_not_fit_is_refused_before_it_wraps_round() -> None:
    wide = column([BIG]) * column([BIG])
    with pytest.raises(TooWide):
        wide * column([2])
    with pytest.raises(TooWide):
        wide * 2**10
    with pytest.raises(TooWide):
        column([1]) * 2**64


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_columnar_measure_is_named_and_called_like_the_measure(name: str) -> None:
    def accepted(build: Callable[..., Any]) -> dict[str, Any]:
        named = inspect.signature(build).parameters.values()
        return {p.name: p.default for p in named if p.kind is p.KEYWORD_ONLY}

    known, all_of_it = accepted(TWINS[name]), accepted(REGISTRY[name].build)
    assert known.keys() <= all_of_it.keys()
    # What it does not know it refuses, so that the scalar engine answers.
    required = {key for key, default in all_of_it.items() if default is inspect.Parameter.empty}
    assert required <= known.keys()


def with_part(part: Part) -> Edition:
    first = EDITION.conditions[0]
    changed = first.model_copy(update={"parts": (*first.parts, part)})
    return EDITION.model_copy(update={"conditions": (changed, *EDITION.conditions[1:])})


def test_a_condition_on_a_measure_without_columnar_form_is_left_to_the_scalar_engine() -> None:
    part = Part.model_validate({"measure": "rd_share_mean", "at_least": 0})
    evaluator = ColumnEvaluator(with_part(part))
    assert list(evaluator.reasons) == ["H1"]
    assert "rd_share_mean" in evaluator.reasons["H1"]
    ((seen, judged),) = compare([evaluator], firms(5, 300))
    assert judged.by_scalar == np.count_nonzero(judged.refusals.code == 0) > 50
    assert seen["unknown"] > 0


def test_a_word_that_the_columnar_engine_does_not_know_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Later(Condition):
        except_on_sundays: bool = False

    first, *others = EDITION.conditions
    later = Later.model_validate({**dict(first), "except_on_sundays": True})
    evaluator = ColumnEvaluator(EDITION.model_copy(update={"conditions": (later, *others)}))
    assert "except_on_sundays" in evaluator.reasons["H1"]
    same = Later.model_validate({**dict(first), "except_on_sundays": False})
    assert ColumnEvaluator(EDITION.model_copy(update={"conditions": (same, *others)})).reasons == {}


def test_numbers_that_do_not_fit_into_columns_are_judged_by_the_scalar_engine() -> None:
    documents = firms(6, 50)
    large = [document for document in documents if document.get("years")][:20]
    for document in large:
        document["years"][-1]["total_assets"] = "999999999999999999"
    assert len(gathered(documents).odd) >= 20
    compare([ColumnEvaluator(RULEBOOKS.edition("hnte", date(2008, 1, 1)))], documents)


def test_costs_too_large_for_the_arithmetic_of_a_chunk_are_judged_by_the_scalar_engine() -> None:
    documents = firms(8, 60)
    for document in documents[:3]:
        for year in document.get("years", ()):
            for name in ("rd_spend", "rd_spend_domestic"):
                year.pop(name, None)
            year["rd_items"] = {"personnel": "3602879701896", "entrusted_abroad": "3602879701896", "other": 1}
    ((_, judged),) = compare([ColumnEvaluator(EDITION)], documents)
    assert judged.by_scalar == np.count_nonzero(judged.refusals.code == 0) > 5
