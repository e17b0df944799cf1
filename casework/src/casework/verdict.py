"""The explained result of a judgement. Numbers are kept exact and turned into text only when asked."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from casework.criteria import Condition, Item
from casework.edition import Source, Text

Outcome = Literal["pass", "fail", "unknown"]
Ratio: TypeAlias = tuple[int | Fraction, int | Fraction]
Points: TypeAlias = int | Decimal
Given: TypeAlias = Points | Fraction  # a fraction where a panel gives the mean of its sheets

_TEN = 10


def exact_text(number: "Fraction | Decimal | int") -> str:
    """The number in full as a decimal, or as `17/300` where it has no finite decimal."""
    numerator, denominator = number.as_integer_ratio()
    rest, twos, fives = denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{numerator}/{denominator}"
    places = max(twos, fives)
    digits = str(abs(numerator) * _TEN**places // denominator)
    sign = "-" if numerator < 0 else ""
    if places == 0:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _number(points: Given) -> Decimal | Fraction:
    return points if isinstance(points, Fraction) else Decimal(points)


def _text(ratio: Ratio | None) -> str | None:
    if ratio is None or ratio[1] == 0:
        return None
    return exact_text(Fraction(ratio[0]) / Fraction(ratio[1]))


class Bound(NamedTuple):
    """A compiled bound: `kind` is at_least, more_than or at_most; `step`: how far above a strict bound one must be."""

    kind: str
    text: str
    numerator: int
    denominator: int
    step: int
    verified: bool


class PartSpec(NamedTuple):
    """What is the same for every result of one part. `alternative`: it belongs to another way to meet the condition."""

    title: Text
    money: bool
    unit: str
    alternative: bool = False


class PartResult(NamedTuple):
    """One bound of a condition: what was found (`ratio`, exact) and what was asked."""

    spec: PartSpec
    outcome: Outcome
    asked: Bound | None
    ratio: Ratio | None
    scale: int
    needs: tuple[str, ...]

    @property
    def title(self) -> Text:
        return self.spec.title

    @property
    def bound(self) -> str | None:
        return None if self.asked is None else self.asked.text

    @property
    def value(self) -> str | None:
        return _text(self.ratio)

    @property
    def gap(self) -> str | None:
        """What is missing to pass: yuan where the part is about money, else in the unit of the value."""
        if self.outcome != "fail" or self.asked is None or self.ratio is None or self.ratio[1] == 0:
            return None
        (numerator, denominator), bound = self.ratio, self.asked
        short = bound.numerator * denominator - numerator * bound.denominator
        if bound.kind == "at_most":
            short = -short
        short += bound.step * denominator * bound.denominator
        return _text((short, bound.denominator * (self.scale if self.spec.money else denominator)))


class ConditionResult(NamedTuple):
    """A condition with the part that decides it; `parts` holds all of them."""

    condition: Condition
    outcome: Outcome
    shown: PartResult
    needs: tuple[str, ...]
    parts: tuple[PartResult, ...]

    @property
    def id(self) -> str:
        return self.condition.id

    @property
    def title(self) -> Text:
        return self.condition.title

    @property
    def source(self) -> Source:
        return self.condition.source

    @property
    def value(self) -> str | None:
        return self.shown.value

    @property
    def bound(self) -> str | None:
        return self.shown.bound

    @property
    def gap(self) -> str | None:
        return self.shown.gap

    @property
    def verified(self) -> bool:
        return self.condition.verified and all(
            part.asked is None or part.asked.verified for part in self.parts
        )


class Reach(NamedTuple):
    """A band the facts may lie in, in points; no `grade` where the text gives none."""

    grade: str | None
    lo: Points
    hi: Points
    verified: bool


class ItemResult(NamedTuple):
    """A score item: its measure, its band and the points `lo` to `hi` that the band allows, and the points given.

    `least` to `most` is what the item adds to the total; `needs` says what would narrow it.
    """

    item: Item
    ratio: Ratio | None
    reach: Reach
    points: Given | None
    least: Given
    most: Given
    needs: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def group(self) -> str:
        return self.item.group

    @property
    def title(self) -> Text:
        return self.item.title

    @property
    def source(self) -> Source:
        return self.item.source

    @property
    def value(self) -> str | None:
        return _text(self.ratio)

    @property
    def band(self) -> str | None:
        return self.reach.grade

    @property
    def lo(self) -> Decimal:
        return Decimal(self.reach.lo)

    @property
    def hi(self) -> Decimal:
        return Decimal(self.reach.hi)

    @property
    def given(self) -> Decimal | Fraction | None:
        """The points given; a coefficient times the item's maximum."""
        return None if self.points is None else _number(self.points)

    @property
    def verified(self) -> bool:
        return self.item.verified and self.reach.verified and not self.flags


@dataclass(slots=True)
class ScoreResult:
    """The total between `lo` and `hi`, group caps applied; passes above `pass_above`, or from `pass_at_least` on."""

    lowest: Given
    highest: Given
    pass_above: Decimal | None
    items: tuple[ItemResult, ...]
    pass_at_least: Decimal | None = None

    @property
    def lo(self) -> Decimal | Fraction:
        return _number(self.lowest)

    @property
    def hi(self) -> Decimal | Fraction:
        return _number(self.highest)


class Collected(NamedTuple):
    """Both steps of collecting one year's R&D costs, in the facts' scaled units."""

    year: int
    own: Fraction
    entrusted_incurred: Fraction
    entrusted_counted: Fraction
    other_incurred: Fraction
    other_cap: Fraction
    other_counted: Fraction
    domestic: Fraction
    total: Fraction
    complete: bool


@dataclass(slots=True)
class Verdict:
    """The result under one edition. `collected` is there when R&D cost items were given, in yuan."""

    programme: str
    edition: date
    edition_hash: str
    applied_on: date | None
    verdict: Outcome
    conditions: tuple[ConditionResult, ...]
    score: ScoreResult | None
    collected: tuple[Collected, ...]

    @property
    def failed_conditions(self) -> list[str]:
        return [result.id for result in self.conditions if result.outcome == "fail"]

    @property
    def needs(self) -> list[str]:
        """Every missing fact on which an unknown condition hangs, once."""
        return list(dict.fromkeys(need for result in self.conditions for need in result.needs))
