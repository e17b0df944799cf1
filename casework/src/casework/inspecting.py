"""Which applications the bureau must look at beyond their papers, and why: the edition's inspections of the site."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from casework.conditions import CompiledPart, compile_part
from casework.edition import Edition, Inspection
from casework.facts import Facts
from casework.measures.amounts import Case
from casework.verdict import PartResult

# Why an application is looked at whatever its facts say.
CaseTypeAlone = Literal["case_type"]


class Due(NamedTuple):
    """An inspection that an application must undergo.

    `because`: the bounds that it does not meet, or `case_type` where every application of its type is looked at.
    `needs`: what would have to be known to spare it; until then it is due.
    """

    inspection: Inspection
    because: tuple[PartResult, ...] | CaseTypeAlone
    needs: tuple[str, ...]


def compile_inspections(edition: Edition) -> Callable[[Facts], tuple[Due, ...]]:
    """The closure that finds the inspections of the site that these facts and their case type make due.

    Without a day of application every inspection counts as in force. Random ones are drawn per batch
    (`Inspection.sample_of`) and are not among them.
    """
    sites = [
        (inspection, tuple(compile_part(part, part.title or inspection.title, edition) for part in inspection.spared_when))
        for inspection in edition.inspections
        if inspection.kind == "site"
    ]  # fmt: skip

    def due(facts: Facts) -> tuple[Due, ...]:
        case, day = Case(facts), facts.applied_on
        found = [
            _due(inspection, parts, case)
            for inspection, parts in sites
            if day is None or inspection.applies_on(day)
        ]
        return tuple(one for one in found if one is not None)

    return due


def _due(inspection: Inspection, parts: tuple[CompiledPart, ...], case: Case) -> Due | None:
    if case.facts.case_type in inspection.always_for:
        return Due(inspection, "case_type", ())
    results = tuple(part.result_of(case, part.measured(case)) for part in parts)
    if all(result.outcome == "pass" for result in results):
        return None
    unknown = tuple(need for result in results for need in result.needs)
    return Due(inspection, tuple(r for r in results if r.outcome == "fail"), tuple(dict.fromkeys(unknown)))
