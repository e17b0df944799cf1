"""What a title owes over time, by the edition it was granted under, and what falls due next. Nothing is kept here."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from casework.bars import first_day, last_day
from casework.case import Duty, Title
from casework.edition import Edition, Period, Rule, day_or_last

DAY = timedelta(days=1)
Kind = Literal["remind", "warn", "miss", "expire"]
_ORDER: tuple[Kind, ...] = ("remind", "warn", "miss", "expire")


class Owed(NamedTuple):
    """One duty of one year, to be kept from one day to another, both included."""

    rule: Rule
    year: int
    opens_on: date
    due_on: date


class Step(NamedTuple):
    """What the office does about a title on a day: remind of a duty, warn of one overdue, note a miss, or its expiry."""

    on: date
    kind: Kind
    duty: Duty | None


def owed_by(edition: Edition, title: Title, case_type: str, from_day: date) -> list[Owed]:
    """Every duty that falls due on or after `from_day`, for a title that was granted on an application of that type."""
    return [
        Owed(rule, due_on.year - rule.years_back, opens_on, due_on)
        for rule in edition.duties
        if rule.period is not None and case_type not in rule.spared
        for opens_on, due_on in _spans(rule, rule.period, title)
        if due_on >= from_day and rule.applies_on(due_on)
    ]


def _spans(rule: Rule, period: Period, title: Title) -> Iterator[tuple[date, date]]:
    match rule.falls:
        case "yearly":
            yield from _yearly(period, title)
        case "since_grant":
            yield from _since_grant(period, title)
        case "before_expiry":
            yield max(title.granted_on, first_day(period, title.valid_until)), title.valid_until
        case "after_expiry":
            opens_on = title.valid_until + DAY
            yield opens_on, last_day(period, opens_on)
        case None:
            return


def _yearly(period: Period, title: Title) -> Iterator[tuple[date, date]]:
    """The day of each year that comes after the grant and not after the expiry; a year is reported when it is over."""
    month, of_month = (int(part) for part in (period.until or "").split("-"))
    for year in range(title.granted_on.year, title.valid_until.year + 1):
        due_on = day_or_last(year, month, of_month)
        if title.granted_on < due_on <= title.valid_until:
            yield max(title.granted_on, date(year, 1, 1)), due_on


def _since_grant(period: Period, title: Title) -> Iterator[tuple[date, date]]:
    opens_on, due_on = title.granted_on, last_day(period, title.granted_on)
    while due_on <= title.valid_until:
        yield opens_on, due_on
        opens_on, due_on = due_on + DAY, last_day(period, due_on)


def next_step(edition: Edition, title: Title, open_duties: Iterable[Duty], today: date) -> Step | None:
    """The earliest step still to be taken, in the past as well; None when nothing is left to happen to the title."""
    steps = [_step(edition, duty, today) for duty in open_duties]
    if title.expired_at is None:
        steps.append(Step(title.valid_until + DAY, "expire", None))
    return min(steps, key=_place, default=None)


def _place(step: Step) -> tuple[date, int, str, int]:
    rule, year = ("", 0) if step.duty is None else (step.duty.rule, step.duty.year)
    return step.on, _ORDER.index(step.kind), rule, year


def _step(edition: Edition, duty: Duty, today: date) -> Step:
    """Nobody is reminded of a day that has passed. A grace is counted from the warning, whenever that goes out."""
    if duty.reminded_on is None and today <= duty.due_on:
        notice = timedelta(days=int(edition.parameter("duty.remind_days")))
        return Step(max(duty.opens_on, duty.due_on - notice), "remind", duty)
    if edition.duty(duty.rule).grace is not None and duty.grace_until is None:
        return Step(duty.due_on + DAY, "warn", duty)
    return Step(duty.last_on + DAY, "miss", duty)
