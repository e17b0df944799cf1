"""When an enterprise may not apply: after a title was taken away, and while one still lasts."""

from datetime import date, timedelta

from casework.calendar import add_working_days
from casework.edition import Edition, Period, Rule, day_or_last


def ground_of(edition: Edition, ground: str, today: date) -> Rule | None:
    """The edition's ground of revocation with this id, if it applies on that day."""
    return next((rule for rule in edition.revocation if rule.id == ground and rule.applies_on(today)), None)


def barred_until(edition: Edition, ground: str, revoked_on: date) -> date | None:
    """The last day on which no application is taken; None where the edition bars nobody for this ground.

    Raises CalendarUnknown where a bar of working days leaves the known years.
    """
    bars = [
        last_day(rule.period, revoked_on)
        for rule in edition.reapplication
        if rule.period is not None
        and rule.applies_on(revoked_on)
        and (rule.grounds is None or ground in rule.grounds)
    ]
    return max(bars, default=None)


def last_day(period: Period, day: date) -> date:
    """The last day of a period that begins on the day, which itself is not counted (民法通则第一百五十四条).

    `until` is a day of the year: the next one that comes, that day itself included.
    """
    if period.until is not None:
        month, of_month = (int(part) for part in period.until.split("-"))
        ends = day_or_last(day.year, month, of_month)
        return ends if ends >= day else day_or_last(day.year + 1, month, of_month)
    if period.working_days is not None:
        return add_working_days(day, period.working_days)
    if period.days is not None:
        return day + timedelta(days=period.days)
    months = day.month - 1 + (period.months or 0) + 12 * (period.years or 0)
    return day_or_last(day.year + months // 12, months % 12 + 1, day.day)


def first_day(period: Period, day: date) -> date:
    """The first day of a period that ends on the day: the inverse of `last_day`, without working days.

    `until` is a day of the year: the latest one up to the day, that day itself included.
    """
    if period.until is not None:
        month, of_month = (int(part) for part in period.until.split("-"))
        opens = day_or_last(day.year, month, of_month)
        return opens if opens <= day else day_or_last(day.year - 1, month, of_month)
    if period.days is not None:
        return day - timedelta(days=period.days)
    months = day.month - 1 - (period.months or 0) - 12 * (period.years or 0)
    return day_or_last(day.year + months // 12, months % 12 + 1, day.day)
