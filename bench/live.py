"""Firms that act while the clock runs, and how far their cases have come beforehand, with the events that tell of it.

Numbers of firms start where no population reaches. Everything is said through the outbox, so the ledger holds.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from applications import edition, enterprise_id, papers, template
from uuid_utils.compat import uuid7

from chassis.auth import DevelopmentIssuer
from chassis.clock import SystemClock
from chassis.database import Database
from contracts.certification import EnterpriseRegistered
from contracts.finance_link import ConsentGiven
from huiqi.addresses import Addresses
from huiqi.scan import SCANNED

FIRST = 50_000_000
AT_ONCE = 500
BANK, PRODUCT = "bench-bank", "credit"
FIELDS = ["enterprise.id", "title.number"]
_TEMPLATES = 20
_CASE = (
    "INSERT INTO cases (case_id, enterprise_id, enterprise_name, programme, level, case_type, state, version, applied_on,"
    " edition, edition_hash, once_in_year, facts, answer, verdict, proposal, drafted_at, changed_at)"
    " VALUES ($1, $2, $3, 'hnte', 'national', 'first', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now(), now())"
)

_FILE = (
    "INSERT INTO files (enterprise_id, file_id, media_type, bytes, sha256, file_name, added_at, added_by)"
    " VALUES ($1, $2, $3, $4, $5, 'scan.pdf', now(), 'enterprise:bench')"
)


@asynccontextmanager
async def opened(house: Addresses, service: str) -> AsyncIterator[Database]:
    db = await Database.open(
        house.services[service].database, service=service, clock=SystemClock(), pool_size=2
    )
    try:
        yield db
    finally:
        await db.close()


def blocks(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)]


def name_of(number: int) -> str:
    return f"压测企业{number}"


async def register(db: Database, numbers: Sequence[int]) -> None:
    """Certification's database: the firms with their facts, and EnterpriseRegistered of each."""
    given = [template(seed).given for seed in range(_TEMPLATES)]
    for some in blocks(numbers):
        async with db.transaction() as tx:
            await tx.executemany(
                "INSERT INTO enterprises (enterprise_id, name, region, established_on, mainland_resident, changed_by,"
                " changed_at) VALUES ($1, $2, '441702', '2010-03-15', true, 'officer:li', now())",
                [(enterprise_id(number), name_of(number)) for number in some],
            )
            await tx.executemany(
                "INSERT INTO enterprise_facts (enterprise_id, facts, changed_by, changed_at)"
                " VALUES ($1, $2, 'officer:li', now())",
                [(enterprise_id(number), given[number % _TEMPLATES]) for number in some],
            )
            tx.publish(
                *(
                    EnterpriseRegistered(
                        enterprise_id=enterprise_id(number), name=name_of(number), region="441702",
                        established_on=date(2010, 3, 15),
                    )
                    for number in some
                )
            )  # fmt: skip


async def draft(db: Database, numbers: Sequence[int]) -> dict[int, UUID]:
    """Certification's database: a complete draft of each firm, ready to be submitted."""
    cases = {number: uuid7() for number in numbers}
    rows: list[tuple[Any, ...]] = [
        (case_id, enterprise_id(number), None, "draft", 1, None, None, None, None, {}, None, None, None)
        for number, case_id in cases.items()
    ]  # fmt: skip
    brought = papers()
    async with db.transaction() as tx:
        await tx.executemany(_CASE, rows)
        await tx.executemany(_FILE, [(enterprise_id(number), uuid7(), *SCANNED.values()) for number in cases])
        await tx.executemany(
            "INSERT INTO case_documents (case_id, paper, file_name, media_type, bytes, sha256, added_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, now())",
            [(case_id, *paper.values()) for case_id in cases.values() for paper in brought],
        )
        await _decide(tx, list(cases.values()), 1, "draft", before=None, after="draft")
    return cases


async def record(db: Database, numbers: Sequence[int]) -> dict[int, UUID]:
    """Certification's database: a case of each firm whose notice has run out, ready to be granted."""
    cases = {number: uuid7() for number in numbers}
    made = [template(seed) for seed in range(_TEMPLATES)]
    today = SystemClock().today()
    rows: list[tuple[Any, ...]] = []
    for number, case_id in cases.items():
        one = made[number % _TEMPLATES]
        facts = {**one.facts, "enterprise": {**one.facts["enterprise"], "uscc": enterprise_id(number)}}
        rows.append((
            case_id, enterprise_id(number), name_of(number), "recorded", 8, today, date(2016, 1, 1), edition().hash,
            today.year, facts, one.answer, "pass", "grant",
        ))  # fmt: skip
    async with db.transaction() as tx:
        await tx.executemany(_CASE, rows)
        await tx.executemany(
            "INSERT INTO notices (case_id, enterprise_id, enterprise_name, programme, level, opens_on, ends_on)"
            " SELECT case_id, enterprise_id, enterprise_name, programme, level, $2, $3 FROM cases WHERE case_id = $1",
            [(case_id, today - timedelta(days=20), today - timedelta(days=5)) for case_id in cases.values()],
        )
        await _decide(tx, list(cases.values()), 8, "record", before="on_notice", after="recorded")
    return cases


async def _decide(
    tx: Any, cases: list[UUID], version: int, verb: str, *, before: str | None, after: str
) -> None:
    await tx.executemany(
        "INSERT INTO decisions (case_id, version, verb, actor, from_state, to_state, at)"
        " VALUES ($1, $2, $3, 'system:bench', $4, $5, now())",
        [(case_id, version, verb, before, after) for case_id in cases],
    )


async def consent(db: Database, numbers: Sequence[int]) -> None:
    """Finance-link's database: each firm lets the bench's bank know of new titles, and the bank's one product."""
    now, last = datetime.now(UTC), SystemClock().today() + timedelta(days=365)
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO products (bank_id, product_id, name_zh, name_en, amount_max, term_months_max, annual_rate_from,"
            " annual_rate_to, programmes, is_open, changed_at)"
            " VALUES ($1, $2, '高企信用贷', 'HNTE credit loan', 10000000, 36, 0.0385, 0.0435, '{hnte}', true, now())"
            " ON CONFLICT DO NOTHING",
            BANK, PRODUCT,
        )  # fmt: skip
    for some in blocks(numbers):
        given = {uuid7(): enterprise_id(number) for number in some}
        async with db.transaction() as tx:
            await tx.executemany(
                "INSERT INTO consents (consent_id, enterprise_id, bank_id, purpose, fields, text_version, on_title,"
                " given_on, given_at, given_by, expires_on)"
                " VALUES ($1, $2, $3, 'financing', $4, '2016-05', true, $5, $6, $7, $8)",
                [
                    (consent_id, firm, BANK, FIELDS, tx.clock.today(), now, f"enterprise:{firm}", last)
                    for consent_id, firm in given.items()
                ],
            )
            tx.publish(
                *(
                    ConsentGiven(
                        consent_id=consent_id, enterprise_id=firm, bank_id=BANK, purpose="financing", fields=FIELDS,
                        text_version="2016-05", given_on=tx.clock.today(), expires_on=last,
                    )
                    for consent_id, firm in given.items()
                )
            )  # fmt: skip


async def at_rest(house: Addresses, seconds: float = 300) -> None:
    """Waits until no service has anything in its outbox and each has heard of every firm and consent."""
    async with asyncio.timeout(seconds):
        for service in house.services:
            async with opened(house, service) as db:
                while await db.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)


def tokens(house: Addresses, numbers: Sequence[int]) -> dict[int, str]:
    """A token of each firm's own, good for every service."""
    issuer = DevelopmentIssuer(house.issuer)
    return {
        number: issuer.token("clerk", "enterprise", list(house.services), enterprise_id=enterprise_id(number))
        for number in numbers
    }


def officer(house: Addresses) -> str:
    return DevelopmentIssuer(house.issuer).token("li", "officer", list(house.services))
