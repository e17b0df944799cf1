"""Establishment, region and staff."""

from casework.edition import Edition
from casework.measures.amounts import Amount, Case, Measure, Missing, latest_needs, measure


@measure("days_established", unit="days", whole_numbers=True, negative=True)
def days_established(_edition: Edition) -> Measure:
    """Calendar days from establishment to application (195号 part 3(1): one year is 365 days)."""

    def days(case: Case) -> Amount:
        count = case.figures.days
        if count is not None:
            return (count, 1)
        facts = case.facts
        needs = [] if facts.applied_on else ["applied_on"]
        if facts.enterprise.established_on is None:
            needs.append("enterprise.established_on")
        return Missing(tuple(needs))

    return days


@measure("mainland_resident", unit="answer", whole_numbers=True)
def mainland_resident(_edition: Edition) -> Measure:
    """1 for an enterprise registered in mainland China, else 0."""

    def resident(case: Case) -> Amount:
        answer = case.facts.enterprise.mainland_resident
        return Missing(("enterprise.mainland_resident",)) if answer is None else (int(answer), 1)

    return resident


@measure("staff_share")
def staff_share(_edition: Edition, *, of: str) -> Measure:
    """Yearly mean of one kind of staff over the mean of all staff in the last fiscal year."""

    def share(case: Case) -> Amount:
        latest = case.figures.latest
        if latest is not None:
            part, whole = latest.staff.get(of), latest.staff.get("total")
            if part is not None and whole is not None:
                return (part[0] * whole[1], part[1] * whole[0])
        return Missing(_missing_staff(case, of, "total"))

    return share


def _missing_staff(case: Case, *kinds: str) -> tuple[str, ...]:
    latest = case.figures.latest
    if latest is None:
        return latest_needs(case, *(f"staff.{kind}" for kind in kinds))
    field = "staff_monthly" if latest.monthly else "staff"
    return latest_needs(case, *(f"{field}.{kind}" for kind in kinds if kind not in latest.staff))


@measure("staff_count", unit="count")
def staff_count(_edition: Edition, *, of: str) -> Measure:
    """Yearly mean of one kind of staff in the last fiscal year."""

    def count(case: Case) -> Amount:
        latest = case.figures.latest
        mean = None if latest is None else latest.staff.get(of)
        return Missing(_missing_staff(case, of)) if mean is None else mean

    return count


@measure("judged_staff_share")
def judged_staff_share(_edition: Edition, *, judgement: str, of: str) -> Measure:
    """A number of people, as officers or experts counted them, over the yearly mean of one kind of staff."""
    counted = staff_count(_edition, of=of)

    def share(case: Case) -> Amount:
        part, whole = case.judgements.get(judgement), counted(case)
        if part is None or isinstance(whole, Missing):
            said = (f"judgements.{judgement}",) if part is None else ()
            return Missing((*said, *(whole.needs if isinstance(whole, Missing) else ())))
        assert isinstance(whole, tuple)
        numerator, denominator = part.as_integer_ratio()
        return (numerator * whole[1], denominator * whole[0])

    return share


@measure("region_within", unit="answer", whole_numbers=True)
def region_within(_edition: Edition, *, prefixes: list[str]) -> Measure:
    """1 where the enterprise's GB/T 2260 code begins like one of these, else 0."""
    beginnings = tuple(prefixes)

    def within(case: Case) -> Amount:
        region = case.facts.enterprise.region
        return Missing(("enterprise.region",)) if region is None else (int(region.startswith(beginnings)), 1)

    return within


@measure("judgement", unit="answer", whole_numbers=True)
def judgement(_edition: Edition, *, name: str) -> Measure:
    """1 where the experts say yes, 0 where they say no; a count as it was given."""

    def said(case: Case) -> Amount:
        answer = case.judgements.get(name)
        return Missing((f"judgements.{name}",)) if answer is None else (int(answer), 1)

    return said


@measure("judged_amount", unit="yuan")
def judged_amount(_edition: Edition, *, judgement: str) -> Measure:
    """An amount in yuan as officers or experts found it."""

    def amount(case: Case) -> Amount:
        said = case.judgements.get(judgement)
        return Missing((f"judgements.{judgement}",)) if said is None else said.as_integer_ratio()

    return amount
