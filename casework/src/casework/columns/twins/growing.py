"""Growth over the last three fiscal years, and the score as a measure."""

from functools import partial

import numpy as np

from casework.columns.amounts import (
    MISSING,
    NO_GRADE,
    Amounts,
    ColumnMeasure,
    Judging,
    kind_of_rows,
    twin,
)
from casework.columns.table import ABSENT, Table
from casework.columns.whole import Whole, where
from casework.edition import Edition


@twin("growth")
def growth(edition: Edition, *, of: str) -> ColumnMeasure:
    two_years = edition.parameter("growth.two_year_formula") == "single_ratio"
    negative_as_zero = edition.parameter("growth.negative_base") == "as_zero"
    grown = partial(_growth, of=of, two_years=two_years, negative_as_zero=negative_as_zero)
    key = ("growth", of, two_years, negative_as_zero)
    return lambda judging: judging.table.once(key, grown)


def _growth(table: Table, *, of: str, two_years: bool, negative_as_zero: bool) -> Amounts:
    years = table.years
    known = years.known(of) & table.applied_known
    columns = np.where(years.given & (years.amounts[of] != ABSENT), years.amounts[of], 0)
    negative = (columns < 0).any(axis=0)
    values = np.maximum(columns, 0)
    count = years.given.sum(axis=0)
    three = count == 3
    # The last two years of operation; those of an enterprise that did not operate in the last year stand first.
    early = (count == 2) & years.given[0]
    before, after = np.where(early, values[:2], values[1:])
    no_grade = (before == 0) | (count < 2)
    if not two_years:
        no_grade |= ~three
    if not negative_as_zero:
        no_grade |= negative
    first, second, third = (Whole.of(column) for column in values)
    whole = three & (values[0] != 0)
    twice = first * second * 2
    return Amounts(
        where(whole, second * second + third * first - twice, Whole.of(after - before)),
        where(whole, twice, Whole.of(before)),
        kind_of_rows(table.size, (~known, MISSING), (no_grade, NO_GRADE)),
    )


@twin("score")
def score(_edition: Edition) -> ColumnMeasure:
    def total(judging: Judging) -> Amounts:
        assert judging.score is not None
        return judging.score

    return total
