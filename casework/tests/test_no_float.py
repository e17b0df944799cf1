"""No float is ever used, and judging leaves no trace."""

import dataclasses
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

import pytest

from casework.edition import Edition
from casework.evaluate import compile_edition
from casework.facts import Facts, facts_from
from casework.reading import read_yaml
from casework.rulebook import load_rulebooks, rulebooks_of

RULEBOOKS = load_rulebooks(rulebooks_of("certification"), rulebooks_of("ip_enterprise"))
HNTE_2016 = compile_edition(RULEBOOKS.edition("hnte", date(2016, 1, 1)))
WHOLE = read_yaml(
    (Path(__file__).parents[2] / "data/facts/whole-firm.hnte.yaml").read_text(encoding="utf-8")
).content


def numbers(value: Any, seen: set[int]) -> Iterator[Any]:
    """Every number reachable from the value, through objects, containers and the closures of functions."""
    if isinstance(value, bool | str | bytes | date | type(None)) or id(value) in seen:
        return
    if isinstance(value, int | Decimal | Fraction | float | complex):
        yield value
        return
    seen.add(id(value))
    for inner in inside(value):
        yield from numbers(inner, seen)


def inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, FunctionType):
        yield from (cell for cell in value.__closure__ or ())
    elif isinstance(value, CellType):
        yield value.cell_contents
    elif dataclasses.is_dataclass(value):
        yield from (getattr(value, field.name) for field in dataclasses.fields(value))
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from vars(value).values()


@pytest.mark.parametrize("edition", RULEBOOKS.editions, ids=lambda e: f"{e.programme}-{e.in_force_from}")
def test_no_float_is_ever_used(edition: Edition) -> None:
    evaluator = compile_edition(edition)
    facts: Facts = facts_from({**WHOLE, "judgements": {}})
    verdict = evaluator.judge(facts)
    for thing in (edition, evaluator, facts, verdict):
        found = list(numbers(thing, set()))
        assert len(found) > 20
        assert [number for number in found if isinstance(number, float | complex)] == []


def test_the_guard_against_floats_sees_one_in_a_closure() -> None:
    hidden = 0.5

    def closure() -> float:
        return hidden

    assert list(numbers({"a": [closure]}, set())) == [0.5]


def test_judging_changes_nothing_in_the_evaluator() -> None:
    first = HNTE_2016.judge(facts_from(WHOLE))
    for _ in range(3):
        HNTE_2016.judge(facts_from({**WHOLE, "judgements": {}, "ip": []}))
    again = HNTE_2016.judge(facts_from(WHOLE))
    assert [(c.outcome, c.value) for c in first.conditions] == [
        (c.outcome, c.value) for c in again.conditions
    ]
    assert first.score is not None
    assert again.score is not None
    assert first.score.lo == again.score.lo == 83
