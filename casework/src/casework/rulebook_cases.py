"""The cases that stand beside an edition as `<edition>.cases.yaml`: a firm, what differs from it, what must come out."""

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.edition import Edition
from casework.evaluate import Evaluator
from casework.facts import facts_from
from casework.reading import read_yaml
from casework.self_check import document_of
from casework.unusable import UnusableInput

_STEP = re.compile(r"([a-z_0-9]+)(?:\[([^\]]+)\])?")
_NAMES = {"name", "published", "set", "remove", "expect"}


@dataclass(frozen=True, slots=True)
class RulebookCase:
    """`published`: the law or its official examples give this result, rather than our own arithmetic."""

    name: str
    facts: dict[str, Any]
    expect: dict[str, Any]
    published: bool


def cases_beside(folder: Path, edition: Edition) -> list[RulebookCase]:
    """The cases of the edition: `<programme>/<date in force>[.<level>].cases.yaml`."""
    place = folder / edition.programme
    named = place / f"{edition.in_force_from}.{edition.level}.cases.yaml"
    return read_cases(named if named.is_file() else place / f"{edition.in_force_from}.cases.yaml")


def read_cases(path: Path) -> list[RulebookCase]:
    """Reads the cases of one edition. Raises ValueError on an unknown name, a doubled case or a wrong path."""
    content = read_yaml(path.read_text(encoding="utf-8")).content
    cases = [_case(content["firm"], given) for given in content["cases"]]
    names = [case.name for case in cases]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{path}: doubled cases {doubled}")
    return cases


def _case(firm: dict[str, Any], given: dict[str, Any]) -> RulebookCase:
    if unknown := given.keys() - _NAMES:
        raise ValueError(f"unknown names in a case: {sorted(unknown)}")
    facts = copy.deepcopy(firm)
    for path, value in (given.get("set") or {}).items():
        place, key = _place(facts, path)
        place[key] = value
    for path in given.get("remove") or ():
        place, key = _place(facts, path)
        del place[key]
    return RulebookCase(str(given["name"]), facts, given["expect"], bool(given.get("published", False)))


def _place(facts: dict[str, Any], path: str) -> tuple[Any, Any]:
    """The container and key of `years[2015].staff.st` (years by their number, other lists by place)."""
    container: Any = facts
    steps: list[Any] = []
    for name, place in _STEP.findall(path):
        steps.append(name)
        if place:
            steps.append((name, int(place)))
    for step in steps[:-1]:
        container = container[_key(container, step)]
    return container, _key(container, steps[-1])


def _key(container: Any, step: Any) -> Any:
    if not isinstance(step, tuple):
        return step
    name, number = step
    if name != "years":
        return number
    return next(at for at, year in enumerate(container) if year["year"] == number)


def check_case(case: RulebookCase, evaluator: Evaluator) -> list[str]:
    """What came out differently from what the case expects; empty when all is well."""
    refused = case.expect.get("refused")
    try:
        verdict = document_of(evaluator.judge(facts_from(case.facts)))
    except UnusableInput as error:
        found = {"path": error.path, "rule": error.rule_id}
        return [] if refused == found else [f"refused {found}, expected {case.expect}"]
    if refused is not None:
        return [f"not refused, expected {refused}"]
    score = verdict["score"] or {"items": []}
    found_by = {
        "conditions": {condition["id"]: condition for condition in verdict["conditions"]},
        "items": {item["id"]: item for item in score["items"]},
        "rd_collection": {str(year["year"]): year for year in verdict.get("rd_collection", ())},
        "score": score,
        "verdict": verdict["verdict"],
    }
    return _differences(case.expect, found_by, "")


def _differences(expected: Any, found: Any, at: str) -> list[str]:
    if not isinstance(expected, dict):
        return [] if expected == found else [f"{at}: {found!r}, expected {expected!r}"]
    if not isinstance(found, dict):
        return [f"{at}: {found!r}, expected {expected!r}"]
    return [
        line
        for name, value in expected.items()
        for line in (
            _differences(value, found[name], f"{at}.{name}") if name in found else [f"{at}.{name} is absent"]
        )
    ]
