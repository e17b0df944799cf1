"""Rounds: applications are taken in their time only, and come back no later than the city recommends."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from casework.bars import first_day
from casework.edition import Period
from casework.round import Call, Round
from casework.round_store import find_admission
from casework.store import list_cases
from casework.unusable import UnusableInput
from casework.use_cases import call_round, change_round
from casework.use_cases.refusals import (
    OutsideRound,
    RoundIsOver,
    RoundNameTaken,
    RoundsOverlap,
    RoundStays,
    TitleInForce,
)
from casework_way import APPLICANT, OFFICER, RULEBOOKS, STRANGER, USCC, Way
from chassis.clock import FixedClock
from chassis.errors import Forbidden, PreconditionFailed

FIRST: dict[str, Any] = {
    "programme": "hnte", "name": "2019年第一批", "opens_on": date(2019, 5, 6), "closes_on": date(2019, 6, 20),
    "forwards_on": date(2019, 7, 15), "source": "粤科函高字〔2019〕1号",
}  # fmt: skip
SECOND = FIRST | {
    "name": "2019年第二批", "opens_on": date(2019, 6, 21), "closes_on": date(2019, 7, 15), "forwards_on": date(2019, 8, 15),
}  # fmt: skip


async def called(way: Way, **call: Any) -> Round:
    async with way.db.transaction(OFFICER) as tx:
        return await call_round(way.work, tx, Call.model_validate(call))


async def changed(way: Way, known: Round, expected: int | None = None, **call: Any) -> Round:
    async with way.db.transaction(OFFICER) as tx:
        return await change_round(tx, known.round_id, Call.model_validate(call), expected=expected)


def at(clock: FixedClock, day: date) -> None:
    clock.set(datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC))


async def test_an_application_goes_into_the_round_that_is_open_on_its_first_and_last_day(
    way: Way, clock: FixedClock
) -> None:
    first, second = await called(way, **FIRST), await called(way, **SECOND)
    for day, into in ((FIRST["closes_on"], first), (SECOND["opens_on"], second)):
        at(clock, day)
        case = await way.submitted()
        assert case.round_id == into.round_id
        assert [one.case_id for one in await list_cases(way.db, round_id=into.round_id)] == [case.case_id]
        await way.step("withdraw_case", APPLICANT, case.case_id)


@pytest.mark.parametrize(("day", "next_on"), [(date(2019, 5, 5), date(2019, 5, 6)), (date(2019, 7, 16), "-")])
async def test_outside_every_round_an_application_is_refused_with_the_next_day(
    way: Way, clock: FixedClock, day: date, next_on: object
) -> None:
    await called(way, **FIRST)
    await called(way, **SECOND)
    at(clock, day)
    with pytest.raises(OutsideRound) as refused:
        await way.submitted()
    assert (refused.value.fields["next_on"], refused.value.source) == (next_on, FIRST["source"])


async def test_a_programme_without_rounds_takes_applications_always(way: Way, clock: FixedClock) -> None:
    await called(way, **FIRST | {"programme": "sme"})
    at(clock, date(2018, 1, 10))
    assert (await way.submitted()).round_id is None


async def test_what_was_returned_comes_back_until_the_city_has_recommended(
    way: Way, clock: FixedClock
) -> None:
    first = await called(way, **FIRST)
    at(clock, FIRST["closes_on"])
    case = await way.submitted()
    await way.step("return_case", OFFICER, case.case_id, defects=["no stamp"])
    at(clock, date(2019, 7, 16))
    with pytest.raises(RoundIsOver):
        await way.step("submit_case", APPLICANT, case.case_id)
    await changed(way, first, **FIRST | {"forwards_on": date(2019, 7, 20)})
    again = await way.step("submit_case", APPLICANT, case.case_id)
    assert (again.state, again.round_id) == ("submitted", first.round_id)


async def test_an_extension_is_kept_as_a_version_with_who_made_it(way: Way) -> None:
    first = await called(way, **FIRST)
    extended = await changed(way, first, 1, **FIRST | {"closes_on": date(2019, 7, 1)})
    assert (extended.version, extended.level) == (2, "national")
    rows = await way.db.fetch(
        "SELECT version, changed_by, entry->>'closes_on' AS until FROM round_versions ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [(1, "officer:li", "2019-06-20"), (2, "officer:li", "2019-07-01")]
    with pytest.raises(PreconditionFailed):
        await changed(way, first, 1, **FIRST)


async def test_rounds_of_one_programme_neither_overlap_nor_share_a_name(way: Way) -> None:
    first = await called(way, **FIRST)
    with pytest.raises(RoundsOverlap):
        await called(way, **SECOND | {"opens_on": FIRST["closes_on"]})
    with pytest.raises(RoundNameTaken):
        await called(way, **SECOND | {"name": FIRST["name"]})
    await called(way, **SECOND)
    with pytest.raises(RoundsOverlap):
        await changed(way, first, **FIRST | {"closes_on": SECOND["opens_on"]})
    with pytest.raises(RoundStays):
        await changed(way, first, **FIRST | {"programme": "sme"})


@pytest.mark.parametrize(
    "wrong", [{"closes_on": date(2019, 5, 5)}, {"forwards_on": date(2019, 6, 19)}, {"quota": 0}]
)
def test_the_days_of_a_round_follow_each_other(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Call.model_validate(FIRST | wrong)


async def test_only_officers_call_and_only_for_what_an_edition_knows(way: Way) -> None:
    with pytest.raises(UnusableInput):
        await called(way, **FIRST | {"programme": "unheard-of"})
    async with way.db.transaction(APPLICANT) as tx:
        with pytest.raises(Forbidden):
            await call_round(way.work, tx, Call.model_validate(FIRST))


async def titled(way: Way, clock: FixedClock, on: date) -> str:
    """The number of a title that is granted some weeks after the day."""
    at(clock, on)
    case = await way.on_notice()
    clock.advance(timedelta(days=30))
    await way.meet_deadlines()
    number: str = (await way.step("grant_case", OFFICER, case.case_id)).number
    return number


async def test_while_a_title_lasts_the_next_application_waits_for_the_year_in_which_it_ends(
    way: Way, clock: FixedClock
) -> None:
    number = await titled(way, clock, date(2016, 8, 1))
    way.case_type = "re_recognition"
    at(clock, date(2018, 12, 31))
    with pytest.raises(TitleInForce, match=rf"{number} is held until 2019-08-31.*2019-01-01") as refused:
        await way.submitted()
    assert (refused.value.rule, refused.value.source) == (
        "renewals.year_of_expiry",
        "国科发火〔2016〕32号 第九条",
    )
    at(clock, date(2019, 1, 1))
    assert (await way.submitted()).state == "submitted"


async def test_a_title_that_was_taken_away_or_is_anothers_or_of_another_programme_does_not_bar(
    way: Way, clock: FixedClock
) -> None:
    await titled(way, clock, date(2016, 8, 1))
    at(clock, date(2017, 8, 1))
    way.applicant = STRANGER
    assert (await way.submitted()).state == "submitted"
    way.applicant = APPLICANT
    for programme, level, is_held in (
        ("hnte", "national", True),
        ("hnte", "municipal", False),
        ("sme", "national", False),
    ):
        found = await find_admission(way.db, USCC, programme, level, clock.today())
        assert (found.title is not None) == is_held
    async with way.db.transaction() as tx:
        await tx.execute("UPDATE titles SET revoked_on = '2017-08-01'")
    assert (await way.submitted()).state == "submitted"


async def test_an_application_that_no_renewal_opens_waits_for_the_end_of_the_title(
    way: Way, clock: FixedClock, tmp_path: Path
) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    (tmp_path / "hnte").mkdir()
    closed = text.replace(', opens: {until: "01-01"}', "")
    assert closed != text
    (tmp_path / "hnte/2016-01-01.yaml").write_text(closed, encoding="utf-8")
    way.work.load(tmp_path)
    await titled(way, clock, date(2016, 8, 1))
    at(clock, date(2019, 8, 31))
    with pytest.raises(TitleInForce, match="2019-09-01"):
        await way.submitted()
    at(clock, date(2019, 9, 1))
    assert (await way.submitted()).state == "submitted"


@pytest.mark.parametrize(
    ("period", "day", "opens"),
    [
        (Period(until="01-01"), date(2019, 8, 31), date(2019, 1, 1)),
        (Period(until="09-01"), date(2019, 8, 31), date(2018, 9, 1)),
        (Period(months=3), date(2012, 5, 31), date(2012, 2, 29)),
        (Period(years=1), date(2012, 2, 29), date(2011, 2, 28)),
        (Period(days=30), date(2012, 3, 1), date(2012, 1, 31)),
    ],
)
def test_a_period_that_ends_on_a_day_begins_on(period: Period, day: date, opens: date) -> None:
    assert first_day(period, day) == opens
