"""The parameters a rulebook may set where the text is silent, with the values the code knows."""

import re
from decimal import Decimal

_GRADES = frozenset("ABCDEF")

_REGIONS = re.compile(r"[0-9]{2,6}( [0-9]{2,6})*")
_DAY_OF_YEAR = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")

# None: any number. A pattern: text of that form. Others: the only values that have a meaning here.
KNOWN: dict[str, frozenset[str | int | bool] | re.Pattern[str] | None] = {
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
    "ip.kinds": frozenset({"without_trademarks"}),
    "ip.three_years": frozenset({"calendar_years_before_application"}),
    "ip.exclusive_licence_term": frozenset({"checked_by_officer"}),
    "incidents.absent": frozenset({"none_declared"}),
    "incidents.day_365": frozenset({"inside"}),
    "incidents.this_and_last_year": frozenset({"calendar_years"}),
    "incidents.three_years": frozenset({"from_the_same_day"}),
    "declarations.absent": frozenset({"none_declared"}),
    "claims.absent": frozenset({"not_claimed"}),
    "choice.absent": frozenset({"unknown"}),
    "rd_share.period": frozenset({"latest_year"}),
    "rd_share.zero_base": frozenset({"lowest_grade"}),
    "rd.other_cap_base": frozenset({"own_items"}),
    "revenue.main_business": frozenset({"sales_revenue"}),
    "size.staff": frozenset({"yearly_mean"}),
    "staff.full_time": frozenset({"yearly_mean_of_rd_staff"}),
    "platform.city_level": frozenset({"human_decision"}),
    "region.pearl_river_delta": _REGIONS,
    "agents.later_years": frozenset({"still_forbidden"}),
    "notice.working_days": None,
    "title.number_form": frozenset({"supplied"}),
    "duty.remind_days": None,
    "duty.first_report": frozenset({"next_due_day"}),
    "duty.reported_late": frozenset({"stays_missed"}),
    "inspection.random_by": _DAY_OF_YEAR,
    "title.validity": frozenset({"calendar_year", "until_assessment"}),
    "threshold.revenue": None,
    "threshold.rd_share": None,
    "threshold.rights": None,
    "threshold.rd_staff": None,
    "threshold.equipment": None,
    "panel.outlier_points": None,
    "panel.yes_no": frozenset({"majority"}),
    "panel.group_cap": frozenset({"after_mean"}),
    "panel.compulsory": frozenset({True}),
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
    if isinstance(allowed, re.Pattern):
        fits = isinstance(value, str) and allowed.fullmatch(value) is not None
        return None if fits else f"parameter {name} must be of the form {allowed.pattern}"
    if value in allowed:
        return None
    return f"parameter {name} must be one of {', '.join(sorted(map(str, allowed)))}"
