"""What the holder of a title reports to have changed, and what follows when an officer has decided on it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from casework.case import Change, Title
from casework.change_store import list_changes
from casework.revocation_store import list_revocations
from casework.rulebook import load_rulebooks, rulebooks_of
from casework.store import find_title
from casework.unusable import UnusableInput
from casework.use_cases.refusals import ChangeDecided, NoNewName, TitleNotHeld, UnknownChange, UnknownResult
from casework_way import APPLICANT, OFFICER, STRANGER, Way, casework_door
from chassis.clock import FixedClock
from chassis.errors import Forbidden, NotFound
from chassis.identity import Actor

NAME = "示例智能制造有限公司"
RENAMED: dict[str, Any] = {
    "change": "rename_or_material_change", "changed_on": date(2017, 11, 30), "description": "更名", "new_name": NAME,
}  # fmt: skip
KEPT: dict[str, Any] = {"result": "kept", "reasons": ["the registration was seen"]}
ENDS: dict[str, Any] = {"result": "ends", "reasons": ["the business is a restaurant now"]}


async def report(way: Way, title: Title, on: date, actor: Actor = APPLICANT, **changes: Any) -> Change:
    assert isinstance(way.db.clock, FixedClock)
    way.db.clock.set(datetime(on.year, on.month, on.day, 2, tzinfo=UTC))
    reported: Change = await way.step("report_change", actor, title.number, **RENAMED | changes)
    return reported


async def decide(way: Way, title: Title, change: Change, actor: Actor = OFFICER, **decision: Any) -> Change:
    decided: Change = await way.step(
        "decide_change", actor, title.number, change_id=change.change_id, **decision
    )
    return decided


@pytest.mark.parametrize(("on", "late"), [(date(2018, 2, 28), False), (date(2018, 3, 1), True)])
async def test_a_change_is_reported_within_three_months_or_late(
    way: Way, title: Title, on: date, late: bool
) -> None:
    assert (await report(way, title, on)).late is late
    assert (await way.said())[-1] == "change-reported"


async def test_a_rename_that_is_kept_changes_the_name_and_neither_number_nor_validity(
    way: Way, title: Title
) -> None:
    change = await report(way, title, date(2018, 1, 10))
    before = await find_title(way.db, title.number)
    assert before is not None
    await decide(way, title, change, **KEPT)
    assert await find_title(way.db, title.number) == before.model_copy(update={"enterprise_name": NAME})
    assert (await way.said())[-1] == "change-decided"


async def test_a_title_that_ends_is_proposed_from_the_day_of_the_change_and_keeps_its_name(
    way: Way, title: Title
) -> None:
    change = await report(way, title, date(2018, 1, 10))
    await decide(way, title, change, **ENDS)
    kept = await find_title(way.db, title.number)
    assert kept is not None
    assert (kept.enterprise_name, kept.revoked_on) == (title.enterprise_name, None)
    [proposed] = await list_revocations(way.db, title.title_id)
    assert (proposed.ground, proposed.conduct_on) == ("no_longer_qualified", RENAMED["changed_on"])
    assert (await way.said())[-2:] == ["change-decided", "revocation-proposed"]


async def test_a_change_is_decided_once_with_a_result_of_the_edition(way: Way, title: Title) -> None:
    change = await report(way, title, date(2018, 1, 10))
    with pytest.raises(UnknownResult):
        await decide(way, title, change, **KEPT | {"result": "perhaps"})
    with pytest.raises(Forbidden):
        await decide(way, title, change, APPLICANT, **KEPT)
    await decide(way, title, change, **KEPT)
    with pytest.raises(ChangeDecided):
        await decide(way, title, change, **ENDS)
    [kept] = await list_changes(way.db, title.title_id)
    assert (kept.result, kept.decided_by) == ("kept", str(OFFICER))


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"change": "mood"}, UnknownChange), ({"change": "move"}, NoNewName),
        ({"changed_on": date(2018, 1, 11)}, UnusableInput),
    ],
)  # fmt: skip
async def test_a_change_is_one_of_the_edition_and_has_happened(
    way: Way, title: Title, given: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await report(way, title, date(2018, 1, 10), **given)


async def test_changes_are_reported_by_the_holder_while_the_title_lasts(way: Way, title: Title) -> None:
    with pytest.raises(NotFound):
        await report(way, title, date(2018, 1, 10), STRANGER)
    with pytest.raises(TitleNotHeld):
        await report(way, title, date(2019, 9, 1))


def test_who_stopped_qualifying_under_the_rules_of_2008_is_not_barred_for_five_years() -> None:
    edition = load_rulebooks(rulebooks_of("certification")).edition("hnte", date(2008, 1, 1), None)
    [bar] = edition.reapplication
    assert bar.grounds is not None
    assert {rule.id for rule in edition.revocation} - set(bar.grounds) == {"no_longer_qualified"}


async def test_a_change_goes_over_http_from_the_holder_to_the_officer(
    way: Way, title: Title, tmp_path: Path
) -> None:
    door, path = casework_door(way.db, tmp_path, way.work), f"/v1/titles/{title.number}/changes"
    body = RENAMED | {"changed_on": "2016-08-31"}
    async with door.client(APPLICANT) as firm, door.client(OFFICER) as officer:
        reported = await firm.post(path, json=body)
        assert (reported.status_code, reported.json()["late"]) == (201, False)
        decision = f"{path}/{reported.json()['change_id']}/decision"
        assert (await officer.post(decision, json=KEPT)).json()["result"] == "kept"
        assert [change["new_name"] for change in (await firm.get(path)).json()] == [NAME]
