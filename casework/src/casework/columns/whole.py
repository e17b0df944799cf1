"""Columns of exact whole numbers of up to 127 bits: nothing is rounded, and nothing wraps round unseen."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Bits: TypeAlias = NDArray[np.uint64]
Mask: TypeAlias = NDArray[np.bool_]

_NARROW, _WIDE, _FACTOR = 1 << 63, 1 << 127, 1 << 31
_LOWER = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class TooWide(ArithmeticError):
    """A number might not fit into 127 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """One whole number per row, none of them beyond `limit` on either side of zero.

    Without `high` the number is `low`, as int64. With it, it is `high * 2**64 + low`, `low` being uint64.
    """

    low: Ints | Bits
    high: Ints | None
    limit: int

    @classmethod
    def of(cls, numbers: Ints, limit: int | None = None) -> "Whole":
        """A column of int64. `limit`: when it is known without a look."""
        if limit is None:
            limit = max(-int(numbers.min()), int(numbers.max()), 0) if numbers.size else 0
        return cls(numbers, None, limit)

    def __add__(self, other: "Whole") -> "Whole":
        limit = self.limit + other.limit
        if self.high is None and other.high is None and limit < _NARROW:
            return Whole(self.low + other.low, None, limit)
        (high, low), (more_high, more_low) = self.parts(limit), other.parts(limit)
        total = low + more_low
        return Whole(total, high + more_high + (total < low), limit)

    def __sub__(self, other: "Whole") -> "Whole":
        limit = self.limit + other.limit
        if self.high is None and other.high is None and limit < _NARROW:
            return Whole(self.low - other.low, None, limit)
        (high, low), (less_high, less_low) = self.parts(limit), other.parts(limit)
        return Whole(low - less_low, high - less_high - (low < less_low), limit)

    def __mul__(self, other: "Whole | int") -> "Whole":
        if isinstance(other, int):
            return self._times(other)
        limit = self.limit * other.limit
        if self.high is not None or other.high is not None:
            raise TooWide("a product of three")
        if limit < _NARROW:
            return Whole(self.low * other.low, None, limit)
        product = _product(np.abs(self.low).view(np.uint64), np.abs(other.low).view(np.uint64), limit)
        negative = (self.low < 0) != (other.low < 0)
        return product._negated_where(negative) if negative.any() else product

    def _times(self, factor: int) -> "Whole":
        if factor == 1:
            return self
        limit = self.limit * abs(factor)
        if self.high is None and limit < _NARROW:
            # A column of zeros takes any factor.
            return Whole(self.low * factor, None, limit) if limit else Whole(np.zeros_like(self.low), None, 0)
        if abs(factor) >= _NARROW:
            raise TooWide(f"a factor of {factor.bit_length()} bits")
        if abs(factor) >= _FACTOR:
            return self * Whole.of(np.full(len(self.low), factor, np.int64), abs(factor))
        high, low = self.parts(limit)
        by = np.uint64(abs(factor))
        first = (low & _LOWER) * by
        second = (low >> _HALF) * by + (first >> _HALF)
        product = Whole(
            (second << _HALF) | (first & _LOWER), high * abs(factor) + (second >> _HALF).view(np.int64), limit
        )
        return product if factor >= 0 else Whole.of(np.zeros(len(low), np.int64), 0) - product

    def at_least(self, other: "Whole") -> Mask:
        if self.high is None and other.high is None:
            narrow: Mask = self.low >= other.low
            return narrow
        limit = max(self.limit, other.limit)
        (high, low), (their_high, their_low) = self.parts(limit), other.parts(limit)
        wide: Mask = (high > their_high) | ((high == their_high) & (low >= their_low))
        return wide

    def more_than(self, other: "Whole") -> Mask:
        return ~other.at_least(self)

    def is_zero(self) -> Mask:
        zero: Mask = self.low == 0
        return zero if self.high is None else zero & (self.high == 0)

    def parts(self, limit: int) -> tuple[Ints, Bits]:
        """The upper and the lower 64 bits. Raises TooWide where `limit` needs more."""
        if limit >= _WIDE:
            raise TooWide(f"{limit.bit_length()} bits")
        if self.high is not None:
            return self.high, self.low.view(np.uint64)
        return self.low.view(np.int64) >> 63, self.low.view(np.uint64)

    def _negated_where(self, rows: Mask) -> "Whole":
        negated = Whole.of(np.zeros(len(rows), np.int64), 0) - self
        (high, low), (minus_high, minus_low) = self.parts(self.limit), negated.parts(self.limit)
        return Whole(np.where(rows, minus_low, low), np.where(rows, minus_high, high), self.limit)


def where(rows: Mask, yes: Whole, no: Whole) -> Whole:
    """Row by row the one or the other."""
    limit = max(yes.limit, no.limit)
    if yes.high is None and no.high is None:
        return Whole(np.where(rows, yes.low, no.low), None, limit)
    (high, low), (other_high, other_low) = yes.parts(limit), no.parts(limit)
    return Whole(np.where(rows, low, other_low), np.where(rows, high, other_high), limit)


def _product(one: Bits, other: Bits, limit: int) -> Whole:
    """Schoolbook multiplication in halves of 32 bits."""
    if limit >= _WIDE:
        raise TooWide(f"{limit.bit_length()} bits")
    one_low, one_high = one & _LOWER, one >> _HALF
    other_low, other_high = other & _LOWER, other >> _HALF
    lowest = one_low * other_low
    cross, other_cross = one_low * other_high, one_high * other_low
    middle = (lowest >> _HALF) + (cross & _LOWER) + (other_cross & _LOWER)
    high = one_high * other_high + (cross >> _HALF) + (other_cross >> _HALF) + (middle >> _HALF)
    return Whole((middle << _HALF) | (lowest & _LOWER), high.view(np.int64), limit)
