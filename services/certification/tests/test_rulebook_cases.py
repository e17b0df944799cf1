"""The published and boundary cases beside each edition of certification come out as written."""

import pytest

from casework.evaluate import Evaluator, compile_edition
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.rulebook_cases import RulebookCase, check_case, read_cases

FOLDER = rulebooks_of("certification")
EVALUATORS = {
    f"{edition.programme}/{edition.in_force_from}": compile_edition(edition)
    for edition in load_rulebooks(FOLDER).editions
}
CASES = [
    pytest.param(EVALUATORS[name], case, id=f"{name} {case.name}")
    for name in EVALUATORS
    for case in read_cases(FOLDER / f"{name}.cases.yaml")
]


@pytest.mark.parametrize(("evaluator", "case"), CASES)
def test_a_case_of_the_rulebook_comes_out_as_written(evaluator: Evaluator, case: RulebookCase) -> None:
    assert check_case(case, evaluator) == []


def test_a_case_that_comes_out_otherwise_is_noticed() -> None:
    case = read_cases(FOLDER / "hnte/2016-01-01.cases.yaml")[0]
    wrong = RulebookCase(
        case.name, case.facts, {"verdict": "fail", "items": {"growth_sales": {"band": "A"}}}, published=False
    )
    assert check_case(wrong, EVALUATORS["hnte/2016-01-01"]) == [
        ".verdict: 'pass', expected 'fail'",
        ".items.growth_sales.band: 'B', expected 'A'",
    ]
