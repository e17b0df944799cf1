"""Bands are intervals in the law's notation that neither overlap nor leave a gap."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.bands import Interval, check_ladder, compile_ladder


@pytest.mark.parametrize(
    "text", ["", "[1]", "[2, 1]", "(1, 1]", "[0.35, nan)", "[1e3, 2]", "1..2", "[inf, 2]"]
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="interval"):
        Interval.parse(text)


@pytest.mark.parametrize(
    ("bands", "whole", "negative", "problem"),
    [
        (["[0, 5)", "[5, inf)"], False, False, None),
        (["[5, inf)", "[0, 5)"], False, False, None),
        (["[0, 5]", "[5, inf)"], False, False, "overlap at 5"),
        (["[0, 6)", "[5, inf)"], False, False, "overlap at 5"),
        (["[0, 5)", "(5, inf)"], False, False, "gap at 5"),
        (["[0, 5)", "[5, 5]", "(5, inf)"], False, False, None),
        (["[0, 4]", "[5, inf)"], False, False, "gap between 4 and 5"),
        (["[0, 4]", "[5, inf)"], True, False, None),
        (["[0, 3]", "[5, inf)"], True, False, "gap between 3 and 5"),
        (["[0, 5)", "[5, 9]"], False, False, "gap above 9"),
        (["(0, inf)"], False, False, "gap below 0"),
        (["[1, inf)"], True, False, "gap below 1"),
        (["[0, inf)"], False, True, "gap below 0"),
        (["(-inf, 0]", "(0, inf)"], False, True, None),
        (["(-inf, inf)", "[0, 1]"], False, True, "overlap at 0"),
    ],
)
def test_a_ladder_with_a_gap_or_an_overlap_is_found_out(
    bands: list[str], *, whole: bool, negative: bool, problem: str | None
) -> None:
    assert (
        check_ladder([Interval.parse(text) for text in bands], whole_numbers=whole, negative=negative)
        == problem
    )


LADDER = [
    "(-inf, 0]",
    "(0, 0.05)",
    "[0.05, 0.15)",
    "[0.15, 0.25)",
    "[0.25, 0.35)",
    "[0.35, 4)",
    "[4, 4]",
    "(4, inf)",
]
NEAR = st.sampled_from(["0", "0.05", "0.15", "0.25", "0.35", "4"]).map(Fraction)


@given(edge=NEAR, numerator=st.integers(-3, 3), denominator=st.integers(1, 10**30))
def test_a_compiled_ladder_finds_the_one_band_that_holds_the_number(
    edge: Fraction, numerator: int, denominator: int
) -> None:
    intervals = [Interval.parse(text) for text in LADDER]
    number = edge + Fraction(numerator, denominator)
    holding = [at for at, interval in enumerate(intervals) if interval.holds(number)]
    assert holding == [compile_ladder(intervals)(number.numerator * 6, number.denominator * 6)]
