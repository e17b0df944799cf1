from datetime import date
from pathlib import Path

import pytest

from casework.edition import Edition
from casework.rulebook import MalformedRulebook
from casework.titles import number_series, problem_with_number, title_number, valid_until
from casework.use_cases import Casework
from casework_way import RULEBOOKS


@pytest.fixture
def edition(work: Casework) -> Edition:
    return work.rulebooks.edition("hnte", date(2008, 1, 1))


def test_an_hnte_number_names_the_year_the_province_and_its_place(edition: Edition) -> None:
    series = number_series(edition, "441702", date(2009, 11, 10))
    assert title_number(series, 1) == "GR200944000001"
    assert title_number(series, 1234) == "GR200944001234"


def test_a_number_may_take_the_province_or_the_region_from_the_enterprise(edition: Edition) -> None:
    form = edition.model_copy(update={"title_number": "X{province}-{region}-{year}-{serial:03d}"})
    assert title_number(number_series(form, "441702", date(2009, 1, 1)), 7) == "X44-441702-2009-007"


def test_a_series_that_is_full_gives_no_number_that_looks_like_another(edition: Edition) -> None:
    with pytest.raises(ValueError, match="no number 1000000"):
        title_number(number_series(edition, "441702", date(2009, 1, 1)), 1_000_000)


@pytest.mark.parametrize(
    ("granted_on", "until"),
    [(date(2009, 11, 10), date(2012, 11, 10)), (date(2012, 2, 29), date(2015, 2, 28))],
)
def test_a_title_holds_for_the_editions_years(edition: Edition, granted_on: date, until: date) -> None:
    assert valid_until(edition, granted_on) == until


@pytest.mark.parametrize(
    "form", ["GR{year}", "GR{serial:06d}", "GR{year}{serial}{serial}", "GR{year}{serial}{month}"]
)
def test_a_form_of_numbers_that_could_not_tell_titles_apart_is_malformed(form: str) -> None:
    assert problem_with_number(form)


def test_a_rulebook_with_such_a_form_is_not_loaded(work: Casework, tmp_path: Path) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "hnte"
    folder.mkdir()
    (folder / "2016-01-01.yaml").write_text(text.replace("{serial:06d}", ""), encoding="utf-8")
    with pytest.raises(MalformedRulebook, match="serial"):
        work.load(tmp_path)
