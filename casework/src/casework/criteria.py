"""What an edition asks: conditions with their bounds, score items with their grades, and how rights and costs count."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from casework.sourced import Band, Day, Exact, Frozen, Grade, Key, Sourced, Text, Values

RegionPrefix = Annotated[str, Field(pattern=r"^[0-9]{2,6}$")]


class Part(Frozen):
    """One bound on one measure.

    The part plays no role where the application was made before `applies_from`, or where it is `when_known` and the
    measure is not known: a declaration nobody made does no harm, and one that would help does not help.
    """

    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)
    at_least: Exact | None = None
    at_least_of: str | None = None
    more_than: Exact | None = None
    more_than_of: str | None = None
    at_most: Exact | None = None
    tiers: "Tiers | None" = None
    regions: "tuple[RegionStep, ...] | None" = None
    when_known: bool = False
    applies_from: Day | None = None
    title: Text | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Part":
        bounds = (
            self.at_least,
            self.at_least_of,
            self.more_than,
            self.more_than_of,
            self.at_most,
            self.tiers,
            self.regions,
        )
        if sum(bound is not None for bound in bounds) != 1:
            raise ValueError("exactly one bound is needed")
        return self


class Step(Frozen):
    at_least: Exact | None = None
    at_least_of: str | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_least_of is None):
            raise ValueError("exactly one of at_least, at_least_of is needed")
        return self


class Tier(Step):
    over: Band


class Tiers(Frozen):
    """The bound depends on a figure of the latest fiscal year."""

    by: Key
    steps: tuple[Tier, ...]


class RegionStep(Step):
    """The bound in some regions: `within` are beginnings of GB/T 2260 codes, `within_of` a parameter that lists them.

    The last step names none and holds everywhere else.
    """

    within: tuple[RegionPrefix, ...] | None = None
    within_of: str | None = None


class Alternative(Frozen):
    """Another way to meet a condition: all of its parts must hold."""

    title: Text | None = None
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]


class Condition(Sourced):
    """All parts must hold, or all of one way of `or_else`.

    The first part gives the value shown unless another part decides.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z][0-9]+[a-z]?$")]
    title: Text
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    or_else: tuple[Alternative, ...] = ()


class ItemBand(Frozen):
    """Where the measure lies (`when`) and the grade it gives.

    `grade_of` names the parameter that holds the grade, `next` passes on to the item's next ladder, `free`
    leaves the expert the item's whole range because the text gives no grade.
    """

    when: Band
    grade: Grade | None = None
    grade_of: str | None = None
    next: bool = False
    free: bool = False

    @model_validator(mode="after")
    def _one_result(self) -> "ItemBand":
        if sum((self.grade is not None, self.grade_of is not None, self.next, self.free)) != 1:
            raise ValueError("exactly one of grade, grade_of, next, free is needed")
        return self


class Ladder(Frozen):
    """Bands of one measure. `absent_is_open`: while the measure is unknown, the expert's points stand alone.

    `chosen`: the ladder holds where the enterprise chose this option of the item's choice.
    """

    absent_is_open: bool = False
    chosen: Key | None = None
    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)
    bands: Annotated[tuple[ItemBand, ...], Field(min_length=1)]


class Shown(Frozen):
    """A measure whose value helps the expert although no published band turns it into points."""

    measure: Key
    with_: Values = Field(alias="with", default_factory=dict)


class Item(Sourced):
    """A score item. Without ladders an expert alone decides, inside the grades if there are any.

    `grades` are points, or coefficients of `max` where the edition scores by coefficients. `choice`: the enterprise
    itself says which of the ladders holds; while it has not, the item is unknown.
    """

    id: Key
    title: Text
    group: Key
    by: Literal["technical", "financial", "officer"]
    max: Exact
    grades: Mapping[Grade, tuple[Exact, Exact]] | None = None
    choice: Key | None = None
    ladders: tuple[Ladder, ...] = ()
    shows: Shown | None = None


class Group(Sourced):
    id: Key
    title: Text
    max: Exact


class Score(Sourced):
    """`given`: experts give whole points (`points`) or a share of the item's maximum (`coefficient`).

    The total passes above `pass_above`, or from `pass_at_least` on.
    """

    pass_above: Exact | None = None
    pass_above_of: str | None = None
    pass_at_least: Exact | None = None
    pass_at_least_of: str | None = None
    given: Literal["points", "coefficient"]
    grades: Mapping[Grade, tuple[Exact, Exact]] = Field(default_factory=dict)
    groups: tuple[Group, ...]
    items: tuple[Item, ...]

    def grades_of(self, item: Item) -> Mapping[str, tuple[Decimal, Decimal]]:
        """The item's own grades, else the ones that hold for every item."""
        return self.grades if item.grades is None else item.grades


class Judgement(Frozen):
    """A name that experts or officers fill beside the score items; an `amount` is in yuan."""

    kind: Literal["boolean", "count", "amount"]
    title: Text
    max: int | None = None


class Choice(Sourced):
    """What the enterprise must choose itself, with the options and their words; nobody chooses for it."""

    title: Text
    options: Annotated[Mapping[Key, Text], Field(min_length=2)]


class Rights(Sourced):
    """Which IP rights count. `related_only`: those that support the main products."""

    related_only: bool = True

    classes: Mapping[str, tuple[str, ...]]
    acquired: tuple[str, ...]
    held_without_owning: tuple[str, ...] = ()
    obtained_within_years: int | None = None
    used_once: tuple[str, ...] = ()


class RdCaliber(Sourced):
    """How R&D costs are collected: the counted share of entrusted work, the cap on other costs in the total.

    `other_cap_base`: whether the costs beside which the cap is a share hold entrusted work. `abroad_cap`: numerator and
    denominator of the share of domestic spend that work entrusted abroad counts up to.
    """

    entrusted_share: Exact
    other_cap: Exact
    other_cap_base: Literal["all_items", "own_items"] = "all_items"
    abroad_cap: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _no_circle(self) -> Self:
        if self.abroad_cap is not None and self.other_cap_base == "all_items":
            raise ValueError("abroad_cap needs other_cap_base: own_items")
        return self
