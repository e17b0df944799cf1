"""The list with which a round is recommended, on the form of its edition."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from casework.edition import Edition
from casework.export import Column, as_number
from casework.form import GROUP, RecommendationForm
from casework.round import Round
from casework.verdict import exact_text


def columns_of(form: RecommendationForm) -> tuple[Column, ...]:
    return tuple(Column(one.field, one.heading, one.width, one.words) for one in form.columns)


def above(form: RecommendationForm, of: Round) -> tuple[str, ...]:
    """What stands above the headings: the form's title, and which round it is for with the last day of forwarding it."""
    return form.title.zh, f"批次：{of.name}（{of.source}）　推荐截止日期：{of.forwards_on}"


def points_by_group(
    edition: Edition | None, items: Sequence[Mapping[str, Any]] | None
) -> dict[str, Decimal | str | None]:
    """The points of each group of the score, its cap applied, under `group.<id>`; None until all of its items are given."""
    if edition is None or edition.score is None:
        return {}
    points: dict[str, Decimal | str | None] = {}
    for group in edition.score.groups:
        given = [item["given"] for item in items or () if item["group"] == group.id]
        is_whole = bool(given) and None not in given
        total = min(Fraction(group.max), sum(map(Fraction, given), Fraction(0))) if is_whole else None
        points[GROUP + group.id] = None if total is None else as_number(exact_text(total))
    return points
