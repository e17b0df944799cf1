"""What if another edition held: who changes, by which conditions, and what of the experts' word is carried over."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from casework.carrying import carried, not_carried
from casework.columns.engine import ColumnEvaluator
from casework.edition import Edition
from casework.facts import Facts, facts_from
from casework.unusable import UnusableInput
from casework.what_if import Chunk, Flip, Row, Subject, Totals, WhatIf, counterparts
from test_columns import RULEBOOKS, firms, gathered

HNTE_2008, HNTE_2016 = (RULEBOOKS.edition("hnte", date(year, 1, 1)) for year in (2008, 2016))
WHAT_IF = WhatIf(HNTE_2008, HNTE_2016)


def asked(
    documents: list[Any], given_under: Edition | None = None, *, changed_only: bool = False
) -> tuple[list[Row], Totals]:
    def facts_of(row: int) -> Facts | UnusableInput:
        try:
            return facts_from(documents[row])
        except UnusableInput as refusal:
            return refusal

    given = None if given_under is None else given_under.hash
    subjects = [Subject(str(row), edition_hash=given) for row in range(len(documents))]
    totals = Totals()
    chunk = Chunk(subjects, gathered(documents), facts_of)
    return list(WHAT_IF.rows(chunk, changed_only=changed_only, totals=totals)), totals


@pytest.mark.parametrize("given_under", [None, HNTE_2008, HNTE_2016])
def test_each_side_is_what_the_scalar_engine_says_of_what_is_carried_over(
    given_under: Edition | None,
) -> None:
    documents = firms(31, 400)
    documents[0]["years"] = [{"year": 2014, "total_assets": "999999999999999999"}]
    rows, _ = asked(documents, given_under)
    seen = Counter[str]()
    for row, document in zip(rows, documents, strict=True):
        for side, evaluator in zip((row.before, row.after), WHAT_IF.evaluators, strict=True):
            seen[side.verdict] += 1
            assert (side.verdict, side.failed or side.refused or ()) == scalar(
                evaluator, document, given_under
            )
    assert min(seen[state] for state in ("pass", "fail", "unknown", "unusable")) > 2


def test_conditions_that_ask_about_the_same_are_counterparts() -> None:
    pairs = {
        (None if one is None else one.id, None if other is None else other.id)
        for one, other in counterparts(HNTE_2008, HNTE_2016)
    }
    assert pairs == {
        ("O1", "H1"), ("O1", "H2"), ("O2", "H3"), ("O3", "H4"), ("O4", "H5a"), ("O4", "H5b"), ("O5", "H6"), ("O6", "H7"),
        (None, "H8"),
    }  # fmt: skip


def scalar(
    evaluator: ColumnEvaluator, document: Any, given_under: Edition | None
) -> tuple[str, tuple[str, ...]]:
    try:
        facts = carried(facts_from(document), given_under, evaluator.edition)
        verdict = evaluator.evaluator.judge(facts, estimated=True)
    except UnusableInput as refusal:
        return "unusable", (refusal.path, refusal.rule_id)
    return verdict.verdict, tuple(verdict.failed_conditions)


def firm(**changes: Any) -> dict[str, Any]:
    years = [
        {"year": year, "sales_revenue": 20_000_000, "total_revenue": 20_000_000, "high_tech_revenue": 20_000_000,
         "rd_spend": 1_000_000, "rd_spend_domestic": 1_000_000, "staff": {"total": 100, "st": 30, "college": 30, "rd": 10}}
        for year in (2013, 2014, 2015)
    ]  # fmt: skip
    return {"case_type": "first", "applied_on": "2016-08-01", "years": years, **changes}


def test_a_share_of_5_percent_fails_under_2008_and_holds_under_2016() -> None:
    (row,), totals = asked([firm()])
    assert Flip("O4", "H5a", "fail", "pass") in row.flips
    assert (row.before.verdict, row.after.verdict) == ("fail", "unknown")
    assert totals.moves == {("fail", "unknown"): 1}
    assert totals.flips[Flip("O4", "H5a", "fail", "pass")] == 1
    assert totals.conditions[0]["O4", "fail"] == totals.conditions[1]["H5a", "pass"] == 1


def test_a_case_type_that_an_edition_does_not_know_is_unusable_there() -> None:
    (row,), totals = asked([firm(case_type="review_2008")])
    assert row.after.refused == ("case_type", "case_type_not_allowed")
    assert row.flips == ()
    assert totals.refused[1] == {("case_type", "case_type_not_allowed"): 1}


def test_points_on_another_scale_are_not_carried_over_and_answers_are() -> None:
    dropped = not_carried(HNTE_2008, HNTE_2016)
    assert {"conversion", "growth_sales"} <= dropped
    assert not dropped & {"core_ip_supports", "in_supported_field"}
    given = firm(judgements={"conversion": "0.9", "in_supported_field": True})
    (row,), _ = asked([given], HNTE_2008)
    assert row.after.refused is None
    assert "H3" not in (*row.after.failed, *row.after.unknown)
    (row,), _ = asked([given])
    assert row.after.refused == ("judgements.conversion", "judgement_not_whole")


def test_only_those_that_change_are_listed_and_all_are_counted() -> None:
    documents = firms(33, 500)
    every, totals = asked(documents)
    changed, same_totals = asked(documents, changed_only=True)
    assert changed == [row for row in every if row.before.verdict != row.after.verdict]
    assert len(changed) == totals.changed > 20
    assert totals == same_totals
    assert totals.judged == sum(totals.moves.values()) == 500


def test_totals_of_parts_add_up() -> None:
    documents = firms(34, 300)
    _, whole = asked(documents)
    parts = Totals()
    for start in (0, 100, 200):
        parts.add(asked(documents[start : start + 100])[1])
    assert parts == whole


def test_an_edition_changes_nobody_against_itself() -> None:
    evaluator = ColumnEvaluator(HNTE_2016)
    assert evaluator.reasons == {}
    same = WhatIf(HNTE_2016, HNTE_2016)
    documents = firms(35, 300)
    totals = Totals()
    chunk = Chunk([Subject(None)] * 300, gathered(documents), lambda row: facts_from(documents[row]))
    assert list(same.rows(chunk, changed_only=True, totals=totals)) == []
    assert totals.changed == 0
