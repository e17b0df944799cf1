"""What a bank may report, and that it counts once."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

import pytest

from chassis.errors import Forbidden, NotFound
from contracts.finance_link import (
    ReferralAccepted,
    ReferralApproved,
    ReferralCalledBack,
    ReferralDisbursed,
    ReferralRejected,
    ReferralReturned,
    ReferralSent,
    ReferralWithdrawn,
)
from finance_link.domain.answers import Accepted, Approved, Disbursed, Rejected, Returned
from finance_link.domain.referrals import Referral
from finance_link.domain.refusals import (
    AlreadyReferred,
    AmountOverProduct,
    DisbursedOverApproved,
    NeedIsFixed,
    NotPossibleNow,
    NotWithdrawable,
    ProductClosed,
    ReferenceReused,
    TermOverProduct,
    TooEarly,
)
from finance_link.use_cases.referrals import Need, change_need, withdraw_referral
from finance_rig import BANK, NEED, OTHER_BANK, Desk, bank, firm, granted, registered

APPROVED = Approved(amount=Decimal("1000000.00"), annual_rate=Decimal("0.041625"), term_months=12)
REJECTED = Rejected(reason_code="R07", reason="负债率过高", next_application_on=date(2016, 9, 1))


def disbursed(amount: str) -> Disbursed:
    return Disbursed(contract_number="LN-2016-88", amount=Decimal(amount), disbursed_on=date(2016, 8, 1))


async def approved(desk: Desk) -> Referral:
    referral = await desk.sent()
    await desk.report(referral, "a-1", Accepted())
    await desk.report(referral, "a-2", APPROVED)
    return referral


async def test_a_loan_goes_from_offer_to_payment_in_exact_amounts(desk: Desk) -> None:
    referral = await approved(desk)
    await desk.report(referral, "d-1", disbursed("333333.33"))
    await desk.report(referral, "d-2", disbursed("666666.67"))
    assert [event.referral_id for event in await desk.said(ReferralAccepted)] == [referral.referral_id]
    [approval] = await desk.said(ReferralApproved)
    assert (approval.amount, approval.annual_rate) == (Decimal("1000000.00"), Decimal("0.041625"))
    assert sum(event.amount for event in await desk.said(ReferralDisbursed)) == Decimal("1000000.00")
    paid = await desk.look(referral.referral_id)
    assert (paid.state, paid.disbursed_amount) == ("disbursed", Decimal("1000000.00"))


async def test_more_than_the_approved_amount_is_never_disbursed(desk: Desk) -> None:
    referral = await approved(desk)
    await desk.report(referral, "d-1", disbursed("999999.99"))
    with pytest.raises(DisbursedOverApproved, match=r"0\.01 are left"):
        await desk.report(referral, "d-2", disbursed("0.02"))
    await desk.report(referral, "d-3", disbursed("0.01"))
    assert len(await desk.said(ReferralDisbursed)) == 2


async def test_payments_reported_at_once_stay_within_the_approved_amount(desk: Desk) -> None:
    referral = await approved(desk)
    answers = await asyncio.gather(
        *(desk.report(referral, f"d-{n}", disbursed("400000.00")) for n in range(6)), return_exceptions=True
    )
    assert sum(isinstance(answer, DisbursedOverApproved) for answer in answers) == 4
    assert (await desk.look(referral.referral_id)).disbursed_amount == Decimal("800000.00")


async def test_a_report_that_comes_again_gives_the_same_answer_and_one_effect(desk: Desk) -> None:
    referral = await approved(desk)
    first = await desk.report(referral, "d-1", disbursed("500000.00"))
    await desk.report(referral, "d-2", disbursed("500000.00"))
    assert await desk.report(referral, "d-1", disbursed("500000.0")) == first
    assert len(await desk.said(ReferralDisbursed)) == 2


async def test_one_report_sent_ten_times_in_parallel_counts_once(desk: Desk) -> None:
    referral = await approved(desk)
    answers = await asyncio.gather(*(desk.report(referral, "d-1", disbursed("200000.00")) for _ in range(10)))
    assert len({answer.outcome_id for answer in answers}) == 1
    assert (await desk.look(referral.referral_id)).disbursed_amount == Decimal("200000.00")


async def test_a_reference_that_comes_back_with_another_body_is_refused(desk: Desk) -> None:
    referral = await approved(desk)
    await desk.report(referral, "d-1", disbursed("500000.00"))
    with pytest.raises(ReferenceReused) as refused:
        await desk.report(referral, "d-1", disbursed("500000.01"))
    assert refused.value.status == 422


async def test_a_reference_belongs_to_one_referral(desk: Desk) -> None:
    first = await desk.sent()
    await desk.product(product_id="other")
    second = await desk.ask(product_id="other")
    await desk.report(first, "a-1", Accepted())
    with pytest.raises(ReferenceReused):
        await desk.report(second, "a-1", Accepted())
    assert (await desk.look(second.referral_id)).state == "sent"


async def test_a_foreign_bank_finds_nothing(desk: Desk) -> None:
    referral = await desk.sent()
    with pytest.raises(NotFound):
        await desk.report(referral, "a-1", Accepted(), bank(OTHER_BANK))
    with pytest.raises(Forbidden):
        await desk.report(referral, "a-1", Accepted(), firm())


async def test_a_draft_does_not_exist_for_its_bank(desk: Desk) -> None:
    await desk.product()
    draft = await desk.ask()
    with pytest.raises(NotFound):
        await desk.report(draft, "a-1", Accepted())


async def test_an_answer_out_of_turn_names_the_state_and_what_is_possible(desk: Desk) -> None:
    referral = await desk.sent()
    with pytest.raises(
        NotPossibleNow, match="is sent cannot become disbursed; possible now: accepted, returned, rejected"
    ):
        await desk.report(referral, "d-1", disbursed("1.00"))
    await desk.report(referral, "a-1", REJECTED)
    with pytest.raises(NotPossibleNow, match="is rejected cannot become accepted; possible now: –"):
        await desk.report(referral, "a-2", Accepted())
    [event] = await desk.said(ReferralRejected)
    assert (event.reason_code, event.reason) == ("R07", "负债率过高")


async def test_a_refusal_can_bar_a_new_request_until_its_day(desk: Desk) -> None:
    referral = await desk.sent()
    await desk.report(referral, "a-1", REJECTED)
    with pytest.raises(TooEarly):
        await desk.ask()
    desk.clock.advance(timedelta(days=31))
    assert (await desk.ask()).state == "sent"


async def test_a_returned_request_is_mended_and_sent_again(desk: Desk) -> None:
    referral = await desk.sent()
    await desk.report(referral, "a-1", Returned(reason="term too long"))
    assert [event.reason for event in await desk.said(ReferralReturned)] == ["term too long"]
    async with desk.db.transaction(firm()) as tx:
        mended = await change_need(tx, referral.referral_id, Need(Decimal("900000.00"), 6))
    assert (mended.state, mended.amount, mended.term_months) == ("sent", Decimal("900000.00"), 6)
    assert len(await desk.said(ReferralSent)) == 2
    async with desk.db.transaction(firm()) as tx:
        with pytest.raises(NeedIsFixed):
            await change_need(tx, referral.referral_id, NEED)


async def test_a_wish_keeps_to_the_product_and_is_made_once(desk: Desk) -> None:
    await desk.product()
    with pytest.raises(AmountOverProduct):
        await desk.ask(Need(Decimal("5000000.01"), 36))
    with pytest.raises(TermOverProduct):
        await desk.ask(Need(Decimal("5000000.00"), 37))
    await desk.ask(Need(Decimal("5000000.00"), 36))
    with pytest.raises(AlreadyReferred):
        await desk.ask()
    await desk.product(product_id="closed", is_open=False)
    with pytest.raises(ProductClosed):
        await desk.ask(product_id="closed")


async def test_the_same_wish_made_at_once_becomes_one_referral(desk: Desk) -> None:
    await desk.product()
    answers = await asyncio.gather(*(desk.ask() for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(answer, AlreadyReferred) for answer in answers) == 5


async def test_an_enterprise_takes_its_request_back_until_money_has_moved(desk: Desk) -> None:
    referral = await desk.sent()
    async with desk.db.transaction(firm()) as tx:
        await withdraw_referral(tx, referral.referral_id)
    [called_back] = await desk.said(ReferralCalledBack)
    assert called_back.topic == f"finance-link.bank.{BANK}"
    with pytest.raises(NotPossibleNow):
        await desk.report(referral, "a-1", Accepted())
    paid = await desk.ask()
    for reference, answer in (("b-1", Accepted()), ("b-2", APPROVED), ("b-3", disbursed("1.00"))):
        await desk.report(paid, reference, answer)
    async with desk.db.transaction(firm()) as tx:
        with pytest.raises(NotWithdrawable):
            await withdraw_referral(tx, paid.referral_id)


async def test_a_request_that_nobody_answers_ends_and_is_called_back(desk: Desk) -> None:
    referral = await desk.sent()
    desk.clock.advance(timedelta(days=59))
    assert await desk.meet_deadlines() == 0
    desk.clock.advance(timedelta(days=1))
    await desk.meet_deadlines()
    assert (await desk.look(referral.referral_id)).state == "expired"
    assert [event.reason for event in await desk.said(ReferralWithdrawn)] == [
        "the bank did not answer in time"
    ]
    assert len(await desk.said(ReferralCalledBack)) == 1


async def test_a_request_that_the_bank_took_up_does_not_end_by_itself(desk: Desk) -> None:
    referral = await desk.sent()
    await desk.report(referral, "a-1", Accepted())
    desk.clock.advance(timedelta(days=150))
    assert await desk.meet_deadlines() == 0
    assert (await desk.look(referral.referral_id)).state == "accepted"


async def test_a_draft_that_nobody_completes_ends_untold(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.hear(granted())
    draft = await desk.ask()
    desk.clock.advance(timedelta(days=90))
    await desk.meet_deadlines()
    assert (await desk.look(draft.referral_id)).state == "expired"
    assert await desk.told_to_banks() == ""
