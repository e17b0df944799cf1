"""Establishment and staff."""

import numpy as np

from casework.columns.amounts import (
    MISSING,
    Amounts,
    ColumnMeasure,
    Judging,
    kind_of_rows,
    quotients,
    twin,
)
from casework.columns.table import ABSENT, SCALE, YES
from casework.columns.whole import Whole
from casework.edition import Edition


@twin("days_established")
def days_established(_edition: Edition) -> ColumnMeasure:
    def days(judging: Judging) -> Amounts:
        table = judging.table
        unknown = (table.applied == 0) | (table.established == 0)
        return Amounts(
            Whole.of(table.applied - table.established), kind=kind_of_rows(table.size, (unknown, MISSING))
        )

    return days


@twin("mainland_resident")
def mainland_resident(_edition: Edition) -> ColumnMeasure:
    def resident(judging: Judging) -> Amounts:
        answer = judging.table.resident
        return Amounts(
            Whole.of(answer.astype(np.int64)), kind=kind_of_rows(len(answer), (answer < 0, MISSING))
        )

    return resident


@twin("staff_share")
def staff_share(_edition: Edition, *, of: str) -> ColumnMeasure:
    """All kinds of one enterprise stand over the same number, which the share does without."""

    def share(judging: Judging) -> Amounts:
        return quotients(judging.table.staff[of], judging.table.staff["total"])

    return share


@twin("judgement")
def judgement(_edition: Edition, *, name: str) -> ColumnMeasure:
    def said(judging: Judging) -> Amounts:
        given = judging.table.judgement(name)
        number = np.where(given > YES, given // SCALE, 0)
        number[given == YES] = 1
        return Amounts(Whole.of(number), kind=kind_of_rows(judging.table.size, (given == ABSENT, MISSING)))

    return said
