"""The authority's list of decisions: all of it or nothing, once, and a title rests on bytes that are kept."""

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from casework import use_cases
from casework.form import Forms
from casework.use_cases import decision_lists
from casework.use_cases.refusals import NumberTakenMeanwhile
from casework.use_cases.refusals_of_files import DecisionListLost, NoForm
from casework_way import APPLICANT, EXPERT, OFFICER, RULEBOOKS, USCC, Way, kept, state_of
from chassis.clock import FixedClock
from chassis.errors import Forbidden, NotFound
from decision_way import (
    COLLEAGUE,
    HEADINGS,
    NAME,
    DecisionWay,
    Row,
    as_csv,
    firm_number,
    granted,
    round_to_decide,
    rules,
    turned_down,
)
from export_way import ExportWay, records

SECOND, THIRD = firm_number(1), firm_number(2)
NUMBER = "GR201644000007"


@pytest.fixture
async def lists(way: Way, clock: FixedClock) -> DecisionWay:
    """A round: one firm's notice is over, another is proposed to be refused."""
    return await round_to_decide(way, clock)


def whole() -> bytes:
    return as_csv(granted(USCC), turned_down(SECOND))


async def test_a_list_grants_with_its_numbers_and_days_and_refuses_with_its_reasons(
    lists: DecisionWay,
) -> None:
    plan = await lists.taken_in(whole())
    assert [one.outcome for one in plan.decided] == ["granted", "refused"]
    (title,) = await lists.titles()
    assert (title.number, title.granted_on, title.valid_until) == (
        NUMBER,
        date(2016, 8, 20),
        date(2019, 8, 20),
    )
    assert (await lists.way.said())[-2:] == ["title-granted", "case-refused"]
    assert await state_of(lists.way.db, lists.cases[SECOND]) == "refused"
    row = await lists.way.db.fetchrow("SELECT reasons FROM cases WHERE case_id = $1", lists.cases[SECOND])
    assert row is not None
    assert row["reasons"] == ["研发费用占比不足"]
    due = await lists.way.db.fetch(
        "SELECT due_on FROM duties WHERE title_id = $1 ORDER BY due_on", title.title_id
    )
    assert [one["due_on"] for one in due] == [date(year, 5, 31) for year in (2017, 2018, 2019)]


async def test_the_same_list_again_changes_nothing_and_says_so(lists: DecisionWay, tmp_path: Path) -> None:
    await lists.taken_in(whole())
    before = await lists.way.said(), kept(tmp_path)
    for again in (await lists.taken_in(whole()), await lists.looked_through(whole())):
        assert (again.count("unchanged"), again.count("granted"), rules(again)) == (2, 0, [])
    assert (await lists.way.said(), kept(tmp_path)) == before
    assert await lists.way.db.fetchval("SELECT count(*) FROM decision_lists") == 1


async def test_a_dry_run_says_what_would_happen_and_keeps_nothing(lists: DecisionWay, tmp_path: Path) -> None:
    before = await lists.way.said(), kept(tmp_path)
    plan = await lists.looked_through(whole())
    assert [(one.row, one.outcome, one.number) for one in plan.decided] == [
        (2, "granted", NUMBER),
        (3, "refused", None),
    ]
    assert (await lists.way.said(), kept(tmp_path)) == before
    assert await lists.titles() == []
    assert await lists.way.db.fetchval("SELECT count(*) FROM title_series") == 0


async def test_one_refused_row_keeps_all_of_it_out_and_no_bytes(lists: DecisionWay, tmp_path: Path) -> None:
    before = kept(tmp_path)
    plan = await lists.taken_in(
        as_csv(granted(USCC), turned_down(SECOND), granted(THIRD, number="GR201644000008"))
    )
    assert rules(plan) == [(4, "统一社会信用代码", "unknown-applicant")]
    assert plan.decided == ()
    assert await lists.titles() == []
    assert kept(tmp_path) == before


async def test_an_error_in_the_middle_leaves_nothing_decided(lists: DecisionWay) -> None:
    await lists.way.db.fetch("ALTER TABLE decision_lists ADD CONSTRAINT broken CHECK (granted < 0)")
    with pytest.raises(Exception, match="broken"):
        await lists.taken_in(whole())
    assert await lists.titles() == []
    assert await state_of(lists.way.db, lists.cases[SECOND]) == "proposed"


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (granted(USCC, name="另一家有限公司"), "企业名称", "other-name"),
        (granted(USCC, on="2016-08-15"), "发证日期", "during-notice"),
        (granted(USCC, on="2016-09-01"), "发证日期", "future"),
        (granted(USCC, until="2019-08-19"), "有效期至", "other-validity"),
        (granted(USCC, number="GR201544000007"), "证书编号", "not-a-title-number"),
        (granted(USCC, number="GR20164400007"), "证书编号", "not-a-title-number"),
        (granted(USCC, number="GR201644000000"), "证书编号", "not-a-title-number"),
        (turned_down(USCC), "结果", "not-now"),
        (granted(SECOND), "结果", "not-now"),
    ],
)  # fmt: skip
async def test_what_a_row_may_not_say_is_named_with_its_place(
    lists: DecisionWay, row: Row, column: str, rule: str
) -> None:
    said = rules(await lists.looked_through(as_csv(row)))
    assert said[0] == (2, column, rule)
    assert {place[1] for place in said} <= {column, "发证日期"}


async def test_a_day_on_which_the_title_would_have_run_out_is_refused(lists: DecisionWay) -> None:
    lists.clock.set(datetime(2019, 9, 2, tzinfo=UTC))
    assert rules(await lists.looked_through(as_csv(granted(USCC)))) == [(2, "发证日期", "run-out")]


async def test_firms_of_other_rounds_and_withdrawn_ones_are_not_in_the_round(lists: DecisionWay) -> None:
    await lists.way.db.fetch("UPDATE cases SET round_id = NULL WHERE enterprise_id = $1", SECOND)
    plan = await lists.looked_through(as_csv(granted(USCC), turned_down(SECOND), turned_down(THIRD)))
    assert [rule for _, _, rule in rules(plan)] == ["not-in-round", "unknown-applicant"]


async def test_what_was_decided_otherwise_is_not_decided_again(lists: DecisionWay) -> None:
    await lists.taken_in(whole())
    for row in (
        granted(USCC, number="GR201644000008"), granted(USCC, on="2016-08-21"), turned_down(USCC),
        granted(SECOND, number="GR201644000009"),
    ):  # fmt: skip
        assert rules(await lists.looked_through(as_csv(row))) == [(2, "结果", "decided-otherwise")], row


async def test_a_number_of_another_title_is_refused_and_own_numbers_come_after_the_lists(
    lists: DecisionWay,
) -> None:
    await lists.taken_in(as_csv(granted(USCC)))
    lists.clock.set(datetime(2016, 8, 1, tzinfo=UTC))
    for uscc in (THIRD, firm_number(3)):
        await lists.applied(uscc)
    await lists.after_the_notice()
    assert rules(await lists.looked_through(as_csv(granted(THIRD)))) == [(2, "证书编号", "number-taken")]
    own = await lists.way.step("grant_case", OFFICER, lists.cases[THIRD])
    assert own.number == "GR201644000008"
    await lists.taken_in(as_csv(granted(firm_number(3), number="GR201644000002")))
    assert [title.number for title in await lists.titles()] == ["GR201644000002", NUMBER, "GR201644000008"]


async def test_a_number_that_is_made_meanwhile_keeps_the_list_out(
    lists: DecisionWay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Between the look at the numbers and the lock on their series another title takes one."""
    plan_of = decision_lists._plan

    async def planned(*arguments: Any) -> Any:
        plan = await plan_of(*arguments)
        async with lists.way.db.transaction(OFFICER) as other:
            await use_cases.grant_case(lists.way.work, other, lists.cases[THIRD])
        return plan

    lists.clock.set(datetime(2016, 8, 1, tzinfo=UTC))
    await lists.applied(THIRD)
    await lists.after_the_notice()
    before = kept(tmp_path)
    monkeypatch.setattr(decision_lists, "_plan", planned)
    with pytest.raises(NumberTakenMeanwhile, match="GR201644000001"):
        await lists.taken_in(as_csv(granted(USCC, number="GR201644000001")))
    assert kept(tmp_path) == before


async def test_an_officer_who_is_tied_to_a_firm_does_not_take_in_its_decision(lists: DecisionWay) -> None:
    await lists.way.db.fetch(
        "INSERT INTO interests (interest_id, person, enterprise_id, ground, declared_by, declared_at)"
        " VALUES (gen_random_uuid(), 'officer:li', $1, 'declared', 'officer:li', now())", SECOND,
    )  # fmt: skip
    assert rules(await lists.looked_through(whole())) == [(3, "统一社会信用代码", "tied")]
    assert rules(await lists.taken_in(whole(), COLLEAGUE)) == []


async def test_where_the_edition_asks_for_four_eyes_who_proposed_does_not_take_the_list_in(
    way: Way, clock: FixedClock, tmp_path: Path
) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    (tmp_path / "hnte/forms").mkdir(parents=True)
    apart = text.replace(
        "to: refused, by: [officer], source", "to: refused, by: [officer], not_by: [propose], source", 1
    )
    assert apart != text
    (tmp_path / "hnte/2016-01-01.yaml").write_text(apart, encoding="utf-8")
    form = (RULEBOOKS / "hnte/forms/decision-list.yaml").read_bytes()
    (tmp_path / "hnte/forms/decision-list.yaml").write_bytes(form)
    way.work.load(tmp_path)
    clock.set(datetime(2016, 8, 1, tzinfo=UTC))
    lists = DecisionWay(way, clock)
    await lists.called()
    await lists.applied(SECOND, "proposed")
    assert rules(await lists.taken_in(as_csv(turned_down(SECOND)))) == [(2, "结果", "four-eyes")]
    assert (await lists.taken_in(as_csv(turned_down(SECOND)), COLLEAGUE)).count("refused") == 1


async def test_an_auditor_finds_the_bytes_that_a_title_rests_on(lists: DecisionWay) -> None:
    await lists.taken_in(whole())
    rows = await lists.way.db.fetch(
        "SELECT reasons FROM decisions WHERE case_id = $1 AND verb = 'grant'", lists.cases[USCC]
    )
    cited = re.search("第2行.*SHA-256 ([0-9a-f]{64})", rows[0]["reasons"][0])
    (taken,) = await use_cases.list_taken_lists(lists.way.db, OFFICER, lists.round_id)
    assert cited is not None
    assert cited[1] == taken.sha256 == hashlib.sha256(whole()).hexdigest()
    assert (taken.granted, taken.refused, taken.unchanged, taken.taken_by) == (1, 1, 0, str(OFFICER))
    assert await content(lists, taken.list_id) == whole()
    with pytest.raises(Exception, match="append-only"):
        await lists.way.db.fetch("DELETE FROM decision_lists")


async def content(lists: DecisionWay, list_id: Any) -> bytes:
    opened = await use_cases.open_taken_list(
        lists.way.db, lists.way.storage, OFFICER, lists.round_id, list_id
    )
    return b"".join([chunk async for chunk in opened.chunks])


async def test_bytes_that_are_not_whole_in_the_storage_are_not_handed_out(
    lists: DecisionWay, tmp_path: Path
) -> None:
    await lists.taken_in(whole())
    (taken,) = await use_cases.list_taken_lists(lists.way.db, OFFICER, lists.round_id)
    (tmp_path / f"kept/decision-lists/{taken.list_id}").write_bytes(b"half")
    with pytest.raises(DecisionListLost):
        await content(lists, taken.list_id)


async def test_from_the_recommendation_to_the_titles(lists: DecisionWay) -> None:
    own = await ExportWay(lists.way).exported("recommendation", round_id=lists.round_id)
    (row,) = records(own)
    decided = granted(row["统一社会信用代码"], name=row["企业名称"], until="2019-08-20")
    await lists.taken_in(as_csv((row["序号"], *decided), headings=("序号", *HEADINGS)))
    (title,) = await lists.titles()
    assert (title.enterprise_id, title.enterprise_name, title.number) == (USCC, NAME, NUMBER)


async def test_nobody_but_an_officer_takes_a_list_in(lists: DecisionWay) -> None:
    for actor in (APPLICANT, EXPERT):
        with pytest.raises(Forbidden):
            await lists.looked_through(whole(), actor)
        with pytest.raises(Forbidden):
            await lists.taken_in(whole(), actor)


async def test_a_round_that_is_unknown_or_has_no_form_says_so(lists: DecisionWay) -> None:
    with pytest.raises(NotFound):
        await use_cases.decision_form(lists.way.work, lists.way.db, OFFICER, lists.cases[USCC])
    lists.way.work.forms = Forms()
    with pytest.raises(NoForm):
        await use_cases.decision_form(lists.way.work, lists.way.db, OFFICER, lists.round_id)
