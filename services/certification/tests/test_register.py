from datetime import timedelta
from typing import Any

import pytest

from certification_rig import (
    CHEN,
    ENTERPRISE,
    FACTS,
    JUDGEMENTS,
    LI,
    OTHER,
    USCC,
    WANG,
    ZHOU,
    Counter,
    expect,
)
from chassis.clock import FixedClock
from chassis.testing import PDF

HOME = f"/v1/enterprises/{USCC}"


async def test_an_enterprise_is_said_once_when_registered_and_again_only_when_something_changed(
    counter: Counter,
) -> None:
    async with counter.client(LI) as officer:
        first = await expect(officer.put(HOME, json=ENTERPRISE), 201)
        same = await expect(officer.put(HOME, json=ENTERPRISE), 200)
        assert first.headers["ETag"] == same.headers["ETag"] == '"1"'
        assert await counter.said() == ["enterprise-registered"]
        changed = await expect(officer.put(HOME, json={**ENTERPRISE, "name": "新名称有限公司"}), 200)
        assert changed.headers["ETag"] == '"2"'
        assert await counter.said() == ["enterprise-registered", "enterprise-changed"]


async def test_what_no_listener_may_know_is_changed_without_an_event(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        await expect(officer.put(HOME, json=ENTERPRISE), 201)
        await expect(officer.put(HOME, json={**ENTERPRISE, "mainland_resident": False}), 200)
    assert await counter.said() == ["enterprise-registered"]


async def test_of_two_who_saw_the_same_version_the_second_is_told(counter: Counter) -> None:
    async with counter.client(LI) as officer:
        await expect(officer.put(HOME, json=ENTERPRISE), 201)
        seen = {"If-Match": '"1"'}
        await expect(officer.put(HOME, json={**ENTERPRISE, "name": "甲有限公司"}, headers=seen), 200)
        await expect(officer.put(HOME, json={**ENTERPRISE, "name": "乙有限公司"}, headers=seen), 412)
        await expect(officer.put(f"{HOME}/facts", json=FACTS, headers={"If-Match": '"0"'}), 200)
        await expect(officer.put(f"{HOME}/facts", json={}, headers={"If-Match": '"0"'}), 412)


async def test_an_enterprise_changes_and_sees_only_itself(counter: Counter) -> None:
    async with counter.client(WANG) as own, counter.client(ZHOU) as stranger, counter.client() as anybody:
        await expect(own.put(HOME, json=ENTERPRISE), 201)
        await expect(own.put(f"{HOME}/facts", json=FACTS), 200)
        for address in (HOME, f"{HOME}/facts"):
            await expect(own.get(address), 200)
            await expect(stranger.get(address), 404)
            await expect(anybody.get(address), 401)
        await expect(stranger.put(HOME, json=ENTERPRISE), 404)
        await expect(stranger.put(f"{HOME}/facts", json=FACTS), 404)
        await expect(own.get("/v1/enterprises"), 403)


async def test_a_code_with_a_wrong_check_character_is_refused(counter: Counter) -> None:
    async with counter.client(LI, "zh-CN") as officer:
        problem = (await expect(officer.put(f"/v1/enterprises/{USCC[:-1]}A", json=ENTERPRISE), 422)).json()
    assert problem["errors"][0]["field"] == "uscc"
    assert "校验" in problem["errors"][0]["rule"]


async def test_facts_are_kept_exactly_as_given_and_absent_ones_stay_unknown(counter: Counter) -> None:
    given = {"years": [{"year": 2015, "sales_revenue": 42000000.10, "net_assets": "-5"}]}
    async with counter.client(LI) as officer:
        await expect(officer.put(HOME, json=ENTERPRISE), 201)
        kept = (await expect(officer.put(f"{HOME}/facts", json=given), 200)).json()
    assert kept["given"] == {"years": [{"year": 2015, "sales_revenue": "42000000.1", "net_assets": "-5"}]}
    assert kept["known"]["enterprise"]["name"] == ENTERPRISE["name"]


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ({"years": [{"year": 2015, "sales": "1"}]}, "years[0].sales"),
        ({"years": [{"year": 2013}, {"year": 2015}]}, "years"),
        ({"judgements": {"ip_count": 8}}, "judgements"),
        ({"enterprise": {"name": "另一家"}}, "enterprise"),
    ],
)
async def test_a_wrong_fact_is_refused_with_its_path(
    counter: Counter, facts: dict[str, Any], path: str
) -> None:
    async with counter.client(LI) as officer:
        await expect(officer.put(HOME, json=ENTERPRISE), 201)
        problem = (await expect(officer.put(f"{HOME}/facts", json=facts), 422)).json()
    assert problem["errors"][0]["field"] == path


async def test_an_enterprise_that_is_not_registered_cannot_apply(counter: Counter) -> None:
    async with counter.client(ZHOU) as other:
        await expect(other.put(f"/v1/enterprises/{OTHER}/facts", json=FACTS), 409)


async def test_a_registered_enterprise_goes_all_the_way_to_a_title(
    counter: Counter, clock: FixedClock
) -> None:
    await counter.register()
    title = await _title(counter, clock)
    assert title["number"] == "GR201644000001"
    async with counter.client() as anybody:
        found = (await expect(anybody.get("/v1/titles", params={"programme": "hnte"}), 200)).json()
    assert [t["enterprise_name"] for t in found["items"]] == [ENTERPRISE["name"]]
    assert (await counter.said())[-1] == "title-granted"


async def test_a_right_that_carried_a_title_says_so_ever_after(counter: Counter, clock: FixedClock) -> None:
    await counter.register()
    await _title(counter, clock)
    async with counter.client(LI) as officer:
        known = (await expect(officer.get(f"{HOME}/facts"), 200)).json()["known"]
    assert [right["used_for"] for right in known["ip"]] == [[{"programme": "hnte", "year": 2016}]] * 2


async def _title(counter: Counter, clock: FixedClock) -> dict[str, Any]:
    async with (
        counter.client(WANG) as own, counter.client(LI) as officer, counter.client(CHEN) as expert,
    ):  # fmt: skip
        edition = (await own.get("/v1/programmes/hnte/editions/2016-01-01")).json()
        file = (await expect(own.post("/v1/files", content=PDF), 201)).json()
        documents = [
            {"paper": paper["id"], "file_name": "scan.pdf", "bytes": file["bytes"], "sha256": file["sha256"]}
            for paper in edition["documents"]
        ]
        new = {"programme": "hnte", "case_type": "first", "documents": documents}
        case_id = (await expect(own.post("/v1/cases", json=new), 201)).json()["case_id"]
        steps: list[tuple[Any, str, Any]] = [
            (own, "submit", None), (officer, "accept", None), (officer, "review", None),
            (expert, "judgements", {"judgements": JUDGEMENTS}), (officer, "propose", {"proposal": "grant"}),
            (officer, "notice", None),
        ]  # fmt: skip
        for version, (client, verb, body) in enumerate(steps, 1):
            seen = {"If-Match": f'"{version}"'}
            await expect(client.post(f"/v1/cases/{case_id}/{verb}", json=body, headers=seen), 200)
        clock.advance(timedelta(days=20))
        assert await counter.meet_deadlines() == 1
        seen = {"If-Match": '"8"'}
        answer = await expect(officer.post(f"/v1/cases/{case_id}/grant", headers=seen), 200)
    granted: dict[str, Any] = answer.json()
    return granted
