"""The parameters a rulebook may set where the text is silent, with the values the code knows."""

from decimal import Decimal

_GRADES = frozenset("ABCDEF")

# None: any number. Others: the only values that have a meaning here.
KNOWN: dict[str, frozenset[str | int | bool] | None] = {
    "growth.two_year_formula": frozenset({"single_ratio", "no_points"}),
    "growth.one_year_score": frozenset({0}),
    "growth.negative_base": frozenset({"as_zero", "no_points"}),
    "growth.partial_first_year": frozenset({"counts_as_year"}),
    "conversion.mean_between_0_and_1": _GRADES,
    "conversion.mean_exactly_4": _GRADES,
    "conversion.under_three_years": frozenset({"fiscal_years_of_operation"}),
    "rd_tier.at_200m": None,
    "rdmgmt.bands": frozenset({"none"}),
    "staff.dispatch_workers": frozenset({"human_decision"}),
    "ip.granted_on_the_day": frozenset({"counts"}),
    "ip.three_years": frozenset({"calendar_years_before_application"}),
    "ip.exclusive_licence_term": frozenset({"checked_by_officer"}),
    "incidents.absent": frozenset({"none_declared"}),
    "incidents.day_365": frozenset({"inside"}),
    "score.gap_between_grades": frozenset({"refused"}),
    "ip_title.pass_mark": None,
    "ip_title.validity": None,
    "ip_title.last_twelve_points": frozenset({"one_item"}),
    "ip_title.points_mapping": frozenset({"expert"}),
}


def problem_with(name: str, value: object) -> str | None:
    """What is wrong with the setting, or None."""
    if name not in KNOWN:
        return f"unknown parameter {name}"
    allowed = KNOWN[name]
    if allowed is None:
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return None if number else f"parameter {name} must be a number"
    if value in allowed:
        return None
    return f"parameter {name} must be one of {', '.join(sorted(map(str, allowed)))}"
