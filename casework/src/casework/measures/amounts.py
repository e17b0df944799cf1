"""What a measure answers: an exact fraction, a count known only between bounds, or what is missing to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

from casework.facts import Facts
from casework.figures import Figures, RightFigures
from casework.verdict import ItemResult

Whole: TypeAlias = int | Fraction
Exact: TypeAlias = tuple[Whole, Whole]  # numerator, denominator; a denominator of zero has no value


@dataclass(frozen=True, slots=True)
class Span:
    """Between `low` and `high` (None: unbounded), because the facts in `needs` are unknown."""

    low: Whole
    high: Whole | None
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Unknown, because the facts in `needs` are."""

    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A fraction or more, because the facts in `needs` are unknown."""

    low: tuple[Whole, Whole]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoGrade:
    """The law gives no points in this case (a growth from nothing, no fiscal year yet)."""

    reason: str


class Counting(NamedTuple):
    """The rights that count surely, and those that count if what is named turns out well."""

    sure: list[RightFigures]
    perhaps: list[tuple[RightFigures, tuple[str, ...]]]


Amount: TypeAlias = Exact | Span | AtLeast | Missing | NoGrade


class Case:
    """The facts under judgement, and what was already found out about them.

    `score` is the total once the items are scored, `items` what each adds to it; `flags` collects points an expert must
    look at. `estimated`: the points given are the firm's own, so those outside the band that its facts reach do not
    stand.
    """

    __slots__ = ("estimated", "facts", "figures", "flags", "items", "judgements", "rights", "score")

    def __init__(self, facts: Facts, *, estimated: bool = False) -> None:
        self.estimated = estimated
        self.facts = facts
        self.figures: Figures = facts.figures
        self.judgements = facts.figures.judgements
        self.flags: list[str] = []
        self.score: Amount | None = None
        self.items: tuple[ItemResult, ...] = ()
        self.rights: Counting | Missing | None = None


Measure: TypeAlias = Callable[[Case], Amount]


@dataclass(frozen=True, slots=True)
class Registered:
    """A measure a rulebook may name. `build(edition, **with)` compiles it for one edition.

    `unit` says how people read the value; `money`: a gap is shown in yuan; `whole_numbers`: it counts; `negative`: it may fall below zero;
    `parameters`: the edition's parameters it reads.
    """

    name: str
    build: Callable[..., Measure]
    unit: Literal["share", "count", "days", "points", "answer", "yuan"] = "share"
    money: bool = False
    whole_numbers: bool = False
    negative: bool = False
    parameters: tuple[str, ...] = ()
    needs_rights: bool = False
    needs_rd_caliber: bool = False


REGISTRY: dict[str, Registered] = {}


def measure(name: str, **traits: Any) -> Callable[[Callable[..., Measure]], Callable[..., Measure]]:
    """Registers `build(edition: Edition, **with) -> Measure` under the name that rulebooks use."""

    def register(build: Callable[..., Measure]) -> Callable[..., Measure]:
        REGISTRY[name] = Registered(name, build, **traits)
        return build

    return register


def year_needs(case: Case, name: str) -> tuple[str, ...]:
    """The names under which a figure is missing in the years before the application."""
    figures = case.figures
    if figures.applied_on is None:
        return ("applied_on",)
    needs = [f"years[{year}].{name}" for year in figures.absent]
    collected = name.startswith("rd_spend")
    needs += [
        f"years[{year.year}].{name}"
        for year in figures.window
        if name not in year.amounts and not (collected and year.rd_items is not None)
    ]
    if figures.operating_unknown:
        needs.append("enterprise.established_on")
    return tuple(needs)


def latest_needs(case: Case, *names: str) -> tuple[str, ...]:
    """The same for the last fiscal year alone."""
    figures = case.figures
    if figures.applied_on is None:
        return ("applied_on",)
    return tuple(f"years[{figures.latest_year}].{name}" for name in names)


def total(case: Case, name: str) -> int | None:
    """The sum of a figure over the operating years among the last three fiscal years, None when unknown."""
    return case.figures.sums.get(name)
