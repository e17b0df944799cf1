"""The facts of many enterprises as columns of whole numbers: one row per enterprise."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from casework.columns.whole import Ints, Mask, Whole

if TYPE_CHECKING:
    from casework.facts import Facts
    from casework.unusable import UnusableInput

Codes: TypeAlias = NDArray[np.int16]
# An answer: 1 yes, 0 no, -1 unknown.
Answers: TypeAlias = NDArray[np.int8]

Found = TypeVar("Found")

AMOUNTS: Final = (
    "sales_revenue", "total_revenue", "high_tech_revenue", "costs", "net_assets", "total_assets",
    "rd_spend", "rd_spend_domestic",
)  # fmt: skip
# Every amount is yuan times SCALE, every number that was judged is itself times SCALE.
PLACES: Final = 4
SCALE: Final = 10**PLACES
# What a column holds where nothing is known, and where yes or no was said in place of a number.
ABSENT: Final = -(1 << 62)
NO: Final = ABSENT + 1
YES: Final = ABSENT + 2
# Larger numbers are left to the scalar engine.
LARGEST: Final = 1 << 55


@dataclass(slots=True, eq=False)
class Years:
    """The three fiscal years before the application, the earliest first: three columns of each.

    `given`: the year is among the facts; `absent`: it is not, though the enterprise did or may have operated in it.
    `items` are the R&D cost items, where a year lists them (`lists`).
    """

    amounts: dict[str, Ints]
    given: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    lists: NDArray[np.bool_]
    items: dict[str, Ints]

    def known(self, name: str) -> Mask:
        missing = (self.given & (self.amounts[name] == ABSENT)).any(axis=0)
        known: Mask = ~(missing | self.absent.any(axis=0))
        return known

    def total(self, name: str) -> tuple[Whole, Mask]:
        """The sum over the given years, and where it is known: in none of the years of operation may it be missing."""
        columns = self.amounts[name]
        summed = np.where(self.given & (columns != ABSENT), columns, 0).sum(axis=0)
        return Whole.of(summed), self.known(name)


@dataclass(slots=True, eq=False)
class Rights:
    """IP rights, each with the `row` of its holder. Days count from year 1; a code of -1 or a day of 0 is unknown."""

    row: Ints
    kind: Codes
    acquired: Codes
    granted: Ints
    in_force: Answers
    owned: Answers
    related: Answers
    # Earlier uses: the right's place among the rights, and the programme and year.
    used: Ints
    used_for: Codes
    used_year: Ints


@dataclass(slots=True, eq=False)
class Incidents:
    row: Ints
    kind: Codes
    on: Ints
    major: Answers


@dataclass(slots=True, eq=False)
class Table:
    """`size` rows. Days count from year 1, 0 is unknown; `year` is that of the application, 0 if unknown.

    `staff` are the last fiscal year's numbers of each kind, all over the same `staff_over`. `names` are those whose
    codes the columns hold. `odd` rows do not fit into columns: theirs are empty, and their facts, or why these are
    unusable, stand here.
    """

    size: int
    names: tuple[str, ...]
    case_type: Codes
    applied: Ints
    year: Ints
    established: Ints
    resident: Answers
    years: Years
    staff: dict[str, Ints]
    staff_over: Ints
    has_rights: Mask
    rights: Rights
    has_conversions: Mask
    conversions: tuple[Ints, Ints]
    incidents: Incidents
    judgements: dict[str, Ints]
    odd: "dict[int, Facts | UnusableInput]" = field(default_factory=dict)
    _found: dict[object, Any] = field(default_factory=dict)

    def once(self, key: object, find: "Callable[[Table], Found]") -> Found:
        """What `find` finds in the facts, found once. It must not look at judgements, and `key` must say all else."""
        if key not in self._found:
            self._found[key] = find(self)
        found: Found = self._found[key]
        return found

    @property
    def applied_known(self) -> Mask:
        known: Mask = self.applied != 0
        return known

    @property
    def operating_unknown(self) -> Mask:
        unknown: Mask = self.years.absent.any(axis=0) & (self.established == 0)
        return unknown

    def code(self, name: str) -> int:
        """The code of a name, one that no row has where it is not among the names."""
        return self.names.index(name) if name in self.names else len(self.names)

    def judgement(self, name: str) -> Ints:
        found = self.judgements.get(name)
        return np.full(self.size, ABSENT, np.int64) if found is None else found

    def latest(self, name: str) -> Ints:
        latest: Ints = self.years.amounts[name][2]
        return latest

    def replaced(self, judgements: dict[str, Ints], odd: "dict[int, Facts | UnusableInput]") -> "Table":
        """The same rows with these judgements."""
        return replace(self, judgements=judgements, odd=odd)

    def count(self, rows: Ints) -> Ints:
        """How often each row is among `rows`."""
        return np.bincount(rows, minlength=self.size).astype(np.int64, copy=False)
