"""Forms are checked before anybody fills one in: what is wrong stops the start with file and line."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from casework.facts import facts_from
from casework.figures import RD_ITEMS
from casework.form import ApplicationForm, DecisionForm, Forms
from casework.form_book import load_forms
from casework.form_facts import (
    Answer,
    AnsweredCondition,
    AnsweredItem,
    AnsweredScore,
    CollectedYear,
    UnknownFact,
    leaf_at,
)
from casework.rulebook import MalformedRulebook, load_rulebooks
from casework.self_check import document_of, self_check
from casework_way import FIRM, RULEBOOKS

BOOKS = load_rulebooks(RULEBOOKS)


def loaded(folder: Path, name: str = "application", old: str = "", new: str = "") -> Forms:
    """The form that ships, one text of it replaced."""
    target = folder / "hnte/forms"
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{name}.yaml"
    shutil.copy(RULEBOOKS / f"hnte/forms/{name}.yaml", path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_forms(folder, BOOKS)


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "reason"),
    [
        ("application", "fact: enterprise.name", "fact: enterprise.nom", "fact", "no fact enterprise.nom"),
        ("application", "fact: enterprise.name", "fact: enterprise", "fact", "no fact enterprise"),
        ("application", "fact: enterprise.name", 'fact: "years[].year"', "fact", "for the values of each year"),
        ("application", '"years[].staff.total"', "enterprise.region", "fact", "needed there"),
        ("application", "rows_of: ip", "rows_of: patents", "rows_of", "no fact patents[]"),
        ("application", "fact: granted_on", "fact: granted", "fact", "no fact granted"),
        ("application", "conditions[H5a]", "conditions[H9]", "fact", "answer.conditions has no H9"),
        ("application", "trademark: 商标", "other: 其他", "words", "no words for trademark"),
        ("application", "fact: enterprise.name}", "fact: enterprise.name, unit: wan}", "unit", "is no amount"),
        ("application", "editions: [2016-01-01]", "editions: [2016-01-02]", "editions[0]", "no edition of 2016-01-02"),
        ("application", "name: 二、知识产权汇总表", "name: 一、主要情况", "name", "appears twice"),
        ("application", "name: 一、主要情况", "name: 一/主要情况", "name", "match pattern"),
        ("application", "form: application", "form: letter", "form", "one of application"),
        ("application", "years: 1", "year: 1", "parts", "Extra inputs"),
        ("recommendation", "field: region", "field: district", "field", "no field district"),
        ("recommendation", "field: group.ip", "field: group.luck", "field", "no field group.luck"),
        ("decision-list", "field: number", "field: reason", "", "a field has one column"),
        ("decision-list", "field: number", "field: place", "field", "Input should be"),
    ],
)  # fmt: skip
def test_a_malformed_form_is_refused_with_file_and_line(
    tmp_path: Path, name: str, *, old: str, new: str, place: str, reason: str
) -> None:
    with pytest.raises(MalformedRulebook, match=reason.replace("[", r"\[")) as refused:
        loaded(tmp_path, name, old, new)
    error = refused.value
    assert error.file.name == f"{name}.yaml"
    assert place in error.place
    assert error.line > 0


def test_a_form_is_that_of_the_editions_it_names(tmp_path: Path) -> None:
    forms = loaded(tmp_path)
    assert forms.find(ApplicationForm, BOOKS.edition("hnte", date(2016, 1, 1))) is not None
    assert forms.find(ApplicationForm, BOOKS.edition("hnte", date(2008, 1, 1))) is None
    assert forms.find(ApplicationForm, BOOKS.edition("sme", date(2017, 5, 3))) is None
    assert forms.find(DecisionForm, BOOKS.edition("hnte", date(2016, 1, 1))) is None


def test_a_form_asks_for_nothing_that_the_answer_does_not_say() -> None:
    given = ("rd_spend", "rd_spend_domestic")
    years = [
        {name: value for name, value in year.items() if name not in given}
        | {"rd_items": dict.fromkeys(RD_ITEMS, "1")}
        for year in FIRM["years"]
    ]
    applied = {"programme": "hnte", "case_type": "first", "applied_on": "2016-08-01", "years": years}
    said = document_of(self_check(facts_from(FIRM | applied), BOOKS))
    for shape, answered in (
        (Answer, said), (AnsweredCondition, said["conditions"][0]), (AnsweredScore, said["score"]),
        (AnsweredItem, {"title": None, "max": None} | said["score"]["items"][0]),
        (CollectedYear, said["rd_collection"][0]),
    ):  # fmt: skip
        assert set(shape.model_fields) <= set(answered)


@pytest.mark.parametrize(
    "path", ["enterprise", "years", "years[].", "judgements", "ip[].used_for", "answer.score.items[a].x"]
)
def test_what_is_no_value_has_no_place_in_a_cell(path: str) -> None:
    with pytest.raises(UnknownFact):
        leaf_at(path)
