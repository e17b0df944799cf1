"""The explained result of a judgement. Numbers are kept exact and turned into text only when asked."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from casework.edition import Condition, Item, Source, Text

Outcome = Literal["pass", "fail", "unknown"]
Ratio: TypeAlias = tuple[int | Fraction, int | Fraction]

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


def _text(ratio: Ratio | None) -> str | None:
    if ratio is None or ratio[1] == 0:
        return None
    return exact_text(Fraction(ratio[0]) / Fraction(ratio[1]))


@dataclass(slots=True)
class PartResult:
    """One bound of a condition: what was found, what was asked, what is missing (yuan when `money`)."""

    title: Text
    outcome: Outcome
    bound: str | None
    ratio: Ratio | None
    gap_ratio: Ratio | None
    needs: tuple[str, ...]
    verified: bool
    money: bool

    @property
    def value(self) -> str | None:
        return _text(self.ratio)

    @property
    def gap(self) -> str | None:
        return _text(self.gap_ratio)


@dataclass(slots=True)
class ConditionResult:
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
        return self.condition.verified and all(part.verified for part in self.parts)


@dataclass(slots=True)
class ItemResult:
    """A score item: its measure, grade and points `lo` to `hi` that the grade allows, and the points given.

    `sure_lo` and `sure_hi` are what the item adds to the total at least and at most.
    """

    item: Item
    ratio: Ratio | None
    band: str | None
    lo: Decimal
    hi: Decimal
    given: Decimal | None
    sure_lo: Decimal
    sure_hi: Decimal
    needs: tuple[str, ...]
    flags: tuple[str, ...]
    verified: bool

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


@dataclass(slots=True)
class ScoreResult:
    """The total between `lo` and `hi`, group caps applied; passes above `pass_above`."""

    lo: Decimal
    hi: Decimal
    pass_above: Decimal
    items: tuple[ItemResult, ...]


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
