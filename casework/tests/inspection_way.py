"""S&T SMEs on their way to a registration number in 2026, when the site check and the random check are law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from casework import inspection_store, use_cases
from casework.case import Case, Title
from casework.inspection import InspectionRow, Look, LookOutcome
from casework.sample import Sample
from casework.sample_store import Whole
from casework_way import OFFICER, OTHER, STRANGER, USCC, Way
from chassis.clock import FixedClock
from chassis.database import Transaction

YEAR: dict[str, Any] = {
    "year": 2025, "sales_revenue": "42000000", "total_assets": "26000000", "rd_spend": "3000000",
    "staff": {"total": 80, "st": 24},
}  # fmt: skip
SPARED: dict[str, Any] = {
    "enterprise": {
        "uscc": USCC, "name": "示例精密制造有限公司", "region": "441702", "established_on": "2010-03-15",
        "mainland_resident": True,
    },
    "years": [YEAR],
    "ip": [
        {"id": "ZL202110000001.0", "kind": "invention", "acquired": "self", "granted_on": "2024-06-05",
         "in_force": True, "owned": True, "related": True},
    ],
    "choices": {"sme_rd_ratio": "sales"},
}  # fmt: skip
FEW = {"years": [{**YEAR, "staff": {"total": 5, "st": 5}}]}
THIS_YEAR = Whole("sme", None, year=2026)


def look(outcome: LookOutcome = "passed", **changes: Any) -> Look:
    given = {"outcome": outcome, "held_on": date(2026, 7, 1), "officers": ["li", "zhao"],
             "findings": "现场有研发人员和设备，与申报材料一致。"}  # fmt: skip
    return Look.model_validate(given | changes)


@dataclass
class Register:
    """What the binding service knows: of every enterprise the same, until a test says otherwise."""

    facts: dict[str, Any] = field(default_factory=lambda: dict(SPARED))

    async def of(self, _tx: Transaction, _enterprise_id: str) -> Mapping[str, Any]:
        return self.facts


@dataclass
class SmeWay(Way):
    programme: str = "sme"
    case_type: str = "re_recognition"

    async def drafted(self, papers: Sequence[str] = ("information_form",)) -> Case:
        return await super().drafted(papers)

    async def proposed(self, proposal: str = "grant", **said: Any) -> Case:
        case = await self.in_review()
        await self.step("judge_case", OFFICER, case.case_id, judgements={"accounts_audited": True})
        return cast("Case", await self.step("propose_case", OFFICER, case.case_id, proposal=proposal, **said))

    async def looked(self, case_id: UUID, inspection: str = "site_check", **changes: Any) -> Case:
        async with self.db.transaction(OFFICER) as tx:
            return await use_cases.record_inspection(self.work, tx, case_id, inspection, look(**changes))

    async def granted(self) -> Title:
        case = await self.proposed()
        await self.step("open_notice", OFFICER, case.case_id)
        clock = cast("FixedClock", self.db.clock)
        clock.advance(timedelta(days=20))
        await self.meet_deadlines()
        return cast("Title", await self.step("grant_case", OFFICER, case.case_id))

    async def two_granted(self) -> list[Title]:
        titles = [await self.granted()]
        own, self.applicant = self.applicant, STRANGER
        titles.append(await self.granted())
        self.applicant = own
        assert [title.enterprise_id for title in titles] == [USCC, OTHER]
        return titles

    async def committed(self, whole: Whole = THIS_YEAR, **named: Any) -> Sample:
        async with self.db.transaction(OFFICER) as tx:
            return await use_cases.commit_sample(self.work, tx, "random_check", whole, **named)

    async def revealed(self, sample: Sample, **beacon: Any) -> Sample:
        return cast("Sample", await self.step("reveal_sample", OFFICER, sample.pool.draw_id, **beacon))

    async def rows(self, case_id: UUID) -> list[InspectionRow]:
        return await inspection_store.list_of_case(self.db, case_id)
