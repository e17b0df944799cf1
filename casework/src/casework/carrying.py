"""What experts said under one edition, where facts are judged by another: only what means the same is carried over."""

from typing import Any

import numpy as np

from casework.columns.table import ABSENT, Table
from casework.columns.whole import Mask
from casework.edition import Edition
from casework.facts import Facts


def not_carried(given_under: Edition, judged_under: Edition) -> frozenset[str]:
    """The judgements that one edition's experts give on another scale than the other edition reads them on."""
    scales, other = _scales(given_under), _scales(judged_under)
    return frozenset(name for name, scale in scales.items() if other.get(name) != scale)


def _scales(edition: Edition) -> dict[str, tuple[Any, ...]]:
    scales: dict[str, tuple[Any, ...]] = {name: (j.kind, j.max) for name, j in edition.judgements.items()}
    if edition.score is not None:
        scales |= {item.id: (edition.score.given, item.max) for item in edition.score.items}
    return scales


def carried(facts: Facts, given_under: Edition | None, judged_under: Edition) -> Facts:
    """The facts without judgements that mean something else under the edition they are judged by."""
    if given_under is None or given_under.hash == judged_under.hash:
        return facts
    dropped = not_carried(given_under, judged_under) & facts.judgements.keys()
    kept = {name: value for name, value in facts.judgements.items() if name not in dropped}
    return facts.model_copy(update={"judgements": kept}) if dropped else facts


def without(table: Table, names: frozenset[str], rows: Mask) -> Table:
    """The same rows, some of them without these judgements."""
    judgements = dict(table.judgements)
    for name in names & judgements.keys():
        judgements[name] = np.where(rows, ABSENT, judgements[name])
    kept = {
        row: facts.model_copy(
            update={"judgements": {k: v for k, v in facts.judgements.items() if k not in names}}
        )
        if isinstance(facts, Facts) and rows[row]
        else facts
        for row, facts in table.odd.items()
    }
    return table.replaced(judgements, kept)
