"""A whole round through the doors: enterprises, a directory of experts, drawn panels, officers.

The demonstration walks it with a few enterprises, the story among the tests with three hundred.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

import yaml

from casework.uscc import check_character
from chassis.clock import SHANGHAI
from chassis.identity import Actor
from huiqi.demo_doors import OFFICER, Doors, person, until
from huiqi.demo_year import data_folder
from huiqi.house import House
from huiqi.scan import SCAN, described

FACTS: Final[dict[str, Any]] = yaml.safe_load(
    (data_folder() / "facts" / "whole-firm.hnte.yaml").read_text(encoding="utf-8")
)
SECTIONS: Final = ("years", "ip", "conversions", "incidents")
SERVICE: Final = "certification"
ORGANISATION: Final = ("rd_rules", "rd_body", "conversion_incentives", "staff_training")
FINANCIAL: Final = ("growth_net_assets", "growth_sales")
Item = TypeVar("Item")


def uscc_of(number: int) -> str:
    first = f"91441702MA{number:07d}"
    return first + check_character(first)


@dataclass
class Firm:
    """One applicant. All are alike but for this: a poor one gets no points for how it organises its R&D, and fails."""

    number: int
    is_poor: bool
    contact_email: str | None = None
    case_id: str = ""

    @property
    def name(self) -> str:
        return f"海陵第{self.number}精密制造有限公司"

    @property
    def uscc(self) -> str:
        return uscc_of(self.number)

    @property
    def actor(self) -> Actor:
        return person(f"enterprise:{self.uscc}")


@dataclass
class Round:
    """`scan_of` is the file that a firm uploads for a paper; files with the same bytes are uploaded once."""

    house: House
    doors: Doors
    firms: Sequence[Firm]
    scan_of: Callable[[Firm, str], bytes] = lambda _firm, _paper: SCAN
    papers: list[str] = field(default_factory=list)
    experts: dict[str, Actor] = field(default_factory=dict)

    async def all(self, firms: Iterable[Firm], act: Callable[[Firm], Awaitable[Item]]) -> list[Item]:
        """The doors let some in at once; whoever fails ends all."""
        return list(await asyncio.gather(*(act(firm) for firm in firms)))

    async def open(self, call: dict[str, Any]) -> str:
        """Calls the round, and learns which papers its edition wants. The round's id."""
        called = await self.ask(OFFICER, "POST", "/v1/rounds", call)
        edition = await self.doors.get(OFFICER, SERVICE, "/v1/programmes/hnte/editions/2016-01-01")
        self.papers = [paper["id"] for paper in edition["documents"]]
        return str(called["round_id"])

    async def ask(self, who: Actor, method: str, path: str, body: Any = None, seen: str | None = None) -> Any:
        return (await self.doors.ask(who, SERVICE, method, path, body, seen=seen)).json()

    async def say(self, who: Actor, firm: Firm, verb: str, body: dict[str, Any] | None = None) -> Any:
        """The verb on the case as it stands now."""
        path = f"/v1/cases/{firm.case_id}"
        seen = (await self.doors.ask(OFFICER, SERVICE, "GET", path)).headers["ETag"]
        return await self.ask(who, "POST", f"{path}/{verb}", body, seen)

    async def state(self, firm: Firm) -> str:
        return str((await self.ask(OFFICER, "GET", f"/v1/cases/{firm.case_id}"))["case"]["state"])

    async def apply(self, firm: Firm) -> None:
        """Registers the firm and hands its application in."""
        path = f"/v1/enterprises/{firm.uscc}"
        entry = {name: fact for name, fact in FACTS["enterprise"].items() if name != "uscc"}
        own = {"name": firm.name, "contact_email": firm.contact_email}
        await self.ask(OFFICER, "PUT", path, entry | own)
        await self.ask(
            OFFICER, "PUT", f"{path}/facts", {name: FACTS[name] for name in SECTIONS if name in FACTS}
        )
        scans = {paper: self.scan_of(firm, paper) for paper in self.papers}
        for content in dict.fromkeys(scans.values()):
            await self.ask(firm.actor, "POST", "/v1/files", content)
        documents = [
            {"paper": paper, "file_name": f"{paper}.pdf", **described(content)}
            for paper, content in scans.items()
        ]
        body = {"programme": "hnte", "case_type": "first", "documents": documents}
        firm.case_id = (await self.ask(firm.actor, "POST", "/v1/cases", body))["case_id"]
        await self.say(firm.actor, firm, "submit")

    async def take_in(self, firm: Firm) -> None:
        await self.say(OFFICER, firm, "accept")
        await self.say(OFFICER, firm, "review")

    async def engage(self, technical: int, financial: int) -> None:
        for place in range(technical + financial):
            kind, subject = "technical" if place < technical else "financial", f"expert{place:02d}"
            entry = {"subject": subject, "name": f"专家{place:02d}", "kind": kind}
            added = await self.ask(OFFICER, "POST", "/v1/experts", entry)
            self.experts[added["expert_id"]] = person(f"expert:{subject}")

    async def commit(self, firms: Sequence[Firm]) -> dict[str, Any]:
        """Commits to one draw for all of them. What is published of it, without the seed."""
        cases = [{"case_id": firm.case_id} for firm in firms]
        committed: dict[str, Any] = await self.ask(OFFICER, "POST", "/v1/draws", {"cases": cases})
        return committed

    async def reveal(self, committed: dict[str, Any]) -> bytes:
        """Reveals the draw, which seats the panels. The published file."""
        path = f"/v1/draws/{committed['pool']['draw_id']}"
        await self.ask(OFFICER, "POST", f"{path}/reveal", {})
        return (await self.doors.ask(OFFICER, SERVICE, "GET", path)).content

    async def seats(self, firm: Firm) -> list[dict[str, Any]]:
        panel = await self.ask(OFFICER, "GET", f"/v1/cases/{firm.case_id}/panel")
        return [seat for seat in panel["seats"] if seat["recused_at"] is None]

    async def judge(self, firm: Firm) -> None:
        """Every expert of its panel hands a sheet in."""
        for seat in await self.seats(firm):
            expert, path = self.experts[seat["expert_id"]], f"/v1/cases/{firm.case_id}/sheet"
            points = {**FACTS["judgements"], **(dict.fromkeys(ORGANISATION, 0) if firm.is_poor else {})}
            is_financial = seat["kind"] == "financial"
            given = {name: one for name, one in points.items() if (name in FINANCIAL) == is_financial}
            filled = await self.doors.ask(expert, SERVICE, "PUT", path, {"given": given}, seen='"0"')
            await self.ask(expert, "POST", f"{path}/hand-in", None, filled.headers["ETag"])

    async def publish(self, firm: Firm) -> None:
        await self.say(OFFICER, firm, "propose", {"proposal": "grant"})
        await self.say(OFFICER, firm, "notice")

    async def refuse(self, firm: Firm, reason: str) -> None:
        said = {"reasons": [reason]}
        await self.say(OFFICER, firm, "propose", {"proposal": "refuse", **said})
        await self.say(OFFICER, firm, "refuse", said)

    async def object(self, firm: Firm, name: str) -> str:
        """Somebody who is not signed in; the path of the objection."""
        letter = {
            "name": name,
            "contact": "0662-1234567",
            "statement": "所列发明专利的权利人不是该企业，附转让公告。",
        }
        lodged = await self.ask(
            person("auditor:sun"), "POST", f"/v1/notices/{firm.case_id}/objections", letter
        )
        return f"objections/{lodged['objection_id']}"

    async def last_day(self, firm: Firm) -> date:
        notice = (await self.ask(OFFICER, "GET", f"/v1/cases/{firm.case_id}"))["notice"]
        return date.fromisoformat(notice["ends_on"])

    async def let_the_notice_run_out(self, firms: Sequence[Firm]) -> date:
        """The day after the last of them, with every one recorded."""
        after = max([await self.last_day(firm) for firm in firms]) + timedelta(days=1)
        self.house.set_clock(datetime.combine(after, datetime.min.time(), SHANGHAI))
        for firm in firms:
            await until(f"{firm.uscc} is recorded", lambda firm=firm: self._is_recorded(firm), seconds=60)  # type: ignore[misc]  # mypy reads no default of a lambda
        return after

    async def _is_recorded(self, firm: Firm) -> bool | None:
        return True if await self.state(firm) == "recorded" else None

    async def grant(self, firm: Firm) -> dict[str, Any]:
        title: dict[str, Any] = await self.say(OFFICER, firm, "grant")
        return title
