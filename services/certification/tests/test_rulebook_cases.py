"""The published and boundary cases beside each edition of certification come out as written."""

from datetime import date

import pytest

from casework.evaluate import Evaluator, compile_edition
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.rulebook_cases import RulebookCase, cases_beside, check_case

FOLDER = rulebooks_of("certification")
EVALUATORS = [compile_edition(edition) for edition in load_rulebooks(FOLDER).editions]
CASES = [
    pytest.param(
        evaluator, case, id=f"{edition.programme} {edition.level} {edition.in_force_from} {case.name}"
    )
    for evaluator in EVALUATORS
    for edition in [evaluator.edition]
    for case in cases_beside(FOLDER, edition)
]


@pytest.mark.parametrize(("evaluator", "case"), CASES)
def test_a_case_of_the_rulebook_comes_out_as_written(evaluator: Evaluator, case: RulebookCase) -> None:
    assert check_case(case, evaluator) == []


def test_a_case_that_comes_out_otherwise_is_noticed() -> None:
    evaluator = compile_edition(load_rulebooks(FOLDER).edition("hnte", date(2016, 1, 1)))
    case = cases_beside(FOLDER, evaluator.edition)[0]
    wrong = RulebookCase(
        case.name, case.facts, {"verdict": "fail", "items": {"growth_sales": {"band": "A"}}}, published=False
    )
    assert check_case(wrong, evaluator) == [
        ".verdict: 'pass', expected 'fail'",
        ".items.growth_sales.band: 'B', expected 'A'",
    ]
