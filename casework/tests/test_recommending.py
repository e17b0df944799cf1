"""The list with which a round is recommended: its order, and the form that it is on."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from casework import use_cases
from casework.expert import Entry
from casework.form import Forms
from casework.recommending import points_by_group
from casework.round import Call, Round
from casework.use_cases import call_round
from casework_way import APPLICANT, EXPERT, JUDGEMENTS, OFFICER, STRANGER, USCC, Way
from export_way import ExportWay, records, workbook
from panel_way import Bureau, entry, of_kind

CALL: dict[str, Any] = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": date(2016, 8, 1), "closes_on": date(2016, 8, 31),
    "forwards_on": date(2016, 9, 30), "source": "粤科函高字〔2016〕1号",
}  # fmt: skip


@pytest.fixture
def exports(way: Way) -> ExportWay:
    return ExportWay(way)


@pytest.fixture
async def own(way: Way) -> Round:
    async with way.db.transaction(OFFICER) as tx:
        return await call_round(way.work, tx, Call.model_validate(CALL))


async def test_a_recommendation_holds_what_is_proposed_to_be_granted_with_its_place_in_the_round(
    exports: ExportWay, way: Way, own: Round
) -> None:
    cases = []
    for applicant in (APPLICANT, STRANGER):
        way.applicant = applicant
        cases.append((await way.judged()).case_id)
    first, second = cases
    await way.step("judge_case", EXPERT, second, judgements=JUDGEMENTS | {"conversion": 24})
    assert records(await exports.exported("recommendation", round_id=own.round_id)) == []
    await way.step("propose_case", OFFICER, first, proposal="grant")
    (alone,) = records(await exports.exported("recommendation", round_id=own.round_id))
    assert (alone["序号"], alone["名次"], alone["统一社会信用代码"]) == ("1", "2", USCC)
    await way.step("propose_case", OFFICER, second, proposal="grant")
    rows = records(await exports.exported("recommendation", round_id=own.round_id))
    assert [(row["名次"], row["统一社会信用代码"], row["案件编号"]) for row in rows] == [
        ("1", STRANGER.enterprise_id, str(second)),
        ("2", USCC, str(first)),
    ]
    assert Decimal(rows[0]["总分"]) - Decimal(rows[1]["总分"]) == 2


async def test_a_recommendation_is_on_the_form_of_its_round(exports: ExportWay, way: Way, own: Round) -> None:
    case = await way.judged()
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    sheet = workbook(await exports.exported("recommendation", "xlsx", round_id=own.round_id))["推荐汇总表"]
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0][0] == "高新技术企业认定推荐汇总表"
    assert lines[1][0] == "批次：2016年第二批（粤科函高字〔2016〕1号）　推荐截止日期：2016-09-30"
    row = dict(zip(lines[2], lines[3], strict=True))
    assert (row["专家组结论"], row["推荐意见"], row["所属区（行政区划代码）"]) == ("通过", "推荐", "441702")
    parts = [value for heading, value in row.items() if str(heading).endswith("得分")]
    assert (parts, row["总分"]) == ([28, 22, 17, 16], 83)
    assert sheet.freeze_panes == "A4"


async def test_the_field_is_the_one_that_the_panel_was_drawn_for_and_points_are_the_means_of_its_sheets(
    exports: ExportWay, way: Way, own: Round, bureau: Bureau
) -> None:
    case = await way.in_review()
    async with way.db.transaction(OFFICER) as tx:
        for place in range(1, 41):
            given = entry(place, fields=["electronics"])
            await use_cases.add_expert(tx, Entry.model_validate(given))
    draw = await bureau.act("commit_draw", OFFICER, {case.case_id: "electronics"})
    await bureau.act("reveal_draw", OFFICER, draw.pool.draw_id)
    seats = await bureau.seats(case.case_id)
    technical = of_kind(seats, "technical")
    for seat in seats:
        await bureau.hand_in(seat, **({"conversion": 24} if seat is technical[0] else {}))
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    (row,) = records(await exports.exported("recommendation", round_id=own.round_id))
    mean = Fraction(22 * (len(technical) - 1) + 24, len(technical))
    assert (row["技术领域"], Fraction(row["科技成果转化能力得分"])) == ("electronics", mean)


async def test_a_round_without_a_form_is_recommended_as_a_plain_list(
    exports: ExportWay, way: Way, own: Round
) -> None:
    way.work.forms = Forms()
    case = await way.judged()
    await way.step("propose_case", OFFICER, case.case_id, proposal="grant")
    sheet = workbook(await exports.exported("recommendation", "xlsx", round_id=own.round_id))["名单"]
    assert [cell.value for cell in sheet[1]] == [
        "名次",
        "企业名称",
        "统一社会信用代码",
        "行政区划代码",
        "得分",
        "案件编号",
    ]
    assert (sheet["A2"].value, sheet["E2"].value) == (1, 83)


def test_a_group_has_no_points_until_all_of_its_items_are_given_and_never_more_than_its_cap(way: Way) -> None:
    edition = way.work.rulebooks.edition("hnte", date(2016, 1, 1))
    score = edition.score
    assert score is not None
    items = [{"group": item.group, "given": str(item.max)} for item in score.items]
    assert points_by_group(edition, items)["group.ip"] == Decimal(30)
    assert points_by_group(edition, [*items, {"group": "ip", "given": None}])["group.ip"] is None
    assert points_by_group(edition, None)["group.growth"] is None
    thirds = [{"group": "growth", "given": "22/3"}, {"group": "growth", "given": "8"}]
    assert points_by_group(edition, thirds)["group.growth"] == "46/3"
