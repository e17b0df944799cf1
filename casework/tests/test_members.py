"""Who acts for an enterprise besides those whose token names it: what members reach, and until when."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from casework import member_store
from casework.case import Title
from casework.member import Member, MemberKind
from casework.policy import APPLYING, POLICY, READING
from casework.use_cases.permitting import NoAgents
from casework.use_cases.steps import take
from casework_way import APPLICANT, OFFICER, OTHER, USCC, Door, Way, documents
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.identity import Actor
from chassis.testing import PDF

OWNER, AGENT = Actor("gao", "enterprise", enterprise_id=OTHER), Actor("sun", "enterprise")
VIEWER, NOBODY = Actor("qian", "enterprise"), Actor("tang", "enterprise")
LAST_DAY = date(2016, 8, 31)
SME_LAST_DAY = date(2026, 12, 31)
NEW: dict[str, Any] = {
    "programme": "hnte", "case_type": "first", "enterprise_id": USCC,
    "documents": [document.model_dump() for document in documents()],
}  # fmt: skip
CHANGE = {
    "change": "rename_or_material_change",
    "changed_on": "2016-08-31",
    "description": "a merger",
}
REPORT = {"duty": "annual_report", "year": 2016, "contents": {"sales_revenue": "42000000.00"}}
Clients = Mapping[Actor, httpx.AsyncClient]


async def join(db: Database, person: Actor, kind: MemberKind, until: date | None = None) -> Member:
    member = Member(
        member_id=uuid7(), enterprise_id=USCC, person=str(person), kind=kind, until=until,
        invited_by=str(APPLICANT), joined_at=db.clock.now(),
    )  # fmt: skip
    async with db.transaction() as tx:
        assert await member_store.add_member(tx, member)
    return member


@pytest.fixture
async def clients(door: Door, db: Database) -> AsyncIterator[Clients]:
    """An owner by token, one of each kind of member, and somebody who is none."""
    await join(db, OWNER, "owner")
    await join(db, AGENT, "agent", LAST_DAY)
    await join(db, VIEWER, "viewer")
    async with AsyncExitStack() as stack:
        yield {
            actor: await stack.enter_async_context(door.client(actor))
            for actor in (APPLICANT, OWNER, AGENT, VIEWER, NOBODY)
        }


def test_every_action_of_an_enterprise_says_how_far_its_members_reach() -> None:
    own = {action for action, rule in POLICY.items() if "enterprise" in rule.own}
    assert own == READING | APPLYING | {"file.add", "title.report"}
    assert READING.isdisjoint(APPLYING)


@pytest.mark.parametrize("person", [OWNER, AGENT], ids=["owner", "agent"])
async def test_owners_and_agents_apply_and_what_they_do_stands_under_their_names(
    clients: Clients, db: Database, person: Actor
) -> None:
    member = clients[person]
    assert (await member.post("/v1/files", content=PDF, params={"enterprise": USCC})).status_code == 201
    case = await member.post("/v1/cases", json=NEW)
    assert case.status_code == 201, case.text
    address = f"/v1/cases/{case.json()['case_id']}"
    steps: list[tuple[str, str, Any]] = [
        ("PUT", "", {"facts": {}}), ("POST", "/submit", None), ("POST", "/withdraw", None),
    ]  # fmt: skip
    for version, (method, verb, body) in enumerate(steps, 1):
        seen = {"If-Match": f'"{version}"'}
        answer = await member.request(method, f"{address}{verb}", json=body, headers=seen)
        assert answer.status_code == 200, answer.text
    decisions = (await clients[APPLICANT].get(address)).json()["decisions"]
    assert [(one["verb"], one["actor"]) for one in decisions] == [
        (verb, str(person)) for verb in ("draft", "revise", "submit", "withdraw")
    ]
    row = await db.fetchrow("SELECT enterprise_id, added_by FROM files")
    assert row is not None
    assert tuple(row) == (USCC, str(person))


async def test_a_viewer_reads_all_and_does_nothing(clients: Clients, way: Way) -> None:
    viewer, case = clients[VIEWER], await way.drafted()
    address, named = f"/v1/cases/{case.case_id}", {"enterprise": USCC}
    assert (await viewer.get(address)).json()["case"]["enterprise_id"] == USCC
    assert (await viewer.get(f"{address}/documents/rd_audit")).content == PDF
    for path in ("/v1/cases", "/v1/files"):
        assert len((await viewer.get(path, params=named)).json()["items"]) == 1
    seen = {"If-Match": '"1"'}
    writes = [
        await viewer.post("/v1/files", content=PDF, params=named),
        await viewer.post("/v1/cases", json=NEW),
        await viewer.put(address, json={"facts": {}}, headers=seen),
        await viewer.post(f"{address}/submit", headers=seen),
        await viewer.post(f"{address}/withdraw", headers=seen),
    ]
    assert [(one.status_code, one.json()["code"]) for one in writes] == [(403, "viewers-only-look")] * 5


async def test_a_viewer_is_told_in_its_language_what_is_not_for_it(door: Door, db: Database) -> None:
    await join(db, VIEWER, "viewer")
    async with door.client(VIEWER, "zh-CN") as viewer:
        refused = (await viewer.post("/v1/files", content=PDF, params={"enterprise": USCC})).json()
    assert refused["detail"] == "您是该企业的查看人，只能查看，不能办理：上传文件。"
    assert refused["rule"] == "members"


async def test_who_is_no_member_finds_nothing_and_names_its_enterprise(clients: Clients, way: Way) -> None:
    nobody, case, named = clients[NOBODY], await way.drafted(), {"enterprise": USCC}
    strange = [
        await nobody.get(f"/v1/cases/{case.case_id}"),
        await nobody.get("/v1/cases", params=named),
        await nobody.get("/v1/files", params=named),
        await nobody.post("/v1/files", content=PDF, params=named),
        await nobody.post("/v1/cases", json=NEW),
    ]
    assert [one.status_code for one in strange] == [404] * 5
    unnamed = [
        await nobody.get("/v1/cases"),
        await nobody.get("/v1/files"),
        await nobody.post("/v1/files", content=PDF),
        await nobody.post("/v1/cases", json={**NEW, "enterprise_id": None}),
    ]
    assert [one.status_code for one in unnamed] == [422] * 4
    assert [one.json()["errors"][0]["field"] for one in unnamed] == ["enterprise"] * 3 + ["enterprise_id"]


async def test_an_agent_acts_on_its_last_day_and_not_after_it(
    clients: Clients, way: Way, clock: FixedClock
) -> None:
    address = f"/v1/cases/{(await way.drafted()).case_id}"
    clock.set(datetime(2016, 8, 31, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    assert (await clients[AGENT].get(address)).status_code == 200
    clock.set(datetime(2016, 8, 31, 16, tzinfo=UTC))
    assert (await clients[AGENT].get(address)).status_code == 404
    seen = {"If-Match": '"1"'}
    assert (await clients[AGENT].post(f"{address}/withdraw", headers=seen)).status_code == 404
    assert (await clients[VIEWER].get(address)).status_code == 200


async def test_a_membership_that_has_ended_gives_nothing(clients: Clients, way: Way, db: Database) -> None:
    address = f"/v1/cases/{(await way.drafted()).case_id}"
    await db.fetch(
        "UPDATE members SET ended_at = joined_at, ended_by = invited_by WHERE person = $1", str(OWNER)
    )
    assert (await clients[OWNER].get(address)).status_code == 404
    await join(db, OWNER, "viewer")
    assert (await clients[OWNER].get(address)).status_code == 200
    seen = {"If-Match": '"1"'}
    assert (await clients[OWNER].post(f"{address}/withdraw", headers=seen)).status_code == 403


async def test_a_membership_is_of_one_enterprise(clients: Clients, way: Way) -> None:
    way.applicant = Actor("zhou", "enterprise", enterprise_id=OTHER)
    other = await way.drafted()
    assert (await clients[AGENT].get(f"/v1/cases/{other.case_id}")).status_code == 404
    assert (await clients[OWNER].get(f"/v1/cases/{other.case_id}")).status_code == 200


async def test_what_is_for_officers_is_not_for_members(clients: Clients, way: Way) -> None:
    case = await way.submitted()
    seen = {"If-Match": '"2"'}
    refused = await clients[OWNER].post(f"/v1/cases/{case.case_id}/accept", headers=seen)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_members_are_not_asked_for_while_an_owner_by_token_acts(way: Way, db: Database) -> None:
    await db.fetch("ALTER TABLE members RENAME TO gone")
    case = await way.submitted()
    await way.step("accept_case", OFFICER, case.case_id)
    await way.step("withdraw_case", APPLICANT, case.case_id)


async def test_reports_and_changes_of_an_agent_stand_under_its_name(
    title: Title, way: Way, door: Door, clock: FixedClock
) -> None:
    clock.set(datetime(2017, 5, 31, tzinfo=UTC))
    await join(way.db, AGENT, "agent", date(2017, 12, 31))
    path = f"/v1/titles/{title.number}"
    async with door.client(AGENT) as agent, door.client(APPLICANT) as own:
        assert (await agent.post(f"{path}/reports", json=REPORT)).status_code == 201
        assert (await agent.post(f"{path}/changes", json=CHANGE)).status_code == 201
        [report] = (await own.get(f"{path}/reports")).json()
        [change] = (await own.get(f"{path}/changes")).json()
        assert len((await agent.get(f"{path}/duties")).json()) == 3
    assert (report["handed_in_by"], change["reported_by"]) == (str(AGENT), str(AGENT))


@pytest.fixture
async def sme(way: Way, clock: FixedClock) -> Way:
    """On the last day before agents were forbidden (科技型中小企业评价工作通知（2025年）)."""
    clock.set(datetime(2025, 6, 29, 2, tzinfo=UTC))
    way.programme, way.applicant = "sme", APPLICANT
    await join(way.db, AGENT, "agent", SME_LAST_DAY)
    await join(way.db, OWNER, "owner")
    return way


async def test_where_the_edition_forbids_agents_none_applies_and_owners_do(
    sme: Way, door: Door, clock: FixedClock
) -> None:
    draft = {"programme": "sme", "case_type": "first", "enterprise_id": USCC}
    async with door.client(AGENT) as agent, door.client(OWNER) as owner:
        address = f"/v1/cases/{(await agent.post('/v1/cases', json=draft)).json()['case_id']}"
        clock.advance(timedelta(days=1))
        seen = {"If-Match": '"1"'}
        refused = [
            await agent.post("/v1/cases", json=draft),
            await agent.put(address, json={"facts": {}}, headers=seen),
            await agent.post(f"{address}/submit", headers=seen),
            await agent.post(f"{address}/withdraw", headers=seen),
        ]
        assert (await agent.get(address)).status_code == 200
        assert (await owner.post(f"{address}/withdraw", headers=seen)).status_code == 200
    assert [(one.status_code, one.json()["code"], one.json()["rule"]) for one in refused] == [
        (403, "no-agents", "agents")
    ] * 4
    assert refused[0].json()["source"] == "科技型中小企业评价工作通知（2025年） 代理"
    assert "不得由中介机构代理申报 / No agent may apply" in refused[0].json()["detail"]


async def test_an_applicant_s_verb_that_does_not_ask_the_edition_is_nobody_s_way_around_it(
    sme: Way, clock: FixedClock
) -> None:
    case = await sme.drafted(())
    with pytest.raises(RuntimeError, match="for the edition to say"):
        async with sme.db.transaction(AGENT) as tx:
            await take(tx, case.case_id, "case.submit", None)
    clock.advance(timedelta(days=1))
    with pytest.raises(NoAgents):
        await sme.step("submit_case", AGENT, case.case_id)


@pytest.mark.parametrize(("kind", "until"), [("agent", None), ("owner", LAST_DAY), ("viewer", LAST_DAY)])
async def test_an_agent_has_a_last_day_and_nobody_else(
    db: Database, kind: MemberKind, until: date | None
) -> None:
    with pytest.raises(ValueError, match="an agent acts until a day"):
        await join(db, AGENT, kind, until)
