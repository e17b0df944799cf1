import json
from typing import Any

import pytest

from certification_rig import WHOLE_FIRM, Counter, expect


async def test_anybody_checks_itself_and_nothing_is_kept(counter: Counter) -> None:
    before = await counter.rows()
    async with counter.client() as anybody:
        answer = (await expect(anybody.post("/v1/self-checks", json=WHOLE_FIRM), 200)).json()
    assert await counter.rows() == before
    assert list(answer) == [
        "programme", "edition", "edition_hash", "applied_on", "verdict", "conditions", "score",
    ]  # fmt: skip
    assert (answer["verdict"], answer["edition"]) == ("pass", "2016-01-01")
    assert (answer["score"]["lo"], answer["score"]["hi"], answer["score"]["pass_above"]) == ("83", "83", "70")
    h5a = next(condition for condition in answer["conditions"] if condition["id"] == "H5a")
    assert h5a["bound"] == ">= 0.05"


async def test_what_is_not_said_is_unknown_and_named(counter: Counter) -> None:
    facts = {name: value for name, value in WHOLE_FIRM.items() if name != "judgements"}
    async with counter.client() as anybody:
        answer = (await expect(anybody.post("/v1/self-checks", json=facts), 200)).json()
    assert answer["verdict"] == "unknown"
    h2 = next(condition for condition in answer["conditions"] if condition["id"] == "H2")
    assert h2["needs"] == ["judgements.core_ip_supports"]


async def test_a_number_is_taken_exactly_and_never_as_a_float(counter: Counter) -> None:
    """Sales a trillionth above 50 million are in the next tier; as a float they would be 50 million."""
    years = [dict(year) for year in WHOLE_FIRM["years"]]
    years[-1] |= {"sales_revenue": "EXACTLY", "total_revenue": "60000000"}
    judgements = WHOLE_FIRM["judgements"] | {"growth_sales": 9}
    text = json.dumps({**WHOLE_FIRM, "years": years, "judgements": judgements})
    text = text.replace('"EXACTLY"', "50000000.000000000001")
    async with counter.client() as anybody:
        sent = anybody.post("/v1/self-checks", content=text, headers={"Content-Type": "application/json"})
        answer = (await expect(sent, 200)).json()
    h5a = next(condition for condition in answer["conditions"] if condition["id"] == "H5a")
    assert h5a["bound"] == ">= 0.04"


async def test_another_edition_may_be_asked_for(counter: Counter) -> None:
    async with counter.client() as anybody:
        facts = {name: value for name, value in WHOLE_FIRM.items() if name != "judgements"}
        sent = anybody.post("/v1/self-checks", json=facts, params={"edition": "2008-01-01"})
        assert (await expect(sent, 200)).json()["edition"] == "2008-01-01"


SME: dict[str, Any] = {
    "programme": "sme", "case_type": "first", "applied_on": "2018-08-01", "enterprise": {"mainland_resident": True},
    "years": [
        {"year": 2017, "sales_revenue": "42000000", "total_assets": "26000000", "costs": "38000000",
         "rd_spend": "3000000", "staff": {"total": 80, "st": 24}},
    ],
    "ip": [
        {"id": "1", "kind": "invention", "acquired": "self", "granted_on": "2015-06-05", "in_force": True,
         "owned": True, "related": True},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "verdict", "lo", "hi", "needs"),
    [
        ({"sme_rd_ratio": "sales"}, "pass", "100", "100", []),
        ({"sme_rd_ratio": "cost"}, "fail", "50", "50", []),
        ({}, "unknown", "50", "100", ["choices.sme_rd_ratio"]),
    ],
)
async def test_an_enterprise_chooses_itself_how_its_rd_spend_is_scored(
    counter: Counter, *, choices: dict[str, str], verdict: str, lo: str, hi: str, needs: list[str]
) -> None:
    async with counter.client() as anybody:
        answer = (await expect(anybody.post("/v1/self-checks", json={**SME, "choices": choices}), 200)).json()
    assert [condition["id"] for condition in answer["conditions"]] == ["S1", "S2", "S3", "S4", "S5"]
    score = answer["score"]
    assert (answer["verdict"], score["lo"], score["hi"], score["pass_at_least"]) == (verdict, lo, hi, "60")
    assert answer["conditions"][-1]["needs"] == needs


async def test_a_programme_of_two_levels_is_asked_for_by_level(counter: Counter) -> None:
    facts = {"programme": "etrc", "applied_on": "2025-08-20"}
    async with counter.client() as anybody:
        for level, edition in (("provincial", "2022-12-15"), ("municipal", "2009-01-01")):
            sent = anybody.post("/v1/self-checks", json=facts, params={"level": level})
            assert (await expect(sent, 200)).json()["edition"] == edition
        problem = (await expect(anybody.post("/v1/self-checks", json=facts), 422)).json()
    assert problem["errors"][0]["field"] == "level"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"colour": "red"}, "colour"),
        ({"programme": "nothing"}, "programme"),
        ({"applied_on": "2007-08-01"}, "applied_on"),
        ({"judgements": {"ip_advancement": 99}}, "judgements.ip_advancement"),
        ({"enterprise": {"uscc": "91441702MA4UABCD1A"}}, "enterprise.uscc"),
        (SME | {"judgements": {}, "choices": {"sme_rd_ratio": "best"}}, "choices.sme_rd_ratio"),
    ],
)
async def test_unusable_facts_are_refused_with_the_path(counter: Counter, changed: Any, path: str) -> None:
    for language in ("zh-CN", "en"):
        async with counter.client(language=language) as anybody:
            problem = (await expect(anybody.post("/v1/self-checks", json=WHOLE_FIRM | changed), 422)).json()
        assert problem["errors"][0]["field"] == path
        assert any("一" <= sign <= "鿿" for sign in problem["errors"][0]["rule"]) == (language == "zh-CN")
