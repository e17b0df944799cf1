"""Establishment and staff."""

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
        return Missing(_missing_staff(case, of))

    return share


def _missing_staff(case: Case, kind: str) -> tuple[str, ...]:
    latest = case.figures.latest
    if latest is None:
        return latest_needs(case, f"staff.{kind}", "staff.total")
    field = "staff_monthly" if latest.monthly else "staff"
    return latest_needs(case, *(f"{field}.{name}" for name in (kind, "total") if name not in latest.staff))


@measure("judgement", unit="answer", whole_numbers=True)
def judgement(_edition: Edition, *, name: str) -> Measure:
    """1 where the experts say yes, 0 where they say no; a count as it was given."""

    def said(case: Case) -> Amount:
        answer = case.judgements.get(name)
        return Missing((f"judgements.{name}",)) if answer is None else (int(answer), 1)

    return said
