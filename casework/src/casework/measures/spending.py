"""Revenue and R&D spending."""

from fractions import Fraction
from typing import NamedTuple

from casework.criteria import RdCaliber
from casework.edition import Edition
from casework.figures import RD_ITEMS, YearFigures
from casework.measures.amounts import (
    Amount,
    AtLeast,
    Case,
    Measure,
    Missing,
    Whole,
    latest_needs,
    measure,
    total,
    year_needs,
)
from casework.verdict import Collected

_ENTRUSTED = ("entrusted_domestic", "entrusted_abroad")
_NONE = Fraction(0)
_OWN = tuple(name for name in RD_ITEMS if name not in (*_ENTRUSTED, "other"))


class _Spend(NamedTuple):
    """R&D spend: at least `spent`, exactly that when `needs` is empty; `domestic` holds if `domestic_needs` is empty."""

    spent: Whole
    domestic: Whole
    needs: tuple[str, ...]
    domestic_needs: tuple[str, ...]


@measure("rd_intensity", money=True, needs_rd_caliber=True)
def rd_intensity(edition: Edition) -> Measure:
    """R&D spend over sales revenue, both summed over the last three fiscal years or the years of operation.

    Cost items that are not all listed give a lower bound: enough to pass with, never enough to fail.
    """

    def intensity(case: Case) -> Amount:
        sales = total(case, "sales_revenue")
        if not case.figures.collects:
            spent = total(case, "rd_spend")
            if spent is not None and sales is not None and case.figures.window:
                return (spent, sales)
        spend = _spend(case, edition)
        if sales is None or spend is None:
            needs = () if sales is not None else year_needs(case, "sales_revenue")
            return Missing(tuple(dict.fromkeys(needs + (() if spend else year_needs(case, "rd_spend")))))
        if not case.figures.window:
            return Missing(latest_needs(case, "sales_revenue", "rd_spend"))
        return AtLeast((spend.spent, sales), spend.needs) if spend.needs else (spend.spent, sales)

    return intensity


@measure("rd_domestic_share", money=True, needs_rd_caliber=True)
def rd_domestic_share(edition: Edition) -> Measure:
    """R&D spent inside mainland China over all R&D spend, same years."""

    def share(case: Case) -> Amount:
        if case.figures.collects:
            spend = _spend(case, edition)
            if spend is not None:
                needs = spend.domestic_needs
                return Missing(needs) if needs else (spend.domestic, spend.spent)
        domestic, spent = total(case, "rd_spend_domestic"), total(case, "rd_spend")
        if domestic is None or spent is None:
            needs = year_needs(case, "rd_spend_domestic") + year_needs(case, "rd_spend")
            return Missing(tuple(dict.fromkeys(needs)))
        return (domestic, spent) if case.figures.window else Missing(latest_needs(case, "rd_spend"))

    return share


@measure("rd_share_mean")
def rd_share_mean(edition: Edition) -> Measure:
    """Mean of the yearly shares of R&D spend in sales revenue."""

    def mean(case: Case) -> Amount:
        shares: list[Fraction] = []
        for year in case.figures.window:
            spend, sales = _yearly(year, edition.rd_caliber), year.amounts.get("sales_revenue")
            if spend is not None and not spend.needs and sales:
                shares.append(Fraction(spend.spent) / sales)
        if not shares or len(shares) < len(case.figures.window) or case.figures.absent:
            return Missing(year_needs(case, "rd_spend") + year_needs(case, "sales_revenue"))
        mean = sum(shares, Fraction(0)) / len(shares)
        return (mean.numerator, mean.denominator)

    return mean


@measure("latest_share", money=True)
def latest_share(_edition: Edition, *, of: str, to: str) -> Measure:
    """One figure over another in the last fiscal year."""

    def share(case: Case) -> Amount:
        latest = case.figures.latest
        if latest is None:
            return Missing(latest_needs(case, of, to))
        part, whole = latest.amounts.get(of), latest.amounts.get(to)
        if part is None or whole is None:
            return Missing(latest_needs(case, *(name for name in (of, to) if name not in latest.amounts)))
        return (part, whole)

    return share


@measure("latest_rd_share", money=True, needs_rd_caliber=True)
def latest_rd_share(edition: Edition, *, to: str) -> Measure:
    """R&D spend over another figure in the last fiscal year."""

    def share(case: Case) -> Amount:
        spend, latest = _latest_spend(case, edition), case.figures.latest
        whole = None if latest is None else latest.amounts.get(to)
        if spend is None or whole is None:
            missing = (("rd_spend", spend is None), (to, whole is None))
            return Missing(latest_needs(case, *(name for name, absent in missing if absent)))
        return AtLeast((spend.spent, whole), spend.needs) if spend.needs else (spend.spent, whole)

    return share


@measure("latest_rd_spend", unit="yuan", needs_rd_caliber=True)
def latest_rd_spend(edition: Edition) -> Measure:
    """R&D spend of the last fiscal year, yuan."""

    def spent(case: Case) -> Amount:
        return _in_yuan(case, _latest_spend(case, edition)) or Missing(latest_needs(case, "rd_spend"))

    return spent


@measure("rd_spend_sum", unit="yuan", needs_rd_caliber=True)
def rd_spend_sum(edition: Edition) -> Measure:
    """R&D spend of the last three fiscal years or the years of operation, yuan."""

    def spent(case: Case) -> Amount:
        spend = _spend(case, edition) if case.figures.window else None
        return _in_yuan(case, spend) or Missing(
            year_needs(case, "rd_spend") or latest_needs(case, "rd_spend")
        )

    return spent


def _latest_spend(case: Case, edition: Edition) -> _Spend | None:
    latest = case.figures.latest
    return None if latest is None else _yearly(latest, edition.rd_caliber)


def _in_yuan(case: Case, spend: _Spend | None) -> Amount | None:
    if spend is None:
        return None
    amount = (spend.spent, case.figures.scale)
    return AtLeast(amount, spend.needs) if spend.needs else amount


@measure("latest_figure", unit="yuan")
def latest_figure(_edition: Edition, *, of: str) -> Measure:
    """A figure of the last fiscal year, yuan."""

    def figure(case: Case) -> Amount:
        latest = case.figures.latest
        value = None if latest is None else latest.amounts.get(of)
        return Missing(latest_needs(case, of)) if value is None else (value, case.figures.scale)

    return figure


def _spend(case: Case, edition: Edition) -> _Spend | None:
    if not case.figures.collects:
        spent = total(case, "rd_spend")
        return None if spent is None else _Spend(spent, 0, (), ())
    if case.figures.absent:
        return None
    yearly = [_yearly(year, edition.rd_caliber) for year in case.figures.window]
    known = [spend for spend in yearly if spend is not None]
    if len(known) < len(yearly):
        return None
    return _Spend(
        sum(spend.spent for spend in known),
        sum(spend.domestic for spend in known),
        tuple(need for spend in known for need in spend.needs),
        tuple(need for spend in known for need in spend.domestic_needs),
    )


def _yearly(year: YearFigures, caliber: RdCaliber | None) -> _Spend | None:
    if year.rd_items is None:
        spent, domestic = year.amounts.get("rd_spend"), year.amounts.get("rd_spend_domestic")
        if spent is None:
            return None
        return _Spend(
            spent,
            domestic or 0,
            (),
            () if domestic is not None else (f"years[{year.year}].rd_spend_domestic",),
        )
    collected = collect(year.year, year.rd_items, caliber)
    needs = tuple(f"years[{year.year}].rd_items.{name}" for name in RD_ITEMS if name not in year.rd_items)
    return _Spend(collected.total, collected.domestic, needs, needs)


def collect(year: int, items: dict[str, int], caliber: RdCaliber | None, scale: int = 1) -> Collected:
    """Collects one year's R&D cost items: the counted share of entrusted work, then the caps of the caliber.

    Amounts come in yuan times `scale` and leave in yuan. The cap is a share of the total that already holds the other costs: `base * cap / (1 - cap)`.
    """
    assert caliber is not None
    share, cap = Fraction(caliber.entrusted_share), Fraction(caliber.other_cap)
    yuan = {name: Fraction(amount, scale) for name, amount in items.items()}
    own = sum((yuan.get(name, _NONE) for name in _OWN), _NONE)
    at_home, abroad = (share * yuan.get(name, _NONE) for name in _ENTRUSTED)
    base = own if caliber.other_cap_base == "own_items" else own + at_home + abroad
    other_cap = base * cap / (1 - cap)
    other = min(yuan.get("other", _NONE), other_cap)
    if caliber.abroad_cap is not None:
        abroad = min(abroad, (own + at_home + other) * Fraction(*caliber.abroad_cap))
    return Collected(
        year=year,
        own=own,
        entrusted_incurred=sum((yuan.get(name, _NONE) for name in _ENTRUSTED), _NONE),
        entrusted_counted=at_home + abroad,
        other_incurred=yuan.get("other", _NONE),
        other_cap=other_cap,
        other_counted=other,
        domestic=own + at_home + other,
        total=own + at_home + abroad + other,
        complete=all(name in items for name in RD_ITEMS),
    )
