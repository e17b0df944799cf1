"""Experts, ties, draws and panels, made through the doors of a running service."""

from typing import Any
from uuid import uuid4

from cases import Cases
from frame import EXPERT, OFFICER, Frame, new_uscc

WITHOUT, WITH = "a panel without the expert", "a panel with the expert"
TECHNICAL = 25
OF_PANELS = (
    "a new expert", "an expert", "a new interest", "an interest", "a new draw", "a draw", WITHOUT, WITH,
)  # fmt: skip


class Panels:
    """`EXPERT` is one of the directory; whether it sits on a panel is made so by recusals."""

    def __init__(self, frame: Frame, service: str, cases: Cases) -> None:
        self._frame = frame
        self._service = service
        self._cases = cases
        self._experts: dict[str, str] = {}

    def _done(self, method: str, path: str, **request: Any) -> Any:
        return self._frame.done(self._service, method, path, OFFICER, **request).json()

    @staticmethod
    def entry(subject: str, kind: str = "technical") -> dict[str, str]:
        return {"subject": subject, "name": "专家", "kind": kind}

    def directory(self) -> dict[str, str]:
        """The expert's id by its subject."""
        if not self._experts:
            subjects = [EXPERT.subject, *(f"e{uuid4().hex[:12]}" for _ in range(TECHNICAL + 4))]
            for at, subject in enumerate(subjects):
                body = self.entry(subject, "technical" if at < TECHNICAL else "financial")
                self._experts[subject] = self._done("POST", "/v1/experts", json=body)["expert_id"]
        return self._experts

    def version(self, expert_id: str) -> str:
        path = f"/v1/experts/{expert_id}"
        return self._frame.done(self._service, "GET", path, OFFICER).headers["ETag"]

    def interest(self) -> dict[str, Any]:
        body = {"enterprise_id": new_uscc(), "ground": "declared", "person": "officer:zhao"}
        made: dict[str, Any] = self._done("POST", "/v1/interests", json=body)
        return made

    def draw_of(self, case_id: str) -> str:
        self.directory()
        made = self._done("POST", "/v1/draws", json={"cases": [{"case_id": case_id}]})
        return str(made["pool"]["draw_id"])

    def panel(self, of: str) -> tuple[str, str, str, str]:
        """The enterprise, the case, its ETag, and the id of an expert who sits: EXPERT where it does."""
        uscc, case_id, _ = self._cases.case("a case in review")
        self._done("POST", f"/v1/draws/{self.draw_of(case_id)}/reveal", json={})
        own = self.directory()[EXPERT.subject]
        while ((seated := self._seated(case_id)).get(own) is not None) != (of == WITH):
            leaves = own if own in seated else next(e for e, kind in seated.items() if kind == "technical")
            body = {"expert_id": leaves, "reason": "ill"}
            headers = {"If-Match": self._etag(case_id)}
            self._done("POST", f"/v1/cases/{case_id}/recusals", json=body, headers=headers)
        if [seat["kind"] for seat in self._seats(case_id)].count("technical") == TECHNICAL:
            return self.panel(of)  # the expert came last, and nobody could take its seat
        return uscc, case_id, self._etag(case_id), own if own in seated else next(iter(seated))

    def _seats(self, case_id: str) -> list[dict[str, Any]]:
        """Those who left it, too."""
        seats: list[dict[str, Any]] = self._done("GET", f"/v1/cases/{case_id}/panel")["seats"]
        return seats

    def _seated(self, case_id: str) -> dict[str, str]:
        return {
            seat["expert_id"]: seat["kind"] for seat in self._seats(case_id) if seat["recused_at"] is None
        }

    def _etag(self, case_id: str) -> str:
        path = f"/v1/cases/{case_id}"
        return self._frame.done(self._service, "GET", path, OFFICER).headers["ETag"]
