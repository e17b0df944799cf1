"""What the measures that several programmes share answer, at their very edges."""

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from casework.edition import Edition
from casework.evaluate import compile_edition
from casework.facts import facts_from
from casework.measures import REGISTRY, Amount, Case, Missing, Span
from casework.measures.amounts import AtLeast
from casework.rulebook import load_rulebooks

RULEBOOKS = load_rulebooks(Path(__file__).parents[2] / "services/certification/rulebooks")
SME = RULEBOOKS.edition("sme", date(2017, 5, 3))
HNTE = RULEBOOKS.edition("hnte", date(2016, 1, 1))


def measure(name: str, facts: dict[str, Any], edition: Edition = SME, **given: Any) -> Amount:
    content = {"applied_on": "2018-08-01", **facts}
    return REGISTRY[name].build(edition, **given)(Case(facts_from(content)))


def latest(**figures: Any) -> dict[str, Any]:
    return {"years": [{"year": 2017, **figures}]}


def value(amount: Amount) -> Fraction:
    assert isinstance(amount, tuple)
    return Fraction(amount[0]) / Fraction(amount[1])


def test_staff_is_counted_as_the_mean_of_the_last_fiscal_year() -> None:
    facts = latest(staff={"total": "500.5", "rd": 12})
    assert value(measure("staff_count", facts, of="total")) == Fraction("500.5")
    monthly = latest(staff_monthly={"total": [[10, 20], [20, 31]]})
    assert value(measure("staff_count", monthly, of="total")) == Fraction("20.25")
    assert measure("staff_count", monthly, of="rd") == Missing(("years[2017].staff_monthly.rd",))
    assert measure("staff_count", {"years": [{"year": 2016, "staff": {"total": 9}}]}, of="total") == Missing(
        ("years[2017].staff.total",)
    )


@pytest.mark.parametrize(
    ("region", "answer"), [("441702", 1), ("440106", 1), ("450102", 0), ("144001", 0), ("444400", 1)]
)
def test_a_region_lies_within_where_its_code_begins_so(region: str, answer: int) -> None:
    amount = measure("region_within", {"enterprise": {"region": region}}, prefixes=["44", "3502"])
    assert amount == (answer, 1)


def test_a_region_that_is_not_known_is_named() -> None:
    assert measure("region_within", {}, prefixes=["44"]) == Missing(("enterprise.region",))


def test_people_as_officers_count_them_are_a_share_of_the_staff() -> None:
    facts = {**latest(staff={"rd": 12}), "judgements": {"led_standard": 6}}
    assert value(measure("judged_staff_share", facts, judgement="led_standard", of="rd")) == Fraction(1, 2)
    none = {**latest(staff={"rd": 0}), "judgements": {"led_standard": 0}}
    assert measure("judged_staff_share", none, judgement="led_standard", of="rd") == (0, 0)
    assert measure("judged_staff_share", {}, judgement="led_standard", of="rd") == Missing(
        ("judgements.led_standard", "years[2017].staff.rd")
    )


def test_an_amount_as_officers_found_it_is_exact() -> None:
    said = {"judgements": {"led_standard": "2999999.99"}}
    assert value(measure("judged_amount", said, judgement="led_standard")) == Fraction("2999999.99")
    assert measure("judged_amount", {}, judgement="led_standard") == Missing(("judgements.led_standard",))


ALL_ITEMS = (
    "personnel", "direct_input", "depreciation", "amortisation", "design", "commissioning", "entrusted_domestic",
    "entrusted_abroad", "other",
)  # fmt: skip


def items(**given: Any) -> dict[str, Any]:
    return {name: given.get(name, 0) for name in ALL_ITEMS}


def test_the_rd_share_of_the_last_year_is_exact_and_of_that_year_alone() -> None:
    facts = {
        "years": [
            {"year": 2016, "rd_spend": "9000000", "sales_revenue": "10"},
            {"year": 2017, "rd_spend": "2519999.99", "sales_revenue": "42000000", "costs": "0"},
        ]
    }
    assert value(measure("latest_rd_share", facts, to="sales_revenue")) == Fraction("2519999.99") / 42000000
    assert value(measure("latest_rd_spend", facts)) == Fraction("2519999.99")
    share = measure("latest_rd_share", facts, to="costs")
    assert isinstance(share, tuple)
    assert share[1] == 0


def test_what_the_rd_share_lacks_is_named() -> None:
    assert measure("latest_rd_share", latest(sales_revenue=1), to="costs") == Missing(
        ("years[2017].rd_spend", "years[2017].costs")
    )
    assert measure("latest_rd_spend", {}) == Missing(("years[2017].rd_spend",))
    assert measure("rd_spend_sum", {}) == Missing(
        (
            "years[2015].rd_spend",
            "years[2016].rd_spend",
            "years[2017].rd_spend",
            "enterprise.established_on",
        )
    )


def test_cost_items_that_are_not_all_listed_are_a_lower_bound() -> None:
    facts = latest(sales_revenue="100.5", rd_items={"personnel": "50.25"})
    spent = measure("latest_rd_spend", facts)
    assert isinstance(spent, AtLeast)
    assert Fraction(*map(Fraction, spent.low)) == Fraction("50.25")
    share = measure("latest_rd_share", facts, to="sales_revenue")
    assert isinstance(share, AtLeast)
    assert Fraction(*map(Fraction, share.low)) == Fraction(1, 2)
    assert "years[2017].rd_items.other" in share.needs


def test_rd_spend_is_summed_over_the_years_of_operation() -> None:
    facts = {
        "enterprise": {"established_on": "2016-02-03"},
        "years": [{"year": 2016, "rd_spend": "0.01"}, {"year": 2017, "rd_items": items(personnel="2.5")}],
    }
    assert value(measure("rd_spend_sum", facts)) == Fraction("2.51")


@pytest.mark.parametrize(
    ("incurred", "counted", "total"),
    [
        # Nothing at home: nothing abroad counts.
        ((0, 0, 1000, 0), 0, 0),
        # 80 % of 1,000 is just two thirds of 1,200.
        ((1200, 0, 1000, 0), 800, 2000),
        ((1199, 0, 1000, 0), Fraction(2398, 3), Fraction(5995, 3)),
        # Other costs are capped on the firm's own items: 900 * 0.1 / 0.9 = 100.
        ((900, 250, 0, 101), 200, 1200),
        ((900, 250, 0, 100), 200, 1200),
        ((900, 250, 0, "99.99"), 200, Fraction("1199.99")),
    ],
)
def test_the_tax_caliber_caps_other_costs_and_work_entrusted_abroad(
    incurred: tuple[Any, Any, Any, Any], counted: int | Fraction, total: int | Fraction
) -> None:
    names = ("personnel", "entrusted_domestic", "entrusted_abroad", "other")
    listed = items(**dict(zip(names, incurred, strict=True)))
    verdict = compile_edition(SME).judge(facts_from({"applied_on": "2018-08-01", **latest(rd_items=listed)}))
    (year,) = verdict.collected
    assert (year.entrusted_counted, year.total) == (counted, total)


def right(at: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(at), "kind": "invention", "acquired": "self", "granted_on": "2015-08-01", "in_force": True,
        "owned": True, "related": True, **changes,
    }  # fmt: skip


def test_rights_obtained_in_three_years_reach_back_to_the_same_day() -> None:
    facts = {"ip": [right(0), right(1, granted_on="2015-07-31"), right(2, granted_on=None)]}
    assert measure("rights_count", facts, within_years=3) == Span(1, 2, ("ip[2].granted_on",))
    assert measure("rights_count", facts) == Span(2, 3, ("ip[2].granted_on",))
    leap = {"applied_on": "2020-02-29", "ip": [right(0, granted_on="2017-02-28")]}
    assert measure("rights_count", leap, within_years=3) == (1, 1)


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({"within_days": 365}, "2017-08-01"),
        ({"within_years": 3}, "2015-08-01"),
        ({"from_last_year": True}, "2017-01-01"),
    ],
)
def test_an_incident_counts_from_the_first_day_of_the_window_to_the_application(
    given: dict[str, Any], first: str
) -> None:
    before = date.fromordinal(date.fromisoformat(first).toordinal() - 1).isoformat()
    for day, count in ((first, 1), (before, 0), ("2018-08-01", 1), ("2018-08-02", 0)):
        facts = {"incidents": [{"kind": "safety", "on": day, "major": True}]}
        assert measure("recent_incidents", facts, kinds=["safety"], **given) == (count, 1)


def test_a_window_is_given_in_one_way() -> None:
    for given in ({}, {"within_days": 1, "within_years": 1}):
        with pytest.raises(TypeError, match="exactly one"):
            REGISTRY["recent_incidents"].build(SME, kinds=["safety"], **given)


def test_points_of_an_item_are_those_it_adds_to_the_total() -> None:
    content = {"applied_on": "2018-08-01", **latest(staff={"total": 100, "st": 10}), "ip": []}
    verdict = compile_edition(SME).judge(facts_from(content))
    staff = verdict.conditions[4].parts[1]
    assert (staff.outcome, staff.value, staff.bound) == ("pass", "4", "> 0")
    unknown = compile_edition(SME).judge(facts_from({"applied_on": "2018-08-01", "ip": []}))
    staff = unknown.conditions[4].parts[1]
    assert (staff.outcome, staff.needs[0]) == ("unknown", "years[2017].staff.st")


def test_a_caliber_of_its_own_leaves_the_other_editions_alone() -> None:
    listed = items(personnel=100, entrusted_abroad=100, other=100)
    facts = facts_from({"applied_on": "2018-08-01", **latest(rd_items=listed)})
    (year,) = compile_edition(HNTE).judge(facts).collected
    assert (year.entrusted_counted, year.other_cap) == (Fraction(80), Fraction(45))
