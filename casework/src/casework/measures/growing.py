"""Growth over the last three fiscal years; the score and its items as measures."""

from fractions import Fraction

from casework.edition import Edition
from casework.measures.amounts import Amount, Case, Measure, Missing, NoGrade, Span, measure, year_needs

_PARAMETERS = ("growth.two_year_formula", "growth.one_year_score", "growth.negative_base")


@measure("growth", negative=True, parameters=_PARAMETERS)
def growth(edition: Edition, *, of: str) -> Measure:
    """`1/2 * (v2/v1 + v3/v2) - 1`; two years `v2/v1 - 1`; one year no points.

    A first year of zero leaves the last two years; a middle year of zero gives no points; a negative value
    counts as zero and is flagged. Parameters: growth.* of the edition.
    """
    two_years = edition.parameter("growth.two_year_formula") == "single_ratio"
    negative_as_zero = edition.parameter("growth.negative_base") == "as_zero"

    def rate(case: Case) -> Amount:
        values = case.figures.series.get(of)
        if values is None:
            return Missing(year_needs(case, of))
        if values and min(values) < 0:
            case.flags.append("growth.negative_base")
            if not negative_as_zero:
                return NoGrade("negative")
            values = tuple(max(value, 0) for value in values)
        if len(values) != 3:
            return _shorter(case, values, two_years=two_years)
        first, second, third = values
        if second == 0:
            return NoGrade("middle_year_zero")
        if first == 0:
            return (third - second, second)
        denominator = 2 * first * second
        return (second * second + third * first - denominator, denominator)

    return rate


def _shorter(case: Case, values: tuple[int, ...], *, two_years: bool) -> Amount:
    case.flags.append("growth.two_year_formula" if len(values) == 2 else "growth.one_year_score")
    if len(values) < 2 or not two_years:
        return NoGrade("too_few_years")
    first, second = values
    return (second - first, first) if first else NoGrade("middle_year_zero")


@measure("score", unit="points")
def score(_edition: Edition) -> Measure:
    """The total of the score items, within its bounds."""

    def total(case: Case) -> Amount:
        assert case.score is not None
        return case.score

    return total


@measure("item_points", unit="points")
def item_points(edition: Edition, *, item: str) -> Measure:
    """What one score item adds to the total, within its bounds."""
    assert edition.score is not None
    place = [listed.id for listed in edition.score.items].index(item)

    def points(case: Case) -> Amount:
        rated = case.items[place]
        if rated.least == rated.most:
            return rated.least.as_integer_ratio()
        return Span(Fraction(rated.least), Fraction(rated.most), rated.needs)

    return points
