"""What the experts of a panel give together: the lines of a sheet, exact means, totals, spread and outliers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any, Literal, NamedTuple
from uuid import UUID

from casework.criteria import Item, Score
from casework.edition import Edition
from casework.expert import Answer
from casework.panel import Kind
from casework.sourced import Frozen, Source, Text
from casework.verdict import ItemResult, Verdict, exact_text

OUTLIER = "panel.outlier_points"


class Line(Frozen):
    """One line of a sheet. Numbers are exact decimal strings in the unit that the expert gives (`kind`).

    `band`: the grade that the facts reach, `lo` to `hi` what may be given, `value` the measure behind it. `prefilled`:
    what stands there when the expert writes nothing, where the law leaves one number only.
    """

    name: str
    title: Text
    kind: Literal["points", "coefficient", "boolean", "count", "amount"]
    band: str | None = None
    lo: str | None = None
    hi: str | None = None
    value: str | None = None
    prefilled: str | None = None
    needs: tuple[str, ...] = ()
    source: Source | None = None
    verified: bool = True


class Filled(NamedTuple):
    """A sheet that was handed in."""

    expert_id: UUID
    kind: Kind
    given: Mapping[str, Answer]


def items_of(edition: Edition, kind: str) -> tuple[Item, ...]:
    return () if edition.score is None else tuple(item for item in edition.score.items if item.by == kind)


def names_of(edition: Edition, kind: str) -> set[str]:
    """What this kind of expert may give: its own items, and unless financial what is judged beside them."""
    beside = () if kind == "financial" else edition.judgements
    return {*(item.id for item in items_of(edition, kind)), *beside}


def lines_of(edition: Edition, verdict: Verdict, kind: str) -> list[Line]:
    """The lines of a sheet by the verdict on the facts alone."""
    names, score = names_of(edition, kind), edition.score
    lines = [
        Line(name=name, title=judgement.title, kind=judgement.kind)
        for name, judgement in edition.judgements.items()
        if name in names
    ]
    if score is not None and verdict.score is not None:
        lines += [_line(result, score) for result in verdict.score.items if result.id in names]
    return lines


def _line(result: ItemResult, score: Score) -> Line:
    unit = Fraction(result.item.max) if score.given == "coefficient" else Fraction(1)
    lo, hi = (exact_text(Fraction(edge) / unit) for edge in (result.lo, result.hi))
    return Line(
        name=result.id, title=result.title, kind=score.given, band=result.band, lo=lo, hi=hi, value=result.value,
        prefilled=lo if lo == hi else None, needs=result.needs, source=result.source, verified=result.verified,
    )  # fmt: skip


def missing_from(lines: Iterable[Line], given: Mapping[str, Answer]) -> list[str]:
    """The score items still to be given; what is judged beside them may be left to others."""
    return [
        line.name
        for line in lines
        if line.kind in ("points", "coefficient") and line.prefilled is None and line.name not in given
    ]


def with_prefilled(lines: Iterable[Line], given: Mapping[str, Answer]) -> dict[str, Answer]:
    return {line.name: line.prefilled for line in lines if line.prefilled is not None} | dict(given)


def means_of(edition: Edition, sheets: Sequence[Filled]) -> dict[str, Fraction]:
    """Each item's exact mean over the sheets of its kind, in the unit given."""
    means = {}
    for kind in {sheet.kind for sheet in sheets}:
        own = [sheet for sheet in sheets if sheet.kind == kind]
        for item in items_of(edition, kind):
            means[item.id] = sum((_number(sheet, item) for sheet in own), Fraction(0)) / len(own)
    return means


def agreed(edition: Edition, sheets: Sequence[Filled]) -> dict[str, bool | Decimal]:
    """What more than half of those say who say anything of a name beside the items; without it the name is open."""
    found: dict[str, bool | Decimal] = {}
    for name in edition.judgements:
        said = [sheet.given[name] for sheet in sheets if name in sheet.given]
        votes = Counter(said).most_common(1)
        if votes and 2 * votes[0][1] > len(said):
            answer = votes[0][0]
            found[name] = answer if isinstance(answer, bool) else Decimal(answer)
    return found


def _number(sheet: Filled, item: Item) -> Fraction:
    return Fraction(str(sheet.given[item.id]))


class SheetTotal(Frozen):
    """One expert's points. `away`: from the median of the same kind; an outlier is further away than the edition's k."""

    expert_id: UUID
    kind: Kind
    head: bool
    total: str
    away: str
    outlier: bool
    given: Mapping[str, Any]


class ItemSpread(Frozen):
    name: str
    title: Text
    by: str
    mean: str
    lowest: str
    highest: str
    spread: str


class Scores(Frozen):
    """What the head sees: points, exact; `outlier_points` is the edition's k, with its `outlier_verified`."""

    sheets: tuple[SheetTotal, ...]
    items: tuple[ItemSpread, ...]
    outlier_points: str | None
    outlier_verified: bool
    total_lo: str | None
    total_hi: str | None
    pass_above: str | None


def scores_of(edition: Edition, sheets: Sequence[Filled], head: UUID, verdict: Verdict) -> Scores:
    """Totals, spread and outliers; a kind with one sheet has no outlier."""
    limit = edition.parameters.get(OUTLIER)
    most = None if limit is None or isinstance(limit.value, str | bool) else Fraction(limit.value)
    totals = {sheet.expert_id: _total(edition, sheet) for sheet in sheets}
    middle = {
        kind: median(totals[sheet.expert_id] for sheet in sheets if sheet.kind == kind)
        for kind in {sheet.kind for sheet in sheets}
    }
    rows = []
    for sheet in sheets:
        total = totals[sheet.expert_id]
        away = abs(total - middle[sheet.kind])
        rows.append(
            SheetTotal(
                expert_id=sheet.expert_id,
                kind=sheet.kind,
                head=sheet.expert_id == head,
                total=exact_text(total),
                away=exact_text(away),
                outlier=most is not None and away > most,
                given=sheet.given,
            )
        )
    score = verdict.score
    return Scores(
        sheets=tuple(rows), items=tuple(_spreads(edition, sheets)),
        outlier_points=None if most is None else exact_text(most),
        outlier_verified=limit is not None and limit.verified,
        total_lo=None if score is None else exact_text(score.lo),
        total_hi=None if score is None else exact_text(score.hi),
        pass_above=None if score is None or score.pass_above is None else exact_text(score.pass_above),
    )  # fmt: skip


def _unit(edition: Edition, item: Item) -> Fraction:
    by_coefficient = edition.score is not None and edition.score.given == "coefficient"
    return Fraction(item.max) if by_coefficient else Fraction(1)


def _total(edition: Edition, sheet: Filled) -> Fraction:
    own = items_of(edition, sheet.kind)
    return sum((_number(sheet, item) * _unit(edition, item) for item in own), Fraction(0))


def _spreads(edition: Edition, sheets: Sequence[Filled]) -> Iterable[ItemSpread]:
    for kind in sorted({sheet.kind for sheet in sheets}, reverse=True):
        own = [sheet for sheet in sheets if sheet.kind == kind]
        for item in items_of(edition, kind):
            points = [_number(sheet, item) * _unit(edition, item) for sheet in own]
            lowest, highest = min(points), max(points)
            yield ItemSpread(
                name=item.id, title=item.title, by=item.by, mean=exact_text(sum(points, Fraction(0)) / len(points)),
                lowest=exact_text(lowest), highest=exact_text(highest), spread=exact_text(highest - lowest),
            )  # fmt: skip
