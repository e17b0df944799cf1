"""A rulebook that nobody may be judged by stops the start, with file and line."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from casework.edition import Edition
from casework.evaluate import compile_edition
from casework.rulebook import MalformedRulebook, load_rulebooks, rulebooks_of
from casework.seal import seal
from casework.unusable import UnusableInput

SHIPPED = [rulebooks_of("certification"), rulebooks_of("ip_enterprise")]
NAME = "hnte/2016-01-01.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The rulebooks of certification, without their seal."""
    copied = tmp_path / "rulebooks"
    shutil.copytree(SHIPPED[0], copied)
    (copied / "seal.yaml").unlink()
    return copied


def change(folder: Path, old: str, new: str, *, name: str = NAME) -> int:
    """Replaces the first occurrence and returns its line."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("notice_working_days: 10", "notice_working_days: ten", "valid integer"),
        ("notice_working_days: 10", "notice_days: 10", "Extra inputs"),
        ("at_least: 0.6}", 'at_least: "0.6"}', "exact number"),
        ("at_least: 0.6}", "at_least: 6e-1}", "exact number"),
        ("at_least: 0.6}", "at_least: .6}", "exact number"),
        ("{measure: judgement, with", "{measure: horoscope, with", "unknown measure horoscope"),
        ("with: {of: st}", "with: {kind: st}", "unexpected keyword argument|missing a required argument"),
        ("name: in_supported_field}", "name: in_any_field}", "no judgement in_any_field"),
        ("growth.negative_base:", "growth.negative_bass:", "unknown parameter growth.negative_bass"),
        ("value: as_zero", "value: as_one", "must be one of as_zero, no_points"),
        ('over: "[0, 50000000]"', 'over: "[0, 50000001]"', "overlap at 50000000"),
        ('over: "(200000000, inf)"', 'over: "(200000001, inf)"', "gap between 200000000 and 200000001"),
        ('over: "[0, 50000000]"', 'over: "0..50000000"', "no interval"),
        ('{when: "[3, 4]", grade: C}', '{when: "[4, 4]", grade: C}', "gap between 2 and 4"),
        ('{when: "[4, 5)", grade: B}', '{when: "[4, 5]", grade: B}', "overlap at 5"),
        ('{when: "[0, 0]", next: true}', '{when: "[0, 0]", grade: G}', "should match pattern"),
        ('{when: "[5, inf)", grade: B}', '{when: "[5, inf)", grade: F}', "no grade F"),
        (
            "grade_of: conversion.mean_between_0_and_1",
            "grade_of: conversion.nothing",
            "no parameter conversion.nothing",
        ),
        ("A: [7, 8], B: [5, 6]", "A: [7, 9], B: [5, 6]", "does not lie within 0 to 8"),
        ("classes: [I]", "classes: [III]", "no class III"),
        ("more_than: 70", "more_than: 69", "differs from score.pass_above"),
        ("id: H3", "id: H2", "appears twice"),
        ("id: rd_rules", "id: rd_body", "appears twice"),
        ("group: rd_organisation", "group: rd_disorganisation", "no group rd_disorganisation"),
        ("to: granted,", "to: recorded,", "the state granted is never reached"),
        ("verb: dismiss_objection,", "verb: uphold_objection,", "leads to two states"),
        (
            "from: [submitted], to: returned",
            "from: [accepted], to: returned, case_types: [review_2008]",
            "no case type",
        ),
        (
            "in_force_from: 2016-01-01\nin_force_to: null",
            "in_force_from: 2016-02-01\nin_force_to: null",
            "the file is named",
        ),
        (
            "in_force_from: 2016-01-01\nin_force_to: null",
            "in_force_from: 2016-01-01\nin_force_to: 2015",
            "a date is needed",
        ),
        ("    falls: yearly\n", "", "a duty says when it falls"),
        ("falls: yearly", "falls: since_grant", "another kind of period"),
        ("ground: not_reported", "ground: not_told", "lead to a ground of revocation"),
        ("    misses_allowed: 1\n", "", "a ground needs misses_allowed"),
        ("programme: hnte", "programme: sme", "the folder is named hnte"),
        ("programme: hnte", "programme: hnte\nhash: abc", "the hash is computed"),
        ("level: national", "level: national\nlevel: national", "doubled_key"),
        ("level: national", "level: &x national\nother: *x", "alias"),
        ("verified: true", "", "Field required"),
    ],
)
def test_a_malformed_rulebook_is_refused_with_file_line_and_reason(
    folder: Path, old: str, new: str, reason: str
) -> None:
    line = change(folder, old, new)
    with pytest.raises(MalformedRulebook, match=reason) as refused:
        load_rulebooks(folder)
    assert refused.value.file == folder / NAME
    assert abs(refused.value.line - line) <= 15, (refused.value.line, line)
    assert str(refused.value).startswith(f"{folder / NAME}:{refused.value.line}: ")


def test_a_result_that_ends_the_title_names_its_ground(folder: Path) -> None:
    name = "etrc/2022-12-15.provincial.yaml"
    change(folder, "ends_title: true, ground: assessment_failed", "ends_title: true", name=name)
    with pytest.raises(MalformedRulebook, match="names a ground of revocation"):
        load_rulebooks(folder)


def test_the_line_is_the_very_line_of_the_fault(folder: Path) -> None:
    line = change(folder, "{measure: judgement, with", "{measure: horoscope, with")
    with pytest.raises(MalformedRulebook) as refused:
        load_rulebooks(folder)
    assert refused.value.line == line
    assert refused.value.place == "conditions[2].parts[0].measure"


def test_editions_of_one_programme_may_not_overlap(folder: Path) -> None:
    change(
        folder,
        "in_force_to: 2015-12-31\ntitle_number",
        "in_force_to: 2016-01-01\ntitle_number",
        name="hnte/2008-01-01.yaml",
    )
    with pytest.raises(MalformedRulebook, match="overlaps the edition of 2008-01-01"):
        load_rulebooks(folder)


def test_an_empty_folder_is_no_rulebook(tmp_path: Path) -> None:
    with pytest.raises(MalformedRulebook, match="no rulebook"):
        load_rulebooks(tmp_path)


def test_a_sealed_edition_that_changed_is_refused(folder: Path) -> None:
    assert "hnte/2008-01-01.yaml" in (sealed := seal(folder))
    assert NAME in sealed
    load_rulebooks(folder)
    (folder / NAME).write_text(
        (folder / NAME).read_text(encoding="utf-8") + "\n# a word more\n", encoding="utf-8"
    )
    with pytest.raises(MalformedRulebook, match="a sealed edition changed"):
        load_rulebooks(folder)
    with pytest.raises(ValueError, match="sealed and changed"):
        seal(folder)
    assert seal(folder, (NAME,)) == [NAME]
    load_rulebooks(folder)


def test_a_sealed_edition_cannot_vanish_and_a_new_one_must_be_sealed(folder: Path) -> None:
    seal(folder)
    moved = folder / "hnte" / "2015-06-01.yaml"
    shutil.copy(folder / "hnte/2008-01-01.yaml", moved)
    change(
        folder,
        "in_force_from: 2008-01-01\nin_force_to: 2015-12-31\ntitle",
        "in_force_from: 2015-06-01\nin_force_to: 2015-12-31\ntitle",
        name="hnte/2015-06-01.yaml",
    )
    with pytest.raises(MalformedRulebook, match="not sealed"):
        load_rulebooks(folder)
    moved.unlink()
    (folder / "hnte/2008-01-01.yaml").unlink()
    with pytest.raises(MalformedRulebook, match="a sealed edition is gone"):
        load_rulebooks(folder)


@pytest.mark.parametrize(
    ("applied_on", "edition"),
    [
        (date(2008, 1, 1), "2008-01-01"),
        (date(2015, 12, 31), "2008-01-01"),
        (date(2016, 1, 1), "2016-01-01"),
        (date(2026, 11, 24), "2016-01-01"),
    ],
)
def test_the_day_of_application_chooses_the_edition(applied_on: date, edition: str) -> None:
    assert load_rulebooks(*SHIPPED).edition_for("hnte", applied_on).in_force_from.isoformat() == edition


def test_a_day_a_programme_or_an_edition_without_rulebook_is_refused() -> None:
    rulebooks = load_rulebooks(*SHIPPED)
    assert rulebooks.programmes() == ("etrc", "hnte", "ip-advantage", "sme")
    with pytest.raises(UnusableInput) as early:
        rulebooks.edition_for("hnte", date(2007, 12, 31))
    with pytest.raises(UnusableInput) as foreign:
        rulebooks.edition_for("nothing", date(2016, 1, 1))
    with pytest.raises(UnusableInput) as absent:
        rulebooks.edition("hnte", date(2016, 1, 2))
    assert [e.value.rule_id for e in (early, foreign, absent)] == [
        "no_edition_on",
        "unknown_programme",
        "no_such_edition",
    ]


def test_a_programme_of_two_levels_needs_the_level() -> None:
    rulebooks = load_rulebooks(*SHIPPED)
    with pytest.raises(UnusableInput) as unclear:
        rulebooks.edition_for("etrc", date(2023, 1, 1))
    assert unclear.value.rule_id == "level_needed"
    days = {"provincial": date(2022, 12, 15), "municipal": date(2009, 1, 1)}
    for level, day in days.items():
        assert rulebooks.edition_for("etrc", date(2023, 1, 1), level).in_force_from == day
    with pytest.raises(UnusableInput):
        rulebooks.edition_for("etrc", date(2027, 12, 15), "provincial")


def test_an_edition_is_found_by_the_hash_a_case_was_pinned_to() -> None:
    rulebooks = load_rulebooks(*SHIPPED)
    for edition in rulebooks.editions:
        assert rulebooks.by_hash(edition.hash) is edition


@pytest.mark.parametrize(
    "edition", load_rulebooks(*SHIPPED).editions, ids=lambda e: f"{e.programme}-{e.in_force_from}"
)
def test_the_way_of_a_case_leads_through_public_notice_to_a_title(edition: Edition) -> None:
    record = next(step for step in edition.process if step.verb == "record")
    assert record.from_ == ("on_notice",)
    assert record.by == ("system",)
    assert record.deadline is not None
    assert record.deadline.working_days == edition.notice_working_days
    state = "draft"
    for verb in ("submit", "accept", "start_review", "propose", "open_notice", "record", "grant"):
        state = next(step.to for step in edition.steps_from(state, "first") if step.verb == verb)
    assert state == "granted"
    assert edition.steps_from("granted", "first") == ()


def test_the_notice_lasts_ten_working_days_since_2016_and_lasted_fifteen_before() -> None:
    rulebooks = load_rulebooks(*SHIPPED)
    assert rulebooks.edition("hnte", date(2016, 1, 1)).notice_working_days == 10
    assert rulebooks.edition("hnte", date(2008, 1, 1)).notice_working_days == 15


def test_a_title_lasts_three_years() -> None:
    validity = load_rulebooks(*SHIPPED).edition("hnte", date(2016, 1, 1)).validity
    assert validity.valid_until(date(2016, 11, 30)) == date(2019, 11, 30)
    assert validity.valid_until(date(2016, 2, 29)) == date(2019, 2, 28)


def test_every_edition_compiles() -> None:
    for edition in load_rulebooks(*SHIPPED).editions:
        assert compile_edition(edition).edition is edition
