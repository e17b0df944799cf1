"""What a measure answers for many enterprises at once, and the registry of measures that can."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from casework.columns.table import ABSENT, Table
from casework.columns.whole import Ints, Mask, Whole
from casework.edition import Edition

# As in casework.measures.amounts: exact fraction, Span, AtLeast, Missing, NoGrade.
EXACT: Final = 0
SPAN: Final = 1
AT_LEAST: Final = 2
MISSING: Final = 3
NO_GRADE: Final = 4
Kinds: TypeAlias = NDArray[np.int8]


class NotColumnar(Exception):
    """The edition asks for something that only the scalar engine can judge; the message names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """One amount per row. `kind` None: all are exact. A `denominator` of None is 1; zero has no value.

    AT_LEAST is `numerator / denominator` or more; SPAN reaches from there to `high` over the same denominator, or
    without end where `endless`. In rows of the other kinds the numbers mean nothing.
    """

    numerator: Whole
    denominator: Whole | None = None
    kind: Kinds | None = None
    high: Whole | None = None
    endless: Mask | None = None

    def are(self, kind: int) -> Mask | None:
        """Which rows are of the kind, None for none."""
        if self.kind is None:
            return None
        rows = self.kind == kind
        return rows if rows.any() else None


def kind_of_rows(size: int, *steps: tuple[Mask, int]) -> Kinds:
    """EXACT, except where a mask of the steps says otherwise; the first that does prevails."""
    kind = np.zeros(size, np.int8)
    for rows, what in reversed(steps):
        kind[rows] = what
    return kind


def quotients(part: Ints, whole: Ints) -> Amounts:
    """Each part by its whole; MISSING where one of the two is ABSENT."""
    missing = (part == ABSENT) | (whole == ABSENT)
    return Amounts(
        Whole.of(np.where(missing, 0, part)),
        Whole.of(np.where(missing, 1, whole)),
        kind_of_rows(len(part), (missing, MISSING)),
    )


@dataclass(slots=True)
class Judging:
    """The rows under judgement; `score` is their total once the items are scored."""

    table: Table
    score: Amounts | None = None


ColumnMeasure: TypeAlias = Callable[[Judging], Amounts]
TWINS: Final[dict[str, Callable[..., ColumnMeasure]]] = {}


def twin(name: str) -> Callable[[Callable[..., ColumnMeasure]], Callable[..., ColumnMeasure]]:
    """Registers `build(edition, **with)` as the columnar form of the measure of that name."""

    def register(build: Callable[..., ColumnMeasure]) -> Callable[..., ColumnMeasure]:
        TWINS[name] = build
        return build

    return register


def build(measure: str, edition: Edition, given: Mapping[str, Any]) -> ColumnMeasure:
    """The columnar form of a measure as a rulebook names it. Raises NotColumnar."""
    builder = TWINS.get(measure)
    if builder is None:
        raise NotColumnar(f"the measure {measure} has no columnar form")
    try:
        return builder(edition, **given)
    except TypeError as error:
        raise NotColumnar(f"the measure {measure}: {error}") from error


def only(model: BaseModel, *names: str) -> None:
    """Whether the columnar engine knows all that the model says. Raises NotColumnar for a name it does not know.

    A rulebook may come to say more than this engine was written for; what it does not know it must not pass over.
    """
    fields = type(model).model_fields
    for name in model.model_fields_set - set(names):
        if getattr(model, name) != fields[name].get_default(call_default_factory=True, validated_data={}):
            raise NotColumnar(f"{type(model).__name__.lower()}.{name} has no columnar form")
