import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from casework.use_cases import Casework
from casework_way import (
    APPLICANT,
    EXPERT,
    JUDGEMENTS,
    OFFICER,
    OTHER,
    STRANGER,
    USCC,
    Door,
    Way,
    documents,
)
from chassis.clock import FixedClock
from chassis.identity import Actor
from chassis.testing import PDF


@pytest.fixture
async def applicant(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(APPLICANT) as client:
        yield client


@pytest.fixture
async def officer(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(OFFICER) as client:
        yield client


NEW: dict[str, Any] = {
    "programme": "hnte", "case_type": "first", "facts": {"choices": {}},
    "documents": [document.model_dump() for document in documents()],
}  # fmt: skip


async def expect_uploaded(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/files", content=PDF)).status_code == 201


async def _say(client: httpx.AsyncClient, seen: httpx.Response, verb: str, **body: Any) -> httpx.Response:
    """The next verb on the case that the answer `seen` shows."""
    address = f"/v1/cases/{seen.json()['case_id']}/{verb}"
    answer = await client.post(address, json=body or None, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_case_goes_over_http_from_draft_to_a_title_that_anybody_can_verify(
    door: Door, applicant: httpx.AsyncClient, officer: httpx.AsyncClient, way: Way, clock: FixedClock
) -> None:
    await expect_uploaded(applicant)
    seen = await applicant.post("/v1/cases", json=NEW)
    assert (seen.status_code, seen.headers["ETag"]) == (201, '"1"')
    case_id = seen.json()["case_id"]
    seen = await _say(applicant, seen, "submit")
    seen = await _say(officer, seen, "accept")
    seen = await _say(officer, seen, "review")
    async with door.client(EXPERT) as expert:
        seen = await _say(expert, seen, "judgements", judgements=JUDGEMENTS)
    assert seen.json()["verdict"] == "pass"
    seen = await _say(officer, seen, "propose", proposal="grant")
    await _say(officer, seen, "notice")
    async with door.client() as anybody:
        notices = (await anybody.get("/v1/notices", params={"open_only": True})).json()["items"]
        assert [(n["enterprise_name"], n["ends_on"]) for n in notices] == [
            ("示例精密制造有限公司", "2016-08-15")
        ]
        clock.advance(timedelta(days=15))
        await way.meet_deadlines()
        full = await officer.get(f"/v1/cases/{case_id}")
        title = await officer.post(f"/v1/cases/{case_id}/grant", headers={"If-Match": full.headers["ETag"]})
        assert title.json()["number"] == "GR201644000001"
        assert (await anybody.get("/v1/titles/GR201644000001")).json() == {**title.json(), "in_force": True}
        clock.advance(timedelta(days=3 * 366))
        assert not (await anybody.get("/v1/titles/GR201644000001")).json()["in_force"]
        assert (await anybody.get("/v1/titles/GR201644000002")).status_code == 404
        assert (await anybody.get("/v1/notices", params={"open_only": True})).json()["items"] == []


async def test_one_idempotency_key_fifty_times_in_parallel_grants_once(
    door: Door, officer: httpx.AsyncClient, way: Way, clock: FixedClock
) -> None:
    case = await way.on_notice()
    clock.advance(timedelta(days=30))
    await way.meet_deadlines()
    headers = {"If-Match": f'"{case.version + 1}"', "Idempotency-Key": "grant-1"}
    address = f"/v1/cases/{case.case_id}/grant"
    answers = await asyncio.gather(*(officer.post(address, headers=headers) for _ in range(50)))
    again = [answer for answer in answers if answer.status_code == 503]
    for answer in again:
        assert answer.headers["Retry-After"]
        answers.append(await officer.post(address, headers=headers))
    granted = [answer for answer in answers if answer.status_code != 503]
    assert {(answer.status_code, answer.text) for answer in granted} == {(200, granted[0].text)}
    assert await way.db.fetchval("SELECT count(*) FROM titles") == 1
    assert (await way.said()).count("title-granted") == 1


async def test_of_two_officers_with_the_same_version_one_gets_412(
    officer: httpx.AsyncClient, door: Door, way: Way
) -> None:
    case = await way.submitted()
    headers = {"If-Match": f'"{case.version}"'}
    async with door.client(Actor("zhao", "officer")) as other:
        answers = await asyncio.gather(
            officer.post(f"/v1/cases/{case.case_id}/accept", headers=headers),
            other.post(f"/v1/cases/{case.case_id}/return", headers=headers, json={"defects": ["no stamp"]}),
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_a_verb_without_the_version_seen_is_refused(officer: httpx.AsyncClient, way: Way) -> None:
    case = await way.submitted()
    assert (await officer.post(f"/v1/cases/{case.case_id}/accept")).status_code == 428


async def test_a_case_says_what_may_come_next_by_whom_and_until_when(door: Door, way: Way) -> None:
    case = await way.on_notice()
    async with door.client(APPLICANT) as client:
        steps = (await client.get(f"/v1/cases/{case.case_id}")).json()["next"]
    assert steps == [
        {"verb": "object", "by": ["public"], "due_on": None, "waits_for": []},
        {"verb": "record", "by": ["system"], "due_on": "2016-08-15", "waits_for": []},
        {"verb": "withdraw", "by": ["enterprise"], "due_on": None, "waits_for": []},
    ]


@pytest.mark.parametrize("verb", ["", "submit", "withdraw"])
async def test_a_foreign_case_is_not_found(door: Door, way: Way, verb: str) -> None:
    case = await way.drafted()
    async with door.client(STRANGER) as stranger:
        address = f"/v1/cases/{case.case_id}"
        if verb:
            answer = await stranger.post(f"{address}/{verb}", headers={"If-Match": '"1"'})
        else:
            answer = await stranger.get(address)
        assert answer.status_code == 404
        assert (await stranger.get("/v1/cases", params={"enterprise": USCC})).status_code == 404
        assert (await stranger.get("/v1/cases")).json()["items"] == []


async def test_nobody_drafts_for_another_enterprise(applicant: httpx.AsyncClient) -> None:
    assert (await applicant.post("/v1/cases", json={**NEW, "enterprise_id": OTHER})).status_code == 404


async def test_the_public_sees_titles_and_notices_but_no_case(door: Door, way: Way) -> None:
    case = await way.on_notice()
    async with door.client() as anybody:
        assert (await anybody.get("/v1/cases")).status_code == 401
        assert (await anybody.get(f"/v1/cases/{case.case_id}")).status_code == 401
        assert len((await anybody.get("/v1/notices")).json()["items"]) == 1
        assert (await anybody.get("/v1/titles")).json() == {"items": [], "cursor": None}


async def test_missing_documents_are_named_in_the_callers_language(door: Door) -> None:
    for language, word in (("zh-CN", "缺少以下材料"), ("en", "These documents are missing")):
        async with door.client(APPLICANT, language) as client:
            seen = await client.post("/v1/cases", json={**NEW, "documents": NEW["documents"][1:]})
            address = f"/v1/cases/{seen.json()['case_id']}/submit"
            refused = await client.post(address, headers={"If-Match": '"1"'})
        assert refused.status_code == 409
        problem = refused.json()
        assert problem["code"] == "missing-documents"
        assert problem["detail"].startswith(word)
        assert "application_form" in problem["detail"]
        assert "registration" not in problem["detail"]
        assert problem["source"] == "国科发火〔2016〕32号 第十二条(一)"


async def test_a_wrong_fact_is_named_by_its_path_in_the_callers_language(door: Door) -> None:
    facts = {"years": [{"year": 2015, "sales_revenue": "-1"}]}
    for language, word in (("zh-CN", "负"), ("en", "negative")):
        async with door.client(APPLICANT, language) as client:
            problem = (await client.post("/v1/cases", json={**NEW, "facts": facts})).json()
        assert problem["status"] == 422
        assert problem["errors"][0]["field"] == "years[0].sales_revenue"
        assert word in problem["errors"][0]["rule"]


async def test_what_no_table_and_no_event_could_keep_is_refused_at_the_door(door: Door, way: Way) -> None:
    case = await way.submitted()
    document = NEW["documents"][0]
    async with door.client(APPLICANT) as own, door.client(OFFICER) as officer:
        for wrong in (
            {"paper": "../etc"},
            {"bytes": 0},
            {"sha256": "x"},
            {"file_name": ""},
            {"media_type": "pdf"},
        ):
            answer = await own.post("/v1/cases", json={**NEW, "documents": [{**document, **wrong}]})
            assert answer.status_code == 422
        headers = {"If-Match": f'"{case.version}"'}
        address = f"/v1/cases/{case.case_id}/return"
        answer = await officer.post(address, json={"defects": ["a\u0001b"]}, headers=headers)
        assert answer.status_code == 422
    async with door.client(Actor("x", "enterprise", enterprise_id="91441702MA4UABCD1A")) as no_firm:
        assert (await no_firm.post("/v1/cases", json=NEW)).status_code == 422


async def test_who_judged_what_is_not_told_to_the_applicant(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, way: Way
) -> None:
    case = await way.judged()
    address = f"/v1/cases/{case.case_id}"
    assert (await applicant.get(address)).json()["judgements"] is None
    assert "expert:chen" not in (await applicant.get(address)).text
    assert len((await officer.get(address)).json()["judgements"]) == len(JUDGEMENTS)


async def test_lists_page_by_key_until_the_end(officer: httpx.AsyncClient, way: Way) -> None:
    drafted = [str((await way.drafted()).case_id) for _ in range(5)]
    listed: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2", "programme": "hnte", "state": "draft"} | ({"cursor": cursor} if cursor else {})
        page = (await officer.get("/v1/cases", params=query)).json()
        listed += [case["case_id"] for case in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert listed == drafted


async def test_the_law_is_served_as_data_with_its_hash(door: Door, work: Casework) -> None:
    async with door.client() as anybody:
        programmes = (await anybody.get("/v1/programmes")).json()["programmes"]
        edition = await anybody.get("/v1/programmes/hnte/editions/2016-01-01")
        unknown = await anybody.get("/v1/programmes/hnte/editions/2012-01-01")
    in_force = {p["programme"]: [e["in_force_from"] for e in p["editions"]] for p in programmes}
    assert in_force["hnte"] == ["2008-01-01", "2016-01-01"]
    found = work.rulebooks.edition("hnte", date(2016, 1, 1))
    assert edition.headers["ETag"] == f'"{found.hash}"'
    content = edition.json()
    assert content["notice_working_days"] == 10
    assert [condition["id"] for condition in content["conditions"]][:2] == ["H1", "H2"]
    assert unknown.status_code == 422
