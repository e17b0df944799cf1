"""`huiqi self-check`: what it prints and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from huiqi.cli import main

DATA = Path(__file__).parents[2] / "data/facts"
WHOLE = DATA / "whole-firm.hnte.yaml"


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["self-check", *map(str, arguments)])


@pytest.mark.parametrize(("firm", "code"), [("whole", 0), ("failing", 1), ("unknown", 3)])
def test_the_exit_code_says_the_verdict(firm: str, code: int) -> None:
    assert check(DATA / f"{firm}-firm.hnte.yaml").exit_code == code


def test_json_is_one_object_with_the_exact_total() -> None:
    answer = json.loads(check(WHOLE, "--format", "json").stdout)
    assert (answer["verdict"], answer["score"]["lo"], answer["score"]["hi"]) == ("pass", "83", "83")


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "通过"), ("en", "pass")])
def test_the_table_speaks_the_asked_language(language: str, words: str) -> None:
    assert words in check(WHOLE, "--language", language).stdout


def test_another_edition_may_be_asked_for(tmp_path: Path) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(WHOLE.read_text(encoding="utf-8").partition("judgements:")[0], encoding="utf-8")
    answer = json.loads(check(facts, "--edition", "2008-01-01", "--format", "json").stdout)
    assert answer["edition"] == "2008-01-01"


def test_the_rulebooks_of_both_services_are_there(tmp_path: Path) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text("case_type: first\napplied_on: 2009-05-04\n", encoding="utf-8")
    answer = json.loads(check(facts, "--programme", "ip-advantage", "--format", "json").stdout)
    assert (answer["programme"], answer["verdict"]) == ("ip-advantage", "unknown")


def test_an_sme_is_judged_by_the_ratio_that_it_chose(tmp_path: Path) -> None:
    text = (DATA / "whole-firm.sme.yaml").read_text(encoding="utf-8")
    facts = tmp_path / "facts.yaml"
    for choice, code, total in (("sales", 0, "100"), ("cost", 1, "50")):
        facts.write_text(text.replace("sme_rd_ratio: sales", f"sme_rd_ratio: {choice}"), encoding="utf-8")
        result = check(facts, "--format", "json")
        assert (result.exit_code, json.loads(result.stdout)["score"]["lo"]) == (code, total)


def test_the_level_is_asked_for_where_there_are_two(tmp_path: Path) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text("programme: etrc\napplied_on: 2025-08-20\n", encoding="utf-8")
    assert check(facts).exit_code == 2
    answer = json.loads(check(facts, "--level", "provincial", "--format", "json").stdout)
    assert (answer["edition"], answer["score"]) == ("2022-12-15", None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("programme: hnte\napplied_on: 2016-08-01\nyeers: []\n", "yeers"),
        ("programme: nothing\napplied_on: 2016-08-01\n", "programme"),
        ("programme: hnte\n", "applied_on"),
        (": : :", ""),
        (None, "No such file"),
    ],
)
def test_unusable_input_ends_with_2_and_names_the_place_on_standard_error(
    tmp_path: Path, content: str | None, said: str
) -> None:
    facts = tmp_path / "facts.yaml"
    if content is not None:
        facts.write_text(content, encoding="utf-8")
    result = check(facts, "--language", "en")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
