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


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"colour": "red"}, "colour"),
        ({"programme": "nothing"}, "programme"),
        ({"applied_on": "2007-08-01"}, "applied_on"),
        ({"judgements": {"ip_advancement": 99}}, "judgements.ip_advancement"),
        ({"enterprise": {"uscc": "91441702MA4UABCD1A"}}, "enterprise.uscc"),
    ],
)
async def test_unusable_facts_are_refused_with_the_path(counter: Counter, changed: Any, path: str) -> None:
    for language in ("zh-CN", "en"):
        async with counter.client(language=language) as anybody:
            problem = (await expect(anybody.post("/v1/self-checks", json=WHOLE_FIRM | changed), 422)).json()
        assert problem["errors"][0]["field"] == path
        assert any("一" <= sign <= "鿿" for sign in problem["errors"][0]["rule"]) == (language == "zh-CN")
