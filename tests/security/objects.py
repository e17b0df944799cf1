"""What is asked for in the matrix: each object with its owners, and the request that reaches it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cases import EDITIONS, FACTS, FIRM, SECTIONS, WAYS, Cases, body_for, yaml_as_json
from frame import EXPERT, OFFICER, OTHER_OFFICER, Frame, bank, firm, new_uscc
from members import made as member_made
from panels import OF_PANELS, WITH, Panels
from rounds import Rounds

from huiqi.scan import SCAN, SCANNED

BANK, RIVAL = "harbour", "delta"
NEED = {"amount": "1200000.00", "term_months": 12}
PRODUCT = {
    "name": {"zh": "科技贷", "en": "S&T loan"}, "amount_max": "5000000.00", "term_months_max": 36,
    "annual_rate_from": "0.0385", "annual_rate_to": "0.0435", "programmes": [], "open": True,
}  # fmt: skip
CONSENT = {
    "bank_id": BANK, "purpose": "financing", "fields": ["need.amount"], "text_version": "1",
    "expires_on": "2017-07-31", "on_title": False,
}  # fmt: skip
REPORT = {"duty": "annual_report", "year": 1999, "contents": {"sales_revenue": "1.00"}}
CHANGE = {"change": "rename_or_material_change", "changed_on": "2016-01-04", "description": "a merger"}
KEPT = {"result": "kept", "reasons": ["the registration was seen"]}
ASSESSMENT = {"duty": "recheck", "year": 2019, "result": "passed", "reasons": ["seen on the spot"]}
REVOCATION = {"ground": "serious_fraud", "conduct_on": "2016-01-04", "reasons": ["the audit was invented"]}
OBJECTION = {"name": "陈某某", "contact": "0662-0000000", "statement": "所列发明专利的权利人不是该企业。"}
ASSETS = "编号,统一社会信用代码,种类,取得方式,授权日期,届满日期,是否有效,是否自有,是否与主要产品相关"


@dataclass(frozen=True)
class Object:
    """`address` fills the route, `request` is what httpx takes; `mark` is a text that names it in any answer."""

    enterprise_id: str
    address: dict[str, str] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    mark: str | None = None
    bank_id: str = BANK


class Objects:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._cases = {name: Cases(frame, name) for name in ("certification", "ip-enterprise")}
        self._rounds = Rounds(frame, self._cases)
        self._granted: dict[str, tuple[str, str]] = {}
        self._panels = {name: Panels(frame, name, cases) for name, cases in self._cases.items()}

    def make(self, service: str, route: str, of: str) -> Object:
        """A new one."""
        if service in self._panels and of in OF_PANELS:
            return self._of_panels(service, route, of)
        of_its_own = {
            "a new round": self._round, "a round": self._round, "a scan": self._scan,
            "a case on notice": self._objection, "a case with objection": self._objection,
            "a new export": self._export, "an export": self._export,
            "a new sample": self._sample, "an unknown sample": self._sample,
            "a round of HNTE": self._round, "a decision list": self._round,
            "a new invitation": self._member, "an invitation": self._member, "a member": self._member,
        }  # fmt: skip
        if of in of_its_own:
            return of_its_own[of](service, route, of)
        if service in self._cases and (of in WAYS or of in self._of_casework):
            return self._of_case(service, route, of)
        makers: dict[str, Any] = {
            "certification": self._of_certification, "ip-enterprise": self._of_ip_enterprise,
            "finance-link": self._of_finance_link, "notifier": self._of_notifier,
        }  # fmt: skip
        if of in ("nothing", "a status list"):
            return Object(new_uscc(), {} if of == "nothing" else {"list_id": "0"})
        made: Object = makers[service](route, of)
        return made

    _of_casework = (
        "a new case", "the cases of one enterprise", "a title", "a title held", "a reported change",
        "a title to be revoked", "an edition", "a file",
    )  # fmt: skip

    def _of_case(self, service: str, route: str, of: str) -> Object:
        cases = self._cases[service]
        match of:
            case "a new case":
                uscc = cases.enterprise()
                return Object(uscc, request={"json": cases.draft(uscc)})
            case "the cases of one enterprise":
                uscc, case_id, _ = cases.case("a draft")
                return Object(uscc, request={"params": {"enterprise": uscc}}, mark=case_id)
            case "a title" | "a title held" | "a reported change" | "a title to be revoked":
                return self._title(service, route, of)
            case "an edition":
                programme = cases.programme
                day = "2016-01-01" if service == "certification" else "2009-01-01"
                return Object(new_uscc(), {"programme": programme, "in_force_from": day})
            case "a file":
                return Object(new_uscc(), request={"content": self._asset_list(new_uscc(), "F")})
            case _:
                uscc, case_id, etag = cases.case(of)
                request = {"json": body_for(service, route), "headers": {"If-Match": etag}}
                address = {"case_id": case_id, "paper": "application_form", "inspection": "site_check"}
                return Object(uscc, address, request, case_id)

    def _scan(self, service: str, route: str, _of: str) -> Object:
        uscc = new_uscc()
        if route.startswith("POST "):
            return Object(uscc, request={"content": SCAN})
        self._frame.done(service, "POST", "/v1/files", firm(uscc), content=SCAN)
        return Object(uscc, mark=SCANNED["sha256"])

    def _of_panels(self, service: str, route: str, of: str) -> Object:
        panels, changes = self._panels[service], not route.startswith("GET ")
        match of:
            case "a new expert" | "an expert":
                expert_id = next(reversed(panels.directory().values()))
                request: dict[str, Any] = {"headers": {"If-Match": panels.version(expert_id)}}
                if changes:
                    request["json"] = panels.entry(f"e{uuid4().hex[:12]}", "financial")
                return Object(new_uscc(), {"expert_id": expert_id}, request, expert_id)
            case "a new interest":
                return Object(
                    new_uscc(), request={"json": {"enterprise_id": new_uscc(), "ground": "declared"}}
                )
            case "an interest":
                interest_id = panels.interest()["interest_id"]
                return Object(new_uscc(), {"interest_id": interest_id}, mark=interest_id)
            case "a new draw" | "a draw":
                uscc, case_id, _ = self._cases[service].case("a case in review")
                panels.directory()
                if of == "a new draw":
                    return Object(uscc, request={"json": {"cases": [{"case_id": case_id}]}})
                draw_id = panels.draw_of(case_id)
                return Object(uscc, {"draw_id": draw_id}, {"json": {}} if changes else {})
            case _:
                uscc, case_id, etag, expert_id = panels.panel(of)
                leaves = {"expert_id": expert_id, "reason": "ill"}
                bodies = {"recusals": leaves, "end": leaves, "sheet": {"given": {}}}
                body = bodies.get(route.rpartition("/")[2]) if changes else None
                tag = '"0"' if "/sheet" in route else etag
                request = {"json": body, "headers": {"If-Match": tag}} if changes else {}
                return Object(uscc, {"case_id": case_id}, request, case_id)

    def _round(self, service: str, _route: str, of: str) -> Object:
        match of:
            case "a decision list":
                uscc, address = self._rounds.decided()
                return Object(uscc, address, mark=address["list_id"])
            case "a round of HNTE":
                content = self._asset_list(new_uscc(), "F")
                return Object(new_uscc(), self._rounds.hnte(), {"content": content})
        call = self._rounds.call(service)
        if of == "a new round":
            return Object(new_uscc(), request={"json": call})
        address = self._rounds.called(service, call)
        return Object(new_uscc(), address, {"json": call, "headers": {"If-Match": '"1"'}})

    def _export(self, service: str, _route: str, of: str) -> Object:
        asked = {"list": "titles", "format": "csv"}
        if of == "a new export":
            return Object(new_uscc(), request={"json": asked})
        path = self._frame.done(service, "POST", "/v1/exports", OFFICER, json=asked).headers["Location"]
        self._frame.until(
            lambda: self._frame.done(service, "GET", path, OFFICER).json()["sha256"], f"{path} is written"
        )
        export_id = path.rpartition("/")[2]
        return Object(new_uscc(), {"export_id": export_id}, mark=export_id)

    def _sample(self, service: str, _route: str, of: str) -> Object:
        asked = {"programme": EDITIONS[service][0], "inspection": "random_check", "year": 2016}
        body = asked if of == "a new sample" else {}
        return Object(new_uscc(), {"draw_id": str(uuid4())}, {"json": body})

    def _member(self, _service: str, route: str, of: str) -> Object:
        uscc = self._cases["certification"].enterprise()
        return Object(uscc, *member_made(self._frame, uscc, route, of))

    def _title(self, service: str, route: str, of: str) -> Object:
        if of in ("a title held", "a reported change"):
            return self._title_held(service, route, of)
        uscc, case_id, etag = self._cases[service].case("a case after its notice")
        granted = self._frame.done(
            service, "POST", f"/v1/cases/{case_id}/grant", OFFICER, headers={"If-Match": etag}
        )
        number = granted.json()["number"]
        self._granted[service] = uscc, number
        if of == "a title to be revoked":
            path = f"/v1/titles/{number}/revocation"
            self._frame.done(service, "POST", path, OTHER_OFFICER, json=REVOCATION)
        body = {"revocation": REVOCATION, "decision": {"decision": "drop", "reasons": ["not proven"]}}
        given = body.get(route.rpartition("/")[2]) if route.startswith("POST") else None
        return Object(uscc, {"number": number}, {"json": given} if given else {})

    def _objection(self, service: str, route: str, of: str) -> Object:
        uscc, case_id, _ = self._cases[service].case("a case on notice")
        if of == "a case on notice":
            return Object(uscc, {"case_id": case_id}, {"json": OBJECTION})
        path = f"/v1/notices/{case_id}/objections"
        lodged = self._frame.done(service, "POST", path, OTHER_OFFICER, json=OBJECTION)
        address = {"case_id": case_id, "objection_id": lodged.json()["objection_id"]}
        if not route.startswith("POST"):
            return Object(uscc, address)
        seen = self._frame.done(service, "GET", f"/v1/cases/{case_id}", OFFICER).headers["ETag"]
        decision = {"decision": "dismiss", "reasons": ["not proven"]}
        return Object(uscc, address, {"json": decision, "headers": {"If-Match": seen}})

    def _title_held(self, service: str, route: str, of: str) -> Object:
        """One that was granted before, where there is one: each notice takes two weeks of the year."""
        if service not in self._granted:
            self._title(service, route, "a title")
        uscc, number = self._granted[service]
        change_id = str(uuid4())
        if of == "a reported change":
            path = f"/v1/titles/{number}/changes"
            change_id = self._frame.done(service, "POST", path, firm(uscc), json=CHANGE).json()["change_id"]
        bodies = {"reports": REPORT, "assessments": ASSESSMENT, "changes": CHANGE, "decision": KEPT}
        body = bodies[route.rpartition("/")[2]] if route.startswith("POST") else None
        return Object(uscc, {"number": number, "change_id": change_id}, {"json": body} if body else {})

    def _of_certification(self, route: str, of: str) -> Object:
        if of == "a self-check":
            facts = {**FACTS, "enterprise": FACTS["enterprise"]}
            return Object(new_uscc(), request={"json": yaml_as_json(facts)})
        uscc = self._cases["certification"].enterprise()
        facts = yaml_as_json({name: FACTS[name] for name in SECTIONS})
        body = facts if of == "facts" else {**FIRM, "name": "改名有限公司"}
        return Object(uscc, {"uscc": uscc}, {"json": body} if route.startswith("PUT") else {}, uscc)

    def _of_ip_enterprise(self, route: str, of: str) -> Object:
        uscc, number = new_uscc(), f"ZL{uuid4().hex[:12]}"
        content = self._asset_list(uscc, number)
        self._frame.done("ip-enterprise", "POST", "/v1/imports?dry_run=false", OFFICER, content=content)
        narrowed = {"params": {"enterprise": uscc}} if of == "the assets of one enterprise" else {}
        return Object(uscc, request=narrowed, mark=number)

    @staticmethod
    def _asset_list(uscc: str, number: str) -> bytes:
        return f"{ASSETS}\n{number},{uscc},发明专利,自主研发,2007-06-06,,是,是,是\n".encode()

    def _of_finance_link(self, route: str, of: str) -> Object:
        uscc, product = new_uscc(), f"p{uuid4().hex[:12]}"
        address = {"bank_id": BANK, "product_id": product}
        self._frame.done("finance-link", "PUT", f"/v1/products/{BANK}/{product}", bank(BANK), json=PRODUCT)
        match of:
            case "a product":
                return Object(uscc, address, {"json": PRODUCT})
            case "a new consent":
                return Object(uscc, request={"json": CONSENT})
            case "a new referral":
                return Object(uscc, request={"json": {**NEED, **address, "purpose": "financing"}})
            case "a consent" | "the consents of one enterprise":
                consent = self._consent(uscc)
                narrowed = {"params": {"enterprise_id": uscc}} if of != "a consent" else {}
                return Object(uscc, {"consent_id": consent}, narrowed, consent)
            case _:
                return self._referral(uscc, address, route, of)

    def _consent(self, uscc: str) -> str:
        answer = self._frame.done("finance-link", "POST", "/v1/consents", firm(uscc), json=CONSENT)
        return str(answer.json()["consent_id"])

    def _referral(self, uscc: str, address: dict[str, str], route: str, of: str) -> Object:
        is_sent = of != "a referral not sent"
        if is_sent:
            self._consent(uscc)
        body = {**NEED, **address, "purpose": "financing"}
        referral = self._frame.done("finance-link", "POST", "/v1/referrals", firm(uscc), json=body).json()
        assert (referral["state"] == "sent") == is_sent, referral
        request: dict[str, Any] = {}
        if route.endswith("/need"):
            request = {"json": {**NEED, "amount": "1000000.00"}}
        if route.endswith("/outcomes"):
            request = {"json": {"kind": "accepted", "bank_reference": uuid4().hex}}
        narrow = {"the referrals of one enterprise": {"enterprise_id": uscc}, "the referrals of one bank": {"bank_id": BANK}}  # fmt: skip
        if of in narrow:
            request = {"params": narrow[of]}
        return Object(uscc, {**address, "referral_id": referral["referral_id"]}, request, referral["referral_id"])  # fmt: skip

    def _of_notifier(self, _route: str, of: str) -> Object:
        uscc = ""
        if of == "a message to the bank":
            self._of_finance_link("", "a referral")
            recipient = f"bank:{BANK}"
        elif of == "a message to the officers":
            uscc, _, _ = self._cases["certification"].case("a submitted case")
            recipient = "role:officer"
        elif of == "a message to the expert":
            uscc, *_ = self._panels["certification"].panel(WITH)
            recipient = f"expert:{EXPERT.subject}"
        else:
            recipient = uscc = self._cases["certification"].enterprise()
        told = (
            "SELECT notification_id::text AS id FROM notifications WHERE recipient = $1 AND channel = 'inbox'"
            " ORDER BY notification_id DESC LIMIT 1"
        )
        row = self._frame.until(
            lambda: self._frame.rows("notifier", told, recipient) or None, f"{recipient} is told"
        )
        return Object(uscc or new_uscc(), {"notification_id": row[0]["id"]}, mark=row[0]["id"])
