"""Facts are refused with their path and the rule they break; nothing is guessed or rounded."""

from decimal import Decimal
from pathlib import Path

import pytest

from casework.facts import Facts, facts_from, read_facts
from casework.unusable import UnusableInput
from casework.uscc import check_character, is_uscc
from casework.wording import say

EXAMPLES = Path(__file__).parents[2] / "data" / "facts"


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("colour: red", "colour", "unknown_name"),
        ("enterprise: {colour: red}", "enterprise.colour", "unknown_name"),
        ("years: [{year: 2015, staff: {totals: 3}}]", "years[0].staff.totals", "unknown_name"),
        ("years: [{sales_revenue: 3}]", "years[0].year", "required"),
        ("years: [{year: 2013}, {year: 2015}]", "years", "missing_year"),
        ("years: [{year: 2013}, {year: 2013}]", "years", "doubled_year"),
        ("years: [{year: 2013.5}]", "years[0].year", "not_whole"),
        ("years: [{year: 2013, sales_revenue: -0.01}]", "years[0].sales_revenue", "negative"),
        ("years: [{year: 2013, sales_revenue: '1,000'}]", "years[0].sales_revenue", "not_a_number"),
        ("years: [{year: 2013, sales_revenue: .inf}]", "years[0].sales_revenue", "not_a_number"),
        ("years: [{year: 2013, sales_revenue: true}]", "years[0].sales_revenue", "not_a_number"),
        (
            "years: [{year: 2013, sales_revenue: 1000000000000000000}]",
            "years[0].sales_revenue",
            "too_many_digits",
        ),
        (
            "years: [{year: 2013, sales_revenue: 0.0000000000001}]",
            "years[0].sales_revenue",
            "too_many_places",
        ),
        ("years: [{year: 2013, rd_spend: 1, rd_items: {}}]", "years[0]", "one_of"),
        ("years: {}", "years", "not_a_list"),
        ("applied_on: 2016-02-30", "applied_on", "not_a_date"),
        ("applied_on: 20160801", "applied_on", "not_a_date"),
        ("applied_on: '2016-08-01T00:00:00'", "applied_on", "not_a_date"),
        ("enterprise: {uscc: 91441702MA4UABCD1G}", "enterprise.uscc", "uscc"),
        ("enterprise: {mainland_resident: yes}", "enterprise.mainland_resident", "not_a_boolean"),
        ("enterprise: {region: '44170'}", "enterprise.region", "not_well_formed"),
        ("ip: [{id: a, kind: patent}]", "ip[0].kind", "not_one_of"),
        ("ip: [{id: a, kind: design}, {id: a, kind: design}]", "ip", "doubled_id"),
        ("case_type: second", "case_type", "not_one_of"),
        ("judgements: {rd_rules: five}", "judgements.rd_rules", "not_a_number"),
        ("[1, 2]", "", "not_a_mapping"),
        ("", "", "not_a_mapping"),
    ],
)
def test_unusable_facts_are_refused_with_path_and_rule(text: str, path: str, rule: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        read_facts(text)
    assert (refused.value.path, refused.value.rule_id) == (path, rule)
    for language in ("zh", "en"):
        assert path in refused.value.in_language(language)
        assert say(rule, language) != rule


def test_a_refusal_in_yaml_says_the_line() -> None:
    with pytest.raises(UnusableInput) as refused:
        read_facts("programme: hnte\nyears:\n  - year: 2015\n    sales_revenue: lots\n")
    assert refused.value.line == 4
    assert refused.value.in_language("zh").startswith("years[0].sales_revenue（第4行）：")


def test_a_float_is_refused_wherever_it_comes_from() -> None:
    with pytest.raises(UnusableInput) as refused:
        facts_from({"years": [{"year": 2015, "sales_revenue": 0.1}]})
    assert refused.value.rule_id == "float"


def test_a_bom_or_another_encoding_is_no_crash() -> None:
    assert read_facts(b"\xef\xbb\xbfprogramme: hnte").programme == "hnte"
    with pytest.raises(UnusableInput) as refused:
        read_facts("programme: 高新".encode("gbk"))
    assert refused.value.rule_id == "not_utf8"


def test_json_and_yaml_of_the_same_facts_are_the_same_facts() -> None:
    yaml_facts = read_facts("{applied_on: 2016-08-01, years: [{year: 2015, sales_revenue: 0.10}]}")
    json_facts = read_facts('{"applied_on": "2016-08-01", "years": [{"year": 2015, "sales_revenue": 0.10}]}')
    assert yaml_facts == json_facts
    assert json_facts.years[0].sales_revenue == Decimal("0.10")


def test_years_are_sorted() -> None:
    facts = read_facts("years: [{year: 2015}, {year: 2013}, {year: 2014}]")
    assert [year.year for year in facts.years] == [2013, 2014, 2015]


def test_figures_keep_every_decimal_place() -> None:
    facts = read_facts(
        "{applied_on: 2016-08-01, years: [{year: 2015, sales_revenue: 0.000000000001, rd_spend: 7}]}"
    )
    assert facts.figures.scale == 10**12
    assert facts.figures.window[0].amounts == {"sales_revenue": 1, "rd_spend": 7 * 10**12}


def test_a_copy_counts_its_figures_anew() -> None:
    facts = read_facts("judgements: {rd_rules: 5}")
    assert facts.figures.judgements == {"rd_rules": 5}
    assert facts.model_copy(update={"judgements": {"rd_rules": Decimal(6)}}).figures.judgements == {
        "rd_rules": 6
    }


def test_an_absent_fact_is_unknown_and_not_zero() -> None:
    facts = Facts.model_validate({"years": [{"year": 2015, "sales_revenue": None}]})
    assert facts.years[0].sales_revenue is None
    assert facts.ip is None
    assert facts.conversions is None


@pytest.mark.parametrize("name", ["whole-firm", "failing-firm", "unknown-firm"])
def test_the_examples_hold_codes_with_right_check_characters(name: str) -> None:
    code = read_facts((EXAMPLES / f"{name}.hnte.yaml").read_bytes()).enterprise.uscc
    assert code is not None
    assert check_character(code[:17]) == code[17]


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91441702MA4UABCD1F"])
def test_a_right_code_is_taken(code: str) -> None:
    assert is_uscc(code)


@pytest.mark.parametrize(
    "code", ["", "91350100M000100Y44", "91350100M000100Y4", "9I350100M000100Y43", "91350100m000100y43"]
)
def test_a_wrong_code_is_not_taken(code: str) -> None:
    assert not is_uscc(code)
