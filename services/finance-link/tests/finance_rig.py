"""finance-link on a database of its own: its use cases, its ears and its outbox, without a broker."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.clock import FixedClock
from chassis.database import Database, Transaction
from chassis.identity import Actor
from chassis.marks import Arrived
from chassis.migrate import sql_of
from chassis.testing import Databases
from chassis.work import Worker
from contracts import certification, ip_enterprise
from contracts.envelope import Envelope, Event
from contracts.values import check_character
from finance_link.consumers import consumers
from finance_link.domain.consents import Consent, Purpose
from finance_link.domain.products import Product
from finance_link.domain.referrals import Referral
from finance_link.domain.scope import FIELDS
from finance_link.main import service
from finance_link.store.referrals import Outcome
from finance_link.use_cases.consents import Scope, give_consent, withdraw_consent
from finance_link.use_cases.outcomes import Answer, report_outcome
from finance_link.use_cases.products import put_product
from finance_link.use_cases.referrals import Need, ask_for_referral

FIRM, OTHER_FIRM = (code + check_character(code) for code in ("91441702MA4UABCD1", "91441702MA4UABCE1"))
BANK, OTHER_BANK = "yangjiang-bank", "harbour-bank"
EVERYTHING = list(FIELDS)
NEED = Need(Decimal("1200000.00"), 12, "a second grinding line")
OFFICER = Actor("li", "officer")


def firm(enterprise_id: str = FIRM) -> Actor:
    return Actor("wang", "enterprise", enterprise_id=enterprise_id)


def bank(bank_id: str = BANK) -> Actor:
    return Actor("clerk", "bank", bank_id=bank_id)


def registered(enterprise_id: str = FIRM) -> certification.EnterpriseRegistered:
    return certification.EnterpriseRegistered(
        enterprise_id=enterprise_id, name="阳江市锋海刀剪有限公司", region="441781", established_on=date(2010, 3, 15),
        contact_email="wang@fenghai.example",
    )  # fmt: skip


def granted(enterprise_id: str = FIRM, programme: str = "hnte") -> certification.TitleGranted:
    return certification.TitleGranted(
        title_id=uuid4(), case_id=uuid4(), enterprise_id=enterprise_id, programme=programme, level="national",
        number="GR201644000001", granted_on=date(2016, 7, 30), valid_until=date(2019, 7, 29),
    )  # fmt: skip


def ip_granted(enterprise_id: str = FIRM) -> ip_enterprise.TitleGranted:
    return ip_enterprise.TitleGranted(
        **(granted(enterprise_id, "ip-advantage").model_dump() | {"level": "municipal"})
    )


def revoked(title: certification.TitleGranted) -> certification.TitleRevoked:
    said = title.model_dump(exclude={"granted_on", "valid_until"})
    return certification.TitleRevoked(
        **said, revoked_on=date(2016, 8, 1), ground="serious_fraud", conduct_on=date(2016, 7, 30),
        barred_until=date(2016, 12, 31),
    )  # fmt: skip


@dataclass
class Desk:
    db: Database
    clock: FixedClock
    heard: dict[tuple[str, str], int] = field(default_factory=dict)

    def record(self, event: Event, sequence: int) -> Any:
        """What the broker would hand over for the event."""
        envelope = Envelope(
            event_id=uuid4(), source="/huiqi/certification", type=event.type, topic=event.topic, key=event.key,
            sequence=sequence, time=datetime(2016, 8, 1, tzinfo=UTC), actor="officer:li",
        )  # fmt: skip
        return SimpleNamespace(
            topic=event.topic, partition=0, offset=sequence, key=event.key.encode(), value=event.payload(),
            headers=tuple(envelope.to_headers()),
        )  # fmt: skip

    async def hear(self, event: Event, times: int = 1) -> None:
        """The event as the broker would hand it over, in a batch of its own each time."""
        place = (event.topic, event.key)
        self.heard[place] = sequence = self.heard.get(place, 0) + 1
        for _ in range(times):
            async with self.db.transaction() as tx:
                await consumers.apply(
                    tx, [Arrived.of(self.record(event, sequence))], careful=False, give_up=False
                )

    async def product(self, bank_id: str = BANK, product_id: str = "keji", **changes: Any) -> Product:
        product = Product(
            bank_id=bank_id, product_id=product_id, name_zh="科技贷", name_en="S&T loan",
            amount_max=Decimal("5000000.00"), term_months_max=36, annual_rate_from=Decimal("0.0385"),
            annual_rate_to=Decimal("0.0435"), programmes=["hnte", "ip-advantage"], is_open=True,
        ).model_copy(update=changes)  # fmt: skip
        async with self.db.transaction(OFFICER) as tx:
            await put_product(tx, product)
        return product

    def scope(self, fields: list[str] | None = None, **changes: Any) -> Scope:
        purpose: Purpose = changes.pop("purpose", "financing")
        given: dict[str, Any] = {
            "bank_id": BANK, "fields": fields or EVERYTHING, "text_version": "2016-05",
            "expires_on": self.clock.today() + timedelta(days=180),
        } | changes  # fmt: skip
        return Scope(purpose=purpose, **given)

    async def consent(
        self, fields: list[str] | None = None, enterprise_id: str = FIRM, **changes: Any
    ) -> Consent:
        async with self.db.transaction(firm(enterprise_id)) as tx:
            return await give_consent(tx, enterprise_id, self.scope(fields, **changes))

    async def withdraw(self, consent: Consent) -> Consent:
        async with self.db.transaction(firm(consent.enterprise_id)) as tx:
            return await withdraw_consent(tx, consent.consent_id)

    async def ask(self, need: Need = NEED, product_id: str = "keji") -> Referral:
        async with self.db.transaction(firm()) as tx:
            return await wish(tx, need, product_id)

    async def sent(self) -> Referral:
        """A referral that the bank knows, with everything consented."""
        await self.product()
        await self.consent()
        await self.hear(registered())
        await self.hear(granted())
        return await self.ask()

    async def report(
        self, referral: Referral, reference: str, answer: Answer, by: Actor | None = None
    ) -> Outcome:
        async with self.db.transaction(by or bank()) as tx:
            return await report_outcome(tx, referral.referral_id, reference, answer)

    async def look(self, referral_id: UUID) -> Referral:
        row = await self.db.fetchrow("SELECT * FROM referrals WHERE referral_id = $1", referral_id)
        return Referral.model_validate(dict(row or {}))

    async def said(self, event_class: type[Event]) -> list[Any]:
        """The events of the class that wait in the outbox, in the order in which they were said."""
        rows = await self.db.fetch(
            "SELECT e.payload FROM outbox o JOIN events e USING (id, recorded_at) WHERE e.type = $1 ORDER BY id",
            event_class.type,
        )
        return [event_class.read(row["payload"].encode()) for row in rows]

    async def told_to_banks(self) -> str:
        """Every byte on its way to any bank."""
        rows = await self.db.fetch("SELECT payload FROM events WHERE topic LIKE 'finance-link.bank.%'")
        return "".join(row["payload"] for row in rows)

    async def meet_deadlines(self) -> int:
        """Runs what is due by the clock, as the worker does, and says how much that was."""
        worker = Worker(self.db, service.deadlines)
        jobs = await worker.lease(list(service.deadlines), 100)
        for job in jobs:
            await worker._perform(job)
        return len(jobs)


async def wish(tx: Transaction, need: Need = NEED, product_id: str = "keji") -> Referral:
    return await ask_for_referral(tx, FIRM, (BANK, product_id), "financing", need)


@pytest.fixture
async def desk(make_database: Databases, clock: FixedClock) -> Desk:
    return Desk(await make_database([sql_of("finance_link")], service="finance-link"), clock)
