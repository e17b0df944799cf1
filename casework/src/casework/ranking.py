"""The order of a round's applications, and where its quota cuts."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Literal
from uuid import UUID

from casework.case import Kept, Outcome
from casework.edition import State

# `tied`: applications of one score lie across the cut, and people decide which of them are listed.
Cut = Literal["listed", "tied", "reserve", "not_passed"]


class Entry(Kept):
    """One application of the round. `score`: the total that is sure, exact (`85.5`, `211/3`); None without a score."""

    case_id: UUID
    enterprise_id: str
    enterprise_name: str | None
    state: State
    verdict: Outcome | None
    score: str | None


class Ranked(Entry):
    """`place` is shared by equal scores; None for who has not passed."""

    place: int | None
    cut: Cut


def rank(entries: Sequence[Entry], quota: int | None) -> list[Ranked]:
    """Those that pass by their score, the highest first, then the others. Without a quota all that pass are listed."""
    passed = sorted((one for one in entries if one.verdict == "pass"), key=_order)
    ranked: list[Ranked] = []
    for _, group in groupby(passed, key=_score):
        alike, before = list(group), len(ranked)
        cut = _cut(before, len(alike), quota)
        ranked += [Ranked(**dict(one), place=before + 1, cut=cut) for one in alike]
    others = sorted((one for one in entries if one.verdict != "pass"), key=_order)
    return ranked + [Ranked(**dict(one), place=None, cut="not_passed") for one in others]


def _score(entry: Entry) -> Fraction:
    return Fraction(entry.score or 0)


def _order(entry: Entry) -> tuple[Fraction, UUID]:
    return -_score(entry), entry.case_id


def _cut(before: int, alike: int, quota: int | None) -> Cut:
    if quota is None or before + alike <= quota:
        return "listed"
    return "tied" if before < quota else "reserve"
