"""Nobody is left untold, and nobody is told twice."""

import asyncio
import itertools
import random
from collections import Counter
from datetime import timedelta

import pytest

from chassis.clock import FixedClock
from contracts.certification import CaseReturned, ExpertCalled, ExpertReleased
from contracts.envelope import Event
from contracts.finance_link import ConsentWithdrawn, ReferralSent
from contracts.registry import event_types
from notifier.consumers import listening
from notifier.domain.notifications import OFFICERS
from notifier_rig import FIRM, OTHER_FIRM, Bureau, changed, example, golden, granted, registered, submitted

FINAL = ("delivered", "undelivered")


async def test_an_event_five_times_notifies_once(bureau: Bureau) -> None:
    await bureau.hear(registered())
    one = bureau.record(granted())
    await bureau.take(one, one)
    for _ in range(3):
        await bureau.take(one)
    rows = await bureau.rows(template="title-granted")
    assert [(row["channel"], row["recipient"]) for row in rows] == [("inbox", FIRM), ("mail", FIRM)]
    assert await bureau.db.fetchval("SELECT count(*) FROM work") == 1


async def test_the_row_is_guarded_also_where_the_mark_is_not(bureau: Bureau) -> None:
    await bureau.hear(registered())
    one = bureau.record(granted())
    await bureau.take(one)
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE inbox SET sequence = sequence - 1 WHERE topic = 'certification.titles'")
    await bureau.take(one)
    assert len(await bureau.rows(template="title-granted")) == 2
    assert Counter(kind for kind, *_ in await bureau.said()) == {"notification-delivered": 2}


async def test_each_audience_is_told_over_its_channels(bureau: Bureau) -> None:
    await bureau.hear(registered())
    await bureau.hear(submitted(), example(ReferralSent, enterprise_id=FIRM))
    told = {(r["recipient"], r["channel"], r["template"]) for r in await bureau.rows()}
    assert told == {
        (FIRM, "inbox", "enterprise-registered"),
        (FIRM, "inbox", "case-submitted"),
        (FIRM, "mail", "case-submitted"),
        (OFFICERS, "inbox", "case-to-check"),
        (FIRM, "inbox", "referral-sent"),
        (FIRM, "mail", "referral-sent"),
        ("bank:city-bank", "inbox", "referral-arrived"),
    }


async def test_an_expert_is_told_by_itself_and_not_which_case_it_judges(bureau: Bureau) -> None:
    called, steps_in = golden(ExpertCalled.type)
    await bureau.hear(called, steps_in, example(ExpertReleased))
    rows = {row["recipient"]: row for row in await bureau.rows()}
    assert rows.keys() == {"expert:expert-liang", "expert:expert-fan", "expert:expert-mo"}
    assert {(row["channel"], row["state"]) for row in rows.values()} == {("inbox", "delivered")}
    assert "参加12项高新技术企业申请的评审" in rows["expert:expert-liang"]["body"]
    assert "按抽取排序递补" in rows["expert:expert-fan"]["body"]
    assert rows["expert:expert-mo"]["subject"] == "退出通知：高新技术企业评审"
    told = " ".join(row["body"] for row in rows.values())
    assert str(called.model_dump()["draw_id"]) not in told
    assert await bureau.db.fetchval("SELECT count(*) FROM enterprises") == 0


async def test_an_inbox_has_its_message_at_once_and_the_fact_is_said(bureau: Bureau) -> None:
    await bureau.hear(registered())
    row = await bureau.row(template="enterprise-registered")
    assert (row["state"], row["settled_at"], row["read_at"]) == ("delivered", bureau.db.clock.now(), None)
    assert row["caused_by"] == f"certification.enterprises/{FIRM}/1"
    assert await bureau.said() == [("notification-delivered", FIRM, "inbox", None)]


async def test_what_a_case_says_before_its_enterprise_is_known_waits_for_it(bureau: Bureau) -> None:
    await bureau.hear(example(CaseReturned, enterprise_id=FIRM))
    waiting = await bureau.rows(recipient=FIRM)
    assert [(row["channel"], row["state"]) for row in waiting] == [("inbox", "waiting"), ("mail", "waiting")]
    assert await bureau.work() == 2
    await bureau.hear(registered(language="en", name="Example Optics"))
    inbox, mail = await bureau.rows(template="case-returned")
    assert (inbox["state"], mail["state"]) == ("delivered", "pending")
    assert inbox["body"].startswith("To Example Optics\n")
    assert inbox["facts"] is None
    assert inbox["caused_by"].startswith("certification.cases/")
    await bureau.work_until_quiet()
    assert {row["state"] for row in await bureau.rows()} == {"delivered"}
    assert await bureau.db.fetchval("SELECT count(*) FROM work WHERE state = 'due'") == 0


async def test_officers_and_banks_do_not_wait_for_the_enterprise(bureau: Bureau) -> None:
    await bureau.hear(submitted(OTHER_FIRM), example(ConsentWithdrawn, enterprise_id=OTHER_FIRM))
    officers = await bureau.row(recipient=OFFICERS)
    assert officers["state"] == "delivered"
    assert OTHER_FIRM in officers["body"]
    assert (await bureau.row(recipient="bank:city-bank"))["state"] == "delivered"


async def test_an_enterprise_that_never_comes_ends_the_waiting_with_a_reason(bureau: Bureau) -> None:
    await bureau.hear(granted())
    assert await bureau.work() == 2
    assert {row["state"] for row in await bureau.rows()} == {"waiting"}
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE work SET leased_until = NULL")
    bureau.changes["recipient_patience"] = 0.001
    assert await bureau.work() == 2
    rows = await bureau.rows()
    assert {(r["state"], r["reason_code"], r["facts"]) for r in rows} == {
        ("undelivered", "unknown_recipient", None)
    }
    assert sorted(await bureau.said()) == [
        ("notification-undelivered", FIRM, channel, "unknown_recipient") for channel in ("inbox", "mail")
    ]
    await bureau.hear(registered())
    assert {r["state"] for r in await bureau.rows(template="title-granted")} == {"undelivered"}


async def test_a_legal_clock_that_leaps_does_not_end_the_waiting(bureau: Bureau, clock: FixedClock) -> None:
    await bureau.hear(granted())
    clock.advance(timedelta(days=3650))
    await bureau.work()
    assert {row["state"] for row in await bureau.rows()} == {"waiting"}


@pytest.mark.parametrize("heard_of_before", [True, False])
@pytest.mark.parametrize("first_is_the_case", [True, False])
async def test_a_registration_at_the_same_moment_leaves_nobody_waiting(
    bureau: Bureau, first_is_the_case: bool, heard_of_before: bool
) -> None:
    if heard_of_before:
        await bureau.hear(submitted())
    case, registration = bureau.record(granted()), bureau.record(registered(email=None))
    first, second = (case, registration) if first_is_the_case else (registration, case)
    async with bureau.db.transaction() as tx:
        await listening(bureau.notices).apply(tx, [first], careful=False, give_up=False)
        other = asyncio.create_task(bureau.take(second))
        await asyncio.sleep(0.3)
        assert not other.done()
    await other
    assert {r["state"] for r in await bureau.rows(channel="inbox")} == {"delivered"}
    assert {r["reason_code"] for r in await bureau.rows(channel="mail")} == {"no_address"}
    assert await bureau.db.fetchval("SELECT count(*) FROM work WHERE state = 'due'") == 0


async def test_no_address_is_an_end_with_a_reason(bureau: Bureau) -> None:
    await bureau.hear(registered(email=None), registered(OTHER_FIRM, email="nobody"))
    await bureau.hear(granted(), granted(OTHER_FIRM))
    mails = await bureau.rows(channel="mail")
    assert {r["recipient"]: (r["state"], r["reason_code"]) for r in mails} == {
        FIRM: ("undelivered", "no_address"),
        OTHER_FIRM: ("undelivered", "bad_address"),
    }
    assert {r["state"] for r in await bureau.rows(channel="inbox")} == {"delivered"}
    assert ("notification-undelivered", FIRM, "mail", "no_address") in await bureau.said()


async def test_the_newest_name_and_language_are_used(bureau: Bureau) -> None:
    await bureau.hear(registered())
    await bureau.hear(changed(name="New Name Ltd.", language="en"))
    await bureau.hear(granted())
    row = await bureau.row(template="title-granted", channel="inbox")
    assert (row["language"], row["body"].splitlines()[0]) == ("en", "To New Name Ltd.")


async def test_a_rollback_has_told_nobody(bureau: Bureau) -> None:
    record = bureau.record(granted())
    with pytest.raises(ZeroDivisionError):
        async with bureau.db.transaction() as tx:
            await listening(bureau.notices).apply(tx, [record], careful=False, give_up=False)
            raise ZeroDivisionError
    assert await bureau.rows() == []
    assert await bureau.db.fetchval("SELECT count(*) FROM work") == 0


def everything(bureau: Bureau) -> list[Event]:
    return [event for type_, row in bureau.notices.table.items() if row.notices for event in golden(type_)]


@pytest.mark.parametrize("seed", range(4))
async def test_every_golden_event_in_any_order_of_topics_ends_for_everybody(
    bureau: Bureau, seed: int
) -> None:
    events = everything(bureau)
    lots = random.Random(seed)
    by_topic = {
        topic: list(group)
        for topic, group in itertools.groupby(sorted(events, key=lambda e: e.topic), key=lambda e: e.topic)
    }
    order = [topic for topic, group in by_topic.items() for _ in group]
    lots.shuffle(order)
    sent = [by_topic[topic].pop(0) for topic in order]
    await bureau.hear(*sent)
    await bureau.work_until_quiet()
    rows = await bureau.rows()
    expected = sum(
        len(notice.channels) for event in sent for notice in bureau.notices.table[event.type].notices
    )
    assert len(rows) == expected
    assert {row["state"] for row in rows} <= set(FINAL)
    assert all((row["state"] == "undelivered") == bool(row["reason_code"]) for row in rows)
    assert len(await bureau.said()) == expected
    assert await bureau.db.fetchval("SELECT count(*) FROM parked") == 0


def test_the_golden_events_name_every_event_that_is_told() -> None:
    assert {event.type for type_ in event_types() for event in golden(type_)} == event_types().keys()
