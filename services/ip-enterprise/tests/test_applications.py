"""How an applicant's facts come together, and its way to the title."""

from pathlib import Path
from typing import Any

import httpx
import yaml

from chassis.messages import untranslated
from chassis.testing import PDF
from contracts.certification import EnterpriseChanged
from ip_rig import CHEN, LI, REGISTERED, USCC, WANG, Bureau, listed, papers, right

PAPERS = [
    paper["id"]
    for paper in yaml.safe_load(
        (Path(__file__).parents[1] / "rulebooks/ip-advantage/2009-01-01.yaml").read_text(encoding="utf-8")
    )["documents"]
]
POINTS = {
    "ip_steered_rd": 4, "valid_patents": 5, "patent_applications": 4, "other_ip": 3, "invention_share": 4,
    "grant_rate": 5, "ip_abroad": 0, "patent_product_share": 14, "other_ip_income": 4, "management_standard": 7,
    "ip_strategy": 1, "inventor_reward": 2, "ip_department": 3, "rd_share": 3, "ip_spend_share": 3,
    "training_and_protection": 8,
}  # fmt: skip
OWN = {
    "enterprise": {"name": "自称有限公司", "mainland_resident": True},
    "ip": [{"id": "X", "kind": "design"}],
}


async def drafted(applicant: httpx.AsyncClient) -> dict[str, Any]:
    uploaded = await applicant.post("/v1/files", content=PDF, params={"name": "scan.pdf"})
    assert uploaded.is_success, uploaded.text
    body = {"programme": "ip-advantage", "case_type": "first", "facts": OWN, "documents": papers(PAPERS)}
    answer = await applicant.post("/v1/cases", json=body)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def say(client: httpx.AsyncClient, case: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
    version = (await client.get(f"/v1/cases/{case['case_id']}")).headers["ETag"]
    return await client.post(
        f"/v1/cases/{case['case_id']}/{verb}", json=body or None, headers={"If-Match": version}
    )


async def facts_submitted(bureau: Bureau) -> dict[str, Any]:
    async with bureau.client(WANG) as applicant:
        case = await drafted(applicant)
        submitted = await say(applicant, case, "submit")
        assert submitted.status_code == 200, submitted.text
        facts: dict[str, Any] = (await applicant.get(f"/v1/cases/{case['case_id']}")).json()["facts"]
    return facts


async def test_an_enterprise_that_certification_does_not_know_cannot_submit(bureau: Bureau) -> None:
    async with bureau.client(WANG) as applicant:
        refused = await say(applicant, await drafted(applicant), "submit")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-registered")


async def test_the_latest_word_of_certification_is_what_is_known_of_the_applicant(bureau: Bureau) -> None:
    changed = EnterpriseChanged(**(REGISTERED.model_dump() | {"name": "新名精密制造有限公司"}))
    await bureau.hear((REGISTERED, 1), (changed, 2), (REGISTERED, 1))
    facts = await facts_submitted(bureau)
    assert facts["enterprise"] == {
        "uscc": USCC, "name": "新名精密制造有限公司", "region": "441702", "established_on": "2003-03-17",
        "mainland_resident": True,
    }  # fmt: skip
    assert (
        await bureau.db.fetchval("SELECT caused_by FROM enterprises") == f"certification.enterprises/{USCC}/2"
    )


async def test_the_register_prevails_over_the_applicant_s_own_list_of_rights(bureau: Bureau) -> None:
    await bureau.hear((REGISTERED, 1))
    await bureau.take_in(listed(right("A"), right("B")))
    assert [found["id"] for found in (await facts_submitted(bureau))["ip"]] == ["A", "B"]


async def test_without_an_entry_on_the_register_the_applicant_s_list_is_judged(bureau: Bureau) -> None:
    await bureau.hear((REGISTERED, 1))
    assert [found["id"] for found in (await facts_submitted(bureau))["ip"]] == ["X"]


async def test_an_application_goes_from_the_draft_to_a_title_that_anybody_can_verify(bureau: Bureau) -> None:
    await bureau.hear((REGISTERED, 1))
    async with bureau.client(WANG) as applicant, bureau.client(LI) as officer, bureau.client(CHEN) as expert:
        case = await drafted(applicant)
        for client, verb, body in (
            (applicant, "submit", {}), (officer, "accept", {}), (officer, "review", {}),
            (expert, "judgements", {"judgements": POINTS}), (officer, "propose", {"proposal": "grant"}),
            (officer, "notice", {}),
        ):  # fmt: skip
            answer = await say(client, case, verb, **body)
            assert answer.status_code == 200, (verb, answer.text)
        notice = (await officer.get(f"/v1/cases/{case['case_id']}")).json()["notice"]
        assert (await say(officer, case, "grant")).status_code == 409
        bureau.clock.set(bureau.clock.now().fromisoformat(f"{notice['ends_on']}T16:00:00+00:00"))
        await bureau.meet_deadlines()
        granted = await say(officer, case, "grant")
    assert granted.status_code == 200, granted.text
    title = (await bureau.get(f"/v1/titles/{granted.json()['number']}", None)).json()
    assert (title["enterprise_id"], title["number"], title["level"]) == (USCC, "IPA20090001", "municipal")
    assert await bureau.said() == [
        "case-submitted", "case-judged", "case-proposed", "notice-opened", "title-granted",
    ]  # fmt: skip


def test_every_refusal_is_said_in_chinese_too() -> None:
    assert untranslated(["ip_enterprise", "casework"]) == []
