"""How a title is lost: proposed by one officer, decided by another, with the bar that the edition names."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.bars import barred_until, last_day
from casework.case import Revocation, Title
from casework.edition import Period
from casework.rulebook import load_rulebooks
from casework.store import find_title, list_valid_titles
from casework.unusable import UnusableInput
from casework.use_cases import declare_interest
from casework.use_cases.refusals import (
    Barred,
    NoProposal,
    OwnProposal,
    ProposedAlready,
    ReasonsNeeded,
    TiedToEnterprise,
    TitleNotHeld,
    UnknownGround,
)
from casework_way import APPLICANT, OFFICER, RULEBOOKS, USCC, Way
from chassis.clock import FixedClock
from chassis.errors import Forbidden
from chassis.identity import Actor
from contracts.certification import RevocationProposed

COLLEAGUE = Actor("zhao", "officer")
FRAUD: dict[str, Any] = {
    "ground": "serious_fraud", "conduct_on": date(2016, 8, 1), "reasons": ["the R&D audit was invented"],
}  # fmt: skip
REVOKE: dict[str, Any] = {"decision": "revoke", "reasons": ["confirmed by the re-check"]}


async def propose(way: Way, title: Title, actor: Actor = OFFICER, **changes: Any) -> Revocation:
    proposed: Revocation = await way.step("propose_revocation", actor, title.number, **FRAUD | changes)
    return proposed


async def decide(way: Way, title: Title, actor: Actor = COLLEAGUE, **changes: Any) -> Revocation:
    decided: Revocation = await way.step("decide_revocation", actor, title.number, **REVOKE | changes)
    return decided


async def test_a_title_that_two_officers_take_away_is_held_no_longer(way: Way, title: Title) -> None:
    await propose(way, title)
    assert (await find_title(way.db, title.number) or title).revoked_on is None
    decided = await decide(way, title)
    today = way.db.clock.today()
    assert (decided.state, decided.revoked_on, decided.barred_until) == ("revoked", today, date(2016, 12, 31))
    kept = await find_title(way.db, title.number)
    assert kept is not None
    assert not kept.holds_on(today)
    assert kept.holds_on(today - timedelta(days=1)) == (title.granted_on < today)
    assert await list_valid_titles(way.db, today) == []
    said = await way.db.fetchrow(
        "SELECT key, sequence, payload FROM events WHERE type LIKE '%title-revoked%'"
    )
    assert said is not None
    assert (said["key"], said["sequence"]) == (USCC, 3)
    assert '"ground":"serious_fraud"' in said["payload"].replace(" ", "")


async def test_a_proposal_is_told_with_its_ground_and_reasons(way: Way, title: Title) -> None:
    await propose(way, title)
    payload = await way.db.fetchval("SELECT payload FROM events WHERE type LIKE '%revocation-proposed%'")
    told = RevocationProposed.model_validate_json(payload)
    assert (told.number, told.ground, told.reasons) == (title.number, FRAUD["ground"], FRAUD["reasons"])


async def test_a_dropped_proposal_changes_nothing_and_another_may_follow(way: Way, title: Title) -> None:
    await propose(way, title)
    dropped = await decide(way, title, decision="drop", reasons=["not proven"])
    assert (dropped.state, dropped.revoked_on) == ("dropped", None)
    kept = await find_title(way.db, title.number)
    assert kept is not None
    assert kept.holds_on(way.db.clock.today())
    assert await way.db.fetchval("SELECT count(*) FROM events WHERE type LIKE '%title-revoked%'") == 0
    assert (await propose(way, title)).state == "proposed"


async def test_nobody_decides_their_own_proposal(way: Way, title: Title) -> None:
    await propose(way, title)
    with pytest.raises(OwnProposal):
        await decide(way, title, OFFICER)


async def test_one_proposal_stands_at_a_time_and_a_decision_needs_one(way: Way, title: Title) -> None:
    with pytest.raises(NoProposal):
        await decide(way, title)
    await propose(way, title)
    with pytest.raises(ProposedAlready):
        await propose(way, title, COLLEAGUE)
    await decide(way, title)
    with pytest.raises(NoProposal):
        await decide(way, title)
    with pytest.raises(TitleNotHeld):
        await propose(way, title)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"ground": "bad_luck"}, UnknownGround), ({"reasons": [" "]}, ReasonsNeeded),
        ({"conduct_on": date(2030, 1, 1)}, UnusableInput),
    ],
)  # fmt: skip
async def test_a_proposal_needs_a_ground_of_the_edition_reasons_and_a_day(
    way: Way, title: Title, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await propose(way, title, **changes)


async def test_only_officers_without_a_tie_take_titles_away(way: Way, title: Title) -> None:
    with pytest.raises(Forbidden):
        await propose(way, title, APPLICANT)
    async with way.db.transaction(OFFICER) as tx:
        await declare_interest(tx, enterprise_id=USCC, ground="declared")
    with pytest.raises(TiedToEnterprise):
        await propose(way, title)


async def test_a_title_that_has_run_out_is_not_revoked(way: Way, title: Title, clock: FixedClock) -> None:
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(TitleNotHeld):
        await propose(way, title)


async def test_who_lost_a_title_is_barred_until_the_day_the_edition_names(
    way: Way, title: Title, clock: FixedClock
) -> None:
    await propose(way, title)
    await decide(way, title)
    clock.set(datetime(2016, 12, 31, 2, 0, tzinfo=UTC))
    with pytest.raises(Barred) as barred:
        await way.submitted()
    assert barred.value.fields["until"] == date(2016, 12, 31)
    clock.set(datetime(2017, 1, 1, 2, 0, tzinfo=UTC))
    assert (await way.submitted()).state == "submitted"


@pytest.mark.parametrize(
    ("programme", "in_force", "ground", "revoked_on", "until"),
    [
        ("hnte", date(2008, 1, 1), "tax_evasion", date(2010, 6, 15), date(2015, 6, 15)),
        ("hnte", date(2016, 1, 1), "tax_finding", date(2018, 6, 15), date(2018, 12, 31)),
        ("sme", date(2017, 5, 3), "sampling", date(2026, 3, 2), date(2026, 12, 31)),
        ("sme", date(2017, 5, 3), "fraud", date(2026, 3, 2), date(2029, 3, 2)),
        ("sme", date(2017, 5, 3), "sampling", date(2018, 3, 2), None),
    ],
)
def test_the_bar_follows_from_the_edition(
    programme: str, in_force: date, ground: str, revoked_on: date, until: date | None
) -> None:
    edition = load_rulebooks(Path(RULEBOOKS)).edition(programme, in_force, None)
    assert barred_until(edition, ground, revoked_on) == until


@pytest.mark.parametrize(
    ("period", "day", "last"),
    [
        ({"years": 5}, date(2012, 2, 29), date(2017, 2, 28)), ({"months": 3}, date(2015, 11, 30), date(2016, 2, 29)),
        ({"days": 15}, date(2016, 2, 20), date(2016, 3, 6)), ({"working_days": 1}, date(2016, 9, 30), date(2016, 10, 8)),
        ({"until": "12-31"}, date(2016, 12, 31), date(2016, 12, 31)), ({"until": "03-31"}, date(2016, 4, 1), date(2017, 3, 31)),
    ],
)  # fmt: skip
def test_a_period_ends_on_its_last_day(period: dict[str, Any], day: date, last: date) -> None:
    assert last_day(Period.model_validate(period), day) == last
