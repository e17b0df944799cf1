"""IP rights, conversions of results, and incidents."""

from collections.abc import Callable
from datetime import date, timedelta

from casework.criteria import Rights
from casework.edition import Edition
from casework.figures import RightFigures
from casework.measures.amounts import Amount, Case, Counting, Measure, Missing, NoGrade, Span, measure

_NO_LIMIT = None


def _compile_rights(edition: Edition) -> Callable[[Case], "Counting | Missing"]:
    """Finds the rights that count under the edition, once per case."""
    law = edition.rights
    assert law is not None
    counts, unknown = _compile_counts(law, edition.programme), _compile_unknown(law)
    kinds = frozenset(kind for members in law.classes.values() for kind in members)
    ways, years = frozenset(law.acquired), law.obtained_within_years

    def find(case: Case) -> Counting | Missing:
        rights, applied = case.figures.rights, case.figures.applied_on
        if rights is None or applied is None:
            return Missing(("ip",) if rights is None else ("applied_on",))
        sure: list[RightFigures] = []
        perhaps: list[tuple[RightFigures, tuple[str, ...]]] = []
        for place, right in enumerate(rights):
            if right.plain and years is None:
                # The same as below, in one look for the usual right.
                granted = right.granted_on
                if (
                    right.kind in kinds
                    and right.acquired in ways
                    and granted is not None
                    and granted <= applied
                ):
                    sure.append(right)
            elif counts(right, applied):
                names = unknown(right)
                if names:
                    perhaps.append((right, tuple(f"ip[{place}].{name}" for name in names)))
                else:
                    sure.append(right)
        return Counting(sure, perhaps)

    return find


def _compile_counts(law: Rights, programme: str) -> Callable[[RightFigures, date], bool]:
    """Whether a right counts as far as is known."""
    class_of = {kind: name for name, kinds in law.classes.items() for kind in kinds}
    once, ways, lent = frozenset(law.used_once), {None, *law.acquired}, frozenset(law.held_without_owning)
    years, related_only = law.obtained_within_years, law.related_only

    def counts(right: RightFigures, applied: date) -> bool:
        name = class_of.get(right.kind)
        if name is None or right.unknown is None or (related_only and right.related is False):
            return False
        if (right.owned is False and right.acquired not in lent) or right.acquired not in ways:
            return False
        if right.granted_on is not None and not _in_time(right.granted_on, applied, years):
            return False
        return name not in once or not any(
            by == programme and year <= applied.year for by, year in right.uses
        )

    return counts


def _compile_unknown(law: Rights) -> Callable[[RightFigures], tuple[str, ...]]:
    """The names that would have to be known for the right to count surely."""
    lent, related_only = frozenset(law.held_without_owning), law.related_only

    def unknown(right: RightFigures) -> tuple[str, ...]:
        names = right.unknown or ()
        if right.owned is None and right.acquired not in lent:
            names = (*names, "owned")
        return (*names, "related") if related_only and right.related is None else names

    return unknown


def _in_time(granted: date, applied: date, years: int | None) -> bool:
    return granted <= applied and (years is None or granted >= years_before(applied, years))


def years_before(day: date, years: int) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - years, 2, 28)
    return day.replace(year=day.year - years)


@measure("rights_count", unit="count", whole_numbers=True, needs_rights=True)
def rights_count(
    edition: Edition,
    *,
    classes: list[str] | None = None,
    acquired: list[str] | None = None,
    within_years: int | None = None,
) -> Measure:
    """How many rights count: in force, owned, related, obtained in time, not used up, no trademarks.

    `within_years`: only those granted in so many years before the application, the same day of the year included.
    """
    law = edition.rights
    assert law is not None
    find = _compile_rights(edition)
    asked = _compile_asked(law, classes, acquired)

    def count(case: Case) -> Amount:
        rights = case.rights
        if rights is None:
            rights = case.rights = find(case)
        if isinstance(rights, Missing):
            return Span(0, _NO_LIMIT, rights.needs)
        applied = case.figures.applied_on
        since = None if within_years is None or applied is None else years_before(applied, within_years)
        number = len(asked(rights.sure, since))
        if not rights.perhaps:
            return (number, 1)
        perhaps = [needs for right, needs in rights.perhaps if asked([right], since)]
        needs = tuple(need for names in perhaps for need in names)
        return Span(number, number + len(perhaps), needs) if perhaps else (number, 1)

    return count


def _compile_asked(
    law: Rights, classes: list[str] | None, acquired: list[str] | None
) -> Callable[[list[RightFigures], date | None], list[RightFigures]]:
    """Those rights that are, or may be, of the kinds and ways asked for, and granted on that day or later."""
    kinds = None
    if classes is not None:
        kinds = frozenset(kind for name in classes for kind in law.classes.get(name, ()))
    ways = None if acquired is None else frozenset({None, *acquired})

    def asked(rights: list[RightFigures], since: date | None) -> list[RightFigures]:
        found = rights
        if kinds is not None:
            found = [r for r in found if r.kind in kinds]
        if ways is not None:
            found = [r for r in found if r.acquired in ways]
        if since is not None:
            found = [r for r in found if r.granted_on is None or r.granted_on >= since]
        return found

    return asked


@measure("core_rights", unit="count", whole_numbers=True, needs_rights=True)
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


@measure("conversions_mean", unit="count")
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


@measure("recent_incidents", unit="count", whole_numbers=True)
def recent_incidents(
    _edition: Edition,
    *,
    kinds: list[str],
    within_days: int | None = None,
    within_years: int | None = None,
    from_last_year: bool = False,
) -> Measure:
    """Major incidents before the application: in so many days, so many years, or this calendar year and the one before.

    No list at all means that none is declared.
    """
    window = _window(within_days, within_years, from_last_year=from_last_year)

    def count(case: Case) -> Amount:
        incidents = case.facts.incidents
        if not incidents:
            return (0, 1)
        applied = case.figures.applied_on
        if applied is None:
            return Missing(("applied_on",))
        first = window(applied)
        low, high, needs = 0, 0, list[str]()
        for place, incident in enumerate(incidents):
            if incident.major is False or (incident.kind is not None and incident.kind not in kinds):
                continue
            if incident.on is not None and not first <= incident.on <= applied:
                continue
            high += 1
            unknown = [name for name in ("kind", "on", "major") if getattr(incident, name) is None]
            low += not unknown
            needs += [f"incidents[{place}].{name}" for name in unknown]
        return (low, 1) if low == high else Span(low, high, tuple(needs))

    return count


def _window(days: int | None, years: int | None, *, from_last_year: bool) -> Callable[[date], date]:
    """The first day of the window, from the day of application."""
    if (days is not None) + (years is not None) + from_last_year != 1:
        raise TypeError("exactly one of within_days, within_years, from_last_year is needed")
    if days is not None:
        return lambda applied: applied - timedelta(days=days)
    if years is not None:
        return lambda applied: years_before(applied, years)
    return lambda applied: date(applied.year - 1, 1, 1)
