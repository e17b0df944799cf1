"""Cases at every step of their way, made through the doors of a running service."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from frame import EXPERT, OFFICER, Frame, firm, new_uscc

from chassis.clock import SHANGHAI
from huiqi.scan import SCAN, SCANNED

FACTS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "data/facts/whole-firm.hnte.yaml").read_text(encoding="utf-8")
)
SECTIONS = ("years", "ip", "conversions")
FIRM = {
    "name": "示例精密制造有限公司", "region": "441702", "established_on": "2003-03-17", "mainland_resident": True,
}  # fmt: skip
POINTS = {
    "ip_steered_rd": 4, "valid_patents": 5, "patent_applications": 4, "other_ip": 3, "invention_share": 4,
    "grant_rate": 5, "ip_abroad": 0, "patent_product_share": 14, "other_ip_income": 4, "management_standard": 7,
    "ip_strategy": 1, "inventor_reward": 2, "ip_department": 3, "rd_share": 3, "ip_spend_share": 3,
    "training_and_protection": 8,
}  # fmt: skip
EDITIONS = {"certification": ("hnte", "2016-01-01"), "ip-enterprise": ("ip-advantage", "2009-01-01")}
JUDGEMENTS = {"certification": FACTS["judgements"], "ip-enterprise": POINTS}
GRANT, REFUSE = {"proposal": "grant"}, {"proposal": "refuse", "reasons": ["not enough"]}
LOOK = {
    "outcome": "passed", "held_on": "2016-08-01", "officers": [OFFICER.subject], "findings": "现场与申报材料一致，未见异常。",
}  # fmt: skip
Steps = list[tuple[str, Any, Any]]
_SUBMITTED: Steps = [("submit", None, None)]
_ACCEPTED: Steps = [*_SUBMITTED, ("accept", OFFICER, None)]
_IN_REVIEW: Steps = [*_ACCEPTED, ("review", OFFICER, None)]
_JUDGED: Steps = [*_IN_REVIEW, ("judgements", EXPERT, {})]
WAYS: dict[str, Steps] = {
    "a draft": [],
    "a submitted case": _SUBMITTED,
    "an accepted case": _ACCEPTED,
    "a case in review": _IN_REVIEW,
    "a judged case": _JUDGED,
    "a case to be refused": [*_JUDGED, ("propose", OFFICER, REFUSE)],
    "a case to be granted": [*_JUDGED, ("propose", OFFICER, GRANT)],
    "a case on notice": [*_JUDGED, ("propose", OFFICER, GRANT), ("notice", OFFICER, None)],
    "a case after its notice": [*_JUDGED, ("propose", OFFICER, GRANT), ("notice", OFFICER, None)],
}


@dataclass
class Cases:
    """Each case is another enterprise's: an edition allows one application a year."""

    frame: Frame
    service: str
    _papers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def programme(self) -> str:
        return EDITIONS[self.service][0]

    def enterprise(self) -> str:
        """Registered with its facts, and known to the service."""
        uscc = new_uscc()
        self.frame.done("certification", "PUT", f"/v1/enterprises/{uscc}", OFFICER, json=FIRM)
        if self.service == "certification":
            facts = yaml_as_json({name: FACTS[name] for name in SECTIONS})
            self.frame.done("certification", "PUT", f"/v1/enterprises/{uscc}/facts", OFFICER, json=facts)
        else:
            known = "SELECT 1 FROM enterprises WHERE enterprise_id = $1"
            self.frame.until(lambda: self.frame.rows(self.service, known, uscc) or None, f"{uscc} is known")
        return uscc

    def draft(self, uscc: str) -> dict[str, Any]:
        """The body of a new case, whose documents are uploaded."""
        self.frame.done(self.service, "POST", "/v1/files", firm(uscc), content=SCAN)
        own = {"enterprise": {"mainland_resident": True}, "ip": [{"id": "X", "kind": "design"}]}
        facts = own if self.service == "ip-enterprise" else {}
        return {
            "programme": self.programme, "case_type": "first", "enterprise_id": uscc, "facts": facts,
            "documents": self.papers(),
        }  # fmt: skip

    def papers(self) -> list[dict[str, Any]]:
        if not self._papers:
            path = "/v1/programmes/{}/editions/{}".format(*EDITIONS[self.service])
            edition = self.frame.done(self.service, "GET", path, OFFICER).json()
            self._papers = [
                {"paper": paper["id"], "file_name": f"{paper['id']}.pdf", **SCANNED}
                for paper in edition["documents"] if "first" in (paper.get("case_types") or ["first"])
            ]  # fmt: skip
        return self._papers

    def case(self, of: str) -> tuple[str, str, str]:
        """The enterprise, the case and its ETag."""
        uscc = self.enterprise()
        answer = self.frame.done(self.service, "POST", "/v1/cases", firm(uscc), json=self.draft(uscc))
        case_id, etag = answer.json()["case_id"], answer.headers["ETag"]
        for verb, who, body in WAYS[of]:
            sent = {"judgements": JUDGEMENTS[self.service]} if body == {} else body
            path = f"/v1/cases/{case_id}/{verb}"
            answer = self.frame.done(
                self.service, "POST", path, who or firm(uscc), json=sent, headers={"If-Match": etag}
            )
            etag = answer.headers["ETag"]
        if of == "a case after its notice":
            etag = self._let_the_notice_run_out(case_id)
        return uscc, case_id, etag

    def _let_the_notice_run_out(self, case_id: str) -> str:
        path = f"/v1/cases/{case_id}"
        notice = self.frame.done(self.service, "GET", path, OFFICER).json()["notice"]
        after = date.fromisoformat(notice["ends_on"]) + timedelta(days=1)
        self.frame.house.set_clock(datetime.combine(after, datetime.min.time(), SHANGHAI))

        def recorded() -> str | None:
            answer = self.frame.done(self.service, "GET", path, OFFICER)
            return answer.headers["ETag"] if answer.json()["case"]["state"] == "recorded" else None

        return self.frame.until(recorded, "the notice runs out")


def yaml_as_json(content: Any) -> Any:
    """Dates as texts."""
    match content:
        case dict():
            return {name: yaml_as_json(inner) for name, inner in content.items()}
        case list():
            return [yaml_as_json(inner) for inner in content]
        case date():
            return content.isoformat()
        case _:
            return content


def body_for(service: str, route: str) -> dict[str, Any] | None:
    verb = route.rpartition("/")[2]
    judged = {"core_ip_supports": True} if service == "certification" else JUDGEMENTS[service]
    bodies: dict[str, dict[str, Any]] = {
        "return": {"defects": ["no stamp"]}, "judgements": {"judgements": judged},
        "propose": {"proposal": "grant"}, "refuse": {"reasons": ["not enough"]},
        "outcomes": LOOK,
    }  # fmt: skip
    return {"facts": {}} if route.startswith("PUT") else bodies.get(verb)
