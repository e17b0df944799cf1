"""The promises that only some services have rows for: consent, decisions, notifications, balances."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import casework
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.migrate import sql_of
from chassis.testing import Databases
from contracts import certification, finance_link
from huiqi.ledger_reading import connect
from huiqi.promises import Promise
from huiqi.promises_audit import check_decisions
from huiqi.promises_outside import check_balances, check_consents, check_notifications
from small_town import FIRMS

FIRM = FIRMS[0]
CASEWORK_SQL = Path(casework.__file__).parent / "sql"


class Bank:
    """finance-link's database with one consent and one referral, sent as it should be."""

    def __init__(self, db: Database, url: str) -> None:
        self.db = db
        self.url = url
        self.consent, self.referral = uuid4(), uuid4()

    async def write(self, sql: str, *arguments: object) -> None:
        async with self.db.connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(sql, *arguments)

    async def set_up(self) -> None:
        now = self.db.clock.now()
        await self.write(
            "INSERT INTO consents (consent_id, enterprise_id, bank_id, purpose, fields, text_version, on_title, given_on, given_at, given_by, expires_on)"
            " VALUES ($1, $2, 'harbour', 'loan', '{enterprise.name,need.amount}', '1', false, '2016-07-01', $3, 'enterprise:zhang', '2016-12-31')",
            self.consent, FIRM, now - timedelta(days=31),
        )  # fmt: skip
        await self.write(
            "INSERT INTO referrals (referral_id, enterprise_id, bank_id, product_id, purpose, state, missing, consent_id, sent_at, fields_sent, created_at)"
            " VALUES ($1, $2, 'harbour', 'p', 'loan', 'sent', '{}', $3, $4, '{enterprise.name}', $4)",
            self.referral, FIRM, self.consent, now,
        )  # fmt: skip
        await self.offer()

    async def offer(self, **changes: Any) -> None:
        names: dict[str, Any] = {"referral_id": self.referral, "bank_id": "harbour", "product_id": "p"}
        sent = finance_link.ReferralSent(
            **names, enterprise_id=FIRM, sent_at=self.db.clock.now(), consent_id=self.consent
        )
        told: dict[str, Any] = {
            **names, "consent_id": self.consent, "purpose": "loan", "amount": None, "term_months": None,
            "facts": {"enterprise.name": "x"}, **changes,
        }  # fmt: skip
        async with self.db.transaction() as tx:
            tx.publish(sent, finance_link.ReferralOffered(**told))

    async def check(self, check: Any, promise: str) -> Promise:
        found = Promise(promise)
        connection = await connect(self.url, "finance-link")
        try:
            async with connection.transaction(readonly=True):
                await check(found, "finance-link", connection)
        finally:
            await connection.close()
        return found


@pytest.fixture
async def bank(make_database: Databases, clock: FixedClock) -> AsyncIterator[Bank]:
    url = await make_database.url([sql_of("finance_link")])
    db = await Database.open(url, service="finance-link", clock=clock, pool_size=2)
    bank = Bank(db, url)
    await bank.set_up()
    yield bank
    await db.close()


async def test_a_telling_under_a_standing_consent_and_within_its_fields_is_right(bank: Bank) -> None:
    await bank.offer(facts={"enterprise.name": "x", "need.amount": "5.00"}, amount=Decimal("5.00"))
    found = await bank.check(check_consents, "I6")
    assert (found.checked, found.broken) == (4, 0), found.findings


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"facts": {"enterprise.name": "x", "title.number": "y"}}, "fields that its consent does not name"),
        ({"term_months": 12}, "fields that its consent does not name"),
        ({"consent_id": uuid4()}, "no sending under this consent"),
        ({"purpose": "marketing"}, "for another purpose"),
        ({"bank_id": "other"}, "for others"),
    ],
)
async def test_a_telling_beyond_its_consent_is_reported(
    bank: Bank, changes: dict[str, Any], why: str
) -> None:
    await bank.offer(**changes)
    found = await bank.check(check_consents, "I6")
    assert found.broken == 1
    assert why in found.findings[0]["why"]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE consents SET ended_at = given_at, ended_because = 'withdrawn'", "had ended"),
        ("UPDATE consents SET given_at = '2016-09-01'", "given later"),
        ("UPDATE consents SET expires_on = '2016-07-31'", "had expired"),
        ("UPDATE consents SET fields = '{title.number}'", "fields that its consent does not name"),
        ("DELETE FROM consents", "no consent that exists"),
    ],
)
async def test_a_consent_that_did_not_stand_breaks_the_row_and_the_event(
    bank: Bank, sql: str, why: str
) -> None:
    await bank.write(sql)
    found = await bank.check(check_consents, "I6")
    assert found.broken == 2
    assert {finding["topic"] for finding in found.findings} == {"referrals", "finance-link.bank.harbour"}
    assert all(why in finding["why"] for finding in found.findings)


async def test_a_consent_withdrawn_after_the_sending_breaks_nothing(bank: Bank) -> None:
    await bank.write("UPDATE consents SET ended_at = '2016-08-01T02:00:01Z', ended_because = 'withdrawn'")
    assert (await bank.check(check_consents, "I6")).broken == 0


async def test_a_balance_that_differs_from_its_events_is_reported(bank: Bank) -> None:
    async with bank.db.transaction() as tx:
        tx.publish(
            finance_link.ReferralDisbursed(
                referral_id=bank.referral, enterprise_id=FIRM, bank_id="harbour", product_id="p",
                contract_number="c", amount=Decimal("3.00"), disbursed_on=date(2016, 8, 1),
            )
        )  # fmt: skip
    assert (await bank.check(check_balances, "I2")).broken == 1
    await bank.write("UPDATE referrals SET approved_amount = 5, disbursed_amount = 3")
    assert (await bank.check(check_balances, "I2")).broken == 0


async def test_a_decision_without_its_row_or_its_event_is_reported(make_database: Databases) -> None:
    url = await make_database.url([CASEWORK_SQL])
    db = await Database.open(
        url, service="certification", clock=FixedClock(make_database._clock.now()), pool_size=2
    )
    case_id = uuid4()
    row = (
        "INSERT INTO decisions (case_id, version, verb, actor, from_state, to_state, at)"
        " VALUES ($1, $2, $3, 'officer:li', $4, 'submitted', now())"
    )
    try:
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            for version, verb, before in (
                (1, "draft", None),
                (2, "submit", "draft"),
                (3, "accept", "submitted"),
            ):
                await tx.execute(row, case_id, version, verb, before)
            tx.publish(submitted(case_id))
        assert await decisions(url) == (1, 0)
        async with db.transaction() as tx:
            tx.publish(submitted(case_id))
        assert await decisions(url) == (2, 1)
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            for version in (4, 5):
                await tx.execute(row, case_id, version, "resubmit", "returned")
        assert await decisions(url) == (2, 1)
    finally:
        await db.close()


async def test_a_duty_that_was_missed_and_not_told_is_reported(make_database: Databases) -> None:
    url = await make_database.url([CASEWORK_SQL])
    db = await Database.open(
        url, service="certification", clock=FixedClock(make_database._clock.now()), pool_size=2
    )
    title_id, case_id = uuid4(), uuid4()
    try:
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            await tx.execute(_TITLE, title_id, case_id, FIRM)
            await tx.execute(_MISSED_DUTY, uuid4(), title_id, FIRM)
        assert await decisions(url) == (0, 1)
        async with db.transaction() as tx:
            tx.publish(missed(title_id, case_id))
        assert await decisions(url) == (1, 0)
    finally:
        await db.close()


_TITLE = (
    "INSERT INTO titles (title_id, case_id, enterprise_id, programme, number, granted_on, valid_until, edition,"
    " edition_hash, granted_at) VALUES ($1, $2, $3, 'hnte', 'N', '2016-08-31', '2019-08-31', '2016-01-01', '', now())"
)
_MISSED_DUTY = (
    "INSERT INTO duties (duty_id, title_id, enterprise_id, programme, rule, year, kept_by, opens_on, due_on, missed_on)"
    " VALUES ($1, $2, $3, 'hnte', 'annual_report', 2016, 'report', '2017-01-01', '2017-05-31', '2017-06-01')"
)


def missed(title_id: UUID, case_id: UUID) -> certification.DutyMissed:
    return certification.DutyMissed(
        title_id=title_id, case_id=case_id, enterprise_id=FIRM, programme="hnte", level=None, number="N",
        duty="annual_report", year=2016, due_on=date(2017, 5, 31), missed_on=date(2017, 6, 1),
    )  # fmt: skip


def submitted(case_id: UUID) -> certification.CaseSubmitted:
    return certification.CaseSubmitted(
        case_id=case_id, enterprise_id=FIRM, programme="hnte", level="national", case_type="first",
        edition=date(2016, 1, 1), applied_on=date(2016, 8, 1), edition_hash="a" * 64,
    )  # fmt: skip


async def test_an_inspection_that_nobody_was_told_of_is_reported(
    make_database: Databases, clock: FixedClock
) -> None:
    url, case_id = await make_database.url([CASEWORK_SQL]), uuid4()
    db = await Database.open(url, service="certification", clock=clock, pool_size=2)
    try:
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            await tx.execute(
                "INSERT INTO inspections (inspection_id, case_id, enterprise_id, programme, inspection, kind, state, added_at)"
                " VALUES ($1, $2, $3, 'sme', 'site_check', 'site', 'due', now())",
                uuid4(), case_id, FIRM,
            )  # fmt: skip
        assert await decisions(url) == (0, 1)
        async with db.transaction() as tx:
            tx.publish(
                certification.InspectionDue(
                    case_id=case_id, enterprise_id=FIRM, programme="sme", level="national", case_type="first",
                    edition=date(2017, 5, 3), inspection="site_check", kind="site", due_on=None,
                )
            )  # fmt: skip
        assert await decisions(url) == (1, 0)
    finally:
        await db.close()


async def decisions(url: str) -> tuple[int, int]:
    found = Promise("I7")
    connection = await connect(url, "certification")
    await check_decisions(found, "certification", connection)
    await connection.close()
    return found.checked, found.broken


async def test_open_and_doubtful_notifications_are_shown_and_break_nothing(make_database: Databases) -> None:
    url = await make_database.url([sql_of("notifier")])
    connection = await connect(url, "notifier")
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute(
        "INSERT INTO notifications (notification_id, caused_by, event_type, recipient, channel, statutory, template, state, facts, ambiguous, created_at)"
        " VALUES ($1, 'a/b/1', 't', 'r', 'mail', true, 't', 'waiting', '{}', 2, now())",
        uuid4(),
    )  # fmt: skip
    found = Promise("I8")
    await check_notifications(found, connection)
    await connection.close()
    assert (found.checked, found.broken) == (1, 0)
    assert found.notes == [
        "1 notifications have no final state yet",
        "1 notifications may have come twice, after 2 ambiguous answers",
    ]


async def test_a_telling_of_a_referral_that_does_not_exist_is_reported(bank: Bank) -> None:
    """Twice: it has no ground, and the sending that the house was told of has no counterpart."""
    await bank.offer(referral_id=UUID(int=7))
    whys = [finding["why"] for finding in (await bank.check(check_consents, "I6")).findings]
    assert any("no sending under this consent" in why for why in whys)
    assert any("told to the house" in why for why in whys)
