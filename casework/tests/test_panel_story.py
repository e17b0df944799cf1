"""A panel's way over HTTP: commit, reveal, recusal, sheets, sealed, totals, outliers, title."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from casework.draw_file import Draw, verify
from casework_way import EXPERT, OFFICER, OTHER, STRANGER, USCC, Door, Way
from chassis.clock import FixedClock
from chassis.identity import Actor
from panel_way import answered, case_tag, entry, given_by

AUDITOR = Actor("sun", "auditor")


@dataclass
class Story:
    """One case and its panel, seen through the doors; each step checks what it is answered."""

    door: Door
    officer: httpx.AsyncClient
    case_id: str
    experts: list[dict[str, Any]] = field(default_factory=list)
    sealed: dict[str, Any] = field(default_factory=dict)
    seats: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"/v1/cases/{self.case_id}"

    @property
    def draw(self) -> str:
        return f"/v1/draws/{self.sealed['pool']['draw_id']}"

    def person(self, seat: dict[str, Any]) -> Actor:
        return Actor(
            next(e["subject"] for e in self.experts if e["expert_id"] == seat["expert_id"]), "expert"
        )

    async def add_experts(self) -> None:
        """Twenty, and one who works for the applicant."""
        for place in range(1, 22):
            more = {"employer_id": USCC, "employer_name": "示例精密制造有限公司"} if place == 21 else {}
            made = await answered(self.officer.post("/v1/experts", json=entry(place, **more)), 201)
            self.experts.append(made.json())
        listed = await answered(self.officer.get("/v1/experts", params={"limit": 200}))
        assert listed.json()["items"] == self.experts

    async def commit(self) -> None:
        wanted = {"cases": [{"case_id": self.case_id}]}
        self.sealed = (await answered(self.officer.post("/v1/draws", json=wanted), 201)).json()
        async with self.door.client() as anybody:
            assert (await answered(anybody.get(self.draw))).json() == self.sealed
        assert (self.sealed["seed"], self.sealed["panels"]) == (None, [])
        barred = [self.experts[-1]["expert_id"]]
        assert self.sealed["pool"]["cases"] == [{"case_id": self.case_id, "field": None, "barred": barred}]
        assert "专家" not in json.dumps(self.sealed, ensure_ascii=False)
        await answered(self.officer.get(f"{self.address}/panel"), 404)

    async def reveal(self) -> None:
        await answered(self.officer.post(f"{self.draw}/reveal", json={}))
        await answered(self.officer.post(f"{self.draw}/reveal", json={}), 409)
        panel = (await answered(self.officer.get(f"{self.address}/panel"))).json()
        employee = self.experts[-1]["expert_id"]
        assert [p["passed"] for p in panel["places"] if p["expert_id"] == employee] in ([], ["barred"])
        await self.check_published()

    async def check_published(self) -> None:
        """What anybody reads gives the panel that sits, under the hashes announced first."""
        async with self.door.client() as anybody:
            published = await answered(anybody.get(self.draw))
            [row] = (await answered(anybody.get("/v1/draws", params={"programme": "hnte"}))).json()["items"]
        assert (row["experts"], row["cases"], row["seed_hash"]) == (21, 1, self.sealed["seed_hash"])
        hashes = {name: self.sealed[name] for name in ("seed_hash", "pool_hash")}
        repeated = verify(published.content, **hashes)
        assert isinstance(repeated, Draw)
        drawn = repeated.panels[0].seated
        panel = (await answered(self.officer.get(f"{self.address}/panel"))).json()
        self.seats = [seat for seat in panel["seats"] if not seat["recused_at"]]
        assert [str(place.expert_id) for place in drawn] == [seat["expert_id"] for seat in self.seats]
        assert "daughter" not in published.text

    async def recuse_one(self) -> None:
        leaves = next(seat for seat in self.seats if not seat["head"])
        recusal = {"expert_id": leaves["expert_id"], "reason": "taught the owner's daughter"}
        async with self.door.client(self.person(leaves)) as expert:
            [own] = (await answered(expert.get("/v1/seats"))).json()["items"]
            assert own["case_id"] == self.case_id
            stale = {"If-Match": '"1"'}
            await answered(expert.post(f"{self.address}/recusals", json=recusal, headers=stale), 412)
            tag = await case_tag(self.door, self.case_id)
            await answered(expert.post(f"{self.address}/recusals", json=recusal, headers=tag))
            assert (await answered(expert.get("/v1/seats"))).json()["items"] == []
            await answered(expert.get(f"{self.address}/sheet"), 404)
        await self.check_published()
        assert leaves["expert_id"] not in {seat["expert_id"] for seat in self.seats}

    async def mark(self, harsh: dict[str, Any]) -> None:
        """Everybody hands in; before the last nothing is to be seen of any sheet."""
        for seat in self.seats:
            sealed = await answered(self.officer.get(f"{self.address}/scores"), 409)
            assert sealed.json()["code"] == "sheets-sealed"
            assert (await answered(self.officer.get(self.address))).json()["judgements"] == []
            low = {"rd_rules": 0, "rd_body": 0, "staff_training": 0} if seat is harsh else {}
            handed = await self.fill(seat, **low)
        assert handed["opened_at"] is not None

    async def fill(self, seat: dict[str, Any], **changes: Any) -> dict[str, Any]:
        sheet = f"{self.address}/sheet"
        async with self.door.client(self.person(seat)) as expert:
            form = await answered(expert.get(sheet))
            assert {line["name"] for line in form.json()["lines"]} == set(given_by(seat["kind"]))
            body, tag = {"given": given_by(seat["kind"], **changes)}, form.headers["ETag"]
            filled = await answered(expert.put(sheet, json=body, headers={"If-Match": tag}))
            tag = filled.headers["ETag"]
            handed = await answered(expert.post(f"{sheet}/hand-in", headers={"If-Match": tag}))
        found: dict[str, Any] = handed.json()
        return found

    async def check_scores(self, harsh: dict[str, Any]) -> None:
        head = next(seat for seat in self.seats if seat["head"])
        async with self.door.client(self.person(head)) as lead, self.door.client(AUDITOR) as auditor:
            scores = (await answered(lead.get(f"{self.address}/scores"))).json()
            assert (await answered(auditor.get(f"{self.address}/scores"))).json() == scores
        assert [s["expert_id"] for s in scores["sheets"] if s["outlier"]] == [harsh["expert_id"]]
        assert (scores["outlier_points"], scores["outlier_verified"]) == ("10", False)
        async with self.door.client(self.person(harsh)) as expert:
            await answered(expert.get(f"{self.address}/scores"), 404)

    async def say(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        tag = await case_tag(self.door, self.case_id)
        said = await answered(self.officer.post(f"{self.address}/{verb}", json=body, headers=tag))
        found: dict[str, Any] = said.json()
        return found


async def test_a_panel_is_drawn_judges_and_its_mean_carries_the_title(
    door: Door, way: Way, clock: FixedClock
) -> None:
    case = await way.in_review()
    async with door.client(OFFICER) as officer:
        story = Story(door, officer, str(case.case_id))
        await story.add_experts()
        await story.commit()
        await story.reveal()
        await story.recuse_one()
        harsh = next(seat for seat in story.seats if seat["kind"] == "technical" and not seat["head"])
        await story.mark(harsh)
        await story.check_scores(harsh)
        await story.say("propose", {"proposal": "grant"})
        await story.say("notice")
        clock.advance(timedelta(days=15))
        await way.meet_deadlines()
        assert (await story.say("grant"))["number"] == "GR201644000001"
    told = ["draw-committed", "draw-revealed", "panel-drawn", *["expert-called"] * 5]
    told += ["expert-recused", "expert-released", "expert-called", "case-judged"]
    assert (await way.said())[1 : len(told) + 1] == told
    rows = await way.db.fetch("SELECT verb FROM decisions ORDER BY version")
    assert [row["verb"] for row in rows][4:7] == ["draw_panel", "recuse", "judge"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_who_is_tied_is_told_so_in_its_own_language(door: Door, way: Way, language: str) -> None:
    case = await way.submitted()
    async with door.client(OFFICER, language) as officer:
        body = {"enterprise_id": USCC, "ground": "holding"}
        await answered(officer.post("/v1/interests", json=body), 201)
        tag = {"If-Match": f'"{case.version}"'}
        answer = await answered(officer.post(f"/v1/cases/{case.case_id}/accept", headers=tag), 403)
        said = answer.json()["detail"]
        assert ("持有股份" if language == "zh-CN" else "(holding)") in said
        [tie] = (await answered(officer.get("/v1/interests", params={"enterprise": USCC}))).json()["items"]
        assert tie["person"] == "officer:li"
        await answered(officer.post(f"/v1/interests/{tie['interest_id']}/end"), 403)


@pytest.mark.parametrize(
    "entry_given",
    [
        {"subject": "a b", "name": "x", "kind": "technical"},
        {"subject": "ab", "name": "x", "kind": "poet"},
        {"subject": "ab", "name": "x", "kind": "technical", "employer_id": "91441702MA4UABCD1X"},
        {"subject": "ab", "name": "x", "kind": "technical", "holdings": ["1"]},
        {
            "subject": "ab",
            "name": "x",
            "kind": "technical",
            "available_from": "2016-02-02",
            "available_until": "2016-02-01",
        },
        {"subject": "ab", "name": "x\u0007", "kind": "technical"},
        {"subject": "ab", "kind": "technical"},
    ],
)
async def test_a_malformed_entry_is_refused_with_its_field(door: Door, entry_given: dict[str, Any]) -> None:
    async with door.client(OFFICER) as officer:
        answer = await answered(officer.post("/v1/experts", json=entry_given), 422)
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert (await answered(officer.get("/v1/experts"))).json()["items"] == []


async def test_a_malformed_draw_is_refused(door: Door, way: Way) -> None:
    case = {"case_id": str((await way.in_review()).case_id)}
    async with door.client(OFFICER) as officer:
        malformed: list[dict[str, Any]] = [
            {"cases": []}, {"cases": [case, case]}, {"cases": [{**case, "field": "\u0000"}]},
            {"cases": [case], "size": 0},
        ]  # fmt: skip
        for wanted in malformed:
            await answered(officer.post("/v1/draws", json=wanted), 422)
        small = await answered(officer.post("/v1/draws", json={"cases": [case]}), 409)
        assert (small.json()["code"], small.json()["rule"]) == ("pool-too-small", "panel.pool_multiple")
        assert "国科发火〔2016〕195号" in small.json()["source"]


_NEW = {"subject": "ab", "name": "x", "kind": "technical"}
_TIE = {"enterprise_id": OTHER, "ground": "declared"}


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("POST", "/v1/experts", _NEW, {"officer"}),
        ("GET", "/v1/experts", None, {"officer", "auditor"}),
        ("POST", "/v1/interests", _TIE, {"officer", "expert"}),
        ("GET", "/v1/interests", None, {"officer", "auditor", "expert"}),
        ("GET", "/v1/draws", None, {"officer", "auditor", "expert", "enterprise", "public"}),
        ("GET", "/v1/seats", None, {"expert"}),
    ],
)
async def test_each_door_is_for_those_whom_the_policy_names(
    door: Door, method: str, path: str, body: Any, allowed: set[str]
) -> None:
    who = {"officer": OFFICER, "auditor": AUDITOR, "expert": EXPERT, "enterprise": STRANGER, "public": None}
    for role, actor in who.items():
        async with door.client(actor) as client:
            answer = await client.request(method, path, json=body)
        assert (answer.status_code < 300) == (role in allowed), (role, answer.text)
        assert role in allowed or answer.status_code == (401 if role == "public" else 403)
