"""The forms an edition may take: a choice of the firm, other ways, bounds by region, inspections, dated rules."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from casework.edition import Edition
from casework.evaluate import compile_edition
from casework.facts import facts_from
from casework.inspecting import Due, compile_inspections
from casework.rulebook import MalformedRulebook, load_rulebooks, rulebooks_of
from casework.self_check import render_text
from casework.verdict import Verdict

SHIPPED = rulebooks_of("certification")
RULEBOOKS = load_rulebooks(SHIPPED)
SME = RULEBOOKS.edition("sme", date(2017, 5, 3))
CENTRE = RULEBOOKS.edition("etrc", date(2022, 12, 15), "provincial")
FIRM: dict[str, Any] = {
    "case_type": "re_recognition", "applied_on": "2026-07-01",
    "enterprise": {"mainland_resident": True, "region": "441702"},
    "years": [
        {"year": 2025, "sales_revenue": 42000000, "total_assets": 26000000, "rd_spend": 3000000, "costs": 30000000,
         "staff": {"total": 80, "st": 24, "rd": 12}},
    ],
    "ip": [
        {"id": "1", "kind": "invention", "acquired": "self", "granted_on": "2024-06-05", "in_force": True,
         "owned": True, "related": True},
    ],
    "choices": {"sme_rd_ratio": "sales"},
}  # fmt: skip
YEAR = FIRM["years"][0]


def judge(edition: Edition = SME, **changes: Any) -> Verdict:
    return compile_edition(edition).judge(facts_from({**FIRM, **changes}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "rulebooks"
    shutil.copytree(SHIPPED, copied)
    (copied / "seal.yaml").unlink()
    return copied


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("sme", "choice: sme_rd_ratio", "choice: another", "no choice another"),
        ("sme", "chosen: cost", "chosen: sales", "each option of sme_rd_ratio needs its ladder"),
        ("sme", "      choice: sme_rd_ratio\n", "", "the item has no choice"),
        ("sme", "pass_at_least: 60", "pass_at_least: 61", "the bound differs"),
        ("sme", "pass_at_least: 60", "pass_at_least: 60\n  pass_above: 60", "exactly one of pass_above"),
        ("sme", "{measure: score, at_least: 60", "{measure: score, more_than: 60", "the bound differs"),
        ("sme", "item: sme_staff", "item: sme_stuff", "measure item_points"),
        ("sme", "from_last_year: true", "within_days: 5, from_last_year: true", "exactly one of within_days"),
        ("sme", "abroad_cap: [2, 3]", "abroad_cap: [2]", "Field required"),
        ("sme", "other_cap_base: own_items", "other_cap_base: all_items", "abroad_cap needs"),
        ("sme", "before: open_notice", "before: open_the_notice", "no verb open_the_notice"),
        ("sme", "before: open_notice", "before: propose", "comes before open_notice"),
        ("sme", "share: 0.05", "share: 0", "greater than 0"),
        ("sme", "ground: sampling\n    applies_from: 2026", "ground: sampled\n    applies_from: 2026", "no ground of revocation sampled"),
        ("sme", "id: random_check", "id: site_check", "inspection site_check appears twice"),
        ("sme", 'value: "12-15"', 'value: "12-32"', "must be of the form"),
        ("sme", "kind: random", "kind: site", "a random inspection needs"),
        ("sme", "name: holds_valid_hnte}", "name: holds_hnte}", "no judgement holds_hnte"),
        ("sme", 'ends_on: "12-31"', 'ends_on: "13-31"', "should match pattern"),
        ("sme", "notice_working_days: 10", "notice_working_days: 9", "differs from the parameter"),
        ("etrc", "within_of: region.pearl_river_delta, ", "within_of: region.delta, ", "no parameter region.delta"),
        ("etrc", "          - {at_least: 10}\n", "", "each step but the last names its regions"),
        ("etrc", '"4401 4403', '"Guangzhou 4403', "must be of the form"),
        ("etrc", "{measure: judged_amount, with: {judgement: rd", "{measure: judgement, with: {name: rd", "does not read"),
        ("etrc", "{measure: judged_staff_share, with: {judgement: qualified", "{measure: judged_amount, with: {judgement: qualified", "unexpected keyword"),
    ],
)  # fmt: skip
def test_a_malformed_form_is_refused_with_the_file_and_the_reason(
    folder: Path, name: str, old: str, new: str, reason: str
) -> None:
    path = folder / {"sme": "sme/2017-05-03.yaml", "etrc": "etrc/2022-12-15.provincial.yaml"}[name]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MalformedRulebook, match=reason) as refused:
        load_rulebooks(folder)
    assert refused.value.file == path
    assert refused.value.line > 0


def test_each_way_to_meet_a_condition_is_shown_and_the_one_that_decides_gives_the_value() -> None:
    year = {**YEAR, "sales_revenue": 2000000000, "rd_spend": 30000000}
    e3 = judge(CENTRE, case_type="first", years=[year]).conditions[2]
    assert [(part.outcome, part.spec.alternative) for part in e3.parts] == [("fail", False), ("fail", True)]
    assert (e3.outcome, e3.bound, e3.gap) == ("fail", ">= 0.03", "30000000")
    waived = judge(CENTRE, case_type="first", years=[{**year, "rd_spend": 30000001}]).conditions[2]
    assert (waived.outcome, waived.value, waived.bound, waived.gap) == (
        "pass", "30000001", "> 30000000", None,
    )  # fmt: skip


def test_another_way_that_cannot_be_judged_yet_leaves_a_failed_condition_open() -> None:
    year = {"year": 2025, "sales_revenue": 2000000000, "rd_spend": 1, "staff": {"rd": 12}}
    said = {"university_or_institute": True}
    e3 = judge(CENTRE, case_type="first", years=[year], judgements=said).conditions[2]
    assert (e3.outcome, e3.value) == ("fail", "0.0000000005")
    year["rd_spend"] = 10000000
    e3 = judge(CENTRE, case_type="first", years=[year], judgements=said).conditions[2]
    assert e3.outcome == "unknown"
    assert e3.needs == ("years[2023].rd_spend", "years[2024].rd_spend", "enterprise.established_on")


@pytest.mark.parametrize(("region", "bound"), [("440106", ">= 20"), ("441702", ">= 10"), ("450102", ">= 10")])
def test_a_bound_may_depend_on_the_region(region: str, bound: str) -> None:
    verdict = judge(CENTRE, case_type="first", enterprise={"region": region})
    e7 = next(result for result in verdict.conditions if result.id == "E7")
    assert (e7.parts[0].bound, e7.verified) == (bound, False)


def test_the_table_speaks_of_other_ways_choices_and_what_was_not_said() -> None:
    verdict = judge(judgements={"holds_valid_hnte": False}, ip=[], choices={"sme_rd_ratio": "cost"})
    text = render_text(verdict, "zh")
    assert "评价总分：30（须不低于60分）" in text
    assert "└ 或：直接确认：拥有有效期内高新技术企业资格证书" in text
    assert "未填报" in text
    assert "at least 60 needed" in render_text(verdict, "en")


def due(**changes: Any) -> list[Due]:
    return list(compile_inspections(SME)(facts_from({**FIRM, **changes})))


def test_a_firm_with_staff_rights_and_rd_spend_is_spared_the_site_check() -> None:
    assert due() == []


@pytest.mark.parametrize(
    ("changes", "spared"),
    [
        ({"years": [{**YEAR, "staff": {"total": 5}}]}, False),
        ({"years": [{**YEAR, "staff": {"total": 6}}]}, True),
        ({"ip": []}, False),
        ({"years": [{**YEAR, "rd_spend": "99999.99"}]}, False),
        ({"years": [{**YEAR, "rd_spend": "100000"}]}, True),
        ({"incidents": [{"kind": "dishonesty", "on": "2023-07-01", "major": True}]}, False),
        ({"incidents": [{"kind": "dishonesty", "on": "2023-06-30", "major": True}]}, True),
        ({"judgements": {"withdrawn_in_three_years": True}}, False),
    ],
)
def test_each_ground_makes_the_site_check_due_before_the_notice(
    changes: dict[str, Any], spared: bool
) -> None:
    found = due(**changes)
    assert (found == []) == spared
    for one in found:
        assert (one.inspection.id, one.inspection.before) == ("site_check", "open_notice")
        assert [part.outcome for part in one.because if not isinstance(part, str)] == ["fail"]


def test_whoever_applies_for_the_first_time_is_looked_at() -> None:
    [one] = due(case_type="first")
    assert one.because == "case_type"


def test_the_site_check_is_due_until_what_would_spare_it_is_known() -> None:
    [one] = due(years=[{"year": 2025, "rd_spend": 3000000}])
    assert (one.because, one.needs) == ((), ("years[2025].staff.total",))


def test_the_site_check_is_asked_for_since_2026_only() -> None:
    assert due(case_type="first", applied_on="2025-07-01") == []


def test_agents_are_forbidden_from_the_day_of_the_notice_on() -> None:
    assert SME.no_agents_on(date(2025, 6, 29)) is None
    rule = SME.no_agents_on(date(2025, 6, 30))
    assert rule is not None
    assert rule.source.instrument == "科技型中小企业评价工作通知（2025年）"
    assert CENTRE.no_agents_on(date(2026, 1, 1)) is None


def test_a_number_holds_to_the_end_of_the_year() -> None:
    assert SME.validity.valid_until(date(2018, 8, 30)) == date(2018, 12, 31)
    assert SME.validity.valid_until(date(2019, 1, 2)) == date(2019, 12, 31)
    assert CENTRE.validity.valid_until(date(2024, 2, 29)) == date(2029, 2, 28)


def test_a_rule_of_one_year_holds_in_that_year_only() -> None:
    rule = next(rule for rule in SME.deadlines if rule.id == "submission_2019")
    days = [date(2018, 12, 31), date(2019, 1, 1), date(2019, 12, 31), date(2020, 1, 1)]
    assert [rule.applies_on(day) for day in days] == [False, True, True, False]


def test_what_a_centre_owes_is_laid_down_as_the_text_has_it() -> None:
    report, assessment = CENTRE.duties
    assert report.period is not None
    assert report.grace is not None
    assert (report.period.until, report.grace.days, report.misses_allowed) == ("06-30", 30, 0)
    assert assessment.period is not None
    assert assessment.period.years == 5
    assert [result.id for result in assessment.results if result.ends_title] == ["failed"]
    [mend] = [result for result in assessment.results if result.period]
    assert (mend.id, mend.period and mend.period.years) == ("basic", 1)
