"""Where a form's facts are found: paths through an application's facts and the engine's answer, checked before they are used.

`enterprise.name` is a value, `years[].sales_revenue` that of one fiscal year, `answer.conditions[H5a].value` that of one
entry by its id.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from casework.case import Case, Outcome
from casework.edition import CaseType, Edition
from casework.facts import Conversion, Enterprise, Facts, FiscalYear, Incident, IpRight
from casework.figures import staff_means
from casework.form import Blank
from casework.sourced import Frozen, Source, Text
from casework.verdict import exact_text

# A workbook keeps no more digits of a number.
MOST_DIGITS: Final = 15
WAN: Final = 10_000
_STEP: Final = re.compile(r"([a-z_]+)(?:\[([A-Za-z0-9_]*)\])?")
_YES_NO: Final = {True: "是", False: "否"}

Value = str | int | Decimal | date | None


class Application(Frozen):
    case_type: CaseType
    programme: str
    level: str | None
    applied_on: date | None


class AnsweredCondition(Frozen):
    id: str
    title: Text
    outcome: Outcome
    value: Decimal | None
    bound: str | None
    gap: Decimal | None
    source: Source


class AnsweredItem(Frozen):
    """`title` and `max` are the edition's."""

    id: str
    title: Text
    max: Decimal
    value: Decimal | None
    band: str | None
    lo: Decimal
    hi: Decimal
    given: Decimal | None
    source: Source


class AnsweredScore(Frozen):
    lo: Decimal
    hi: Decimal
    items: tuple[AnsweredItem, ...]


class CollectedYear(Frozen):
    """What the edition counts of a year's R&D costs."""

    year: int
    own: Decimal
    entrusted_incurred: Decimal
    entrusted_counted: Decimal
    other_incurred: Decimal
    other_cap: Decimal
    other_counted: Decimal
    domestic: Decimal
    total: Decimal


class Answer(Frozen):
    verdict: Outcome
    conditions: tuple[AnsweredCondition, ...]
    score: AnsweredScore | None
    rd_collection: tuple[CollectedYear, ...]


class Known(Frozen):
    """All that a form may ask for, by name; never filled: what is known is looked up as it is stored."""

    application: Application
    enterprise: Enterprise
    years: tuple[FiscalYear, ...]
    ip: tuple[IpRight, ...] | None
    conversions: tuple[Conversion, ...] | None
    incidents: tuple[Incident, ...] | None
    answer: Answer


class Leaf(NamedTuple):
    """What a path leads to. `codes`: of a code, all that it may be."""

    kind: Literal["text", "number", "day", "boolean", "code"]
    codes: tuple[str, ...] = ()


class UnknownFact(Exception):
    def __init__(self, path: str) -> None:
        super().__init__(f"no fact {path}")


def leaf_at(path: str, within: Any = Known) -> Leaf:
    """Raises UnknownFact."""
    shape = shape_at(path, within)
    if get_origin(shape) is Literal:
        return Leaf("code", tuple(map(str, get_args(shape))))
    kinds: Mapping[Any, Leaf] = {
        bool: Leaf("boolean"), date: Leaf("day"), int: Leaf("number"), Decimal: Leaf("number"), str: Leaf("text"),
    }  # fmt: skip
    if shape not in kinds:
        raise UnknownFact(path)
    return kinds[shape]


def shape_at(path: str, within: Any = Known) -> Any:
    """The type at the path; of a list that of its entries. Raises UnknownFact."""
    shape = within
    for step in path.split("."):
        found = _STEP.fullmatch(step)
        fields = shape.model_fields if isinstance(shape, type) and issubclass(shape, BaseModel) else {}
        if found is None or found[1] not in fields:
            raise UnknownFact(path)
        shape, is_list = _bare(fields[found[1]].annotation)
        if is_list != (found[2] is not None):
            raise UnknownFact(path)
    return shape


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Without what may surround it: constraints, None, a list."""
    is_list = False
    while True:
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation = inner[0]
        elif origin in (Union, UnionType):
            annotation = next(one for one in inner if one is not NoneType)
        elif origin is tuple:
            annotation, is_list = inner[0], True
        else:
            return annotation, is_list


def ids_in(path: str) -> list[tuple[str, str]]:
    """Each list of the path from which one entry is taken, and the entry's id."""
    steps = path.split(".")
    taken = []
    for at, step in enumerate(steps):
        found = _STEP.fullmatch(step)
        if found is not None and found[2]:
            taken.append((".".join([*steps[:at], found[1]]), found[2]))
    return taken


def ids_of(edition: Edition) -> Mapping[str, set[str]]:
    """The entries that a form may take out of the answer's lists."""
    items = () if edition.score is None else edition.score.items
    return {
        "answer.conditions": {condition.id for condition in edition.conditions},
        "answer.score.items": {item.id for item in items},
    }


def known_of(case: Case, facts: Facts, stored: Mapping[str, Any], edition: Edition) -> dict[str, Any]:
    """What is known of the application under the names of Known. `stored` are the same facts as they are kept."""
    means = {
        year.year: {kind: exact_text(Fraction(*mean)) for kind, mean in staff_means(year).items()}
        for year in facts.years
    }
    said = {"case_type": case.case_type, "programme": case.programme, "level": case.level}
    applied_on = None if case.applied_on is None else case.applied_on.isoformat()
    return {
        **stored,
        "years": [{**year, "staff": means[year["year"]]} for year in stored.get("years", ())],
        "application": {**said, "applied_on": applied_on},
        "answer": _titled(case.answer, edition),
    }


def _titled(answer: Mapping[str, Any] | None, edition: Edition) -> dict[str, Any] | None:
    """The answer, each score item with the edition's title and maximum."""
    if answer is None or edition.score is None or answer.get("score") is None:
        return None if answer is None else dict(answer)
    items = {item.id: item for item in edition.score.items}
    titled = [
        {**one, "title": items[one["id"]].title.model_dump(), "max": str(items[one["id"]].max)}
        for one in answer["score"]["items"]
    ]
    return {**answer, "score": {**answer["score"], "items": titled}}


def value_at(known: Any, path: str, year: int | None = None) -> Any:
    """The value as it is kept, None where it is not given. `[]` takes the entry of the fiscal year."""
    for step in path.split("."):
        name, _, taken = step.removesuffix("]").partition("[")
        known = known.get(name) if isinstance(known, Mapping) else None
        if step.endswith("]"):
            key, wanted = ("id", taken) if taken else ("year", year)
            known = next((one for one in known or () if one.get(key) == wanted), None)
    return known


def written(blank: Blank, known: Any, within: Any = Known, year: int | None = None) -> Value:
    """What stands in the cell: an amount in the form's unit, a code in its words; None where the fact is not given."""
    for path in blank.facts:
        value = value_at(known, path, year)
        if value is not None:
            return _written(blank, leaf_at(path, within), value)
    return None


def _written(blank: Blank, leaf: Leaf, value: Any) -> Value:
    match leaf.kind:
        case "boolean":
            return _YES_NO[value]
        case "day":
            return date.fromisoformat(value)
        case "number":
            return number_of(Fraction(str(value)) / (WAN if blank.unit == "wan" else 1))
        case _:
            return blank.words.get(str(value), str(value))


def number_of(exact: Fraction) -> Decimal | str:
    """As a workbook can keep it: the number itself; as text where it has more digits; without an end, the nearest."""
    text = exact_text(exact)
    if "/" in text:
        return Context(prec=MOST_DIGITS).divide(Decimal(exact.numerator), Decimal(exact.denominator))
    digits = text.lstrip("-0.").replace(".", "")
    return Decimal(text) if len(digits) <= MOST_DIGITS else text
