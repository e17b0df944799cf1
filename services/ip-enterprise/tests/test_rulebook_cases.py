"""The published and boundary cases beside each edition of ip-enterprise come out as written."""

import pytest

from casework.evaluate import Evaluator, compile_edition
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.rulebook_cases import RulebookCase, check_case, read_cases

FOLDER = rulebooks_of("ip_enterprise")
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
