"""The demo year 2009: its files are what the generators write, they read without a refusal, and every case ends as meant."""

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from casework.calendar import add_working_days
from casework.evaluate import Evaluator
from casework.facts import facts_from
from casework.lifecycle import next_step
from casework.rulebook import Rulebooks, load_rulebooks
from casework.uscc import is_uscc
from certification.intake import EnterpriseRow, read_workbook

ROOT = Path(__file__).parents[3]
YEAR = ROOT / "data/demo/2009"
RULEBOOKS = {name: ROOT / f"services/{name}/rulebooks" for name in ("certification", "ip-enterprise")}
LAST_DAY = date(2009, 12, 31)


def load(name: str) -> Any:
    return yaml.safe_load((YEAR / f"{name}.yaml").read_text(encoding="utf-8"))[name]


@pytest.fixture(scope="module")
def enterprises() -> dict[str, EnterpriseRow]:
    intake = read_workbook((YEAR / "enterprises.xlsx").read_bytes())
    assert [str(refusal) for refusal in intake.refusals] == []
    return {row.enterprise_id: row for row in intake.enterprises}


@pytest.fixture(scope="module")
def rulebooks() -> dict[str, Rulebooks]:
    return {name: load_rulebooks(folder) for name, folder in RULEBOOKS.items()}


def facts(application: dict[str, Any], enterprise: EnterpriseRow) -> dict[str, Any]:
    judgements = {
        name: value for step in application["steps"] for name, value in step.get("judgements", {}).items()
    }
    return {
        "programme": application["programme"],
        "case_type": application["case_type"],
        "applied_on": application["applied_on"],
        "enterprise": {
            "uscc": enterprise.enterprise_id,
            "name": enterprise.name,
            "region": enterprise.region,
            "established_on": enterprise.established_on,
            "mainland_resident": enterprise.mainland_resident,
        },
        **enterprise.facts,
        "judgements": judgements,
    }


def test_sixty_enterprises_with_valid_codes_and_facts_are_read(enterprises: dict[str, EnterpriseRow]) -> None:
    assert len(enterprises) == 60
    assert len({row.name for row in enterprises.values()}) == 60
    for row in enterprises.values():
        assert is_uscc(row.enterprise_id)
        assert row.enterprise_id[2:8] == row.region
        assert row.region.startswith("4417")
        assert [year.year for year in facts_from(row.facts).years][-1] == 2008


def test_every_application_is_judged_as_meant(
    enterprises: dict[str, EnterpriseRow], rulebooks: dict[str, Rulebooks]
) -> None:
    for application in load("applications"):
        edition = rulebooks[application["service"]].edition_for(
            application["programme"], application["applied_on"], application["level"]
        )
        verdict = Evaluator(edition).judge(
            facts_from(facts(application, enterprises[application["enterprise_id"]]))
        )
        found = {"verdict": verdict.verdict, "failed_conditions": verdict.failed_conditions}
        meant = {name: application["expected"][name] for name in found}
        assert found == meant, application["id"]


def test_every_step_is_one_of_the_editions_process_and_ends_as_meant(rulebooks: dict[str, Rulebooks]) -> None:
    for application in load("applications"):
        edition = rulebooks[application["service"]].edition_for(
            application["programme"], application["applied_on"], application["level"]
        )
        state, day = "draft", application["applied_on"]
        notice_ends_on = LAST_DAY
        for step in application["steps"]:
            assert day <= step["on"] <= LAST_DAY, application["id"]
            day = step["on"]
            if step["verb"] == "judge":
                assert state == "in_review"
                continue
            if step["verb"] == "open_notice":
                notice_ends_on = add_working_days(day, edition.notice_working_days)
            if step["verb"] == "grant":  # the service itself records the case when the notice has run out
                assert day > notice_ends_on
                state = next_step(edition, application["case_type"], state, "record", "system").to
            role = step["by"].partition(":")[0]
            state = next_step(edition, application["case_type"], state, step["verb"], role).to
        assert state == application["expected"]["state"], application["id"]


def test_every_required_paper_is_there_once(rulebooks: dict[str, Rulebooks]) -> None:
    for application in load("applications"):
        edition = rulebooks[application["service"]].edition_for(
            application["programme"], application["applied_on"], application["level"]
        )
        papers = [document["paper"] for document in application["documents"]]
        required = [paper.id for paper in edition.papers_for(application["case_type"]) if paper.required]
        assert papers == required, application["id"]


def test_the_year_meets_the_plans_numbers() -> None:
    plan = yaml.safe_load((ROOT / "data/plan-2009.yaml").read_text(encoding="utf-8"))
    granted = Counter(
        (application["programme"], application["level"])
        for application in load("applications")
        if application["expected"]["state"] == "granted"
    )
    targets = {target["id"]: target for target in plan["targets"]}
    for name, key in (
        ("hnte", ("hnte", "national")),
        ("ip-advantage-municipal", ("ip-advantage", "municipal")),
    ):
        assert targets[name]["min"] <= granted[key] <= targets[name]["max"]


def test_nobody_applies_twice_for_the_same_programme() -> None:
    applicants = [(each["programme"], each["enterprise_id"]) for each in load("applications")]
    assert len(applicants) == len(set(applicants))


def test_every_referral_has_its_consent_its_product_and_its_reason(
    enterprises: dict[str, EnterpriseRow],
) -> None:
    products = {(each["bank_id"], each["product_id"]): each for each in load("products")}
    consents = {(each["enterprise_id"], each["bank_id"]): each for each in load("consents")}
    wishes = {(each["enterprise_id"], each["bank_id"], each["product_id"]): each for each in load("wishes")}
    titled = {
        (each["enterprise_id"], each["programme"]): each["steps"][-1]["on"]
        for each in load("applications")
        if each["expected"]["state"] == "granted"
    }
    for outcome in load("outcomes"):
        owner, bank = outcome["enterprise_id"], outcome["bank_id"]
        consent, product = consents[owner, bank], products[bank, outcome["product_id"]]
        wish = wishes.get((owner, bank, outcome["product_id"]))
        assert owner in enterprises
        sent_on = wish["on"] if wish else titled[owner, product["programmes"][0]]
        assert consent["given_on"] <= sent_on <= consent["expires_on"]
        assert consent["on_title"] == (wish is None)
        assert all(sent_on < answer["on"] for answer in outcome["answers"])
        if wish:
            assert product["programmes"] == []
            assert int(wish["amount"]) <= int(product["amount_max"])
            assert wish["term_months"] <= product["term_months_max"]


def test_the_files_are_what_the_generators_write(tmp_path: Path) -> None:
    for script in ("make_demo_2009", "make_demo_2009_cases", "make_demo_2009_loans"):
        subprocess.run([sys.executable, ROOT / "data" / f"{script}.py", tmp_path], check=True)
    names = sorted(path.name for path in YEAR.iterdir() if path.suffix != ".md")
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        written, kept = (tmp_path / name).read_bytes(), (YEAR / name).read_bytes()
        if name == "enterprises.xlsx":
            assert read_workbook(written) == read_workbook(kept)
        elif name.endswith(".yaml"):
            assert written == kept, name
