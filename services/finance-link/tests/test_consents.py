"""What leaves for a bank, and under which consent (PIPL, Art. 15 and 23; promise I6)."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import NotFound
from contracts.finance_link import (
    ConsentGiven,
    ConsentWithdrawn,
    ReferralCalledBack,
    ReferralOffered,
    ReferralSent,
    ReferralWithdrawn,
)
from finance_link.domain.refusals import BankUnknown, ConsentEndsTooEarly, ConsentOver
from finance_link.domain.scope import Enterprise, Known, Title, facts_of
from finance_link.store import consents as store
from finance_link.use_cases.consents import withdraw_consent
from finance_rig import (
    BANK,
    EVERYTHING,
    FIRM,
    NEED,
    OTHER_BANK,
    OTHER_FIRM,
    Desk,
    firm,
    granted,
    registered,
    wish,
)

KNOWN = Known(
    FIRM,
    Enterprise.model_validate(registered().model_dump()),
    Title.model_validate(granted().model_dump(exclude={"case_id"})),
    NEED.amount,
    NEED.term_months,
    NEED.loan_use,
)
WRITTEN = facts_of(EVERYTHING, KNOWN)


async def ready(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.hear(granted())


@pytest.mark.parametrize(
    "fields",
    [
        ["enterprise.id"],
        ["title.number", "need.amount"],
        ["enterprise.name", "title.programme", "need.term_months"],
    ],
)
async def test_what_the_consent_does_not_name_never_leaves(desk: Desk, fields: list[str]) -> None:
    await ready(desk)
    await desk.consent(fields)
    sent = await desk.ask()
    [offer] = await desk.said(ReferralOffered)
    assert offer.facts == {name: WRITTEN[name] for name in fields}
    assert sent.fields_sent == sorted(fields)
    told = await desk.told_to_banks()
    for name in set(EVERYTHING) - set(fields) - {"need.term_months"}:
        assert WRITTEN[name] not in told, name
    assert (offer.amount is not None) == ("need.amount" in fields)
    assert (offer.term_months is not None) == ("need.term_months" in fields)


@given(st.lists(st.sampled_from(EVERYTHING), unique=True))
def test_the_facts_are_never_more_than_the_named_fields(fields: list[str]) -> None:
    assert facts_of(fields, KNOWN).keys() == set(fields)
    assert facts_of(fields, Known(FIRM)).keys() <= set(fields)


def test_a_field_outside_the_closed_set_is_an_error_not_a_fact() -> None:
    with pytest.raises(KeyError):
        facts_of(["enterprise.profit"], KNOWN)


async def test_a_wish_without_consent_stays_a_draft_that_says_so(desk: Desk) -> None:
    await ready(desk)
    draft = await desk.ask()
    assert (draft.state, draft.missing, draft.sent_at) == ("draft", ["consent"], None)
    assert await desk.told_to_banks() == ""


async def test_a_consent_for_another_purpose_or_bank_sends_nothing(desk: Desk) -> None:
    await ready(desk)
    await desk.product(OTHER_BANK)
    await desk.consent(purpose="ip-pledge-financing")
    await desk.consent(bank_id=OTHER_BANK)
    assert (await desk.ask()).missing == ["consent"]
    assert await desk.told_to_banks() == ""


async def test_a_consent_sends_the_drafts_that_waited_for_it(desk: Desk) -> None:
    await ready(desk)
    draft = await desk.ask()
    consent = await desk.consent()
    sent = await desk.look(draft.referral_id)
    assert (sent.state, sent.missing, sent.consent_id) == ("sent", [], consent.consent_id)
    assert [event.referral_id for event in await desk.said(ReferralSent)] == [draft.referral_id]


async def test_a_consent_withdrawn_between_draft_and_sending_sends_nothing(desk: Desk) -> None:
    await desk.product()
    await desk.hear(granted())
    consent = await desk.consent()
    draft = await desk.ask()
    assert draft.missing == ["enterprise"]
    await desk.withdraw(consent)
    await desk.hear(registered())
    assert (await desk.look(draft.referral_id)).state == "withdrawn"
    assert await desk.told_to_banks() == ""
    assert await desk.said(ReferralCalledBack) == []
    assert len(await desk.said(ReferralWithdrawn)) == 1


async def test_withdrawal_calls_back_what_was_sent(desk: Desk) -> None:
    await ready(desk)
    consent = await desk.consent()
    sent = await desk.ask()
    ended = await desk.withdraw(consent)
    [called_back] = await desk.said(ReferralCalledBack)
    assert (called_back.referral_id, called_back.topic) == (sent.referral_id, f"finance-link.bank.{BANK}")
    assert (await desk.look(sent.referral_id)).state == "withdrawn"
    [said] = await desk.said(ConsentWithdrawn)
    assert said.withdrawn_at == ended.ended_at
    await desk.withdraw(consent)
    assert len(await desk.said(ConsentWithdrawn)) == 1


async def test_withdrawal_touches_no_other_bank(desk: Desk) -> None:
    await ready(desk)
    await desk.product(OTHER_BANK)
    await desk.consent()
    sent = await desk.ask()
    await desk.withdraw(await desk.consent(bank_id=OTHER_BANK))
    assert (await desk.look(sent.referral_id)).state == "sent"
    assert await desk.said(ReferralCalledBack) == []


async def test_a_sending_waits_for_a_withdrawal_under_way_and_then_sends_nothing(desk: Desk) -> None:
    await ready(desk)
    consent = await desk.consent()
    async with desk.db.transaction(firm()) as tx:
        await withdraw_consent(tx, consent.consent_id)
        asking = asyncio.create_task(desk.ask())
        await asyncio.sleep(0.3)
        assert not asking.done()
    assert (await asking).missing == ["consent"]
    assert await desk.told_to_banks() == ""


async def test_a_withdrawal_waits_for_a_sending_under_way_and_calls_it_back(desk: Desk) -> None:
    await ready(desk)
    consent = await desk.consent()
    async with desk.db.transaction(firm()) as tx:
        sent = await wish(tx)
        withdrawing = asyncio.create_task(desk.withdraw(consent))
        await asyncio.sleep(0.3)
        assert not withdrawing.done()
    await withdrawing
    assert sent.state == "sent"
    assert [event.referral_id for event in await desk.said(ReferralCalledBack)] == [sent.referral_id]


async def test_whoever_wins_the_race_nothing_sent_outlives_its_consent(desk: Desk) -> None:
    await ready(desk)
    for number in range(12):
        await desk.product(product_id=f"race-{number}")
        consent = await desk.consent()
        await asyncio.gather(desk.ask(product_id=f"race-{number}"), desk.withdraw(consent))
    sent = {event.referral_id for event in await desk.said(ReferralSent)}
    called_back = {event.referral_id for event in await desk.said(ReferralCalledBack)}
    assert sent == called_back
    assert await desk.db.fetchval("SELECT count(*) FROM referrals WHERE state = 'sent'") == 0


async def test_after_its_last_day_a_consent_sends_nothing(desk: Desk) -> None:
    await ready(desk)
    consent = await desk.consent(expires_on=desk.clock.today())
    desk.clock.advance(timedelta(days=1))
    assert (await desk.ask()).missing == ["consent"]
    assert await desk.meet_deadlines() == 1
    ended = await desk.db.fetchval(
        "SELECT ended_because FROM consents WHERE consent_id = $1", consent.consent_id
    )
    assert ended == "expired"
    with pytest.raises(ConsentOver):
        await desk.withdraw(consent)


async def test_on_its_last_day_a_consent_still_sends(desk: Desk) -> None:
    await ready(desk)
    await desk.consent(expires_on=desk.clock.today())
    assert await desk.meet_deadlines() == 0
    assert (await desk.ask()).state == "sent"


async def test_a_new_consent_replaces_the_old_one_so_that_one_withdrawal_ends_all(desk: Desk) -> None:
    await ready(desk)
    await desk.consent(EVERYTHING)
    narrow = await desk.consent(["enterprise.id"])
    assert (await desk.ask()).fields_sent == ["enterprise.id"]
    await desk.withdraw(narrow)
    assert (await desk.ask()).missing == ["consent"]


async def test_consents_given_at_once_leave_one_standing(desk: Desk) -> None:
    await desk.product()
    await asyncio.gather(*(desk.consent() for _ in range(6)))
    assert await desk.db.fetchval("SELECT count(*) FROM consents WHERE ended_at IS NULL") == 1
    assert len(await desk.said(ConsentGiven)) == 6


async def test_nobody_but_the_enterprise_withdraws_its_consent(desk: Desk) -> None:
    await desk.product()
    consent = await desk.consent()
    async with desk.db.transaction(firm(OTHER_FIRM)) as tx:
        with pytest.raises(NotFound):
            await withdraw_consent(tx, consent.consent_id)


async def test_a_consent_names_a_bank_that_is_here_and_a_day_to_come(desk: Desk) -> None:
    with pytest.raises(BankUnknown):
        await desk.consent()
    await desk.product()
    with pytest.raises(ConsentEndsTooEarly):
        await desk.consent(expires_on=desk.clock.today() - timedelta(days=1))


async def test_a_withdrawal_is_never_dated_before_what_was_sent_under_it(desk: Desk) -> None:
    await ready(desk)
    consent = await desk.consent()
    desk.clock.advance(timedelta(hours=1))
    sent = await desk.ask()
    desk.clock.advance(timedelta(hours=-1))
    assert (await desk.withdraw(consent)).ended_at == sent.sent_at


@pytest.mark.parametrize("fields", [["enterprise.id", "need.amount"], ["enterprise.id"]])
async def test_the_database_refuses_a_row_that_its_consent_does_not_cover(
    desk: Desk, fields: list[str]
) -> None:
    await ready(desk)
    consent = await desk.consent(["enterprise.id"])
    if fields == ["enterprise.id"]:
        await desk.withdraw(consent)
    with pytest.raises(asyncpg.RaiseError, match="not covered"):
        async with desk.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO referrals (referral_id, enterprise_id, bank_id, product_id, purpose, state, missing,"
                " consent_id, sent_at, fields_sent, created_at)"
                " VALUES ($1, $2, $3, 'keji', 'financing', 'sent', '{}', $4, $5, $6, $5)",
                uuid4(), FIRM, BANK, consent.consent_id, desk.clock.now(), fields,
            )  # fmt: skip


async def test_the_amounts_told_are_exact(desk: Desk) -> None:
    await ready(desk)
    await desk.consent()
    await desk.ask(need=type(NEED)(Decimal("4999999.99"), 36))
    [offer] = await desk.said(ReferralOffered)
    assert (offer.amount, offer.facts["need.amount"]) == (Decimal("4999999.99"), "4999999.99")


async def test_the_standing_consent_is_found_by_all_three_of_its_keys(desk: Desk) -> None:
    await desk.product()
    consent = await desk.consent()
    async with desk.db.transaction() as tx:
        assert await store.lock_standing(tx, FIRM, BANK, "financing") == consent
        assert await store.lock_standing(tx, OTHER_FIRM, BANK, "financing") is None
