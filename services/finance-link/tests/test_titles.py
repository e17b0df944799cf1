"""A granted title goes to the banks whose consent asks for it, once."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from contracts.certification import EnterpriseChanged, TitleGranted
from contracts.finance_link import ReferralCalledBack, ReferralOffered, ReferralSent
from finance_link.domain.answers import Rejected
from finance_link.domain.products import Product, routed
from finance_link.domain.referrals import Referral
from finance_link.domain.scope import Title
from finance_link.store.surroundings import find_surroundings
from finance_link.use_cases.knowing import REVOKED
from finance_link.use_cases.sending import add_draft
from finance_rig import BANK, NEED, OTHER_BANK, Desk, bank, granted, ip_granted, registered, revoked


async def referrals(desk: Desk) -> list[Referral]:
    rows = await desk.db.fetch("SELECT * FROM referrals ORDER BY referral_id")
    return [Referral.model_validate(dict(row)) for row in rows]


async def ready(desk: Desk, *, on_title: bool = True) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.consent(on_title=on_title)


async def test_a_title_event_delivered_five_times_refers_once(desk: Desk) -> None:
    await ready(desk)
    title = granted()
    await desk.hear(title, times=5)
    [referral] = await referrals(desk)
    [offer] = await desk.said(ReferralOffered)
    assert (referral.state, referral.caused_by) == ("sent", f"certification.titles/{title.enterprise_id}/1")
    assert offer.facts["title.number"] == title.number
    assert len(await desk.said(ReferralSent)) == 1


async def test_the_same_title_told_under_two_numbers_refers_once(desk: Desk) -> None:
    await ready(desk)
    title = granted()
    await desk.hear(title)
    await desk.hear(title)
    assert len(await referrals(desk)) == 1


async def test_the_cause_alone_keeps_a_referral_from_being_made_twice(desk: Desk) -> None:
    await ready(desk)
    await desk.hear(granted())
    [referral] = await referrals(desk)
    again = referral.model_copy(update={"referral_id": uuid4(), "state": "draft"})
    async with desk.db.transaction() as tx:
        around = await find_surroundings(tx, referral.enterprise_id, referral.bank_id)
        assert await add_draft(tx, again, None, around) is None
    assert len(await referrals(desk)) == 1


async def test_both_services_titles_are_referred(desk: Desk) -> None:
    await ready(desk)
    await desk.hear(granted())
    await desk.hear(ip_granted())
    offers = await desk.said(ReferralOffered)
    assert [offer.facts["title.programme"] for offer in offers] == ["hnte", "ip-advantage"]


async def test_each_bank_that_was_consented_to_gets_its_own_referral(desk: Desk) -> None:
    await ready(desk)
    await desk.product(OTHER_BANK, "zhi-rong")
    await desk.consent(bank_id=OTHER_BANK, on_title=True)
    await desk.hear(granted())
    offers = await desk.said(ReferralOffered)
    assert {(offer.bank_id, offer.product_id) for offer in offers} == {
        (BANK, "keji"),
        (OTHER_BANK, "zhi-rong"),
    }
    assert {offer.topic for offer in offers} == {
        f"finance-link.bank.{BANK}",
        f"finance-link.bank.{OTHER_BANK}",
    }


async def test_without_a_consent_that_asks_for_it_a_title_is_not_referred(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.consent(on_title=False)
    await desk.hear(granted())
    assert await referrals(desk) == []
    assert await desk.told_to_banks() == ""


async def test_a_title_is_not_referred_after_the_consent_was_withdrawn(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.withdraw(await desk.consent(on_title=True))
    await desk.hear(granted())
    assert await referrals(desk) == []


@pytest.mark.parametrize("changes", [{"is_open": False}, {"programmes": ["ip-demonstration"]}])
async def test_a_title_goes_only_to_an_open_product_whose_rules_fit(
    desk: Desk, changes: dict[str, Any]
) -> None:
    await desk.hear(registered())
    await desk.product(**changes)
    await desk.consent(on_title=True)
    await desk.hear(granted())
    assert await referrals(desk) == []


async def test_a_title_that_has_run_out_is_not_referred(desk: Desk) -> None:
    await ready(desk)
    over = granted().model_copy(update={"granted_on": date(2013, 7, 30), "valid_until": date(2016, 7, 29)})
    await desk.hear(over)
    assert await referrals(desk) == []


async def test_a_title_heard_before_the_registration_is_sent_once_that_arrives(desk: Desk) -> None:
    await desk.product()
    await desk.consent(on_title=True)
    await desk.hear(granted())
    [waiting] = await referrals(desk)
    assert (waiting.state, waiting.missing) == ("draft", ["enterprise"])
    await desk.hear(registered(), times=3)
    assert [offer.facts["enterprise.name"] for offer in await desk.said(ReferralOffered)] == [
        registered().name
    ]


async def test_a_wish_that_waits_for_a_title_is_sent_when_it_is_granted(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.consent()
    assert (await desk.ask()).missing == ["title"]
    await desk.hear(granted())
    [offer] = await desk.said(ReferralOffered)
    assert offer.amount == NEED.amount


async def test_the_newest_registration_is_the_one_that_is_told(desk: Desk) -> None:
    await ready(desk)
    await desk.hear(EnterpriseChanged(**(registered().model_dump() | {"name": "锋海精工"})))
    await desk.hear(granted())
    [offer] = await desk.said(ReferralOffered)
    assert offer.facts["enterprise.name"] == "锋海精工"


async def test_a_title_does_not_go_where_the_bank_asked_for_no_new_request_yet(desk: Desk) -> None:
    await ready(desk)
    await desk.hear(granted())
    [referral] = await referrals(desk)
    refusal = Rejected(reason_code="R07", reason="负债率过高", next_application_on=date(2016, 12, 1))
    await desk.report(referral, "r-1", refusal, bank())
    await desk.hear(ip_granted())
    assert len(await referrals(desk)) == 1


async def test_what_rests_on_a_revoked_title_is_called_back(desk: Desk) -> None:
    await ready(desk)
    title = granted()
    await desk.hear(title)
    [referral] = await referrals(desk)
    await desk.hear(revoked(title), times=3)
    [taken_back] = await referrals(desk)
    assert (referral.state, taken_back.state, taken_back.reason) == ("sent", "withdrawn", REVOKED)
    assert [called.referral_id for called in await desk.said(ReferralCalledBack)] == [referral.referral_id]
    assert (
        await desk.db.fetchval("SELECT count(*) FROM work WHERE state = 'due' AND kind = 'referral.expire'")
        == 0
    )


async def test_a_wish_that_a_revoked_title_opened_is_called_back_unless_another_title_opens_it(
    desk: Desk,
) -> None:
    await ready(desk, on_title=False)
    first, second = granted(), granted()
    await desk.hear(first)
    assert (await desk.ask()).state == "sent"
    await desk.hear(second)
    await desk.hear(revoked(first))
    assert [one.state for one in await referrals(desk)] == ["sent"]
    await desk.hear(revoked(second))
    assert [one.state for one in await referrals(desk)] == ["withdrawn"]


async def test_a_revoked_title_opens_nothing_any_more(desk: Desk) -> None:
    await desk.product()
    await desk.hear(registered())
    await desk.consent()
    title = granted()
    await desk.hear(title)
    await desk.hear(revoked(title))
    assert (await desk.ask()).missing == ["title"]


async def test_routing_looks_at_products_and_title_only(desk: Desk) -> None:
    cheap = await desk.product(product_id="b", annual_rate_from=Decimal("0.03"))
    dear = await desk.product(product_id="a", annual_rate_from=Decimal("0.04"))
    title = Title.model_validate(granted().model_dump(exclude={"case_id"}))
    assert routed([dear, cheap], title) == cheap
    twin: Product = cheap.model_copy(update={"product_id": "c"})
    assert routed([twin, cheap], title) == cheap
    assert routed([], title) is None


async def test_what_an_event_causes_says_so(desk: Desk) -> None:
    await ready(desk)
    title: TitleGranted = granted()
    await desk.hear(title)
    cause = f"certification.titles/{title.enterprise_id}/1"
    assert await desk.db.fetchval("SELECT caused_by FROM titles WHERE title_id = $1", title.title_id) == cause
    assert await desk.db.fetchval("SELECT count(*) FROM events WHERE caused_by = $1", cause) == 3
