"""A round as a bureau runs it: 300 applications, 30 experts, two objections, one recusal, one revocation."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chassis.clock import SHANGHAI
from chassis.testing import given_kafka
from huiqi.cli import main
from huiqi.demo_doors import OFFICER, Doors, Stopped, person
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import check
from huiqi.round_way import Firm, Round

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
QUOTA = 262
CALL: dict[str, Any] = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": "2016-07-16", "closes_on": "2016-08-31",
    "forwards_on": "2016-09-30", "quota": QUOTA, "source": "粤科函高字〔2016〕1号",
}  # fmt: skip
COLLEAGUE = person("officer:zhao")
APPLY, POOR_ONES, WITHDRAWN, RETURNED = 300, 30, 6, 20


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    clock_at = datetime(2016, 8, 1, 9, tzinfo=SHANGHAI)
    with House(clock_at=clock_at, banks=[], broker=given_kafka()) as house:
        yield house


async def hand_in(story: Round) -> list[Firm]:
    """All apply; some are sent back for a stamp and come again, some think better of it. Those that are reviewed."""
    await story.all(story.firms, story.apply)
    returned, withdrawn = story.firms[:RETURNED], story.firms[-WITHDRAWN:]
    for firm in returned:
        back = await story.say(OFFICER, firm, "return", {"defects": ["申请书未加盖公章"]})
        assert (back["state"], back["defects"]) == ("returned", ["申请书未加盖公章"])
        again = await story.say(firm.actor, firm, "submit")
        assert (again["state"], again["defects"]) == ("submitted", [])
    for firm in withdrawn:
        await story.say(firm.actor, firm, "withdraw")
    stay = story.firms[:-WITHDRAWN]
    await story.all(stay, story.take_in)
    return list(stay)


async def judged(story: Round, firms: list[Firm]) -> bytes:
    """Panels are drawn; one expert leaves one, and the next of the same ranking takes the seat. The published draw."""
    await story.engage(technical=22, financial=8)
    draw = await story.reveal(await story.commit(firms))
    first = firms[0]
    leaves = (await story.seats(first))[0]["expert_id"]
    seats = await story.say(OFFICER, first, "recusals", {"expert_id": leaves, "reason": "曾任该企业顾问"})
    assert len([seat for seat in seats if seat["recused_at"] is None]) == 5
    assert leaves not in {seat["expert_id"] for seat in await story.seats(first)}
    await story.all(firms, story.judge)
    return draw


async def on_notice(story: Round, firms: list[Firm], round_id: str) -> tuple[list[Firm], list[Firm]]:
    """The ranking cuts at the quota; who stands before the cut is published. The published, and those in reserve."""
    ranked = await story.ask(OFFICER, "GET", f"/v1/rounds/{round_id}/ranking")
    cut = {row["case_id"]: row["cut"] for row in ranked}
    poor = [firm for firm in firms if firm.is_poor]
    assert {cut[firm.case_id] for firm in poor} == {"not_passed"}
    assert Counter(cut.values()) == {"tied": len(firms) - len(poor), "not_passed": len(poor)}
    with pytest.raises(Stopped, match="Not met: H7"):
        await story.say(OFFICER, poor[0], "propose", {"proposal": "grant"})
    good = [firm for firm in firms if not firm.is_poor]
    listed, reserve = good[:QUOTA], good[QUOTA:]
    await story.all(listed, story.publish)
    with pytest.raises(Stopped, match="recommends 262 at most"):
        await story.say(OFFICER, reserve[0], "propose", {"proposal": "grant"})
    for firm in poor:
        await story.refuse(firm, "企业创新能力评价得分未达到要求")
    return listed, reserve


async def objected(story: Round, dismissed: Firm, upheld: Firm) -> None:
    """Two objections: one is dismissed and its notice goes on, one is upheld and its application refused."""
    objections = {firm.uscc: await story.object(firm, "陈某某") for firm in (dismissed, upheld)}
    answers = {"dismiss": dismissed, "uphold": upheld}
    for decision, firm in answers.items():
        assert await story.state(firm) == "objected"
        answer = {"decision": decision, "reasons": ["经向国家知识产权局查询核实"]}
        await story.say(OFFICER, firm, f"{objections[firm.uscc]}/decision", answer)
    assert (await story.state(dismissed), await story.state(upheld)) == ("on_notice", "in_review")
    await story.refuse(upheld, "所列发明专利不属于申请企业")


async def granted(story: Round, firms: list[Firm]) -> None:
    """Titles for all whose notice ran out, numbered without a gap; one is taken away again."""
    await story.let_the_notice_run_out(firms)
    titles = await story.all(firms, story.grant)
    numbers = sorted(title["number"] for title in titles)
    assert numbers == [f"GR201644{serial:06d}" for serial in range(1, len(firms) + 1)]
    path = f"/v1/titles/{numbers[0]}/revocation"
    ground = {
        "ground": "serious_fraud",
        "conduct_on": "2016-08-01",
        "reasons": ["研发费用专项审计报告系伪造"],
    }
    await story.ask(OFFICER, "POST", path, ground)
    await story.ask(COLLEAGUE, "POST", f"{path}/decision", {"decision": "revoke", "reasons": ["经复核属实"]})
    held = await story.doors.every(OFFICER, "certification", "/v1/titles", valid_on=titles[0]["granted_on"])
    assert {title["number"] for title in held} == set(numbers[1:])


async def test_a_round_of_three_hundred_applications_ends_with_every_one_decided_and_the_ledger_clean(
    house: House, tmp_path: Path
) -> None:
    poor = range(APPLY - WITHDRAWN - POOR_ONES, APPLY - WITHDRAWN)
    firms = [Firm(number, is_poor=number in poor) for number in range(APPLY)]
    async with Doors(house.addresses) as doors:
        story = Round(house, doors, firms)
        round_id = await story.open(CALL)
        reviewed = await hand_in(story)
        draw = await judged(story, reviewed)
        listed, reserve = await on_notice(story, reviewed, round_id)
        await objected(story, listed[0], listed[1])
        await story.publish(reserve[0])  # into the place that the refused one left
        await granted(story, [listed[0], *listed[2:], reserve[0]])
        cases = await doors.every(OFFICER, "certification", "/v1/cases", round_id=round_id)
    states = Counter(case["state"] for case in cases)
    assert states == {"granted": 262, "refused": 31, "withdrawn": 6, "in_review": 1}
    (tmp_path / "draw.json").write_bytes(draw)
    verified = CliRunner().invoke(main, ["verify", "draw", str(tmp_path / "draw.json")])
    assert verified.exit_code == 0, verified.output
    ledger = await check(Installation.of_house(house.addresses), wait=120)
    assert ledger.kept, ledger.as_json()
