"""The self-check says names, order and exit codes as documented, in Chinese and English."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from casework.rulebook import load_rulebooks, rulebooks_of
from casework.self_check import UnusableInput, exit_code, render_json, render_text, run, self_check

EXAMPLES = Path(__file__).parents[2] / "data" / "facts"
FOLDERS = [rulebooks_of("certification"), rulebooks_of("ip_enterprise")]
RULEBOOKS = load_rulebooks(*FOLDERS)
WHOLE = EXAMPLES / "whole-firm.hnte.yaml"


@pytest.mark.parametrize(
    ("name", "verdict", "code"), [("whole", "pass", 0), ("failing", "fail", 1), ("unknown", "unknown", 3)]
)
def test_the_examples_end_with_their_exit_codes(name: str, verdict: str, code: int) -> None:
    found = self_check((EXAMPLES / f"{name}-firm.hnte.yaml").read_bytes(), RULEBOOKS)
    assert (found.verdict, exit_code(found)) == (verdict, code)


def test_the_whole_firm_passes_with_a_total_of_83() -> None:
    verdict = self_check(WHOLE.read_text(encoding="utf-8"), RULEBOOKS)
    assert verdict.score is not None
    assert verdict.verdict == "pass"
    assert verdict.score.lo == verdict.score.hi == Decimal(83)


def test_the_answer_has_the_documented_names_in_the_documented_order() -> None:
    answer = json.loads(render_json(self_check(WHOLE.read_bytes(), RULEBOOKS)))
    assert list(answer) == [
        "programme",
        "edition",
        "edition_hash",
        "applied_on",
        "verdict",
        "conditions",
        "score",
    ]
    assert list(answer["conditions"][0]) == [
        "id", "title", "outcome", "value", "bound", "gap", "needs", "source", "verified",
    ]  # fmt: skip
    assert list(answer["score"]) == ["lo", "hi", "pass_above", "items"]
    assert list(answer["score"]["items"][0]) == [
        "id", "group", "value", "band", "lo", "hi", "given", "source", "verified",
    ]  # fmt: skip
    assert [condition["id"] for condition in answer["conditions"]] == [
        "H1", "H2", "H3", "H4", "H5a", "H5b", "H6", "H7", "H8",
    ]  # fmt: skip
    h4 = answer["conditions"][3]
    assert (h4["value"], h4["bound"], h4["gap"], h4["needs"], h4["verified"]) == (
        "0.3",
        ">= 0.1",
        None,
        [],
        True,
    )
    assert h4["source"] == {"instrument": "国科发火〔2016〕32号", "article": "第十一条(四)"}
    assert answer["edition_hash"] == RULEBOOKS.edition("hnte", date(2016, 1, 1)).hash


def test_no_float_stands_in_the_answer() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    json.loads(render_json(self_check(WHOLE.read_bytes(), RULEBOOKS)), parse_float=refuse)


def test_the_table_says_how_much_is_missing_and_where_the_law_says_so() -> None:
    text, code = run(EXAMPLES / "failing-firm.hnte.yaml", None, None, "text", FOLDERS, "zh")
    assert code == 1
    line = next(line for line in text.splitlines() if line.startswith("H5a"))
    for word in ("未通过", "4.0816… %", ">= 5 %", "¥900,000.00", "国科发火〔2016〕32号 第十一条(五)"):
        assert word in line
    assert "1.25个百分点" in text


def test_the_table_of_an_unknown_verdict_names_what_is_missing() -> None:
    text, code = run(EXAMPLES / "unknown-firm.hnte.yaml", None, None, "text", FOLDERS, "en")
    assert code == 3
    assert "Still needed:\n  years[2015].staff.st\n" in text
    assert "judgements.rd_body" in text


def test_every_word_of_the_table_is_there_in_both_languages() -> None:
    for name in ("whole", "failing", "unknown"):
        verdict = self_check((EXAMPLES / f"{name}-firm.hnte.yaml").read_bytes(), RULEBOOKS)
        for language in ("zh", "en"):
            text = render_text(verdict, language)
            for prefix in ("column_", "unit_", "outcome_", "verdict_"):
                assert prefix not in text


def test_a_programme_or_edition_on_the_command_line_wins() -> None:
    verdict = self_check(WHOLE.read_bytes(), RULEBOOKS, programme="ip-advantage")
    assert verdict.programme == "ip-advantage"
    with pytest.raises(UnusableInput) as refused:
        self_check(WHOLE.read_bytes(), RULEBOOKS, edition="2008-01-01")
    assert (refused.value.path, refused.value.rule_id) == ("judgements.conversion", "judgement_outside")
    assert refused.value.source == "国科发火〔2008〕362号 指标评分：科技成果转化能力"


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("{applied_on: 2016-08-01}", "programme", "programme_needed"),
        ("{programme: hnte}", "applied_on", "applied_on_needed"),
        ("{programme: hnte, applied_on: 2007-12-31}", "applied_on", "no_edition_on"),
        ("{programme: nothing, applied_on: 2016-08-01}", "programme", "unknown_programme"),
        ("{programme: etrc, applied_on: 2023-08-01}", "level", "level_needed"),
        (
            "{programme: hnte, applied_on: 2016-08-01, judgements: {rd_rules: 7}}",
            "judgements.rd_rules",
            "judgement_outside",
        ),
    ],
)
def test_unusable_input_ends_with_2_and_says_path_and_rule(
    tmp_path: Path, text: str, path: str, rule: str
) -> None:
    file = tmp_path / "facts.yaml"
    file.write_text(text, encoding="utf-8")
    printed, code = run(file, None, None, "json", FOLDERS, "zh")
    assert code == 2
    error = json.loads(printed)["error"]
    assert (error["path"], error["rule"]) == (path, rule)
    for language in ("zh", "en"):
        words, code = run(file, None, None, "text", FOLDERS, language)
        assert code == 2
        assert path in words


def test_a_file_that_is_not_there_and_an_edition_that_is_no_date_are_unusable(tmp_path: Path) -> None:
    assert run(tmp_path / "none.yaml", None, None, "text", FOLDERS)[1] == 2
    assert run(WHOLE, None, "yesterday", "text", FOLDERS)[1] == 2


def test_facts_without_anything_are_unknown_and_not_a_crash() -> None:
    verdict = self_check("programme: hnte", RULEBOOKS, edition="2016-01-01")
    assert verdict.verdict == "unknown"
    assert json.loads(render_json(verdict))["applied_on"] is None
    assert "applied_on" in verdict.needs
    assert render_text(verdict, "en")


def test_both_steps_of_collecting_cost_items_are_shown() -> None:
    text = WHOLE.read_text(encoding="utf-8").replace(
        'rd_spend: "3000000", rd_spend_domestic: "2700000"',
        "rd_items: {personnel: 100000, direct_input: 50000, depreciation: 0, amortisation: 0, design: 0,"
        " commissioning: 0, entrusted_domestic: 0, entrusted_abroad: 0, other: 50000}",
    )
    verdict = self_check(text, RULEBOOKS)
    (year,) = json.loads(render_json(verdict))["rd_collection"]
    assert (year["other_incurred"], year["other_cap"], year["other_counted"], year["total"]) == (
        "50000", "37500", "37500", "187500",
    )  # fmt: skip
    assert "187,500.00" in render_text(verdict, "zh")


def test_an_estimate_outside_the_band_of_the_facts_does_not_stand_and_is_flagged() -> None:
    facts = WHOLE.read_text(encoding="utf-8").replace("growth_sales: 8", "growth_sales: 10")
    verdict = self_check(facts, RULEBOOKS)
    assert verdict.score is not None
    [item] = [item for item in verdict.score.items if item.id == "growth_sales"]
    assert [item.given, item.lo, item.hi, *item.flags] == [10, 7, 8, "judgements.growth_sales"]
    assert [verdict.verdict, verdict.score.lo, verdict.score.hi] == ["pass", 82, 83]


def test_an_estimate_beyond_the_items_most_is_refused() -> None:
    facts = WHOLE.read_text(encoding="utf-8").replace("growth_sales: 8", "growth_sales: 11")
    with pytest.raises(UnusableInput, match=r"judgements\.growth_sales"):
        self_check(facts, RULEBOOKS)
