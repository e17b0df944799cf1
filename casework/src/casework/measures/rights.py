"""IP rights, conversions of results, and incidents."""

from datetime import date, timedelta
from typing import NamedTuple

from casework.edition import Edition, Rights
from casework.facts import IpRight
from casework.measures.amounts import Amount, Case, Measure, Missing, NoGrade, Span, measure

_NO_LIMIT = None


class Counting(NamedTuple):
    """One right that counts, surely (`needs` empty) or perhaps."""

    kind: str
    acquired: str | None
    needs: tuple[str, ...]


def counting_rights(case: Case, edition: Edition) -> "tuple[Counting, ...] | Missing":
    """The rights that count under the edition, found once per case."""
    if case.rights is None:
        case.rights = _find_rights(case, edition)
    found: tuple[Counting, ...] | Missing = case.rights
    return found


def _find_rights(case: Case, edition: Edition) -> "tuple[Counting, ...] | Missing":
    law, rights, applied = edition.rights, case.figures.rights, case.figures.applied_on
    assert law is not None
    if rights is None or (applied is None and rights):
        return Missing(("ip",) if rights is None else ("applied_on",))
    found = []
    for place, right in enumerate(rights):
        assert applied is not None
        open_points = _open_points(right, law, edition.programme, applied)
        if open_points is not None:
            needs = tuple(f"ip[{place}].{name}" for name in open_points)
            found.append(Counting(right.kind, right.acquired, needs))
    return tuple(found)


def _open_points(right: IpRight, law: Rights, programme: str, applied: date) -> tuple[str, ...] | None:
    """None when the right surely does not count, else the names that would have to be known."""
    if not _kind_counts(right, law, programme, applied) or not _obtained(right, law, applied):
        return None
    owned = True if right.acquired in law.held_without_owning else right.owned
    if right.in_force is False or owned is False or right.related is False:
        return None
    if right.in_force and owned and right.related and right.granted_on and right.acquired:
        return ()
    named = {
        "in_force": right.in_force, "owned": owned, "related": right.related,
        "granted_on": right.granted_on, "acquired": right.acquired,
    }  # fmt: skip
    return tuple(name for name, value in named.items() if value is None)


def _kind_counts(right: IpRight, law: Rights, programme: str, applied: date) -> bool:
    name = next((name for name, kinds in law.classes.items() if right.kind in kinds), None)
    if name is None:
        return False
    if name not in law.used_once or not right.used_for:
        return True
    return not any(use.programme == programme and use.year <= applied.year for use in right.used_for)


def _obtained(right: IpRight, law: Rights, applied: date) -> bool:
    if right.acquired is not None and right.acquired not in law.acquired:
        return False
    if right.granted_on is None:
        return True
    if right.granted_on > applied:
        return False
    years = law.obtained_within_years
    return years is None or right.granted_on >= _years_before(applied, years)


def _years_before(day: date, years: int) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - years, 2, 28)
    return day.replace(year=day.year - years)


@measure("rights_count", whole_numbers=True, needs_rights=True)
def rights_count(edition: Edition, *, classes: list[str] | None = None, acquired: list[str] | None = None) -> Measure:
    """How many rights count: in force, owned, related, obtained in time, not used up, no trademarks."""
    law = edition.rights
    assert law is not None
    kinds = {kind for name, members in law.classes.items() if classes is None or name in classes for kind in members}

    def count(case: Case) -> Amount:
        rights = counting_rights(case, edition)
        if isinstance(rights, Missing):
            return Span(0, _NO_LIMIT, rights.needs)
        low, high, needs = 0, 0, list[str]()
        for right in rights:
            if right.kind not in kinds:
                continue
            if acquired is not None and right.acquired not in acquired and right.acquired is not None:
                continue
            high += 1
            low += not right.needs
            needs += right.needs
        return (low, 1) if low == high else Span(low, high, tuple(needs))

    return count


@measure("core_rights", whole_numbers=True, needs_rights=True)
def core_rights(edition: Edition, *, judgement: str, required: bool = True) -> Measure:
    """The rights that count, none where the experts say that they do not support the main products.

    `required`: without the experts' word the answer is unknown, unless no right counts at all.
    """
    counted = rights_count(edition)

    def count(case: Case) -> Amount:
        said = case.judgements.get(judgement)
        amount = counted(case)
        if said is False or amount == (0, 1):
            return (0, 1)
        if said is not None or not required:
            return amount
        needs = amount.needs if isinstance(amount, Span) and amount.low == 0 else ()
        return Missing((f"judgements.{judgement}", *needs))

    return count


@measure("conversions_mean")
def conversions_mean(_edition: Edition) -> Measure:
    """Distinct results converted in the last three fiscal years, per year of operation among them."""

    def mean(case: Case) -> Amount:
        figures = case.figures
        if figures.applied_on is None:
            return Missing(("applied_on",))
        if figures.operating_unknown:
            return Missing(("enterprise.established_on",))
        if figures.conversions is None:
            return Missing(("conversions",))
        years = len(figures.window) + len(figures.absent)
        if years == 0:
            return NoGrade("no_fiscal_year")
        low, high = figures.conversions
        if low == high:
            return (low, years)
        return Missing(tuple(f"conversions[{at}].year" for at in _undated(case)))

    return mean


def _undated(case: Case) -> list[int]:
    return [place for place, made in enumerate(case.facts.conversions or ()) if made.year is None]


@measure("recent_incidents", whole_numbers=True)
def recent_incidents(_edition: Edition, *, kinds: list[str], within_days: int) -> Measure:
    """Major incidents in the days before the application. No list at all means that none is declared."""
    window = timedelta(days=within_days)

    def count(case: Case) -> Amount:
        incidents = case.facts.incidents
        if not incidents:
            return (0, 1)
        applied = case.figures.applied_on
        if applied is None:
            return Missing(("applied_on",))
        low, high, needs = 0, 0, list[str]()
        for place, incident in enumerate(incidents):
            if incident.major is False or (incident.kind is not None and incident.kind not in kinds):
                continue
            if incident.on is not None and not applied - window <= incident.on <= applied:
                continue
            high += 1
            unknown = [name for name in ("kind", "on", "major") if getattr(incident, name) is None]
            low += not unknown
            needs += [f"incidents[{place}].{name}" for name in unknown]
        return (low, 1) if low == high else Span(low, high, tuple(needs))

    return count
