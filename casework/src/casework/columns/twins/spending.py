"""Revenue and R&D spending."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from casework.columns.amounts import (
    AT_LEAST,
    MISSING,
    Amounts,
    ColumnMeasure,
    Judging,
    kind_of_rows,
    only,
    quotients,
    twin,
)
from casework.columns.table import ABSENT, SCALE, Table, Years
from casework.columns.whole import Ints, Mask, TooWide, Whole
from casework.criteria import RdCaliber
from casework.edition import Edition
from casework.figures import RD_ITEMS

_OWN = tuple(name for name in RD_ITEMS if not name.startswith("entrusted_") and name != "other")
_CALIBER = ("source", "verified", "entrusted_share", "other_cap")


class _Spend(NamedTuple):
    """The sums over the years times `grid`. `known`: at least that much was spent; `whole`: exactly that much."""

    grid: int
    spent: Whole
    domestic: Whole
    known: Mask
    whole: Mask
    domestic_whole: Mask


@twin("rd_intensity")
def rd_intensity(edition: Edition) -> ColumnMeasure:
    caliber = _caliber(edition)

    def intensity(judging: Judging) -> Amounts:
        table = judging.table
        spend = _spend(table, caliber)
        sales, sales_known = table.once("sales", lambda table: table.years.total("sales_revenue"))
        missing = ~(spend.known & sales_known & _operated(table))
        kind = kind_of_rows(table.size, (missing, MISSING), (~spend.whole, AT_LEAST))
        return Amounts(spend.spent, sales * spend.grid, kind)

    return intensity


@twin("rd_domestic_share")
def rd_domestic_share(edition: Edition) -> ColumnMeasure:
    caliber = _caliber(edition)

    def share(judging: Judging) -> Amounts:
        table = judging.table
        spend = _spend(table, caliber)
        missing = ~(spend.known & spend.domestic_whole & _operated(table))
        return Amounts(spend.domestic, spend.spent, kind_of_rows(table.size, (missing, MISSING)))

    return share


@twin("latest_share")
def latest_share(_edition: Edition, *, of: str, to: str) -> ColumnMeasure:
    def share(judging: Judging) -> Amounts:
        return quotients(judging.table.latest(of), judging.table.latest(to))

    return share


@twin("latest_figure")
def latest_figure(_edition: Edition, *, of: str) -> ColumnMeasure:
    def figure(judging: Judging) -> Amounts:
        found = judging.table.latest(of)
        missing = found == ABSENT
        scale = Whole.of(np.full(len(found), SCALE, np.int64), SCALE)
        return Amounts(
            Whole.of(np.where(missing, 0, found)), scale, kind_of_rows(len(found), (missing, MISSING))
        )

    return figure


def _operated(table: Table) -> Mask:
    """Whether any year was given; that none is lacking is part of every sum's being known."""
    given: Mask = np.logical_or.reduce(table.years.given)
    return given


def _caliber(edition: Edition) -> RdCaliber:
    caliber = edition.rd_caliber
    assert caliber is not None
    only(caliber, *_CALIBER)
    return caliber


def _spend(table: Table, caliber: RdCaliber) -> _Spend:
    if not table.years.items:
        return table.once("spend", _plain_spend)
    share, cap = Fraction(caliber.entrusted_share), Fraction(caliber.other_cap)
    ceiling = cap / (1 - cap)
    return table.once(("spend", share, ceiling), lambda table: _mixed_spend(table, share, ceiling))


def _plain_spend(table: Table) -> _Spend:
    spent, known = table.years.total("rd_spend")
    domestic, domestic_known = table.years.total("rd_spend_domestic")
    return _Spend(1, spent, domestic, known, np.ones(table.size, np.bool_), domestic_known)


def _mixed_spend(table: Table, share: Fraction, ceiling: Fraction) -> _Spend:
    years = table.years
    grid = share.denominator * ceiling.denominator
    _fits(years, grid, max(share.numerator, share.denominator) * max(ceiling.numerator, ceiling.denominator))
    plain = years.amounts["rd_spend"]
    at_home = years.amounts["rd_spend_domestic"]
    listed = years.given & years.lists
    known = years.given & (years.lists | (plain != ABSENT))
    spent, domestic = _listed(years, share, ceiling)
    spent = np.where(listed, spent, np.where(known, plain, 0) * grid)
    domestic = np.where(listed, domestic, np.where(known & (at_home != ABSENT), at_home, 0) * grid)
    whole = ~listed | np.logical_and.reduce([years.items[name] != ABSENT for name in RD_ITEMS])
    domestic_whole = whole & (years.lists | (at_home != ABSENT))
    return _Spend(
        grid,
        Whole.of(spent.sum(axis=0)),
        Whole.of(domestic.sum(axis=0)),
        (known | ~years.given).all(axis=0) & ~years.absent.any(axis=0),
        (whole | ~years.given).all(axis=0),
        (domestic_whole | ~years.given).all(axis=0),
    )


def _fits(years: Years, grid: int, most: int) -> None:
    """Raises TooWide where the arithmetic below might leave int64."""
    plain = int(max(years.amounts["rd_spend"].max(), years.amounts["rd_spend_domestic"].max()))
    listed = int(max(column.max() for column in years.items.values()))
    if 3 * grid * plain >= 1 << 63 or 3 * len(RD_ITEMS) * most * listed >= 1 << 63:
        raise TooWide("R&D costs")


def _listed(years: Years, share: Fraction, ceiling: Fraction) -> tuple[Ints, Ints]:
    """What the cost items come to, spent and spent at home, times the grid."""
    items = {name: np.where(column == ABSENT, 0, column) for name, column in years.items.items()}
    own = sum((items[name] for name in _OWN), np.zeros_like(items["other"])) * share.denominator
    home = items["entrusted_domestic"] * share.numerator
    abroad = items["entrusted_abroad"] * share.numerator
    base = own + home + abroad
    most = base * ceiling.numerator
    other = np.minimum(items["other"] * (share.denominator * ceiling.denominator), most)
    at_home = (own + home) * ceiling.denominator + other
    return at_home + abroad * ceiling.denominator, at_home
