"""What a well-formed rulebook file may still get wrong."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from casework.bands import check_ladder
from casework.criteria import Condition, Item, Part, RegionStep
from casework.edition import Edition, Inspection, Rule, State, Transition
from casework.measures import REGISTRY, Registered
from casework.parameters import problem_with

Place = tuple[str | int, ...]
Problem = tuple[Place, str]


def problems_of(edition: Edition) -> Iterator[Problem]:
    """Every problem with its place in the file, first things first."""
    yield from _parameters(edition)
    if edition.score is not None:
        yield from _score(edition)
    for at, condition in enumerate(edition.conditions):
        yield from _condition(edition, condition, ("conditions", at))
    for at, inspection in enumerate(edition.inspections):
        yield from _inspection(edition, inspection, ("inspections", at))
    yield from _process(edition)
    yield from _case_types(edition)
    for at, duty in enumerate(edition.duties):
        yield from _duty(edition, duty, ("duties", at))
    for at, change in enumerate(edition.changes):
        yield from _results(edition, change, ("changes", at))


def _parameters(edition: Edition) -> Iterator[Problem]:
    for name, parameter in edition.parameters.items():
        problem = problem_with(name, parameter.value)
        if problem is not None:
            yield ("parameters", name), problem
    notice = edition.parameters.get("notice.working_days")
    if notice is not None and notice.value != edition.notice_working_days:
        yield ("notice_working_days",), "differs from the parameter notice.working_days"


def _condition(edition: Edition, condition: Condition, place: Place) -> Iterator[Problem]:
    if [c.id for c in edition.conditions].count(condition.id) > 1:
        yield (*place, "id"), f"condition {condition.id} appears twice"
    for at, part in enumerate(condition.parts):
        yield from _part(edition, part, (*place, "parts", at))
    for way, alternative in enumerate(condition.or_else):
        for at, part in enumerate(alternative.parts):
            yield from _part(edition, part, (*place, "or_else", way, "parts", at))


def _inspection(edition: Edition, inspection: Inspection, place: Place) -> Iterator[Problem]:
    for at, part in enumerate(inspection.spared_when):
        yield from _part(edition, part, (*place, "spared_when", at))
    if inspection.before is not None and inspection.before not in {step.verb for step in edition.process}:
        yield (*place, "before"), f"no verb {inspection.before}"
    elif (inspection.kind == "site") != (inspection.before == "open_notice"):
        yield (
            (*place, "before"),
            "an inspection of the site comes before open_notice, a random one before nothing",
        )
    if inspection.ground not in {None, *(rule.id for rule in edition.revocation)}:
        yield (*place, "ground"), f"no ground of revocation {inspection.ground}"
    if [one.id for one in edition.inspections].count(inspection.id) > 1:
        yield (*place, "id"), f"inspection {inspection.id} appears twice"


def _part(edition: Edition, part: Part, place: Place) -> Iterator[Problem]:
    yield from _measure(edition, part.measure, part.with_, place)
    for field in ("at_least_of", "more_than_of"):
        yield from _number_parameter(edition, getattr(part, field), (*place, field))
    if part.measure == "score":
        yield from _score_part(edition, part, place)
    if part.regions is not None:
        yield from _regions(edition, part.regions, (*place, "regions"))
    if part.tiers is None:
        return
    for at, step in enumerate(part.tiers.steps):
        yield from _number_parameter(edition, step.at_least_of, (*place, "tiers", "steps", at, "at_least_of"))
    problem = check_ladder([step.over for step in part.tiers.steps], whole_numbers=False, negative=False)
    if problem is not None:
        yield (*place, "tiers", "steps"), problem


def _score_part(edition: Edition, part: Part, place: Place) -> Iterator[Problem]:
    score = edition.score
    if score is None:
        yield (*place, "measure"), "there is no score"
        return
    asked = (part.more_than, part.more_than_of, part.at_least, part.at_least_of)
    if asked != (score.pass_above, score.pass_above_of, score.pass_at_least, score.pass_at_least_of):
        yield place, "the bound differs from score.pass_above or score.pass_at_least"


def _regions(edition: Edition, steps: Sequence[RegionStep], place: Place) -> Iterator[Problem]:
    for at, step in enumerate(steps):
        named = (step.within is not None) + (step.within_of is not None)
        if named != (at + 1 < len(steps)):
            yield (*place, at), "each step but the last names its regions once"
        if step.within_of is not None and step.within_of not in edition.parameters:
            yield (*place, at, "within_of"), f"no parameter {step.within_of}"
        yield from _number_parameter(edition, step.at_least_of, (*place, at, "at_least_of"))


def _number_parameter(edition: Edition, name: str | None, place: Place) -> Iterator[Problem]:
    if name is None:
        return
    if name not in edition.parameters:
        yield place, f"no parameter {name}"
    elif isinstance(edition.parameters[name].value, str | bool):
        yield place, f"parameter {name} is no number"


def _measure(edition: Edition, name: str, given: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    registered = REGISTRY.get(name)
    if registered is None:
        yield (*place, "measure"), f"unknown measure {name}"
        return
    try:
        inspect.signature(registered.build).bind(edition, **given)
    except TypeError as error:
        yield (*place, "with"), f"measure {name}: {error}"
        return
    needs = list(_measure_needs(edition, registered, given, place))
    yield from needs
    if needs:
        return
    try:
        registered.build(edition, **given)
    except (TypeError, ValueError, KeyError) as error:
        yield (*place, "with"), f"measure {name}: {error}"


def _measure_needs(
    edition: Edition, registered: Registered, given: Mapping[str, Any], place: Place
) -> Iterator[Problem]:
    name = registered.name
    for parameter in registered.parameters:
        if parameter not in edition.parameters:
            yield place, f"measure {name} needs the parameter {parameter}"
    if registered.needs_rights and edition.rights is None:
        yield place, f"measure {name} needs `rights`"
    if registered.needs_rd_caliber and edition.rd_caliber is None:
        yield place, f"measure {name} needs `rd_caliber`"
    judged = given.get("name") if name == "judgement" else given.get("judgement")
    if judged is not None:
        yield from _judged(edition, name, judged, place)
    for class_name in given.get("classes") or ():
        if edition.rights is not None and class_name not in edition.rights.classes:
            yield (*place, "with"), f"no class {class_name}"


def _judged(edition: Edition, measure: str, judged: str, place: Place) -> Iterator[Problem]:
    if judged not in edition.judgements:
        yield (*place, "with"), f"no judgement {judged}"
    elif (edition.judgements[judged].kind == "amount") != (measure == "judged_amount"):
        yield (*place, "with"), f"measure {measure} does not read the judgement {judged}"


def _score(edition: Edition) -> Iterator[Problem]:
    score = edition.score
    assert score is not None
    marks = (score.pass_above, score.pass_above_of, score.pass_at_least, score.pass_at_least_of)
    if sum(mark is not None for mark in marks) != 1:
        yield (
            ("score",),
            "exactly one of pass_above, pass_above_of, pass_at_least, pass_at_least_of is needed",
        )
    for field in ("pass_above_of", "pass_at_least_of"):
        yield from _number_parameter(edition, getattr(score, field), ("score", field))
    groups = {group.id for group in score.groups}
    seen: set[str] = set()
    for at, item in enumerate(score.items):
        place: Place = ("score", "items", at)
        if item.group not in groups:
            yield (*place, "group"), f"no group {item.group}"
        if item.id in seen or item.id in edition.judgements:
            yield (*place, "id"), f"{item.id} appears twice"
        seen.add(item.id)
        yield from _item(edition, item, place)


def _item(edition: Edition, item: Item, place: Place) -> Iterator[Problem]:
    score = edition.score
    assert score is not None
    grades = score.grades_of(item)
    top = 1 if score.given == "coefficient" else item.max
    for grade, (low, high) in grades.items():
        if not 0 <= low <= high <= top:
            yield (*place, "grades", grade), f"{low} to {high} does not lie within 0 to {top}"
        if score.given == "points" and (low % 1 or high % 1):
            yield (*place, "grades", grade), "whole points only"
    yield from _choice(edition, item, place)
    if item.shows is not None:
        yield from _measure(edition, item.shows.measure, item.shows.with_, (*place, "shows"))
    for at, ladder in enumerate(item.ladders):
        here: Place = (*place, "ladders", at)
        yield from _measure(edition, ladder.measure, ladder.with_, here)
        yield from _bands(edition, item, at, here)


def _choice(edition: Edition, item: Item, place: Place) -> Iterator[Problem]:
    if item.choice is None:
        for at, ladder in enumerate(item.ladders):
            if ladder.chosen is not None:
                yield (*place, "ladders", at, "chosen"), "the item has no choice"
        return
    if item.choice not in edition.choices:
        yield (*place, "choice"), f"no choice {item.choice}"
        return
    chosen = {ladder.chosen for ladder in item.ladders}
    if chosen != set(edition.choices[item.choice].options):
        yield (*place, "ladders"), f"each option of {item.choice} needs its ladder"


def _bands(edition: Edition, item: Item, ladder_at: int, place: Place) -> Iterator[Problem]:
    assert edition.score is not None
    ladder, grades = item.ladders[ladder_at], edition.score.grades_of(item)
    for at, band in enumerate(ladder.bands):
        here: Place = (*place, "bands", at)
        grade = band.grade
        if band.grade_of is not None:
            if band.grade_of not in edition.parameters:
                yield (*here, "grade_of"), f"no parameter {band.grade_of}"
                continue
            grade = str(edition.parameters[band.grade_of].value)
        if grade is not None and grade not in grades:
            yield here, f"no grade {grade}"
        if band.next and ladder.chosen not in [later.chosen for later in item.ladders[ladder_at + 1 :]]:
            yield (*here, "next"), "there is no next ladder"
    registered = REGISTRY.get(ladder.measure)
    if registered is not None:
        problem = check_ladder(
            [band.when for band in ladder.bands],
            whole_numbers=registered.whole_numbers,
            negative=registered.negative,
        )
        if problem is not None:
            yield (*place, "bands"), problem


def _process(edition: Edition) -> Iterator[Problem]:
    reached: set[str] = {"draft"}
    for _ in get_args(State):
        reached |= {step.to for step in edition.process if reached & set(step.from_)}
    for at, step in enumerate(edition.process):
        for state in sorted(set(step.from_) - reached):
            yield ("process", at, "from"), f"the state {state} is never reached"
        for verb in sorted(set(step.not_by) - {other.verb for other in edition.process}):
            yield ("process", at, "not_by"), f"no verb {verb}"
        if any(_contradict(earlier, step) for earlier in edition.process[:at]):
            yield ("process", at, "verb"), f"{step.verb} leads to two states"
    for end in sorted({"granted", "refused"} - reached):
        yield ("process",), f"the state {end} is never reached"


def _contradict(one: Transition, other: Transition) -> bool:
    same_case = not one.case_types or not other.case_types or set(one.case_types) & set(other.case_types)
    shared = set(one.from_) & set(other.from_)
    return one.verb == other.verb and one.to != other.to and bool(shared and same_case)


def _case_types(edition: Edition) -> Iterator[Problem]:
    lists: dict[str, Any] = {
        "process": edition.process, "documents": edition.documents, "duties": edition.duties,
        "deadlines": edition.deadlines, "changes": edition.changes, "reapplication": edition.reapplication,
        "renewals": edition.renewals,
    }  # fmt: skip
    for name, entries in lists.items():
        for at, entry in enumerate(entries):
            for case_type in entry.case_types or ():
                if case_type not in edition.case_types:
                    yield (name, at, "case_types"), f"no case type {case_type}"


def _duty(edition: Edition, duty: Rule, place: Place) -> Iterator[Problem]:
    if duty.falls is None or duty.kept_by is None or duty.period is None:
        yield place, "a duty says when it falls, with its period, and by what it is kept"
        return
    if (duty.period.until is None) == (duty.falls in ("yearly", "after_expiry")):
        yield (*place, "period"), f"what falls {duty.falls} has another kind of period"
    if [rule.id for rule in edition.duties].count(duty.id) > 1:
        yield (*place, "id"), f"duty {duty.id} appears twice"
    yield from _number_parameter(edition, "duty.remind_days", place)
    grounds = {rule.id for rule in edition.revocation}
    if (duty.ground is None) != (duty.misses_allowed is None) or duty.ground not in {None, *grounds}:
        yield (*place, "ground"), "misses lead to a ground of revocation, and a ground needs misses_allowed"
    yield from _results(edition, duty, place)


def _results(edition: Edition, rule: Rule, place: Place) -> Iterator[Problem]:
    grounds = {ground.id for ground in edition.revocation}
    for at, result in enumerate(rule.results):
        if result.ends_title != (result.ground is not None) or result.ground not in {None, *grounds}:
            yield (*place, "results", at), "a result that ends the title names a ground of revocation"
