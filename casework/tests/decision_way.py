"""A round of several firms, recommended, and the authority's list that decides it, for the tests."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from openpyxl import Workbook

from casework import use_cases
from casework.case import Title
from casework.decision_list import DecisionList, read_decisions
from casework.decision_plan import Plan
from casework.form import DecisionForm
from casework.round import Call, Round
from casework.store import list_titles
from casework_way import APPLICANT, EXPERT, FIRM, JUDGEMENTS, OFFICER, USCC, Way
from chassis.clock import FixedClock
from chassis.identity import Actor
from contracts.values import check_character

HEADINGS = ("企业名称", "统一社会信用代码", "结果", "证书编号", "发证日期", "有效期至", "原因")
COLLEAGUE = Actor("zhao", "officer")
NAME = FIRM["enterprise"]["name"]
CALL: dict[str, Any] = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": date(2016, 8, 1), "closes_on": date(2016, 8, 31),
    "forwards_on": date(2016, 9, 30), "source": "粤科函高字〔2016〕1号",
}  # fmt: skip
Row = Sequence[object]


def firm_number(nth: int) -> str:
    body = f"91441702{nth:09d}"
    return body + check_character(body)


def granted(
    uscc: str, number: str = "GR201644000007", on: str = "2016-08-20", until: str = "", name: str = NAME
) -> Row:
    return (name, uscc, "认定", number, on, until, "")


def turned_down(uscc: str, reason: str = "研发费用占比不足") -> Row:
    return (NAME, uscc, "不予认定", "", "", "", reason)


def as_csv(*rows: Row, headings: Row = HEADINGS, encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode(encoding)


def book(
    *rows: Row, headings: Row = HEADINGS, sheet: str = "认定结果名单", title: str | None = None
) -> Workbook:
    made = Workbook()
    page = made.active
    assert page is not None
    page.title = sheet
    for row in [[title]] * (title is not None) + [headings, *rows]:
        page.append([value or None for value in row])
    return made


def saved(made: Workbook) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def rules(plan: Plan) -> list[tuple[int | None, str | None, str]]:
    return [(refusal.row, refusal.column, refusal.rule) for refusal in plan.refusals]


@dataclass
class DecisionWay:
    way: Way
    clock: FixedClock
    own: Round | None = None
    cases: dict[str, UUID] = field(default_factory=dict)

    @property
    def round_id(self) -> UUID:
        assert self.own is not None
        return self.own.round_id

    @property
    def form(self) -> DecisionForm:
        return self.way.work.form_of(DecisionForm, self.way.work.rulebooks.edition("hnte", date(2016, 1, 1)))

    async def called(self) -> Round:
        async with self.way.db.transaction(OFFICER) as tx:
            self.own = await use_cases.call_round(self.way.work, tx, Call.model_validate(CALL))
        return self.own

    async def applied(self, uscc: str, state: str = "recorded") -> UUID:
        """A case of this enterprise that was proposed to be granted, or to be refused."""
        self.way.applicant = (
            APPLICANT if uscc == APPLICANT.enterprise_id else Actor("wang", "enterprise", enterprise_id=uscc)
        )
        case = await self.way.in_review()
        self.cases[uscc] = case.case_id
        if state == "in_review":
            return case.case_id
        await self.way.step("judge_case", EXPERT, case.case_id, judgements=JUDGEMENTS)
        if state == "proposed":
            await self.way.step(
                "propose_case", OFFICER, case.case_id, proposal="refuse", reasons=["弄虚作假"]
            )
            return case.case_id
        await self.way.step("propose_case", OFFICER, case.case_id, proposal="grant")
        await self.way.step("open_notice", OFFICER, case.case_id)
        return case.case_id

    async def after_the_notice(self, at: datetime = datetime(2016, 8, 31, 2, tzinfo=UTC)) -> None:
        self.clock.set(at)
        await self.way.meet_deadlines()

    def read(self, content: bytes) -> DecisionList:
        return read_decisions(content, self.form)

    async def looked_through(self, content: bytes, actor: Actor = OFFICER) -> Plan:
        return await use_cases.look_through_list(
            self.way.work, self.way.db, actor, self.round_id, self.read(content)
        )

    async def taken_in(self, content: bytes, actor: Actor = OFFICER) -> Plan:
        return await use_cases.take_in_list(
            self.way.work, self.way.db, self.way.storage, actor,
            round_id=self.round_id, content=content, listed=self.read(content),
        )  # fmt: skip

    async def titles(self) -> list[Title]:
        """By their numbers."""
        return sorted(await list_titles(self.way.db), key=lambda title: title.number)


async def round_to_decide(way: Way, clock: FixedClock) -> DecisionWay:
    """A round in which one firm's notice is over, and another is proposed to be refused."""
    clock.set(datetime(2016, 8, 1, tzinfo=UTC))
    made = DecisionWay(way, clock)
    await made.called()
    await made.applied(USCC)
    await made.applied(firm_number(1), "proposed")
    await made.after_the_notice()
    return made
