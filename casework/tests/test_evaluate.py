"""What holds for every firm: more never hurts, order does not matter, edges are exact, and no float is ever used."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.evaluate import Evaluator, compile_edition
from casework.facts import facts_from
from casework.reading import read_yaml
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.verdict import Verdict

RULEBOOKS = load_rulebooks(rulebooks_of("certification"), rulebooks_of("ip_enterprise"))
HNTE_2008, HNTE_2016 = (compile_edition(RULEBOOKS.edition("hnte", date(year, 1, 1))) for year in (2008, 2016))
BOTH = pytest.mark.parametrize("evaluator", [HNTE_2008, HNTE_2016], ids=["2008", "2016"])
WHOLE = read_yaml(
    (Path(__file__).parents[2] / "data/facts/whole-firm.hnte.yaml").read_text(encoding="utf-8")
).content
RANK = {"fail": 0, "unknown": 1, "pass": 2}

MONEY = st.decimals(0, 300_000_000, places=2)
SHARE = st.decimals(0, 1, places=4)


def judge(evaluator: Evaluator, **changes: Any) -> Verdict:
    return evaluator.judge(facts_from({**WHOLE, "judgements": {}, **changes}))


def condition(verdict: Verdict, name: str) -> Any:
    return next(result for result in verdict.conditions if result.id == name)


def item(verdict: Verdict, name: str) -> Any:
    assert verdict.score is not None
    return next(result for result in verdict.score.items if result.id == name)


def years(sales: list[Decimal], spend: list[Decimal], domestic: Decimal = Decimal(1)) -> list[dict[str, Any]]:
    return [
        {
            "year": 2013 + at, "sales_revenue": sales[at], "total_revenue": sales[at], "high_tech_revenue": sales[at],
            "net_assets": sales[at], "total_assets": sales[at],
            "rd_spend": spend[at], "rd_spend_domestic": round(spend[at] * domestic, 6),
        }
        for at in range(3)
    ]  # fmt: skip


@BOTH
@given(
    sales=st.lists(MONEY, min_size=3, max_size=3),
    spend=st.lists(MONEY, min_size=3, max_size=3),
    more=MONEY,
    at=st.integers(0, 2),
)
def test_more_domestic_rd_never_hurts(
    evaluator: Evaluator, sales: list[Decimal], spend: list[Decimal], more: Decimal, at: int
) -> None:
    before = judge(evaluator, years=years(sales, spend))
    after = judge(
        evaluator, years=years(sales, [value + more * (place == at) for place, value in enumerate(spend)])
    )
    for earlier, later in zip(before.conditions, after.conditions, strict=True):
        assert RANK[later.outcome] >= RANK[earlier.outcome]


ITEMS = (
    "personnel",
    "direct_input",
    "depreciation",
    "amortisation",
    "design",
    "commissioning",
    "entrusted_domestic",
    "other",
)


@BOTH
@given(
    costs=st.fixed_dictionaries(dict.fromkeys((*ITEMS, "entrusted_abroad"), MONEY)),
    name=st.sampled_from(ITEMS), more=MONEY,
)  # fmt: skip
def test_more_of_any_domestic_cost_item_never_lowers_the_collected_spend(
    evaluator: Evaluator, costs: dict[str, Decimal], name: str, more: Decimal
) -> None:
    def collected(items: dict[str, Decimal]) -> Any:
        return judge(evaluator, years=[{"year": 2015, "rd_items": items}]).collected[0]

    before, after = collected(costs), collected({**costs, name: costs[name] + more})
    assert after.total >= before.total
    assert after.domestic >= before.domestic
    caliber = evaluator.edition.rd_caliber
    assert caliber is not None
    assert after.other_counted <= after.total * Fraction(caliber.other_cap)


RIGHTS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(
                ["invention", "ic_layout", "utility_model", "design", "software_copyright", "trademark"]
            ),
            "acquired": st.sampled_from(["self", "transfer", "gift", "exclusive_licence"]),
            "granted_on": st.dates(date(2012, 1, 1), date(2017, 1, 1)).map(date.isoformat),
            "in_force": st.sampled_from([True, True, False, None]),
            "owned": st.sampled_from([True, True, False, None]),
            "related": st.sampled_from([True, True, False, None]),
            "used_for": st.sampled_from([None, [], [{"programme": "hnte", "year": 2013}]]),
        }
    ),
    max_size=8,
)


def numbered(rights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**right, "id": str(at)} for at, right in enumerate(rights)]


CLASS_ONE = {
    "kind": "invention", "acquired": "self", "granted_on": "2015-05-05", "in_force": True, "owned": True, "related": True,
}  # fmt: skip


@BOTH
@given(rights=RIGHTS)
def test_one_more_invention_never_hurts(evaluator: Evaluator, rights: list[dict[str, Any]]) -> None:
    before = judge(evaluator, ip=numbered(rights))
    after = judge(evaluator, ip=numbered([*rights, CLASS_ONE]))
    assert before.score is not None
    assert after.score is not None
    assert after.score.hi >= before.score.hi
    assert after.score.lo >= before.score.lo
    name = "core_ip" if evaluator is HNTE_2008 else "ip_count"
    assert item(after, name).band == "A"
    for earlier, later in zip(before.conditions, after.conditions, strict=True):
        assert RANK[later.outcome] >= RANK[earlier.outcome]


@BOTH
@given(rights=RIGHTS, order=st.randoms(use_true_random=False))
def test_the_order_of_rights_does_not_matter(
    evaluator: Evaluator, rights: list[dict[str, Any]], order: Any
) -> None:
    shuffled = numbered(rights)
    order.shuffle(shuffled)
    one, other = judge(evaluator, ip=numbered(rights)), judge(evaluator, ip=shuffled)
    assert [c.outcome for c in one.conditions] == [c.outcome for c in other.conditions]
    assert one.score is not None
    assert other.score is not None
    assert (one.score.lo, one.score.hi) == (other.score.lo, other.score.hi)


@BOTH
@given(order=st.permutations(range(3)))
def test_the_order_of_years_does_not_matter(evaluator: Evaluator, order: list[int]) -> None:
    shuffled = judge(evaluator, years=[WHOLE["years"][at] for at in order])
    straight = judge(evaluator)
    assert [(c.outcome, c.value, c.gap) for c in shuffled.conditions] == [
        (c.outcome, c.value, c.gap) for c in straight.conditions
    ]
    assert item(shuffled, "growth_sales").value == item(straight, "growth_sales").value


@BOTH
@given(
    sales=st.lists(MONEY, min_size=3, max_size=3),
    spend=st.lists(MONEY, min_size=3, max_size=3),
    domestic=SHARE,
)
@settings(max_examples=200)
def test_a_share_and_its_gap_are_those_of_exact_arithmetic(
    evaluator: Evaluator, sales: list[Decimal], spend: list[Decimal], domestic: Decimal
) -> None:
    verdict = judge(evaluator, years=years(sales, spend, domestic))
    name = "O4" if evaluator is HNTE_2008 else "H5a"
    part = condition(verdict, name).parts[0]
    total, spent = sum(map(Fraction, sales), Fraction(0)), sum(map(Fraction, spend), Fraction(0))
    if total == 0:
        assert (part.outcome, part.value, part.gap) == ("fail", None, None)
        return
    bound = Fraction(part.bound.removeprefix(">= "))
    assert Fraction(part.value) == spent / total
    assert part.outcome == ("pass" if spent >= bound * total else "fail")
    assert (None if part.gap is None else Fraction(part.gap)) == (
        None if part.outcome == "pass" else bound * total - spent
    )


EDGES = {"0.35": ("A", "B"), "0.25": ("B", "C"), "0.15": ("C", "D"), "0.05": ("D", "E")}


@BOTH
@pytest.mark.parametrize("edge", EDGES)
@given(below=st.integers(1, 10**9))
def test_an_edge_of_growth_belongs_to_the_better_grade_however_near_one_comes(
    evaluator: Evaluator, edge: str, below: int
) -> None:
    start = Decimal(10) ** 6
    third = start * (1 + Decimal(edge)) * (1 + Decimal(edge))
    at, under = EDGES[edge]
    for last, grade in ((third, at), (third - Decimal(below) / 10**12, under)):
        values = [start, start * (1 + Decimal(edge)), last]
        if last < third and below > 10**6:
            continue
        verdict = judge(evaluator, years=years(values, [Decimal(0)] * 3))
        assert item(verdict, "growth_sales").band == grade


@given(days=st.integers(360, 370), applied_on=st.dates(date(2016, 1, 1), date(2027, 1, 1)))
def test_a_year_since_establishment_is_365_days(days: int, applied_on: date) -> None:
    enterprise = {
        "established_on": (applied_on - timedelta(days=days)).isoformat(),
        "mainland_resident": True,
    }
    verdict = judge(HNTE_2016, applied_on=applied_on.isoformat(), enterprise=enterprise)
    assert condition(verdict, "H1").outcome == ("pass" if days >= 365 else "fail")


@given(absent=st.sets(st.sampled_from([
    "ip", "conversions", "enterprise", "applied_on", "years", "years.0", "years.2", "years.2.staff", "years.2.total_revenue",
    "years.1.rd_spend", "years.0.net_assets", "judgements",
])))  # fmt: skip
def test_what_is_absent_never_turns_a_fail_into_a_pass_or_a_pass_into_a_fail(absent: set[str]) -> None:
    content = {**WHOLE, "years": [dict(year) for year in WHOLE["years"]]}
    for path in sorted(absent, reverse=True):
        steps = path.split(".")
        if len(steps) > 1 and "years" not in content:
            continue
        place: Any = content
        for step in steps[:-1]:
            place = place[int(step) if step.isdigit() else step]
        if steps[-1].isdigit():
            place[int(steps[-1])] = {"year": place[int(steps[-1])]["year"]}
        else:
            place.pop(steps[-1], None)
    verdict = HNTE_2016.judge(facts_from(content))
    for result in verdict.conditions:
        assert result.outcome != "fail", (result.id, absent)
        assert (result.outcome == "unknown") == bool(result.needs)
    assert verdict.verdict in {"pass", "unknown"}
