"""Rounds, and the authority's lists that decide them, for the matrix."""

from collections import Counter
from typing import Any
from uuid import uuid4

from cases import EDITIONS, FIRM, Cases
from frame import OFFICER, Frame

DECIDED = "企业名称,统一社会信用代码,结果,证书编号,发证日期,原因"


class Rounds:
    def __init__(self, frame: Frame, cases: dict[str, Cases]) -> None:
        self._frame = frame
        self._cases = cases
        self._count: Counter[str] = Counter()
        self._hnte_round = ""

    def call(self, service: str) -> dict[str, Any]:
        """In years to come. Before the first one a round is called in which all cases here are handed in."""
        programme = "sme" if service == "certification" else EDITIONS[service][0]
        year = 2030 + self._count[service]
        call = {
            "programme": programme, "name": f"{year}", "opens_on": f"{year}-05-01", "closes_on": f"{year}-06-20",
            "forwards_on": f"{year}-07-15", "source": "粤科函",
        }  # fmt: skip
        if not self._count[service]:
            opens_on = "2017-05-03" if service == "certification" else "2009-01-01"
            self._called(service, call | self._now(opens_on))
        self._count[service] += 1
        return call

    def called(self, service: str, call: dict[str, Any]) -> dict[str, str]:
        """The address of the round, and of a list that is not there."""
        return {"round_id": self._called(service, call), "list_id": str(uuid4())}

    def hnte(self) -> dict[str, str]:
        """The address of one in which all HNTE cases from now on are handed in."""
        if not self._hnte_round:
            call = {"programme": "hnte", "source": "粤科函", **self._now("2016-01-01")}
            self._hnte_round = self._called("certification", call)
        return {"round_id": self._hnte_round}

    def decided(self) -> tuple[str, dict[str, str]]:
        """An enterprise that a list refused, and the address of the list."""
        address = self.hnte()
        uscc, _, _ = self._cases["certification"].case("a case to be refused")
        content = f"{DECIDED}\n{FIRM['name']},{uscc},不予认定,,,不足\n".encode()
        path = f"/v1/rounds/{address['round_id']}/decision-list"
        self._frame.done("certification", "POST", f"{path}?dry_run=false", OFFICER, content=content)
        lists = self._frame.done("certification", "GET", f"{path}?limit=200", OFFICER).json()["items"]
        return uscc, address | {"list_id": lists[-1]["list_id"]}

    def _called(self, service: str, call: dict[str, Any]) -> str:
        return str(self._frame.done(service, "POST", "/v1/rounds", OFFICER, json=call).json()["round_id"])

    @staticmethod
    def _now(opens_on: str) -> dict[str, str]:
        return {"name": "now", "opens_on": opens_on, "closes_on": "2029-12-31", "forwards_on": "2029-12-31"}
